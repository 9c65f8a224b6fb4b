// Seconds from display to answer, counted only while the window is in view; what was counted outlives a reload.
export class Clock {
  constructor(reader) {
    this.key = `cutis.clock.${reader}`;
    this.turn = null;
    this.spent = 0;
    this.since = null;
    for (const event of ["visibilitychange", "focus", "blur", "pagehide"]) {
      (event === "visibilitychange" ? document : window).addEventListener(event, () => this.#look());
    }
  }

  start(turn) {
    this.turn = turn;
    this.spent = this.#kept();
    this.since = null;
    this.#look();
  }

  // The seconds so far, and the end of it.
  stop() {
    this.#pause();
    this.turn = null;
    this.#forget();
    return Math.round(this.spent * 1000) / 1000;
  }

  #look() {
    const isInView = document.visibilityState === "visible" && document.hasFocus();
    if (isInView && this.turn && this.since === null) this.since = performance.now();
    if (!isInView) this.#pause();
  }

  #pause() {
    if (this.since === null) return;
    this.spent += (performance.now() - this.since) / 1000;
    this.since = null;
    try {
      localStorage.setItem(this.key, JSON.stringify({ turn: this.turn, spent: this.spent }));
    } catch {
      // Without a store, a reload begins at nothing.
    }
  }

  #kept() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      return kept?.turn === this.turn ? kept.spent : 0;
    } catch {
      return 0;
    }
  }

  #forget() {
    try {
      localStorage.removeItem(this.key);
    } catch {
      // There is nothing to forget.
    }
  }
}
