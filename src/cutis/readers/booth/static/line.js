// The line to the server. Every failure has a kind: the line (try again later), the session, or a refusal.
const SECONDS = 20;

export class Refused extends Error {
  constructor(status, said) {
    super(`refused: ${status}`);
    this.status = status;
    this.said = said;
  }
}

export class Cut extends Error {}

export async function ask(path, sent) {
  const proof = document.querySelector("meta[name=proof]").content;
  const options = { signal: AbortSignal.timeout(1000 * SECONDS), headers: { accept: "application/json" } };
  if (sent) {
    options.method = "POST";
    options.headers = { ...options.headers, "content-type": "application/json", "x-proof": proof };
    options.body = JSON.stringify(sent);
  }
  let answer;
  let said;
  try {
    answer = await fetch(path, options);
    said = await answer.json();
  } catch {
    if (!answer || answer.status === 408 || answer.status === 429 || answer.status >= 500 || answer.ok) throw new Cut();
    throw new Refused(answer.status, {});
  }
  if (answer.ok) return said;
  if (answer.status === 408 || answer.status === 429 || answer.status >= 500) throw new Cut();
  throw new Refused(answer.status, said);
}
