/**
 * Owns the wall clock: the way to it from the kernel's event time, and its time of day as text.
 * Does not own how a time is laid out in columns.
 */

/** Nanoseconds between two looks at how far CLOCK_REALTIME and CLOCK_MONOTONIC are apart; NTP and people move the former. */
const lookEvery = 1_000_000_000;

export class WallClock {
  /** CLOCK_MONOTONIC in nanoseconds when this clock was made. */
  readonly start: number = Number(process.hrtime.bigint());
  #realtimeMinusMonotonic = 0n;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lastSecond = -1;
  #lastLocalTime = "";

  /** Seconds since 1970 with six digits behind the point. */
  unixSeconds(monotonic: bigint): string {
    this.#look(Number(monotonic));
    const microseconds = (monotonic + this.#realtimeMinusMonotonic) / 1000n;
    return `${microseconds / 1_000_000n}.${String(microseconds % 1_000_000n).padStart(6, "0")}`;
  }

  /** HH:MM:SS in the local zone. */
  localTime(monotonic: number): string {
    this.#look(monotonic);
    const second = Math.floor((monotonic + Number(this.#realtimeMinusMonotonic)) / 1e9);
    if (second !== this.#lastSecond) {
      this.#lastSecond = second;
      this.#lastLocalTime = printClock(new Date(second * 1000));
    }
    return this.#lastLocalTime;
  }

  #look(monotonic: number): void {
    if (monotonic < this.#lookedAt + lookEvery) return;
    this.#lookedAt = monotonic;
    const now = process.hrtime.bigint();
    this.#realtimeMinusMonotonic = BigInt(Math.round(realtimeMicroseconds())) * 1000n - now;
  }
}

/** HH:MM:SS in the local zone: of now, unless said. */
export function printClock(time = new Date()): string {
  return time.toTimeString().slice(0, 8);
}

/** Why: the first is exact to microseconds but deaf to clock steps since the start; Date.now() hears them, to a millisecond. */
function realtimeMicroseconds(): number {
  const steady = (performance.timeOrigin + performance.now()) * 1000;
  const stepped = Date.now() * 1000;
  return Math.abs(steady - stepped) < 5000 ? steady : stepped;
}
