/**
 * Owns the way from what a person names (processes, a thread, a user, a cgroup) to what programs compare.
 * Does not own the comparison, which the compiler emits.
 */
import { readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { NotFoundError, UnsupportedError, UsageError } from "../base/errors.js";
import { readKernelOffsets } from "../kernel/btf.js";
import type { ProcessFilter } from "../lang/options.js";
import { findProcessOf } from "../target/process.js";
import { launcherComm } from "./launch.js";
import { inInitialPidNamespace, requireInitialPidNamespace } from "./pid-namespace.js";

export interface FilterRequest {
  readonly pids: readonly number[];
  readonly tid?: number | undefined;
  readonly uid?: number | undefined;
  /** Path of a cgroup (v2) directory; the processes below it count as well. */
  readonly cgroup?: string | undefined;
  readonly children: boolean;
  readonly includeSelf: boolean;
  /** The pid is that of a launcher that has not become its command yet. */
  readonly launched: boolean;
}

/** Makes the filter that programs apply. Throws a NotFoundError for what does not exist, a UsageError for children of nobody. */
export function resolveFilter(request: FilterRequest): ProcessFilter {
  const { pids, tid, uid, cgroup, children, includeSelf, launched } = request;
  if (children && pids.length === 0) throw childrenOfAll();
  if (pids.length > 0 || tid !== undefined) requireInitialPidNamespace();
  requireUser(uid);
  return {
    pids,
    ...(tid === undefined ? {} : { tid }),
    ...(uid === undefined ? {} : { uid }),
    // Why: a probe on libc or node itself would otherwise show what uscope does to show it.
    ...(includesOthers(request) && !includeSelf && inInitialPidNamespace() ? { notPid: process.pid } : {}),
    ...(launched ? { notComm: launcherComm } : {}),
    ...(cgroup === undefined ? {} : { cgroup: resolveCgroup(cgroup) }),
    ...(children ? { children: readTaskOffsets() } : {}),
  };
}

function childrenOfAll(): UsageError {
  return new UsageError({
    what: "children of whom? no process is named, so that all are traced",
    at: "children",
    fix: "name processes or a command with it, or leave it out",
  });
}

/** Kernel: uid_t has 32 bits, and the largest stands for nobody's. Why: cut to 32 bits, 2^32 would be root. */
function requireUser(uid: number | undefined): void {
  if (uid === undefined || (Number.isInteger(uid) && uid >= 0 && uid < 2 ** 32 - 1)) return;
  throw new NotFoundError({
    what: `no user has the id ${uid}`,
    at: "--uid",
    fix: "give a number below 4294967295; id -u NAME prints it",
  });
}

/** Says what a person should know of whose calls are seen. */
export function filterNotes(request: FilterRequest): string[] {
  if (!includesOthers(request) || request.includeSelf || inInitialPidNamespace()) return [];
  return [
    "uscope's own calls are shown too: what the host calls it is not known in a pid namespace of its own",
  ];
}

/** Processes are not chosen one by one: uscope itself may be among them. */
function includesOthers({ pids, tid }: FilterRequest): boolean {
  return pids.length === 0 && tid === undefined;
}

/** Finds the process of a thread. Throws a NotFoundError when there is no such thread. */
export function requireProcessOf(tid: number): number {
  const pid = findProcessOf(tid);
  if (pid !== undefined) return pid;
  throw new NotFoundError({
    what: `no thread ${tid}`,
    at: `/proc/${tid}`,
    fix: "list threads: ps -eLo pid,tid,comm",
  });
}

/**
 * Kernel: a cgroup's id is the inode number of its directory (kernfs), and its level the number of directories below
 * the root; bpf_get_current_ancestor_cgroup_id(level) (5.6) answers for every process at or below it.
 */
function resolveCgroup(path: string): { readonly id: bigint; readonly level: number } {
  const namespace = readlinkSync("/proc/self/ns/cgroup");
  if (namespace !== initialCgroupNamespace) throw hiddenLevels(namespace);
  const mounts = readCgroupMounts();
  const absolute = findRealPath(path);
  const mount = mounts
    .filter(({ at }) => absolute === at || absolute?.startsWith(at === "/" ? "/" : `${at}/`))
    .sort((left, right) => right.at.length - left.at.length)[0];
  const status = absolute === undefined ? undefined : statSync(absolute, { bigint: true });
  if (absolute === undefined || mount === undefined || status?.isDirectory() !== true) {
    const fault =
      absolute === undefined
        ? `no cgroup "${path}"`
        : mount === undefined
          ? `"${path}" is not in a cgroup v2 hierarchy`
          : `"${path}" is no cgroup: cgroups are directories`;
    throw new NotFoundError({
      what: fault,
      at: `${resolve(path)}; cgroup v2 is mounted at: ${mounts.map(({ at }) => at).join(", ") || "no place"}`,
      fix: "name a directory below the cgroup v2 mount: grep '^0:' /proc/PID/cgroup says which one a process is in",
    });
  }
  return { id: status.ino, level: countNames(mount.root) + countNames(absolute.slice(mount.at.length)) };
}

/** Kernel: PROC_CGROUP_INIT_INO, include/linux/proc_ns.h. */
const initialCgroupNamespace = `cgroup:[${0xeffffffb}]`;

/** Follows links; undefined where there is nothing that this process can reach. */
function findRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** Spec: proc_pid_mountinfo(5): the fourth word is what of the file system is mounted, the fifth where; blanks are octal. */
function readCgroupMounts(): { readonly root: string; readonly at: string }[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => / - cgroup2 /.test(line))
    .map((line) => {
      const [, , , root = "/", at = "/"] = line
        .split(" ")
        .map((word) =>
          word.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
        );
      return { root, at };
    });
}

function countNames(path: string): number {
  return path.split("/").filter((name) => name !== "").length;
}

function hiddenLevels(namespace: string): UnsupportedError {
  return new UnsupportedError({
    what: "cgroups cannot be chosen from within a cgroup namespace of its own",
    at: `/proc/self/ns/cgroup is ${namespace}: how deep it lies below the kernel's root cannot be seen`,
    fix: "run uscope on the host (docker run --cgroupns=host), or without -c",
  });
}

/** Where task_struct keeps a process's parent: programs walk up from an unknown process to one that is traced. */
function readTaskOffsets(): { readonly realParent: number; readonly tgid: number } {
  try {
    const offsets = readKernelOffsets("task_struct", ["real_parent", "tgid"]);
    return { realParent: offsets.real_parent, tgid: offsets.tgid };
  } catch (error) {
    throw new UnsupportedError(
      {
        what: "--children needs the kernel's own type information (BTF), which cannot be read here",
        at: `/sys/kernel/btf/vmlinux: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
        fix: "boot a kernel with CONFIG_DEBUG_INFO_BTF, or trace each process with its own -p",
      },
      { cause: error },
    );
  }
}
