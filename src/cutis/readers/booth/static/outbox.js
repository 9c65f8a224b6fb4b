// Answers wait here until the server says that they are on its disk. They outlive the page, the browser and the line.
import { Cut, Refused, ask } from "./line.js";

const WAITS = [1, 2, 4, 8, 15, 30]; // seconds between two attempts

export class Outbox {
  // onAcknowledged(state), onRefused(status, state, entry), onCount(count, isCut)
  constructor(reader, listener) {
    this.key = `cutis.outbox.${reader}`;
    this.listener = listener;
    this.entries = this.#read();
    this.failed = 0;
    this.sending = false;
    addEventListener("online", () => this.flush());
  }

  get count() {
    return this.entries.length;
  }

  add(answer) {
    this.entries.push({ answer, at: Date.now() });
    this.#write();
    this.flush();
  }

  holds(session, position) {
    return this.entries.some(({ answer }) => answer.session === session && answer.position === position);
  }

  // In order, one at a time: the server takes the next turn only.
  async flush() {
    if (this.sending) return;
    clearTimeout(this.timer);
    this.sending = true;
    try {
      while (this.entries.length) await this.#sendFirst();
      this.listener.onCount(0, false);
    } catch (error) {
      if (error instanceof Cut) this.#later();
      else if (error instanceof Refused) this.listener.onRefused(error.status, error.said, null);
      else throw error;
    } finally {
      this.sending = false;
    }
  }

  async #sendFirst() {
    const entry = this.entries[0];
    this.listener.onCount(this.count, this.failed > 0);
    const ago = Math.max(0, (Date.now() - entry.at) / 1000);
    try {
      const state = await ask("/booth/answers", { ...entry.answer, ago });
      this.#acknowledged();
      this.listener.onAcknowledged(state, entry.answer);
    } catch (error) {
      // Kept or answered elsewhere (409), or nothing that the server can take (422): sending it again changes nothing.
      if (!(error instanceof Refused) || ![409, 422].includes(error.status)) throw error;
      this.#acknowledged();
      this.listener.onRefused(error.status, error.said, entry.answer);
    }
  }

  #acknowledged() {
    this.entries.shift();
    this.failed = 0;
    this.#write();
  }

  #later() {
    const wait = WAITS[Math.min(this.failed, WAITS.length - 1)];
    this.failed += 1;
    this.listener.onCount(this.count, true);
    this.timer = setTimeout(() => this.flush(), 1000 * wait);
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? [];
    } catch {
      return [];
    }
  }

  #write() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.entries));
    } catch {
      // A browser that keeps nothing still holds them in memory, for as long as the page is open.
    }
  }
}
