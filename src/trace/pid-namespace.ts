/**
 * Owns the question whether this process and the kernel call processes by the same ids, the refusals of what needs that, and where
 * the kernel keeps the ids that processes have in their own namespaces.
 * Does not own who is traced (filter.ts).
 */
import { readlinkSync } from "node:fs";
import { UnsupportedError } from "../base/errors.js";
import { readKernelOffsets } from "../kernel/btf.js";
import type { NamespaceIds } from "../lang/options.js";

/** Programs see the process ids of the initial pid namespace, whatever this process calls them. */
export function inInitialPidNamespace(): boolean {
  const namespace = readNamespace();
  return namespace === undefined || namespace === initialNamespace;
}

/** Why: programs compare process ids; in a namespace of its own ours mean other processes. */
export function requireInitialPidNamespace(): void {
  if (inInitialPidNamespace()) return;
  throw new UnsupportedError({
    what: "processes cannot be chosen from within a pid namespace of its own",
    at: `/proc/self/ns/pid is ${readNamespace()}: the kernel's probes see the host's process ids`,
    fix: "run uscope on the host (docker run --pid=host), or without -p, -L and -- COMMAND",
  });
}

/** Why: an address is looked up in the process that an event names; here that may be another one. */
export function requireNameableAddresses(): void {
  if (inInitialPidNamespace()) return;
  throw new UnsupportedError({
    what: "addresses of programs cannot be named from within a pid namespace of its own",
    at: `/proc/self/ns/pid is ${readNamespace()}: the kernel's probes see the host's process ids`,
    fix: "run uscope on the host (docker run --pid=host), or without -U and %U",
  });
}

/** Where the kernel keeps the ids that processes have in their own namespaces. Throws an UnsupportedError without BTF. */
export function findNamespaceIds(): NamespaceIds {
  try {
    const task = readKernelOffsets("task_struct", ["group_leader", "thread_pid"]);
    const { level, numbers } = readKernelOffsets("pid", ["level", "numbers"]);
    return { groupLeader: task.group_leader, threadPid: task.thread_pid, level, numbers };
  } catch (error) {
    throw new UnsupportedError(
      {
        what: "--pid-namespace needs the kernel's own type information (BTF), which cannot be read here",
        at: `/sys/kernel/btf/vmlinux: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`,
        fix: "boot a kernel with CONFIG_DEBUG_INFO_BTF; grep NSpid /proc/PID/status tells the ids of one process",
      },
      { cause: error },
    );
  }
}

/** Kernel: PROC_PID_INIT_INO, include/linux/proc_ns.h. */
const initialNamespace = `pid:[${0xeffffffc}]`;

function readNamespace(): string | undefined {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    // Why: a kernel without pid namespaces has no such file, and everybody is in the initial one.
    return undefined;
  }
}
