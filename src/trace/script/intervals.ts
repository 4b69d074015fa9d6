/**
 * Owns how intervals are asked for, and waiting for the end of one.
 * Does not own reading what was added in them (reader.ts).
 */
import { UsageError } from "../../base/errors.js";
import { setAlarm } from "../alarm.js";
import type { ReadOptions } from "./reader.js";

/** How intervals are read. */
export interface IntervalOptions extends ReadOptions {
  /** The length of each interval. */
  readonly seconds: number;
  /** Ends the observation with the last of so many intervals. */
  readonly times?: number | undefined;
}

/** Throws a UsageError for intervals that are none. */
export function requireIntervals({ seconds, times }: IntervalOptions): void {
  if (!(seconds > 0))
    throw new UsageError({
      what: `${seconds} seconds are no time`,
      at: "intervals",
      fix: "give more than 0",
    });
  if (times === undefined || times >= 1) return;
  throw new UsageError({
    what: `${times} is no number of intervals`,
    at: "intervals",
    fix: "give 1 or more",
  });
}

/** Waits so long, or until the signal is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const alarm = setAlarm(milliseconds, done);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      alarm[Symbol.dispose]();
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
