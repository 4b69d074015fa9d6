/**
 * Owns the events that wait for a consumer that asks for one after the other.
 * Does not own where they come from: a queue that is full says so, and its source waits.
 */

/** Events that wait at most; then the ring buffer keeps them, and counts those for which it has no room. */
const mostWaiting = 16_384;

export class EventQueue<Event> implements AsyncIterator<Event, undefined> {
  #waiting: Event[] = [];
  /** The next to be handed out; the array is shortened only when it is empty. Why: shift() moves all others. */
  #next = 0;
  #ask: ((result: IteratorResult<Event, undefined>) => void) | undefined;
  #refuse: ((error: unknown) => void) | undefined;
  #end: { readonly error?: unknown } | undefined;
  readonly #onReturn: () => Promise<void>;

  /** `onReturn` is called when the consumer leaves its loop. */
  constructor(onReturn: () => Promise<void>) {
    this.#onReturn = onReturn;
  }

  get isFull(): boolean {
    return this.#waiting.length - this.#next >= mostWaiting;
  }

  push(event: Event): void {
    const ask = this.#ask;
    if (ask === undefined) return void this.#waiting.push(event);
    this.#ask = undefined;
    ask({ done: false, value: event });
  }

  /** Nothing more comes; what waits is still handed out, then the error is thrown if there is one. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end;
    if (this.#ask === undefined) return;
    const [ask, refuse] = [this.#ask, this.#refuse];
    this.#ask = undefined;
    if ("error" in this.#end) refuse?.(this.#end.error);
    else ask({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#next < this.#waiting.length) {
      const value = this.#waiting[this.#next]!;
      if (++this.#next === this.#waiting.length) {
        this.#waiting = [];
        this.#next = 0;
      }
      return Promise.resolve({ done: false, value });
    }
    const end = this.#end;
    if (end !== undefined) {
      this.#end = {};
      return "error" in end ? Promise.reject(end.error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => {
      this.#ask = resolve;
      this.#refuse = reject;
    });
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting = [];
    this.#next = 0;
    await this.#onReturn();
    return { done: true, value: undefined };
  }
}
