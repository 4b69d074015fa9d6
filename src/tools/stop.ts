/**
 * Owns the ways in which a person or a supervisor ends a tool: signals, a time limit, the tool's own word.
 * Does not own what is done then.
 */

export interface StopSignal extends Disposable {
  readonly signal: AbortSignal;
  now(): void;
}

/** SIGINT, SIGTERM, SIGHUP and the time limit abort the signal; a second SIGINT ends the process at once. */
export function stopSignal(seconds: number | undefined): StopSignal {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted && name === "SIGINT") process.exit(130);
    controller.abort();
  };
  for (const name of names) process.on(name, onSignal);
  const timer = seconds === undefined ? undefined : setTimeout(() => controller.abort(), seconds * 1000);
  return {
    signal: controller.signal,
    now: () => controller.abort(),
    [Symbol.dispose]() {
      clearTimeout(timer);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
