// What is asked beside the diagnosis: how sure, further choices, management, a rating for each. Only what is there.
const by = (id) => document.getElementById(id);

function options(select, pairs, empty) {
  const all = [["", empty], ...pairs];
  select.replaceChildren(...all.map(([value, text]) => Object.assign(document.createElement("option"), { value, textContent: text })));
}

export class Questions {
  constructor({ diagnoses, management, words, asks }) {
    this.words = words;
    this.asks = asks;
    this.sure = by("confidence");
    this.further = [by("second"), by("third")].filter(Boolean);
    this.management = by("management");
    const real = diagnoses.filter((each) => each.code !== "none");
    for (const select of this.further) options(select, real.map((each) => [each.code, each.name]), words.no_choice);
    if (this.management) options(this.management, management, words.no_choice);
    this.ratings = by("ratings") ? real.map((each) => this.#rating(each)) : [];
    this.sure?.addEventListener("input", () => this.setConfidence(this.sure.valueAsNumber / 100));
    this.sure?.addEventListener("pointerdown", () => setTimeout(() => this.setConfidence(this.sure.valueAsNumber / 100)));
    this.sure?.addEventListener("keydown", (event) => this.digit(event.key));
    this.clear();
  }

  clear() {
    this.setConfidence(null);
    for (const select of [...this.further, this.management].filter(Boolean)) select.value = "";
    for (const { slider } of this.ratings) this.#rate(slider, 0);
    if (by("more")) by("more").open = false;
  }

  // What was said of the same case before, to be changed or kept.
  set(said) {
    this.setConfidence(said.confidence);
    for (const [place, select] of this.further.entries()) select.value = said.further?.[place] ?? "";
    if (this.management) this.management.value = said.management ?? "";
    for (const { code, slider } of this.ratings) this.#rate(slider, said.ratings?.[code] ?? 0);
  }

  setConfidence(share) {
    if (!this.sure) return;
    this.confidence = share;
    const isSet = share !== null && share !== undefined;
    this.sure.value = isSet ? Math.round(100 * share) : 50;
    this.sure.classList.toggle("unset", !isSet);
    const text = isSet ? `${Math.round(100 * share)} %` : this.words.confidence_unset;
    this.sure.setAttribute("aria-valuetext", text);
    by("sure").textContent = text;
  }

  // 1 to 9 are tenths, and 0 is all.
  digit(key) {
    if (/^\d$/.test(key)) this.setConfidence(key === "0" ? 1 : Number(key) / 10);
  }

  focus() {
    (this.sure ?? by("save")).focus();
  }

  // Where every rating is still at its beginning, nothing was rated; only "none of these" may leave it so.
  missing(diagnosis) {
    if (this.sure && (this.confidence === null || this.confidence === undefined)) return "missing_confidence";
    const isRated = this.ratings.some(({ slider }) => slider.valueAsNumber > 0);
    return this.ratings.length && !isRated && diagnosis !== "none" ? "missing_ratings" : null;
  }

  read(diagnosis) {
    const further = [...new Set(this.further.map((select) => select.value))].filter((code) => code && code !== diagnosis);
    const rated = this.ratings.map(({ code, slider }) => [code, slider.valueAsNumber / 100]);
    return {
      further,
      management: this.management?.value || null,
      confidence: this.sure ? this.confidence : null,
      ratings: rated.length ? Object.fromEntries(rated) : null,
    };
  }

  #rating({ code, name }) {
    const label = document.createElement("label");
    const text = Object.assign(document.createElement("span"), { textContent: name });
    const output = document.createElement("output");
    const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, step: 1, value: 0 });
    slider.addEventListener("input", () => this.#rate(slider, slider.valueAsNumber / 100));
    label.append(text, output, slider);
    by("ratings").append(label);
    return { code, slider };
  }

  #rate(slider, share) {
    slider.value = Math.round(100 * share);
    slider.previousElementSibling.textContent = `${slider.value} %`;
  }
}
