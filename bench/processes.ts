/**
 * Owns the programs that are run and timed: starting, waiting for a word, memory. All of them end with the benchmark.
 * Does not own what their output means.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";

/** Where standard output goes: a descriptor, a pipe that is read, or nowhere. */
export type Destination = number | "pipe" | "ignore";

export interface Finished {
  /** From before the start to the end. */
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Finished>;
  isRunning(): boolean;
  /** Resolves with the first text of standard error or output that fits, and the milliseconds until it came; rejects when the program ends before. */
  until(pattern: RegExp): Promise<{ readonly match: RegExpExecArray; readonly milliseconds: number }>;
  /** Sends SIGTERM and waits; after ten seconds SIGKILL. */
  stop(): Promise<Finished>;
}

const alive = new Set<ChildProcess>();
process.on("exit", () => alive.forEach((child) => child.kill("SIGKILL")));

/** Starts a program. The clock starts before the fork. */
export function start(file: string, words: readonly string[], stdout: Destination = "pipe"): Started {
  const begin = performance.now();
  const child = spawn(file, words, { stdio: ["ignore", stdout, "pipe"] });
  alive.add(child);
  const texts = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Finished>((resolve, reject) => {
    let milliseconds = 0;
    child.once("error", reject);
    child.once("exit", () => {
      milliseconds = performance.now() - begin;
      alive.delete(child);
    });
    // Why: "close" comes when the pipes are empty too, which may be later.
    child.once("close", (status) => resolve({ milliseconds, ...texts, status }));
  });
  return {
    pid: child.pid ?? -1,
    ended,
    isRunning: () => alive.has(child),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(texts.stderr) ?? pattern.exec(texts.stdout);
          if (match === null) return;
          listeners.delete(look);
          resolve({ match, milliseconds: performance.now() - begin });
        };
        listeners.add(look);
        look();
        ended.then(
          ({ stderr, stdout }) => reject(new Error(`${file} ended: ${stderr || stdout}`)),
          (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
        );
      }),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      const finished = await ended;
      clearTimeout(timer);
      return finished;
    },
  };
}

/** Runs a program to its end. Throws when it ends with another status than 0. */
export async function run(
  file: string,
  words: readonly string[],
  stdout: Destination = "pipe",
): Promise<Finished> {
  const finished = await start(file, words, stdout).ended;
  if (finished.status !== 0) {
    throw new Error(
      `${file} ${words.join(" ")}: status ${finished.status}\n${finished.stderr || finished.stdout}`,
    );
  }
  return finished;
}

/** Bytes of a process's resident memory: now (VmRSS), or the most that it ever was (VmHWM); undefined when it has ended. */
export function readMemory(pid: number, line: "VmRSS" | "VmHWM"): number | undefined {
  try {
    const kilobytes = new RegExp(`^${line}:\\s*(\\d+) kB`, "m").exec(
      readFileSync(`/proc/${pid}/status`, "utf8"),
    )?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
