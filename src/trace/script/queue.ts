/**
 * Owns the events that wait for a consumer that asks for one after the other.
 * Does not own where they come from: a queue that is full says so, and its source waits.
 */

/** Events that wait at most; then the ring buffer keeps them, and counts those for which it has no room. */
const mostWaiting = 16_384;

interface Ask<Event> {
  readonly answer: (result: IteratorResult<Event, undefined>) => void;
  readonly refuse: (error: unknown) => void;
}

export class EventQueue<Event> implements AsyncIterator<Event, undefined> {
  #waiting: Event[] = [];
  /** The next to be handed out; the array is shortened seldom. Why: shift() moves all others. */
  #next = 0;
  /** Consumers that wait, in the order in which they have asked. Only where no event waits. */
  #asks: Ask<Event>[] = [];
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
    const ask = this.#asks.shift();
    if (ask === undefined) this.#waiting.push(event);
    else ask.answer({ done: false, value: event });
  }

  /** Nothing more comes; what waits is still handed out, then the error is thrown once if there is one. */
  end(end: { readonly error?: unknown } = {}): void {
    this.#end ??= end;
    for (const ask of this.#asks.splice(0)) this.#answerEnd(ask);
  }

  next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#next < this.#waiting.length) {
      const value = this.#waiting[this.#next]!;
      this.#next++;
      this.#forgetHanded();
      return Promise.resolve({ done: false, value });
    }
    return new Promise((answer, refuse) => {
      const ask = { answer, refuse };
      if (this.#end === undefined) this.#asks.push(ask);
      else this.#answerEnd(ask);
    });
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting = [];
    this.#next = 0;
    await this.#onReturn();
    return { done: true, value: undefined };
  }

  #answerEnd({ answer, refuse }: Ask<Event>): void {
    const end = this.#end ?? {};
    this.#end = {};
    if ("error" in end) refuse(end.error);
    else answer({ done: true, value: undefined });
  }

  /** Shortens the array when it is empty, or when as many were handed out as may wait: a consumer that always lags behind never empties it. */
  #forgetHanded(): void {
    if (this.#next < this.#waiting.length && this.#next < mostWaiting) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }
}
