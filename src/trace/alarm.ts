/**
 * Owns calling back after a time, however long it is.
 * Does not own what is done then.
 */

/** Why: setTimeout takes what is longer (25 days) for one millisecond. */
const longestTimer = 2 ** 31 - 1;

/** Calls back after so many milliseconds, unless it is disposed before. Infinity is never. */
export function setAlarm(milliseconds: number, callback: () => void): Disposable {
  const end = performance.now() + milliseconds;
  let timer: NodeJS.Timeout | undefined;
  wait();
  return { [Symbol.dispose]: () => clearTimeout(timer) };

  function wait(): void {
    const rest = end - performance.now();
    timer = setTimeout(rest > longestTimer ? wait : callback, Math.min(Math.max(0, rest), longestTimer));
  }
}
