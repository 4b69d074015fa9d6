/**
 * Owns starting a command so that its first instruction waits until the probes are armed.
 * Does not own tracing it.
 */
import type { ChildProcess } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { assert } from "../base/assert.js";
import { NotFoundError } from "../base/errors.js";
import { exitCodeOf } from "./ending.js";

/**
 * Name of the waiting shell, at most 15 bytes. Programs look away while a thread is called so: a probe on libc
 * would otherwise show the shell's own last calls before its exec.
 */
export const launcherComm = "uscope-launcher";

/**
 * Waits for a line on descriptor 3, then becomes the command: the process id stays the same.
 * Why: a stop by signal would be seen by the command's parent and terminal, ptrace would need another system call.
 * Kernel: writing /proc/self/comm renames the calling thread; exec gives it the command's own name.
 */
const waitingShell = `echo ${launcherComm} > /proc/$$/comm; read -r _ <&3 || exit 125; exec 3<&-; exec "$@"`;

export interface LaunchedCommand {
  readonly pid: number;
  /** Lets the command run. */
  release(): void;
  /** Fulfilled with the exit code, or 128 + the signal's number. */
  readonly ended: Promise<number>;
  kill(): void;
}

/** Starts the command in the waiting shell; it shares our terminal and descriptors. */
export async function launch(words: readonly string[]): Promise<LaunchedCommand> {
  const file = words[0];
  assert(file, "a command without words");
  requireExecutable(file);
  // Why here: it brings Node's streams and sockets along, which a trace without a command never needs.
  const { spawn } = await import("node:child_process");
  const child = spawn("/bin/sh", ["-c", waitingShell, "sh", ...words], {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
  });
  const ended = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 0 : exitCodeOf(signal))));
    child.once("error", () => resolve(127));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const gate = child.stdio[3] as Writable;
  gate.on("error", () => {
    // Why: the command may end (a bad exec) before the line is read; `ended` tells.
  });
  const pid = pidOf(child);
  const kill = (): void => {
    child.kill("SIGTERM");
    // Why: a command that ignores the signal goes on, and must not hold uscope.
    child.unref();
    gate.destroy();
  };
  return { pid, ended, release: () => void gate.end("\n"), kill };
}

function pidOf(child: ChildProcess): number {
  assert(child.pid, "a started process without a pid");
  return child.pid;
}

function requireExecutable(file: string): void {
  const folders = file.includes("/") ? [""] : (process.env["PATH"] ?? "/usr/bin:/bin").split(":");
  for (const folder of folders) {
    try {
      accessSync(join(folder, file), constants.X_OK);
      if (statSync(join(folder, file)).isFile()) return;
    } catch {
      // The next folder may have it.
    }
  }
  const exists = folders.some((folder) => existsSync(join(folder, file)));
  throw new NotFoundError({
    what: exists ? `"${file}" is not an executable file` : `no command "${file}"`,
    at: file.includes("/") ? resolve(file) : `PATH=${folders.join(":")}`,
    fix: fixOf(file, exists),
  });
}

function fixOf(file: string, exists: boolean): string {
  if (!file.includes("/") && existsSync(file)) return `a file of that name lies here: write -- ./${file}`;
  return exists
    ? "name a program that this user may run, or make the file executable (chmod +x)"
    : "check its spelling: behind -- stands a command as you would type it in a shell";
}
