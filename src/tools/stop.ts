/**
 * Owns the ways in which a person or a supervisor ends a tool: signals, a time limit, the tool's own word.
 * Does not own what is done then.
 */

export interface StopSignal extends Disposable {
  /** Aborted by whatever ends the tool. */
  readonly signal: AbortSignal;
  /** Aborted by a signal to the process only: somebody is waiting for its end. */
  readonly interrupted: AbortSignal;
  now(): void;
  /** Sets the time limit, from now on. */
  after(seconds: number): void;
}

/** Why: setTimeout takes what is longer (25 days) for one millisecond. */
const longestTimer = 2 ** 31 - 1;

/** SIGINT, SIGTERM and SIGHUP abort the signal; a second SIGINT ends the process at once. */
export function stopSignal(): StopSignal {
  const controller = new AbortController();
  const interruption = new AbortController();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (name: NodeJS.Signals): void => {
    if (interruption.signal.aborted && name === "SIGINT") process.exit(130);
    interruption.abort();
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  let timer: NodeJS.Timeout | undefined;
  const waitUntil = (end: number): void => {
    const rest = end - performance.now();
    if (rest <= 0) controller.abort();
    else timer = setTimeout(waitUntil, Math.min(rest, longestTimer), end);
  };
  return {
    signal: controller.signal,
    interrupted: interruption.signal,
    now: () => controller.abort(),
    after: (seconds) => waitUntil(performance.now() + seconds * 1000),
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
