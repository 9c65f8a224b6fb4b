// Zoom and pan: by wheel, by one or two fingers, by buttons and by keys. The picture never leaves its frame.
const CLOSEST = 12;
const STEP = 1.4;
const KEYS = { "+": STEP, "=": STEP, "-": 1 / STEP, _: 1 / STEP };
const ARROWS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Viewer {
  constructor(frame, moved) {
    this.frame = frame;
    this.moved = moved;
    this.fingers = new Map();
    this.fit();
    frame.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.#down(event));
    frame.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      frame.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
    frame.addEventListener("dblclick", (event) => this.#zoom(this.scale > 1 ? 1 / this.scale : 3, this.#at(event)));
    frame.addEventListener("keydown", (event) => this.#key(event));
  }

  fit() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.#draw();
  }

  closer() {
    this.#zoom(STEP, this.#middle());
  }

  further() {
    this.#zoom(1 / STEP, this.#middle());
  }

  #zoom(factor, [x, y]) {
    const scale = Math.min(CLOSEST, Math.max(1, this.scale * factor));
    const real = scale / this.scale;
    this.x = x - (x - this.x) * real;
    this.y = y - (y - this.y) * real;
    this.scale = scale;
    this.#draw();
  }

  #shift(x, y) {
    this.x += x;
    this.y += y;
    this.#draw();
  }

  #draw() {
    const { clientWidth, clientHeight } = this.frame;
    this.x = Math.min(0, Math.max(this.x, clientWidth * (1 - this.scale)));
    this.y = Math.min(0, Math.max(this.y, clientHeight * (1 - this.scale)));
    this.moved.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }

  #at(event) {
    const frame = this.frame.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  #middle() {
    return [this.frame.clientWidth / 2, this.frame.clientHeight / 2];
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom(Math.exp(-event.deltaY / 400), this.#at(event));
  }

  #down(event) {
    if (event.target.closest("button")) return;
    this.frame.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.#at(event));
  }

  #move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    const others = [...this.fingers].filter(([id]) => id !== event.pointerId);
    if (others.length === 1) {
      const still = others[0][1];
      const apart = (point) => Math.hypot(point[0] - still[0], point[1] - still[1]) || 1;
      this.#zoom(apart(now) / apart(before), [(now[0] + still[0]) / 2, (now[1] + still[1]) / 2]);
      this.#shift((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else if (!others.length) {
      this.#shift(now[0] - before[0], now[1] - before[1]);
    }
    this.fingers.set(event.pointerId, now);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in KEYS) this.#zoom(KEYS[event.key], this.#middle());
    else if (event.key in ARROWS) this.#shift(60 * ARROWS[event.key][0], 60 * ARROWS[event.key][1]);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
