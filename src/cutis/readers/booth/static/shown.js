// What is shown of a turn: its picture, what stands beside it, and what the network says.
const by = (id) => document.getElementById(id);

function element(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

export function showBeside(beside, { words, sites }) {
  const told = Object.entries(beside).map(([name, value]) => {
    const row = document.createElement("div");
    const known = value === null || value === undefined || value === "" ? words.unknown : String(value);
    row.append(element("dt", words[name] ?? name), element("dd", sites[known] ?? words[known] ?? known));
    return row;
  });
  by("beside").replaceChildren(...told);
  by("beside").hidden = !told.length;
}

export function showAid(aid, nameOf) {
  by("aid").hidden = !aid;
  by("map").hidden = true;
  by("show-map").checked = false;
  if (!aid) return;
  const rows = aid.top.map(([code, share]) => {
    const row = document.createElement("li");
    const meter = Object.assign(document.createElement("meter"), { min: 0, max: 1, value: share });
    meter.setAttribute("aria-label", nameOf(code));
    row.append(element("span", nameOf(code)), element("b", `${Math.round(100 * share)} %`), meter);
    return row;
  });
  by("aid-top").replaceChildren(...rows);
  by("aid-map").hidden = !aid.map;
  if (aid.map) by("map").src = aid.map;
}

// The picture is on the screen when this is done; it fails where the line is cut.
export async function showPicture(path) {
  const picture = by("picture");
  by("veil").hidden = false;
  by("reload").hidden = true;
  picture.src = path;
  await picture.decode();
  by("veil").hidden = true;
}

export function fetchAhead(path) {
  const ahead = new Image();
  ahead.src = path;
  return ahead; // as long as somebody holds it, the browser keeps it decoded
}
