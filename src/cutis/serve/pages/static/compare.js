// One lesion over time: two pictures that move as one.
import { Looking, buttons } from "./looking.js";
import { listen } from "./keys.js";

const frames = [...document.querySelectorAll(".viewer")];
const choices = frames.map((frame) => document.getElementById(frame.dataset.choice));
const looking = new Looking(frames);

function show(number) {
  const [frame, choice] = [frames[number], choices[number]];
  const chosen = choice.selectedOptions[0];
  const picture = frame.querySelector("img");
  picture.src = chosen.value;
  picture.alt = chosen.dataset.alt;
}

function step(by) {
  const last = choices.at(-1);
  const next = last.selectedIndex + by;
  if (next < 0 || next >= last.options.length) return;
  last.selectedIndex = next;
  show(choices.length - 1);
}

for (const [number, choice] of choices.entries()) {
  choice.addEventListener("change", () => show(number));
  show(number);
}
if (frames.length) buttons(looking, document.querySelector(".tools"));
listen({
  ",": () => step(-1),
  ".": () => step(1),
  p: () => document.getElementById("report").click(),
  n: () => document.getElementById("again").click(),
});
