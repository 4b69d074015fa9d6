/**
 * Owns the line of /proc/PID/stat and /proc/PID/task/TID/stat: what the kernel says of a process or thread in one piece.
 * Does not own reading it, nor what a process that is gone means. Spec: proc_pid_stat(5).
 */

export interface Stat {
  /** At most 15 bytes; may hold spaces, brackets and control bytes. */
  readonly comm: string;
  /** One letter; Z is a zombie, X is dead. */
  readonly state: string;
  /** 0 when the pid namespace does not hold it. */
  readonly parent: number;
  readonly isKernelThread: boolean;
  /** It ends, or has ended and is kept: the first thread until its process has ended and is buried. */
  readonly isEnding: boolean;
  /** Threads of its process; ended ones count until they are buried. */
  readonly threads: number;
  /** Clock ticks since the boot; with the id it names one process, however often the id is used again. */
  readonly startTime: number;
}

/** Kernel: task_struct.flags, include/linux/sched.h; PF_EXITING is set before anybody is told of the end. */
const flags = { exiting: 0x4, kernelThread: 0x0020_0000 };

/** Kernel: `PID (COMM) STATE PPID ...`; the comm may hold brackets, so the last one ends it. */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close === -1) return undefined;
  // The first is field 3 of the manual.
  const fields = text.slice(close + 2).split(" ");
  const bits = Number(fields[6]);
  return {
    comm: text.slice(open + 1, close),
    state: fields[0] ?? "X",
    parent: Number(fields[1]),
    isKernelThread: (bits & flags.kernelThread) !== 0,
    isEnding: (bits & flags.exiting) !== 0,
    threads: Number(fields[17]),
    startTime: Number(fields[19]),
  };
}
