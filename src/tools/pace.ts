/**
 * Owns when values that come one after another are written: at the next turn of the event loop, and in time also when they leave
 * it no turn. Does not own what is written.
 */
import { setImmediate as turn } from "node:timers/promises";

/** Milliseconds without a look at signals, timers and the reader at most, however fast values come. */
const breath = 20;

export class Pace {
  /** Writes all that has come, at once; fulfilled when the reader has taken it. */
  readonly #write: () => Promise<void>;
  #waiting: NodeJS.Immediate | undefined;
  /** What the reader has not taken yet, or could not be written at all. */
  #writing: Promise<void> | undefined;
  #lastTurn = performance.now();

  constructor(write: () => Promise<void>) {
    this.#write = write;
  }

  /** To be called after each value; a promise is to be waited for. Why not always one: each costs a turn of its queue. */
  next(): Promise<void> | undefined {
    if (performance.now() > this.#lastTurn + breath) return this.#breathe();
    // Why caught: who waits for the next value, or for the end, hears of it there.
    this.#waiting ??= setImmediate(() => void this.flush().catch(() => {}));
    return this.#writing;
  }

  /** Writes what has come now, behind what is being written. */
  async flush(): Promise<void> {
    clearImmediate(this.#waiting);
    this.#waiting = undefined;
    await this.#writing;
    const writing = this.#write();
    this.#writing = writing;
    await writing;
    if (this.#writing === writing) this.#writing = undefined;
  }

  async #breathe(): Promise<void> {
    await this.flush();
    await turn();
    this.#lastTurn = performance.now();
  }
}
