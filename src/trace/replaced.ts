/**
 * Owns noticing that a process goes on in another thread than its first: one of the others has called exec.
 * Does not own what is armed anew then (session.ts).
 */
import { openProcessEvents } from "../kernel/perf-events.js";
import type { ProcessEvents } from "../kernel/perf-events.js";
import type { ProcessInfo } from "../target/process.js";

/**
 * Calls back for each of these processes whose first thread was replaced. Kernel: the first thread is reported as ended, then the
 * process as having become another program under the same pid; de_thread() waits for the one before it goes on to the other.
 */
export function watchReplaced(
  processes: readonly ProcessInfo[],
  onReplaced: (pid: number) => void,
): ProcessEvents {
  const watched = new Map(processes.map((process) => [process.pid, process]));
  /** When their first threads have ended, and when they became another program, as far as the other is not known yet. */
  const ended = new Map<number, bigint>();
  const became = new Map<number, bigint>();
  const compare = (pid: number): void => {
    const end = ended.get(pid);
    const start = became.get(pid);
    // Why compared: the records of two CPUs may come in the wrong order.
    if (end === undefined || start === undefined || end > start) return;
    ended.delete(pid);
    became.delete(pid);
    // Why asked: another process may have got the id.
    if (watched.get(pid)!.isAlive()) onReplaced(pid);
  };
  return openProcessEvents({
    onExit({ pid, tid, time }) {
      if (pid !== tid || !watched.has(pid)) return;
      ended.set(pid, time);
      compare(pid);
    },
    onExec({ pid, time }) {
      if (!watched.has(pid)) return;
      became.set(pid, time);
      compare(pid);
    },
  });
}
