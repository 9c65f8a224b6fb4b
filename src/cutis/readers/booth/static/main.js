// The booth: one turn after the other. Nothing leads back; what is saved is on its way, or waits for the line.
import { Clock } from "./clock.js";
import { Diagnoses } from "./diagnoses.js";
import { Cut, Refused, ask } from "./line.js";
import { Outbox } from "./outbox.js";
import { Questions } from "./questions.js";
import { fetchAhead, showAid, showBeside, showPicture } from "./shown.js";
import { Viewer } from "./viewer.js";

const by = (id) => document.getElementById(id);
const booth = by("booth");
const told = JSON.parse(booth.dataset.told);
const words = told.words;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const isTyping = matchMedia("(pointer: fine)").matches; // on glass, a focused field would call up its keyboard
const secret = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

let state = null; // what the server said last
let turn = null; // what is read now
let begun = null; // the session whose beginning was shown
let ahead = null;
let afterFeedback = null;

const viewer = new Viewer(by("viewer"), by("moved"));
const clock = new Clock(told.reader);
const questions = new Questions(told);
const diagnoses = new Diagnoses(by("typed"), by("diagnoses"), by("nothing"), { ...told, onChosen: () => chosen() });
const outbox = new Outbox(told.reader, { onAcknowledged: acknowledged, onRefused: refused, onCount: counted });

function card(title, text, { more = "", go = null, onGo = null, link = null } = {}) {
  by("reading").hidden = true;
  by("card").hidden = false;
  by("card-title").textContent = title;
  by("card-text").textContent = text;
  by("card-more").textContent = more;
  by("card-more").hidden = !more;
  by("card-go").hidden = !go;
  by("card-go").textContent = go ?? "";
  by("card-go").onclick = onGo;
  by("card-link").hidden = !link;
  by("card-link").textContent = link ?? "";
  (go ? by("card-go") : by("card-title")).focus();
}

function showState() {
  if (outbox.count && !state) return card(words.line_cut, words.line_cut_text);
  if (state.state === "done") {
    by("bar").hidden = true;
    return card(words.done_title, words.done_text);
  }
  if (state.state === "pause") {
    by("bar").hidden = true;
    const written = new Intl.DateTimeFormat(booth.dataset.language, { dateStyle: "full", timeStyle: "short" });
    return card(words.pause_title, fill(words.pause_text, { date: written.format(new Date(1000 * state.opens_at)) }));
  }
  const next = nextTurn();
  if (!next) return card(words.line_cut, words.line_cut_text);
  if (next.position === 1 && begun !== next.session) return showBeginning(next);
  return showTurn(next);
}

// The first turn that has no answer, here or there.
function nextTurn() {
  const open = state.turns.filter((each) => !outbox.holds(each.session, each.position));
  return open.length && (!open[0].aided || open[0].aid) ? open[0] : null;
}

function showBeginning(next) {
  by("bar").hidden = true;
  begun = next.session;
  const title = state.practice ? words.practice_title : next.session === 1 ? words.begin_title : words.next_title;
  const text = state.practice ? words.practice_text : words.begin_text;
  const more = state.aided ? words.begin_aided : "";
  ahead = fetchAhead(next.picture);
  card(title, fill(text, { total: state.total }), { more, go: words.begin, onGo: () => showTurn(next) });
}

async function showTurn(next) {
  turn = next;
  by("card").hidden = true;
  by("bar").hidden = false;
  by("reading").hidden = false;
  by("missing").hidden = true;
  const place = { position: next.position, total: state.total };
  by("place").textContent = fill(state.practice ? words.practice_case : words.case, place);
  by("progress").max = state.total;
  by("progress").value = next.position - 1;
  diagnoses.clear();
  questions.clear();
  viewer.fit();
  showBeside(next.beside, told);
  showAid(next.aid, (code) => diagnoses.name(code));
  by("changed").hidden = !next.said;
  if (next.said) {
    diagnoses.choose(next.said.diagnosis);
    questions.set(next.said);
    by("changed").textContent = fill(words.changed, { diagnosis: diagnoses.name(next.said.diagnosis) });
  }
  scrollTo(0, 0);
  if (isTyping) by("typed").focus({ preventScroll: true });
  else by("place").focus({ preventScroll: true });
  await picture(next);
}

