// One way of looking, shared by one frame or by two: what is done to one is done to all of them.
// Where one looks is kept in shares of the frame, so that frames of different sizes show the same place.
const CLOSEST = 16;
const STEP = 1.4;
const PACE = 0.12; // of the frame, with one press of an arrow
const NEARER = { "+": STEP, "=": STEP, "-": 1 / STEP, _: 1 / STEP };
const ARROWS = { ArrowLeft: [PACE, 0], ArrowRight: [-PACE, 0], ArrowUp: [0, PACE], ArrowDown: [0, -PACE] };
const within = (value, low, high) => Math.min(high, Math.max(low, value));

export class Looking {
  constructor(frames) {
    this.frames = frames;
    this.fingers = new Map();
    for (const frame of frames) this.#listen(frame);
    this.whole();
  }

  whole() {
    [this.scale, this.x, this.y] = [1, 0, 0];
    this.#draw();
  }

  nearer(factor = STEP, at = [0.5, 0.5]) {
    const scale = within(this.scale * factor, 1, CLOSEST);
    const real = scale / this.scale;
    this.scale = scale;
    this.#goTo(at[0] - (at[0] - this.x) * real, at[1] - (at[1] - this.y) * real);
  }

  further() {
    this.nearer(1 / STEP);
  }

  #goTo(x, y) {
    this.x = within(x, 1 - this.scale, 0);
    this.y = within(y, 1 - this.scale, 0);
    this.#draw();
  }

  #draw() {
    for (const frame of this.frames) {
      const moved = frame.querySelector(".moved");
      moved.style.transform = `translate(${100 * this.x}%, ${100 * this.y}%) scale(${this.scale})`;
      frame.classList.toggle("near", this.scale > 1);
    }
  }

  #listen(frame) {
    const at = (event) => {
      const box = frame.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    frame.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.nearer(Math.exp(-event.deltaY / 400), at(event));
    }, { passive: false });
    frame.addEventListener("pointerdown", (event) => {
      frame.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, at(event));
    });
    for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    frame.addEventListener("pointermove", (event) => this.fingers.has(event.pointerId) && this.#drag(event.pointerId, at(event)));
    frame.addEventListener("dblclick", (event) => (this.scale > 1 ? this.whole() : this.nearer(3, at(event))));
    frame.addEventListener("keydown", (event) => this.#key(event));
  }

  #drag(finger, now) {
    const before = this.fingers.get(finger);
    const [still] = [...this.fingers].filter(([id]) => id !== finger).map(([, point]) => point);
    this.fingers.set(finger, now);
    const by = still ? 0.5 : 1; // each of two fingers moves the picture half the way
    if (still) {
      const apart = (point) => Math.hypot(point[0] - still[0], point[1] - still[1]) || 0.01;
      this.nearer(apart(now) / apart(before), [(now[0] + still[0]) / 2, (now[1] + still[1]) / 2]);
    }
    this.#goTo(this.x + by * (now[0] - before[0]), this.y + by * (now[1] - before[1]));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in NEARER) this.nearer(NEARER[event.key]);
    else if (event.key in ARROWS) this.#goTo(this.x + ARROWS[event.key][0], this.y + ARROWS[event.key][1]);
    else if (event.key === "0") this.whole();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export function buttons(looking, tools) {
  const does = { nearer: () => looking.nearer(), further: () => looking.further(), whole: () => looking.whole() };
  for (const [name, act] of Object.entries(does)) tools.querySelector(`[data-do=${name}]`).addEventListener("click", act);
}
