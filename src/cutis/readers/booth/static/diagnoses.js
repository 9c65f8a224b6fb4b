// The list of diagnoses: a click chooses, and so does typing, where the first that fits is a press of Enter away.
const plain = (text) => text.normalize("NFD").replace(/\p{Diacritic}/gu, "").toLowerCase();

export class Diagnoses {
  constructor(typed, list, nothing, { diagnoses, words, onChosen }) {
    this.typed = typed;
    this.list = list;
    this.nothing = nothing;
    this.words = words;
    this.onChosen = onChosen;
    this.diagnoses = diagnoses.map((each) => ({
      ...each,
      sought: [each.name, each.beneath, ...each.also].filter(Boolean).map(plain),
    }));
    this.items = this.diagnoses.map((each, number) => this.#item(each, number));
    list.replaceChildren(...this.items);
    typed.addEventListener("input", () => this.#filter());
    typed.addEventListener("keydown", (event) => this.#key(event));
    this.clear();
  }

  get chosen() {
    return this.code;
  }

  name(code) {
    return this.diagnoses.find((each) => each.code === code)?.name ?? code;
  }

  clear() {
    this.typed.value = "";
    this.#filter();
    this.#mark(null);
    this.#at(null);
    this.list.scrollTop = 0;
  }

  choose(code) {
    this.#mark(code);
    this.#at(this.diagnoses.findIndex((each) => each.code === code));
  }

  #item({ code, name, beneath }, number) {
    const item = document.createElement("li");
    item.id = `diagnosis-${number}`;
    item.role = "option";
    const text = document.createElement("span");
    text.textContent = name;
    if (beneath) {
      const small = document.createElement("small");
      small.lang = "en";
      small.textContent = beneath;
      text.append(small);
    }
    item.append(text);
    item.addEventListener("click", () => this.#chosen(code));
    return item;
  }

  #filter() {
    const sought = plain(this.typed.value.trim());
    const begins = (text) => text.startsWith(sought) || text.split(/[\s(/-]+/).some((word) => word.startsWith(sought));
    const fits = this.diagnoses.map((each) => !sought || each.sought.some(begins));
    const any = fits.some(Boolean);
    for (const [number, item] of this.items.entries()) item.hidden = any && !fits[number];
    const shown = any ? fits.filter(Boolean).length : fits.length;
    this.list.style.setProperty("--rows", Math.max(1, Math.ceil(shown / 2)));
    this.nothing.textContent = any ? "" : this.words.nothing_fits;
    this.#at(sought && any ? fits.indexOf(true) : null);
  }

  #shown() {
    return this.items.map((item, number) => (item.hidden ? -1 : number)).filter((number) => number >= 0);
  }

  #at(number) {
    this.number = number;
    for (const [each, item] of this.items.entries()) item.classList.toggle("at", each === number);
    if (number === null || number < 0) this.typed.removeAttribute("aria-activedescendant");
    else {
      this.typed.setAttribute("aria-activedescendant", this.items[number].id);
      if (document.activeElement === this.typed) this.items[number].scrollIntoView({ block: "nearest" });
    }
  }

  #mark(code) {
    this.code = code;
    for (const [number, item] of this.items.entries()) {
      item.setAttribute("aria-selected", String(this.diagnoses[number].code === code));
    }
  }

  #chosen(code) {
    this.typed.value = "";
    this.#filter();
    this.choose(code);
    this.onChosen(code);
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const shown = this.#shown();
      const place = shown.indexOf(this.number);
      const next = place < 0 ? (step > 0 ? 0 : shown.length - 1) : (place + step + shown.length) % shown.length;
      this.#at(shown[next]);
      event.preventDefault();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault(); // saving is for the button, and for Enter after the last question
      if (this.number !== null && this.number >= 0) this.#chosen(this.diagnoses[this.number].code);
    } else if (event.key === "Escape") {
      this.typed.value = "";
      this.#filter();
    }
  }
}
