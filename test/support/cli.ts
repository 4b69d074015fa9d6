/**
 * Owns running the command line as a person does: bin/uscope over dist/, with words before it (setpriv, unshare), input,
 * signals and a time limit. Does not own the build: it refuses to run a bundle that is older than its sources.
 */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface CliOptions {
  /** Words before uscope, as ["setpriv", "--reuid", "65534"]. */
  readonly prefix?: readonly string[];
  /** Added to the environment of the tests; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to its input, which is then closed; without it the input is empty. */
  readonly input?: string | Uint8Array;
  /** Milliseconds until it is killed and the promise rejects with all that it had printed; 30,000 when not given. */
  readonly timeout?: number;
  /** The folder with bin/ and dist/: the checkout, or a copy of it (copyPackage). */
  readonly root?: string;
  /** Its working directory. */
  readonly cwd?: string;
}

export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  /** stdout byte for byte, where it may hold what is not UTF-8. */
  readonly bytes: Buffer;
  /** The exit code, or undefined when a signal ended it. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A command that runs; disposing kills it and whatever it started. */
export interface RunningCli extends AsyncDisposable {
  /** Of the first word: of uscope itself only without a prefix that forks. */
  readonly pid: number;
  readonly ended: Promise<CliResult>;
  /** What has been printed until now. */
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves with the match as soon as the stream so far has one; rejects when the command ends without. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the first word alone. */
  signal(name: NodeJS.Signals): void;
}

/** Runs `uscope WORDS` to its end. */
export async function runCli(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  await using running = startCli(words, options);
  return await running.ended;
}

/** Starts `uscope WORDS` under the node that runs the tests. Throws when dist/ is not built from the present sources. */
export function startCli(words: readonly string[], options: CliOptions = {}): RunningCli {
  requireFreshBundle();
  const program = [process.execPath, join(options.root ?? checkout, "bin", "uscope"), ...words];
  const [command, ...parameters] = [...(options.prefix ?? []), ...program];
  const child = spawn(command!, parameters, {
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
    stdio: ["pipe", "pipe", "pipe"],
    // Why: a process group of its own, so that what a prefix has forked is killed with it.
    detached: true,
  });
  return new Running(child, [command!, ...parameters].join(" "), options);
}

/** A copy of what the npm package holds, in the temporary folder, that every user may read; removed when it is disposed. */
export function copyPackage(): { readonly root: string } & Disposable {
  requireFreshBundle();
  const root = mkdtempSync(join(tmpdir(), "uscope-package-"));
  chmodSync(root, 0o755);
  for (const name of ["package.json", "bin", "dist", "prebuilds"]) {
    cpSync(join(checkout, name), join(root, name), { recursive: true });
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

const checkout = fileURLToPath(new URL("../..", import.meta.url));

let isFresh = false;

function requireFreshBundle(): void {
  if (isFresh) return;
  const bundle = join(checkout, "dist", "code", "main.js");
  const fix = "build it: node scripts/build.mjs (npm test does)";
  if (!existsSync(bundle)) throw new Error(`there is no ${bundle}: ${fix}`);
  const [source] = ["src", "assembly"]
    .map((folder) => newest(join(checkout, folder)))
    .sort((left, right) => right.time - left.time) as [Newest, Newest];
  if (source.time > statSync(bundle).mtimeMs) {
    throw new Error(`dist/ is older than ${source.path}: ${fix}`);
  }
  isFresh = true;
}

interface Newest {
  readonly path: string;
  readonly time: number;
}

function newest(folder: string): Newest {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => ({ path, time: statSync(path).mtimeMs }))
    .reduce((latest, file) => (file.time > latest.time ? file : latest), { path: folder, time: 0 });
}

class Running implements RunningCli {
  readonly ended: Promise<CliResult>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #shown: string;
  readonly #pieces = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  readonly #listeners = new Set<() => void>();
  #isOver = false;

  constructor(child: ChildProcessWithoutNullStreams, shown: string, options: CliOptions) {
    this.#child = child;
    this.#shown = shown;
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].on("data", (piece: Buffer) => {
        this.#pieces[stream].push(piece);
        this.#tell();
      });
    }
    child.stdin.on("error", () => {
      // Why: a command that reads no input may end before all of it is written.
    });
    child.stdin.end(options.input ?? "");
    this.ended = this.#waitForEnd(options.timeout ?? 30_000);
    // Why: a caller that only waits for a line must not be ended by a rejection that nobody looks at.
    this.ended.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get stdout(): string {
    return Buffer.concat(this.#pieces.stdout).toString("utf8");
  }

  get stderr(): string {
    return Buffer.concat(this.#pieces.stderr).toString("utf8");
  }

  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this[stream]);
        if (match === null && !this.#isOver) return;
        this.#listeners.delete(look);
        if (match === null) reject(this.#failure(`ended without ${String(pattern)} on ${stream}`));
        else resolve(match);
      };
      this.#listeners.add(look);
      look();
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#killGroup();
    await this.ended.catch(() => {});
  }

  #waitForEnd(timeout: number): Promise<CliResult> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.#killGroup();
      }, timeout);
      const end = (finish: () => void): void => {
        clearTimeout(timer);
        this.#isOver = true;
        finish();
        this.#tell();
      };
      this.#child.once("error", (error) => end(() => reject(this.#failure(error.message))));
      // Why "close": it comes when both streams are read to their ends, "exit" may come before.
      this.#child.once("close", (code, signal) =>
        end(() => {
          if (isLate) return reject(this.#failure(`did not end within ${timeout} ms`));
          resolve({
            stdout: this.stdout,
            stderr: this.stderr,
            bytes: Buffer.concat(this.#pieces.stdout),
            status: code ?? undefined,
            signal: signal ?? undefined,
          });
        }),
      );
    });
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // Why: all of the group may have ended in this moment.
    }
  }

  #tell(): void {
    for (const look of this.#listeners) look();
  }

  #failure(what: string): Error {
    return new Error(`${this.#shown}: ${what}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
  }
}