async function picture(next) {
  try {
    by("veil-text").textContent = words.loading;
    await showPicture(next.picture);
  } catch {
    if (turn !== next) return;
    by("veil-text").textContent = words.picture_failed;
    by("reload").hidden = false;
    return;
  }
  if (turn !== next) return;
  clock.start(`${next.session}.${next.position}`);
  const after = state.turns?.find((each) => each.position === next.position + 1);
  if (after) ahead = fetchAhead(after.picture);
}

function chosen() {
  by("missing").hidden = true;
  if (isTyping) questions.focus();
  else by("confidence")?.scrollIntoView({ block: "center", behavior: "smooth" });
}

// Letters go to the diagnosis from wherever one is, digits to how sure one is.
function anywhere(event) {
  const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !by("reading").hidden;
  const takesLetters = event.target.matches("input:not([type=checkbox], [type=range]), select, textarea");
  if (!isOurs || takesLetters || event.target === by("viewer")) return;
  if (/^\p{L}$/u.test(event.key)) by("typed").focus();
  else if (/^\d$/.test(event.key) && event.target !== by("confidence")) questions.digit(event.key);
}

function save() {
  if (!turn || !by("veil").hidden) return;
  const missing = diagnoses.chosen === null ? "missing_diagnosis" : questions.missing(diagnoses.chosen);
  if (missing) {
    by("missing").textContent = words[missing];
    by("missing").hidden = false;
    return missing === "missing_diagnosis" && isTyping ? by("typed").focus() : undefined;
  }
  const { session, position } = turn;
  const diagnosis = diagnoses.chosen;
  const answer = { answer_id: secret(), session, position, diagnosis, ...questions.read(diagnosis), seconds: clock.stop() };
  turn = null;
  const isPractice = state.practice;
  outbox.add(answer);
  if (!isPractice) showState(); // the next turn is known; practice waits for its feedback
  else by("veil").hidden = false;
}

function acknowledged(said, answer) {
  state = said;
  if (said.feedback) return showFeedback(said.feedback, answer);
  if (!turn && !afterFeedback) showState();
}

function showFeedback(diagnosis, answer) {
  const title = diagnosis === answer.diagnosis ? words.feedback_right : words.feedback_wrong;
  const yours = fill(words.feedback_yours, { diagnosis: diagnoses.name(answer.diagnosis) });
  const onGo = () => {
    afterFeedback = null;
    showState();
  };
  afterFeedback = onGo;
  card(title, fill(words.feedback, { diagnosis: diagnoses.name(diagnosis) }), { more: yours, go: words.go_on, onGo });
}

function refused(status, said, answer) {
  if (status === 401 || status === 403) return signInAgain(status);
  if (status === 409 && !said.kept) counted(outbox.count, false, words.elsewhere);
  if (said.state) state = said;
  turn = null;
  return said.state ? showState() : start();
}

function signInAgain(status) {
  turn = null;
  if (status === 403 && !sessionStorage.getItem("cutis.again")) {
    sessionStorage.setItem("cutis.again", "1"); // signed in anew in another window: this page's proof is stale
    return location.reload();
  }
  by("bar").hidden = true;
  return card(words.sign_in_title, words.sign_in_text, { link: words.sign_in });
}

function counted(count, isCut, text = null) {
  const waits = isCut && count > 0;
  by("line").classList.toggle("waits", waits || Boolean(text));
  const many = count === 1 ? words.waiting_one : fill(words.waiting, { count });
  if (waits && !turn && by("card").hidden) card(words.line_cut, words.line_cut_text);
  by("line").textContent = text ?? (waits ? many : count || !state?.answered ? "" : words.saved);
}

async function start() {
  await outbox.flush();
  if (outbox.count) return state ? undefined : card(words.line_cut, words.line_cut_text);
  try {
    state = await ask("/booth/turns");
    sessionStorage.removeItem("cutis.again");
  } catch (error) {
    if (error instanceof Refused) return signInAgain(error.status);
    if (!(error instanceof Cut)) throw error;
    setTimeout(start, 3000);
    return card(words.line_cut, words.line_cut_text);
  }
  return showState();
}

document.addEventListener("keydown", anywhere);
by("viewer").style.setProperty("--frame", `${told.frame[0]} / ${told.frame[1]}`);
by("in").addEventListener("click", () => viewer.closer());
by("out").addEventListener("click", () => viewer.further());
by("fit").addEventListener("click", () => viewer.fit());
by("reload").addEventListener("click", () => turn && picture(turn));
by("show-map").addEventListener("change", (event) => {
  by("map").hidden = !event.target.checked;
});
by("reading").addEventListener("input", () => {
  by("missing").hidden = true;
});
by("reading").addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
start();
