// The secret of a personal link stands after its #, which no browser sends by itself: it reaches no log on the way.
const said = document.getElementById("said");
const begin = document.getElementById("begin");

function tell(text) {
  said.textContent = text;
  said.hidden = false;
}

async function join() {
  begin.disabled = true;
  try {
    const answer = await fetch("/join", {
      method: "POST",
      headers: { "content-type": "application/json", "x-proof": document.querySelector("meta[name=proof]").content },
      body: JSON.stringify({ token: location.hash.slice(1) }),
    });
    if (answer.ok) {
      const { to } = await answer.json();
      location.replace(to);
      return;
    }
    tell(answer.status === 429 ? said.dataset.wait : said.dataset.wrong);
  } catch {
    tell(said.dataset.line);
  }
  begin.disabled = false;
}

begin.addEventListener("click", join);
if (location.hash.length < 2) tell(said.dataset.wrong);
