/**
 * Owns the meaning of a refused system call to an administrator: call and errno -> what happened and what to do.
 * Does not own the calls, nor the verifier's refusals, which are verifier.ts.
 */
import { KernelError } from "../base/errors.js";
import { describeErrno } from "./errno.js";
import { findObstacle, readPrivileges } from "./privileges.js";
import type { Purpose } from "./privileges.js";

/** Names of the calls as errors show them. */
export type Call =
  | "bpf BPF_MAP_CREATE"
  | "bpf BPF_MAP_LOOKUP_ELEM"
  | "bpf BPF_MAP_UPDATE_ELEM"
  | "bpf BPF_MAP_DELETE_ELEM"
  | "bpf BPF_MAP_GET_NEXT_KEY"
  | "bpf BPF_MAP_LOOKUP_BATCH"
  | "bpf BPF_PROG_LOAD"
  | "bpf BPF_OBJ_GET_INFO_BY_FD"
  | "bpf BPF_LINK_CREATE uprobe_multi"
  | "bpf BPF_LINK_CREATE perf_event"
  | "perf_event_open uprobe"
  | "perf_event_open dummy"
  | "ioctl"
  | "mmap"
  | "munmap"
  | "epoll_ctl"
  | "close";

/** Makes the error of a refused call. `at` names what was being done it to: a map, a program, a file. */
export function kernelError(call: Call, errno: number, at: string): KernelError {
  const { name, meaning } = describeErrno(errno);
  const hint = hints.find((row) => row.errno === name && row.calls.some((prefix) => call.startsWith(prefix)));
  const purpose = purposeOf(call);
  const forbidden = name === "EPERM" || name === "EACCES";
  const obstacle = forbidden && purpose !== undefined ? findObstacle(readPrivileges(), purpose) : undefined;
  return new KernelError({
    what: `${obstacle?.what ?? hint?.what ?? "the kernel refused"} (${name}: ${meaning})`,
    at: `${at}, ${call}`,
    fix: obstacle?.fix ?? hint?.fix ?? lastResort,
    call,
    errno,
  });
}

interface Hint {
  /** Beginnings of the names of calls. */
  readonly calls: readonly string[];
  readonly errno: string;
  readonly what: string;
  readonly fix: string;
}

const lastResort = "see what this kernel and these privileges allow: uscope doctor";

/** Beginnings that many rows share. */
const attaching = ["bpf BPF_LINK_CREATE", "perf_event_open uprobe"];
const anything = ["bpf", "perf_event_open"];

