/** Owns bpftrace beside a trace: the lines that it prints of a process. Does not own what they are compared with. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

export interface Bpftrace extends AsyncDisposable {
  /** Lines until now. */
  lines(): readonly string[];
  /** Resolves as soon as the lines are so. */
  until(holds: (lines: readonly string[]) => boolean): Promise<void>;
}

/**
 * Starts a program that prints lines for hits in the process, and lets hits happen until it has printed what `isArmed` wants: it does
 * not tell when it has attached.
 */
export async function startBpftrace(
  program: string,
  pid: number,
  hit: () => Promise<unknown>,
  isArmed: (lines: readonly string[]) => boolean = (lines) => lines.length > 0,
): Promise<Bpftrace> {
  const child = spawn("bpftrace", ["-B", "line", "-p", String(pid), "-e", program]);
  const ended = once(child, "exit");
  let printed = "";
  let complaints = "";
  child.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (complaints += piece.toString()));
  const lines = (): string[] =>
    printed
      .split("\n")
      .slice(0, -1)
      .filter((line) => line !== "" && !line.startsWith("Attaching"));
  const until = async (holds: (lines: readonly string[]) => boolean, act = async () => {}): Promise<void> => {
    for (let tries = 0; !holds(lines()); tries++) {
      if (tries === 300 || child.exitCode !== null)
        throw new Error(`bpftrace printed only:\n${printed.slice(-2000)}\n${complaints}`);
      await act();
      await sleep(50);
    }
  };
  await until(isArmed, async () => void (await hit()));
  return {
    lines,
    until: (holds) => until(holds),
    async [Symbol.asyncDispose]() {
      child.kill("SIGINT");
      await ended;
    },
  };
}
