/**
 * Owns what /proc says about one process: whether it is there, who it is, what it maps, where its files lie.
 * Does not own the files themselves. A process may end at any moment: every question can throw NotFoundError.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { constants } from "node:os";
import { KernelError, NotFoundError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";
import { parseMappings, type Mapping } from "./mappings.js";
import { parseStat } from "./stat.js";
import type { Stat } from "./stat.js";

export interface ProcessStatus {
  readonly pid: number;
  /** At most 15 bytes; may hold spaces, brackets and control bytes. */
  readonly comm: string;
  /** What the kernel can trace of it: nothing of its own kernel threads and of zombies. */
  readonly kind: "program" | "kernel-thread" | "zombie";
  readonly parent: number;
  readonly threads: number;
  /** Effective user id. */
  readonly uid: number;
  /** Filters system calls (mode 1 strict, 2 filter). */
  readonly seccomp: number;
  /** What x86-64 kernels tell: `shstk`, `wrss`. */
  readonly threadFeatures: readonly string[];
}

export interface ExecutableLink {
  /** As the process sees it. */
  readonly path: string;
  readonly deleted: boolean;
}

export interface ProcessInfo {
  readonly pid: number;
  /** The root of its files, to put before its paths. */
  readonly root: string;
  status(): ProcessStatus;
  executable(): ExecutableLink;
  /** Empty for kernel threads and zombies. */
  mappings(): Mapping[];
  /** Undefined when it cannot be read. */
  environment(name: string): string | undefined;
  /** Says whether its files are found under the same paths as ours. */
  sharesFiles(): boolean;
  /** Says whether it still runs: it, and not another one that has got its id since. */
  isAlive(): boolean;
}

/** Opens the view of a process. Throws a NotFoundError when there is none, and names the process when given a thread. */
export function requireProcess(pid: number): ProcessInfo {
  const view = new ProcessView(pid);
  const leader = findLeader(view.read("status"));
  if (leader !== undefined && leader !== pid) {
    throw new NotFoundError({
      what: `${pid} is a thread, not a process`,
      at: `/proc/${pid}`,
      fix: `name its process (-p ${leader}), or trace the thread alone (-L ${pid})`,
    });
  }
  return view;
}

