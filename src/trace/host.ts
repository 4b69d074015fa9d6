/**
 * Owns what a program that runs a user's script tells the observations inside of it: when to stop, and where to speak.
 * Does not own running scripts (tools/run.ts). Both sides are bundled on their own, so they meet at a symbol of the process.
 */

export interface Host {
  /** Aborted when the script is to end: every observation ends as if there were nothing left to trace. */
  readonly stop: AbortSignal;
  /** For remarks about the observation itself: what was armed, what was lost. Lines end in newlines. */
  say(text: string): void;
}

const place = Symbol.for("uscope.host");

/** The host of this process, when `uscope run` has started it. */
export function findHost(): Host | undefined {
  return (globalThis as { [place]?: Host })[place];
}

export function setHost(host: Host): void {
  (globalThis as { [place]?: Host })[place] = host;
}
