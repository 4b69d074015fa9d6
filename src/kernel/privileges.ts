/**
 * Owns what this process is allowed to do: capabilities, user namespace, lockdown, seccomp and the sysctls that matter,
 * and which of them stands in the way of what. Does not own what the kernel is able to do, which is features.ts.
 */
import { readFileSync, readlinkSync } from "node:fs";

/** A snapshot of the privileges of one process. Absent files (no securityfs, no /proc) read as undefined. */
export interface Privileges {
  /** Effective capabilities by name, as in capabilities(7). */
  readonly capabilities: ReadonlySet<string>;
  /** Kernel: BPF and perf ask for capabilities in the initial user namespace; root in a container's own one has none. */
  readonly initialUserNamespace: boolean;
  readonly lockdown: string | undefined;
  /** 0 anyone, 1 nobody until reboot, 2 nobody. Concerns only processes without CAP_BPF. */
  readonly unprivilegedBpfDisabled: number | undefined;
  readonly perfEventParanoid: number | undefined;
  /** 0 none, 1 strict, 2 a filter. A filter may answer EPERM in the kernel's place. */
  readonly seccomp: number | undefined;
}

export type Purpose = keyof typeof purposes;

/** What each step needs: every line of it, one capability of each line. */
export const purposes = {
  "create maps": { needs: [["CAP_BPF", "CAP_SYS_ADMIN"]] },
  "load programs": {
    needs: [
      ["CAP_BPF", "CAP_SYS_ADMIN"],
      ["CAP_PERFMON", "CAP_SYS_ADMIN"],
    ],
  },
  "attach by uprobe_multi": {
    needs: [
      ["CAP_BPF", "CAP_SYS_ADMIN"],
      ["CAP_PERFMON", "CAP_SYS_ADMIN"],
    ],
  },
  // Kernel: since the fix of CVE-2025-38466 (5.10.240, 5.15.189, 6.1.146, 6.6.99, 6.12.39, 6.15.7).
  "attach by the uprobe PMU": { needs: [["CAP_SYS_ADMIN"]] },
  "watch new processes": { needs: [["CAP_PERFMON", "CAP_SYS_ADMIN"]] },
  "look into processes of other users": { needs: [["CAP_SYS_PTRACE"]] },
  // Kernel: kptr_restrict 2 hides them from everybody; 0 with a perf_event_paranoid of at most 1 from nobody.
  "read kernel symbols": { needs: [["CAP_SYSLOG"]] },
} as const satisfies Record<string, { readonly needs: readonly (readonly string[])[] }>;

/** Reads the privileges of this process from /proc/self and /sys. */
export function readPrivileges(): Privileges {
  const status = readText("/proc/self/status") ?? "";
  return {
    capabilities: decodeCapabilities(statusField(status, "CapEff") ?? "0"),
    initialUserNamespace: inInitialUserNamespace(),
    lockdown: /\[(\w+)\]/.exec(readText("/sys/kernel/security/lockdown") ?? "")?.[1],
    unprivilegedBpfDisabled: readNumber("/proc/sys/kernel/unprivileged_bpf_disabled"),
    perfEventParanoid: readNumber("/proc/sys/kernel/perf_event_paranoid"),
    seccomp: toNumber(statusField(status, "Seccomp")),
  };
}

/** Returns the capabilities that are missing for a purpose, the least one of each alternative; [] when nothing is. */
export function missingCapabilities(privileges: Privileges, purpose: Purpose): string[] {
  const held = privileges.initialUserNamespace ? privileges.capabilities : new Set<string>();
  const needs: readonly (readonly string[])[] = purposes[purpose].needs;
  return needs
    .filter((alternatives) => !alternatives.some((capability) => held.has(capability)))
    .map((alternatives) => alternatives[0]!);
}

/** What stands in the way of a purpose, as a clause, and what an administrator can do about it. */
export interface Obstacle {
  readonly what: string;
  readonly fix: string;
}

/** Returns what is known to forbid a purpose, or undefined when nothing is. */
export function findObstacle(privileges: Privileges, purpose: Purpose): Obstacle | undefined {
  const missing = missingCapabilities(privileges, purpose);
  if (missing.length > 0 && !privileges.initialUserNamespace) {
    return {
      what: `this process lives in a user namespace of its own, where ${missing.join(" and ")} does not count for the kernel`,
      fix: "run it outside of the container (as root), or in one that shares the host's user namespace, with --privileged",
    };
  }
  if (missing.length > 0) {
    return {
      what: `this process lacks ${missing.join(" and ")}`,
      fix: `run it as root (sudo), or give it ${missing.join(" and ")} (in a container: --cap-add); what is missing for what: uscope doctor`,
    };
  }
  if (privileges.lockdown === "confidentiality") {
    return {
      what: "kernel lockdown is set to confidentiality, which forbids programs that read memory",
      fix: "boot with lockdown=integrity or without lockdown",
    };
  }
  return undefined;
}

/** Decodes a hexadecimal capability mask as in /proc/PID/status; unknown bits become CAP_n. */
export function decodeCapabilities(mask: string): Set<string> {
  const bits = BigInt(`0x${mask}`);
  const held = new Set<string>();
  for (let bit = 0; bit < 64; bit++) {
    if (((bits >> BigInt(bit)) & 1n) === 1n) held.add(`CAP_${capabilityNames[bit] ?? bit}`);
  }
  return held;
}

function inInitialUserNamespace(): boolean {
  try {
    // Kernel: PROC_USER_INIT_INO, include/linux/proc_ns.h.
    return readlinkSync("/proc/self/ns/user") === `user:[${0xeffffffd}]`;
  } catch {
    // Why: a kernel without user namespaces has no such file, and everybody is in the initial one.
    return true;
  }
}

function statusField(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
}

function readNumber(path: string): number | undefined {
  return toNumber(readText(path)?.trim());
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

// Spec: include/uapi/linux/capability.h, by bit.
const capabilityNames = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
] as const;
