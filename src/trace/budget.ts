/**
 * Owns the estimate of what probes cost the traced programs: hits times the predicted cost of one, as a share of a core.
 * Does not own the prediction (target/) nor what is done when it is too much.
 */

/** Nanoseconds over which the share is taken: short enough to stop before harm, long enough not to trip over a burst. */
const leastSpan = 500_000_000;

export class Budget {
  /** Nanoseconds a hit, one per program: at its dearest place. */
  costs: readonly number[];
  #lastTime: number;
  #lastHits: readonly bigint[];

  constructor(costs: readonly number[], now: number) {
    this.costs = costs;
    this.#lastTime = now;
    this.#lastHits = costs.map(() => 0n);
  }

  /** Percent of one core since the last answer, or undefined when too little time has passed. */
  share(hits: readonly bigint[], now: number): number | undefined {
    const span = now - this.#lastTime;
    if (span < leastSpan) return undefined;
    let nanoseconds = 0;
    hits.forEach(
      (count, part) =>
        (nanoseconds += Number(count - (this.#lastHits[part] ?? 0n)) * (this.costs[part] ?? 0)),
    );
    this.#lastTime = now;
    this.#lastHits = hits;
    return (nanoseconds / span) * 100;
  }
}
