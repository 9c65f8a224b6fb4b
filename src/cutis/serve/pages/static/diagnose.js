// The pictures of one lesion, from the hand to the server. They stay here until the server has them for certain.
import { Cut, Refused, fill, renewProof, send } from "./line.js";

const by = (id) => document.getElementById(id);
const told = JSON.parse(by("ask").dataset.told);
const words = told.words;
const DEVICE = "cutis.device";
const drawn = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

let pictures = [];
let asked = null; // names one question, so that asking it twice asks it once
let isBusy = false;
let waiting = null;
const first = by("go").textContent;

function tell(text) {
  by("said").textContent = text;
  by("said").hidden = !text;
}

function add(files) {
  if (isBusy) return;
  const wanted = [...files].filter((file) => file.size);
  const large = wanted.find((file) => file.size > told.largest);
  const room = told.most - pictures.length;
  pictures.push(...wanted.filter((file) => file.size <= told.largest).slice(0, room));
  changed();
  if (large) tell(fill(words.too_large, { name: large.name, megabytes: told.largest >> 20 }));
  else if (wanted.length > room) tell(fill(words.too_many, { count: told.most }));
  else tell("");
  if (pictures.length) by("go").focus({ preventScroll: true });
}

// What is asked is another question now: nothing of the one before goes on by itself.
function anew() {
  asked = null;
  by("go").textContent = first;
  if (waiting === null) return;
  stopWaiting();
  tell("");
}

function stopWaiting() {
  clearInterval(waiting);
  waiting = null;
}

function changed() {
  anew();
  by("signing").hidden = true;
  by("chosen").hidden = !pictures.length;
  by("drop").classList.toggle("full", pictures.length > 0);
  by("go").disabled = !pictures.length;
  by("choose").textContent = pictures.length ? words.more : words.choose;
  by("choose").classList.toggle("main", !pictures.length);
  by("chosen").replaceChildren(...pictures.map(item));
}

function item(file, number) {
  const entry = document.createElement("li");
  const canvas = document.createElement("canvas");
  const label = document.createElement("span");
  const away = document.createElement("button");
  label.textContent = fill(words.picture, { number: number + 1 });
  away.type = "button";
  away.textContent = "✕";
  away.setAttribute("aria-label", fill(words.remove, { number: number + 1 }));
  away.addEventListener("click", () => {
    if (isBusy) return;
    pictures.splice(number, 1);
    changed();
    (by("chosen").querySelectorAll("button")[Math.min(number, pictures.length - 1)] ?? by("choose")).focus();
  });
  entry.append(canvas, label, away);
  preview(file, canvas);
  return entry;
}

async function preview(file, canvas) {
  canvas.width = canvas.height = 192;
  canvas.setAttribute("aria-hidden", "true");
  try {
    const picture = await createImageBitmap(file);
    const side = Math.min(picture.width, picture.height);
    const [x, y] = [(picture.width - side) / 2, (picture.height - side) / 2];
    canvas.getContext("2d").drawImage(picture, x, y, side, side, 0, 0, canvas.width, canvas.height);
    picture.close();
  } catch {
    canvas.classList.add("unseeable"); // the server may know a kind of picture that this browser does not
  }
}

function question() {
  const form = new FormData();
  for (const file of pictures) form.append("picture", file, "picture"); // a file's name may tell of a patient
  for (const name of ["accession", "device", "note"]) if (by(name)?.value.trim()) form.append(name, by(name).value.trim());
  if (told.case) form.append("case_id", told.case);
  return form;
}

function busy(is, text = "") {
  isBusy = is;
  by("work").hidden = !is;
  by("go").disabled = is || !pictures.length;
  for (const id of ["choose", "take"]) by(id).disabled = is;
  by("doing").textContent = text;
}

function sent(share) {
  by("progress").value = share;
  if (share < 1) by("doing").textContent = fill(words.sending, { percent: Math.floor(100 * share) });
  else {
    by("progress").removeAttribute("value"); // how long the judging takes, nobody knows
    by("doing").textContent = words.judging;
  }
}

async function go() {
  stopWaiting();
  if (isBusy || !pictures.length) return;
  tell("");
  by("signing").hidden = true;
  busy(true, fill(words.sending, { percent: 0 }));
  by("progress").value = 0;
  localStorage.setItem(DEVICE, by("device").value.trim());
  try {
    const { to } = await once();
    location.assign(to);
  } catch (error) {
    busy(false);
    failed(error);
  }
}

async function once() {
  asked ??= drawn();
  const told = { key: asked, onSent: sent };
  try {
    return await send("/diagnose", question(), told);
  } catch (error) {
    if (error.status !== 403 || !(await renewProof())) throw error;
    return send("/diagnose", question(), told);
  }
}

function failed(error) {
  by("go").textContent = words.try_again;
  if (error instanceof Cut) return tell(words.cut);
  if (!(error instanceof Refused)) throw error;
  if (error.status === 401 || error.status === 403) {
    by("signing").hidden = false;
    return tell(words.signed_out);
  }
  if (error.status === 429) return wait(error.wait || 5);
  if (error.status === 422) return tell(error.said.said ?? words.refused);
  if (error.status === 413) return tell(fill(words.too_large_together, { count: told.most, megabytes: told.largest >> 20 }));
  return tell(error.status >= 500 ? words.failed : words.refused);
}

// The queue is full: the page counts down, and asks again by itself.
function wait(seconds) {
  let left = Math.ceil(seconds);
  tell(fill(words.busy, { seconds: left }));
  waiting = setInterval(() => {
    left -= 1;
    by("go").textContent = `${words.try_again} (${left})`;
    if (left <= 0) go();
  }, 1000);
}

by("choose").addEventListener("click", () => by("files").click());
by("take").addEventListener("click", () => by("camera").click());
for (const id of ["files", "camera"]) {
  by(id).addEventListener("change", (event) => {
    add(event.target.files);
    event.target.value = "";
  });
}
for (const id of ["accession", "device", "note"]) by(id)?.addEventListener("input", anew);
document.addEventListener("paste", (event) => {
  if (!event.clipboardData.files.length) return;
  event.preventDefault();
  add(event.clipboardData.files);
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  by("drop").classList.add("over");
});
for (const end of ["dragleave", "drop"]) document.addEventListener(end, () => by("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});
by("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  go();
});
by("device").value ||= localStorage.getItem(DEVICE) ?? "";
addEventListener("pageshow", (event) => event.persisted && location.reload()); // no lesion of the patient before