/** Opens the view of a process; undefined when there is none. */
export function findProcess(pid: number): ProcessInfo | undefined {
  try {
    return requireProcess(pid);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** Finds the process of a thread; undefined when there is no such thread. */
export function findProcessOf(tid: number): number | undefined {
  try {
    return findLeader(readFileSync(`/proc/${tid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

/** Lists the processes that are there now; each may be gone when it is asked about. */
export function listProcesses(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch (error) {
    throw explainDescriptors("the processes", "/proc", error);
  }
}

/** Opens the view of a process that runs a program. Throws a NotFoundError for kernel threads and zombies too. */
export function requireProgram(pid: number): ProcessInfo {
  const view = requireProcess(pid);
  const { kind, comm } = view.status();
  if (kind !== "program") throw withoutProgram(pid, kind, comm);
  return view;
}

class ProcessView implements ProcessInfo {
  readonly pid: number;
  readonly root: string;
  readonly #startTime: number;

  constructor(pid: number) {
    this.pid = pid;
    this.root = `/proc/${pid}/root`;
    this.#startTime = this.#stat().startTime;
  }

  status(): ProcessStatus {
    const stat = this.#stat();
    const status = this.read("status");
    return {
      pid: this.pid,
      comm: stat.comm,
      kind: stat.isKernelThread
        ? "kernel-thread"
        : stat.state === "Z" || stat.state === "X"
          ? "zombie"
          : "program",
      parent: stat.parent,
      threads: stat.threads,
      uid: Number(readField(status, "Uid")?.split(/\s+/)[1] ?? Number.NaN),
      seccomp: readNumber(status, "Seccomp") ?? 0,
      threadFeatures: (readField(status, "x86_Thread_features") ?? "")
        .split(/\s+/)
        .filter((word) => word !== ""),
    };
  }

  executable(): ExecutableLink {
    const { kind, comm } = this.status();
    if (kind !== "program") throw withoutProgram(this.pid, kind, comm);
    const target = this.#attempt("exe", (path) => readlinkSync(path));
    const deleted = target.endsWith(deletedMark);
    return { path: deleted ? target.slice(0, -deletedMark.length) : target, deleted };
  }

  mappings(): Mapping[] {
    return parseMappings(this.read("maps"));
  }

  environment(name: string): string | undefined {
    try {
      const entry = readFileSync(this.#path("environ"), "utf8")
        .split("\0")
        .find((entry) => entry.startsWith(`${name}=`));
      return entry?.slice(name.length + 1);
    } catch {
      return undefined;
    }
  }

  sharesFiles(): boolean {
    try {
      return (
        readlinkSync(this.#path("ns/mnt")) === readlinkSync("/proc/self/ns/mnt") &&
        readlinkSync(this.root) === readlinkSync("/proc/self/root")
      );
    } catch {
      return false;
    }
  }

  isAlive(): boolean {
    try {
      const { state, startTime, threads } = this.#stat();
      // Kernel: a process whose first thread has ended before the others is a zombie with threads.
      return startTime === this.#startTime && state !== "X" && (state !== "Z" || threads > 1);
    } catch (error) {
      // Why: no descriptor left to ask with says nothing of the process.
      return isOutOfDescriptors(error);
    }
  }

  read(file: string): string {
    return this.#attempt(file, (path) => readFileSync(path, "utf8"));
  }

  #stat(): Stat {
    const stat = parseStat(this.read("stat"));
    if (stat === undefined) throw this.#gone();
    return stat;
  }

  #path(file: string): string {
    return `/proc/${this.pid}/${file}`;
  }

  #attempt<Result>(file: string, action: (path: string) => Result): Result {
    const path = this.#path(file);
    try {
      return action(path);
    } catch (error) {
      throw this.#explain(path, error);
    }
  }

  #explain(path: string, error: unknown): Error {
    const { code, errno, syscall } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return this.#gone();
    if (code === "EACCES" || code === "EPERM") {
      return new KernelError({
        what: `process ${this.pid} may not be looked at by this user`,
        at: `${path} (${code})`,
        fix: "run uscope as root, or with CAP_SYS_PTRACE (and in the same user namespace)",
        call: syscall ?? "open",
        errno: -(errno ?? 0),
      });
    }
    return explainDescriptors(`process ${this.pid}`, path, error);
  }

  #gone(): NotFoundError {
    return new NotFoundError({
      what: `no process ${this.pid}`,
      at: `/proc/${this.pid}`,
      fix: "it has ended, or was never there: list processes with ps -e, or find one by name with pgrep",
    });
  }
}

function explainDescriptors(who: string, at: string, error: unknown): Error {
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  if (code !== "EMFILE" && code !== "ENFILE")
    return error instanceof Error ? error : new Error(String(error));
  return new KernelError({
    what: `${who} could not be looked at: too many open files (${code})`,
    at,
    fix: "raise the limit of open files (ulimit -n), or trace fewer files",
    call: syscall ?? "open",
    errno: -(errno ?? 0),
  });
}

/** Says whether no descriptor was left: what failed may be tried again. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { EMFILE, ENFILE } = constants.errno;
  return error instanceof KernelError && (error.errno === EMFILE || error.errno === ENFILE);
}

function withoutProgram(pid: number, kind: "kernel-thread" | "zombie", comm: string): NotFoundError {
  return new NotFoundError({
    what: `process ${pid} (${escapeControls(comm)}) has no program: it is a ${kind === "zombie" ? "zombie, already ended" : "kernel thread"}`,
    at: `/proc/${pid}/exe`,
    fix:
      kind === "zombie"
        ? "name a running process: pgrep finds them by name"
        : "uscope traces programs; for the kernel use bpftrace or perf",
  });
}

/** Finds the process id in the status of a thread. */
function findLeader(status: string): number | undefined {
  return readNumber(status, "Tgid");
}

/** Finds a `Name:\tvalue` line of /proc/PID/status. The comm in its first line is escaped and holds no newline. */
function readField(status: string, name: string): string | undefined {
  const start = status.indexOf(`\n${name}:`);
  if (start === -1) return undefined;
  const end = status.indexOf("\n", start + 1);
  return status.slice(start + name.length + 2, end === -1 ? undefined : end).trim();
}

function readNumber(status: string, name: string): number | undefined {
  const field = readField(status, name);
  return field === undefined ? undefined : Number(field);
}

const deletedMark = " (deleted)";
