/**
 * Owns what /proc says about one thread, which may end at any moment: whether it is there, ends, and has others beside it.
 * Does not own processes, which are process.ts.
 */
import { readFileSync } from "node:fs";

export interface ThreadState {
  /** The parent of its process; 0 when the pid namespace does not hold it. */
  readonly parent: number;
  /** It ends, or has ended and is kept: the first thread until its process has ended and is buried. */
  readonly isEnding: boolean;
  /** Threads of its process; ended ones count until they are buried. */
  readonly threads: number;
}

/** Kernel: PF_EXITING, include/linux/sched.h: set before anybody is told of the end. */
const exitingFlag = 4;

/** Reads the state of a thread; undefined when there is no such thread. Spec: proc_pid_stat(5). */
export function readThread(pid: number, tid: number): ThreadState | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, "utf8");
    // Kernel: the name before the last bracket may hold brackets itself; behind it stands the third field, the state.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return {
      parent: Number(fields[1]),
      isEnding: (Number(fields[6]) & exitingFlag) !== 0,
      threads: Number(fields[17]),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