/** The first row that fits wins: special calls stand above general ones. */
const hints: readonly Hint[] = [
  {
    calls: ["perf_event_open uprobe"],
    errno: "EACCES",
    what: "the kernel wants more privileges for a uprobe through perf",
    fix: "run it with CAP_SYS_ADMIN (sudo): kernels with the fix of CVE-2025-38466 ask for it; uprobe_multi (6.6 and later) does not",
  },
  {
    calls: ["perf_event_open"],
    errno: "EACCES",
    what: "kernel.perf_event_paranoid does not let this process watch others",
    fix: "run it as root (sudo) or with CAP_PERFMON",
  },
  {
    calls: anything,
    errno: "EPERM",
    what: "the kernel does not permit it to this process, though its capabilities suffice",
    fix: "a security module (SELinux, AppArmor), lockdown or a seccomp filter may forbid it: look into the kernel's log (dmesg) and the container's profile",
  },
  {
    calls: anything,
    errno: "EACCES",
    what: "the kernel denies access",
    fix: "a security module (SELinux, AppArmor) may forbid it: look into its log",
  },
  {
    calls: anything,
    errno: "ENOSYS",
    what: "this kernel was built without the call",
    fix: "boot a kernel with CONFIG_BPF_SYSCALL, CONFIG_PERF_EVENTS and CONFIG_UPROBES",
  },
  {
    calls: attaching,
    errno: "ENOTSUPP",
    what: "the kernel cannot put a probe on the instruction there",
    fix: "name another place: instructions with a LOCK or CS prefix and breakpoints (int3) cannot be probed",
  },
  {
    calls: attaching,
    errno: "ENOEXEC",
    what: "the kernel cannot decode the instruction there",
    fix: "name another place: a function's entry, or the start of another instruction",
  },
  {
    calls: attaching,
    errno: "EOPNOTSUPP",
    what: "this kernel cannot attach a program in that way",
    fix: lastResort,
  },
  {
    calls: attaching,
    errno: "ESRCH",
    what: "there is no such process (a thread's id does not count)",
    fix: "it may have ended: look for its process id again (pgrep)",
  },
  {
    calls: attaching,
    errno: "EIO",
    what: "the bytes there cannot be read from the file",
    fix: "the file may have been cut short since it was opened: run the command again",
  },
  {
    calls: attaching,
    errno: "ENOENT",
    what: "there is no such file",
    fix: "look whether it was moved or deleted meanwhile, and name it again",
  },
  {
    calls: attaching,
    errno: "EINVAL",
    // Kernel: alloc_uprobe refuses a second probe at a place that says something else of a semaphore (ref_ctr_mismatch_warn).
    what: "the kernel takes no probe there: outside the file, in data, on a file that cannot be mapped, or another tracer watches a marker there in another way",
    fix: "name a place inside a function's code (uscope list FILE); a marker that another tool watches: end that one first",
  },
  {
    calls: ["bpf BPF_LINK_CREATE"],
    errno: "EBADF",
    what: "only regular files can be probed",
    fix: "name an ELF file: an executable or a library",
  },
  {
    calls: ["bpf BPF_LINK_CREATE uprobe_multi"],
    errno: "E2BIG",
    what: "too many places for one link, at most 1,048,576",
    fix: "name fewer functions",
  },
  {
    calls: ["bpf BPF_MAP_UPDATE_ELEM"],
    errno: "E2BIG",
    what: "the map is full",
    fix: "narrow the filter, so that fewer different keys are kept",
  },
  {
    calls: ["bpf BPF_PROG_LOAD"],
    errno: "E2BIG",
    what: "the program is too long for the kernel",
    fix: "split the probe into several shorter ones",
  },
  {
    calls: ["bpf BPF_PROG_LOAD", "bpf BPF_MAP_CREATE"],
    errno: "EINVAL",
    what: "this kernel does not know this kind of program or map",
    fix: "ring buffers need Linux 5.8, cookies 5.15; what this one has: uscope doctor",
  },
  {
    calls: ["bpf BPF_MAP_CREATE"],
    errno: "E2BIG",
    what: "the map is larger than the kernel allows",
    fix: "ask for a smaller buffer",
  },
  {
    calls: ["bpf", "perf_event_open", "mmap"],
    errno: "ENOMEM",
    what: "the kernel has not enough memory, or the cgroup's limit is reached",
    fix: "ask for a smaller buffer, or raise the memory limit of this service or container",
  },
  {
    calls: anything,
    errno: "EMFILE",
    what: "this process has too many open files",
    fix: "raise the limit (ulimit -n 65536), or name fewer places: without uprobe_multi each takes one descriptor",
  },
  {
    calls: anything,
    errno: "ENFILE",
    what: "the machine has too many open files",
    fix: "raise fs.file-max",
  },
  {
    calls: ["mmap"],
    errno: "EPERM",
    what: "the kernel does not let this process lock so much memory",
    fix: "raise kernel.perf_event_mlock_kb, or run it with CAP_IPC_LOCK (sudo)",
  },
  {
    calls: ["perf_event_open"],
    errno: "ENOENT",
    what: "this kernel has no such event",
    fix: "boot a kernel with CONFIG_PERF_EVENTS and CONFIG_UPROBE_EVENTS",
  },
];

function purposeOf(call: Call): Purpose | undefined {
  if (call === "bpf BPF_MAP_CREATE") return "create maps";
  if (call === "bpf BPF_PROG_LOAD") return "load programs";
  if (call === "bpf BPF_LINK_CREATE uprobe_multi") return "attach by uprobe_multi";
  if (call === "bpf BPF_LINK_CREATE perf_event" || call === "perf_event_open uprobe") {
    return "attach by the uprobe PMU";
  }
  return call === "perf_event_open dummy" ? "watch new processes" : undefined;
}
