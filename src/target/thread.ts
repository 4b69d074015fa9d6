/**
 * Owns what /proc says about one thread, which may end at any moment: whether it is there, ends, and has others beside it.
 * Does not own processes, which are process.ts.
 */
import { readFileSync } from "node:fs";
import { parseStat } from "./stat.js";
import type { Stat } from "./stat.js";

/** Reads the state of a thread; undefined when there is no such thread. */
export function readThread(pid: number, tid: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/task/${tid}/stat`, "utf8"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
