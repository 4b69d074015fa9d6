/**
 * Owns what this kernel is able to do, as a table: since when, what for, and a probe that really tries.
 * Does not own what this process is permitted to do, which is privileges.ts; starting a trace probes nothing.
 */
import { existsSync } from "node:fs";
import { KernelError, UnsupportedError, VerifierError } from "../base/errors.js";
import { assemble } from "../bpf/assemble.js";
import { alu, call, exit, loadSigned, mov, storeImmediate } from "../bpf/build.js";
import type { Line } from "../bpf/build.js";
import { helpers } from "../bpf/helpers.js";
import type { HelperName } from "../bpf/helpers.js";
import type { ProgramSpec } from "../bpf/spec.js";
import { errno } from "./errno.js";
import { linkPerfEvent } from "./layouts.js";
import { createMap } from "./maps.js";
import { openProcessEvents } from "./perf-events.js";
import { loadProgram } from "./programs.js";
import { readPageSize } from "./ringbuffer.js";
import { attemptBpf } from "./syscalls.js";
import { knowsUprobeMulti, readUprobePmu } from "./uprobes.js";

/** "not permitted": this process may not ask, so nothing is known. */
export type Availability = "yes" | "no" | "not permitted";

export interface Feature {
  /** The first kernel that has it. */
  readonly since: string;
  readonly usedFor: string;
  readonly probe: () => Availability;
}

export type FeatureName = keyof typeof features;

/** The answers of one kernel: each feature is probed when it is first asked for, and once. */
export class Features {
  readonly #known = new Map<FeatureName, Availability>();

  /** Probes a feature by trying it; takes well under a millisecond. */
  availability(name: FeatureName): Availability {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const answer = features[name].probe();
    this.#known.set(name, answer);
    return answer;
  }

  has(name: FeatureName): boolean {
    return this.availability(name) === "yes";
  }
}

/** Every feature that uscope uses. Versions are of mainline; distributions carry some of it back. */
export const features = {
  "uprobe PMU": {
    since: "4.17",
    usedFor: "attaching without tracefs",
    probe: () => answer(() => readUprobePmu() !== undefined),
  },
  "semaphores by the kernel": {
    since: "4.20",
    usedFor: "markers that are off until somebody watches (ref_ctr_offset)",
    probe: () => answer(() => readUprobePmu().semaphoreShift !== undefined),
  },
  BTF: {
    since: "5.4",
    usedFor: "offsets in the kernel's structs: --children",
    probe: () => (existsSync("/sys/kernel/btf/vmlinux") ? "yes" : "no"),
  },
  "ring buffer": {
    since: "5.8",
    usedFor: "events",
    probe: () => answer(canMakeRing),
  },
  "cgroup filter": {
    since: helpers.get_current_ancestor_cgroup_id.since,
    usedFor: "-c CGROUP",
    probe: () => loads([mov(1, 0n), ...callHelper("get_current_ancestor_cgroup_id")]),
  },
  "attach cookie": {
    since: helpers.get_attach_cookie.since,
    usedFor: "telling which of many places was hit",
    probe: () => loads(callHelper("get_attach_cookie")),
  },
  "perf_event links": {
    since: "5.15",
    usedFor: "attaching through the uprobe PMU with cookies",
    probe: () => answer(hasPerfEventLinks),
  },
  "sleepable programs": {
    since: helpers.copy_from_user.since,
    usedFor: "reading user memory that was not touched yet",
    probe: () => loads([mov(0, 0n), exit()], "sleepable"),
  },
  "stacks in sleepable programs": {
    since: "6.0",
    usedFor: "-U together with text",
    probe: () => loads(userStack(), "sleepable"),
  },
  uprobe_multi: {
    since: "6.6",
    usedFor: "thousands of places by one link, without CAP_SYS_ADMIN",
    probe: () => answer(knowsUprobeMulti),
  },
  "signed arithmetic": {
    since: "6.6",
    usedFor: "shorter programs for signed division and sign extension (eBPF v4)",
    probe: () =>
      loads([storeImmediate(8, 10, -8, -1n), loadSigned(1, 0, 10, -8), alu("sdiv", 0, 3n), exit()]),
  },
  "process events": {
    since: "4.1",
    usedFor: "noticing fork, exec and exit without tracefs",
    probe: () => answer(canWatchProcesses),
  },
} as const satisfies Record<string, Feature>;

function canMakeRing(): boolean {
  const entries = readPageSize();
  using map = createMap({ name: "probe", kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries });
  return map.fd >= 0;
}

function hasPerfEventLinks(): boolean {
  // Kernel: before 5.15 this attach type is none for links (EINVAL); since then the event is looked up (EBADF).
  using program = loadProgram(programOf([mov(0, 0n), exit()], "plain"), new Map(), { multi: false });
  return attemptBpf(linkPerfEvent({ program: program.fd, event: -1, cookie: 0 })) === -errno.EBADF;
}

function canWatchProcesses(): boolean {
  using events = openProcessEvents({ onFork() {} });
  return events.lost === 0;
}

function callHelper(helper: HelperName): Line[] {
  return [call(helper), mov(0, 0n), exit()];
}

function userStack(): Line[] {
  const userFlag = 256n;
  const bytes = 64n;
  const into = [mov(2, 10), alu("add", 2, -bytes), mov(3, bytes), mov(4, userFlag)];
  return [...into, ...callHelper("get_stack")];
}

type Kind = "plain" | "sleepable";

function loads(lines: readonly Line[], kind: Kind = "plain"): Availability {
  return answer(() => {
    using program = loadProgram(programOf(lines, kind), new Map(), { multi: false });
    return program.fd >= 0;
  });
}

function programOf(lines: readonly Line[], kind: Kind): ProgramSpec {
  return {
    name: "uscope_probe",
    license: "Dual BSD/GPL",
    sleepable: kind === "sleepable",
    source: "",
    ...assemble(lines),
  };
}

/** Runs an attempt: what the kernel refuses is not there, unless it refuses to be asked. */
function answer(attempt: () => boolean | undefined): Availability {
  try {
    const known = attempt();
    return known === undefined ? "not permitted" : known ? "yes" : "no";
  } catch (error) {
    if (error instanceof KernelError) {
      return error.errno === errno.EPERM || error.errno === errno.EACCES ? "not permitted" : "no";
    }
    if (error instanceof VerifierError || error instanceof UnsupportedError) return "no";
    throw error;
  }
}
