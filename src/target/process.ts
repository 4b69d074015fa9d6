/**
 * Owns what /proc says about one process: whether it is there, who it is, what it maps, where its files lie.
 * Does not own the files themselves. A process may end at any moment: every question can throw NotFoundError.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { KernelError, NotFoundError } from "../base/errors.js";
import { escapeControls } from "../base/text.js";
import { parseMappings, type Mapping } from "./mappings.js";

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
  /** The process id in each pid namespace, from ours to its own. */
  readonly namespacePids: readonly number[];
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
  threads(): number[];
  /** Undefined when it cannot be read. */
  environment(name: string): string | undefined;
  /** Says whether its files are found under the same paths as ours. */
  sharesFiles(): boolean;
  isAlive(): boolean;
}

/** Opens the view of a process. Throws a NotFoundError when there is none, and names the process when given a thread. */
export function requireProcess(pid: number): ProcessInfo {
  const view = new ProcessView(pid);
  view.status();
  const leader = readNumber(view.read("status"), "Tgid");
  if (leader !== undefined && leader !== pid) {
    throw new NotFoundError({
      what: `${pid} is a thread, not a process`,
      at: `/proc/${pid}`,
      fix: `name its process (-p ${leader}), or trace the thread alone (-L ${pid})`,
    });
  }
  return view;
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

  constructor(pid: number) {
    this.pid = pid;
    this.root = `/proc/${pid}/root`;
  }

  status(): ProcessStatus {
    const stat = parseStat(this.read("stat"));
    const status = this.read("status");
    if (stat === undefined) throw this.#gone();
    return {
      pid: this.pid,
      comm: stat.comm,
      kind: stat.isKernelThread
        ? "kernel-thread"
        : stat.state === "Z" || stat.state === "X"
          ? "zombie"
          : "program",
      parent: stat.parent,
      threads: readNumber(status, "Threads") ?? 0,
      uid: Number(readField(status, "Uid")?.split(/\s+/)[1] ?? Number.NaN),
      namespacePids: (readField(status, "NSpid") ?? String(this.pid)).split(/\s+/).map(Number),
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

  threads(): number[] {
    return this.#attempt("task", (path) => readdirSync(path)).map(Number);
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
      const state = parseStat(readFileSync(this.#path("stat"), "latin1"))?.state;
      return state !== undefined && state !== "Z" && state !== "X";
    } catch {
      return false;
    }
  }

  read(file: string): string {
    return this.#attempt(file, (path) => readFileSync(path, "utf8"));
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
    return error instanceof Error ? error : new Error(String(error));
  }

  #gone(): NotFoundError {
    return new NotFoundError({
      what: `no process ${this.pid}`,
      at: `/proc/${this.pid}`,
      fix: "it has ended, or was never there: list processes with ps -e, or find one by name with pgrep",
    });
  }
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

interface Stat {
  readonly comm: string;
  readonly state: string;
  readonly parent: number;
  readonly isKernelThread: boolean;
}

/** Kernel: /proc/PID/stat is `PID (COMM) STATE PPID ...`; the comm may hold brackets, so the last one ends it. */
function parseStat(text: string): Stat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open === -1 || close === -1) return undefined;
  const fields = text.slice(close + 2).split(" ");
  return {
    comm: text.slice(open + 1, close),
    state: fields[0] ?? "X",
    parent: Number(fields[1]),
    // Kernel: PF_KTHREAD in field 9, flags.
    isKernelThread: (Number(fields[6]) & 0x0020_0000) !== 0,
  };
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
