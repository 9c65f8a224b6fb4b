// The answer, looked at: the picture near and far, the heat map on request, similar cases on request, the atlas.
import { Cut, ask, fill } from "./line.js";
import { draw, mark } from "./atlas.js";
import { Looking, buttons } from "./looking.js";
import { listen } from "./keys.js";

const by = (id) => document.getElementById(id);
const told = JSON.parse(by("examination").dataset.told);
const words = told.words;
const looking = new Looking([by("viewer")]);
let shown = 0; // which of the pictures

function element(kind, text = "", name = "") {
  const made = document.createElement(kind);
  if (text) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function showPicture(number) {
  shown = number;
  by("picture").src = `${told.path}/pictures/${number}`;
  by("picture").alt = fill(words.picture_of, { number: number + 1, count: told.pictures });
  for (const [each, tab] of [...document.querySelectorAll("[data-picture]")].entries()) tab.setAttribute("aria-pressed", String(each === number));
  showMap();
}

// Only now is a map asked for, and the server writes down of which diagnosis.
function showMap() {
  const control = by("show-map");
  if (!control) return;
  by("map").hidden = true; // until it is the one that was asked for
  by("map-of-row").hidden = !control.checked;
  by("map-said").textContent = "";
  if (!control.checked) return;
  const asked = new URLSearchParams({ picture: shown, diagnosis: by("map-of").value, depth: by("map-depth").value });
  by("map").src = `${told.path}/map?${asked}`;
  by("map").style.opacity = by("map-strength").value / 100;
}

// A map lies over its own picture only: both have come.
function layMap() {
  const isThere = by("map").complete && by("map").naturalWidth > 0 && by("picture").complete;
  by("map").hidden = !(by("show-map")?.checked && isThere);
}

function toggleMap() {
  const control = by("show-map");
  if (!control) return;
  control.checked = !control.checked;
  showMap();
}

async function showSimilar() {
  const list = by("similar-cases");
  if (list.childElementCount) return;
  by("similar-said").textContent = words.loading;
  try {
    const { cases } = await ask(`${told.path}/similar`);
    list.replaceChildren(...cases.map(similar));
    by("similar-said").textContent = cases.length ? "" : words.none_similar;
  } catch (error) {
    by("similar-said").textContent = error instanceof Cut ? words.cut : words.failed;
  }
}

function similar(each) {
  const entry = element("li");
  if (each.thumbnail) {
    const canvas = element("canvas");
    canvas.setAttribute("aria-hidden", "true");
    entry.append(canvas);
    paint(canvas, each.thumbnail);
  }
  const text = element("div");
  text.append(element("strong", each.name), element("span", each.confirmed), element("span", each.likeness, "quiet"));
  if (each.shared) text.append(element("span", each.shared, "quiet"));
  entry.append(text);
  return entry;
}

// A picture that came with the words about it, so that no address leads to it.
async function paint(canvas, encoded) {
  const picture = await createImageBitmap(new Blob([Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))]));
  const side = Math.min(picture.width, picture.height);
  canvas.width = canvas.height = side;
  canvas.getContext("2d").drawImage(picture, (picture.width - side) / 2, (picture.height - side) / 2, side, side, 0, 0, side, side);
  picture.close();
}

function toggle(id) {
  const found = by(id);
  if (!found) return;
  found.open = !found.open;
  if (found.open) found.scrollIntoView({ block: "nearest" });
}

async function showAtlas() {
  const canvas = by("atlas");
  if (!canvas) return;
  for (const each of document.querySelectorAll("canvas[data-mark]")) mark(each, each.dataset.mark === "" ? null : Number(each.dataset.mark));
  try {
    const { points } = await ask(told.atlas);
    const redraw = () => canvas.clientWidth && draw(canvas, { points, likely: told.likely, place: told.place });
    new ResizeObserver(redraw).observe(canvas);
  } catch {
    by("atlas-section").hidden = true; // an answer without its map is still an answer
  }
}

buttons(looking, document.querySelector(".tools"));
for (const [number, tab] of [...document.querySelectorAll("[data-picture]")].entries()) tab.addEventListener("click", () => showPicture(number));
by("show-map")?.addEventListener("change", showMap);
for (const id of ["map-of", "map-depth"]) by(id)?.addEventListener("change", showMap);
by("map-strength")?.addEventListener("input", (event) => { by("map").style.opacity = event.target.value / 100; });
for (const id of ["map", "picture"]) by(id).addEventListener("load", layMap);
by("map").addEventListener("error", () => { by("map-said").textContent = by("show-map")?.checked ? words.map_failed : ""; });
by("similar")?.addEventListener("toggle", () => by("similar").open && showSimilar());
listen({
  h: toggleMap,
  s: () => toggle("similar"),
  r: () => toggle("rest"),
  w: () => { if (by("change-word")) by("change-word").open = true; document.querySelector("#word button, #word input:not([type=hidden])")?.focus(); },
  ",": () => shown > 0 && showPicture(shown - 1),
  ".": () => shown + 1 < told.pictures && showPicture(shown + 1),
  c: () => by("see-case").click(),
  p: () => by("report").click(),
  n: () => by("next").click(),
});
showAtlas();
