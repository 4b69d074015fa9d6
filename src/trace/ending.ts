/** Owns why a trace ended, and the exit codes that stand for signals. Does not own what is said about it. */
import { constants } from "node:os";

export type Ending =
  /** Ctrl-C, a signal, -M, -d, a closed pipe: whoever runs the trace asked for it. */
  | { readonly kind: "stopped"; readonly command?: "killed" }
  /** All processes of -p are gone. */
  | { readonly kind: "processes ended" }
  /** The thread of -L is gone. */
  | { readonly kind: "thread ended" }
  | { readonly kind: "command ended"; readonly exitCode: number }
  /** Hits times their cost exceeded the share of a core that was allowed. */
  | { readonly kind: "over budget"; readonly percent: number; readonly command?: "killed" };

/** Spec: POSIX shells answer 128 + N for what signal N ended. */
const signalBase = 128;

/** The exit code that stands for the signal. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return signalBase + constants.signals[signal];
}

/** The signal that an exit code stands for; of two names for one number the first. */
export function findSignal(exitCode: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === exitCode - signalBase)?.[0];
}
