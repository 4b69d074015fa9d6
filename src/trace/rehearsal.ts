/**
 * Owns trying each step of a trace for real, on a file that nobody runs, so that what refuses is known by its own words.
 * Does not own the steps themselves (kernel/) nor what follows from a refusal.
 */
import { closeSync, openSync, readFileSync, readlinkSync, readSync, statSync } from "node:fs";
import { unreachable } from "../base/assert.js";
import type { FileOffset } from "../base/bytes.js";
import { UscopeError } from "../base/errors.js";
import type { ErrorLines } from "../base/errors.js";
import { assemble } from "../bpf/assemble.js";
import { call, exit, loadMap, mov } from "../bpf/build.js";
import type { MapSpec, ProgramSpec } from "../bpf/spec.js";
import type { FeatureName } from "../kernel/features.js";
import { createMap } from "../kernel/maps.js";
import type { KernelMap } from "../kernel/maps.js";
import { openProcessEvents } from "../kernel/perf-events.js";
import { missingCapabilities } from "../kernel/privileges.js";
import type { Privileges, Purpose } from "../kernel/privileges.js";
import { loadProgram } from "../kernel/programs.js";
import { openRingBuffer } from "../kernel/ringbuffer.js";
import { attachMulti, attachPmu } from "../kernel/uprobes.js";
import { countersMap, eventsMap } from "../lang/maps.js";
import { listProcesses } from "../target/process.js";

export type StepName = Purpose;

interface StepRow {
  readonly name: StepName;
  readonly usedFor: string;
  /** What the kernel must have for it, where it may lack that and still trace. */
  readonly feature?: FeatureName;
}

/** Every step, in the order in which a trace takes them. */
export const steps: readonly StepRow[] = [
  { name: "create maps", usedFor: "events and counters" },
  { name: "load programs", usedFor: "every probe" },
  {
    name: "attach by uprobe_multi",
    usedFor: "every probe, where the kernel has it",
    feature: "uprobe_multi",
  },
  {
    name: "attach by the uprobe PMU",
    usedFor: "every probe on older kernels; --attach pmu",
    feature: "perf_event links",
  },
  { name: "watch new processes", usedFor: "noticing fork, exec and exit" },
  { name: "look into processes of other users", usedFor: "their memory maps, files and symbols: -p, -U" },
  { name: "read kernel symbols", usedFor: "names of kernel addresses: %K" },
];

/** Tries a step and undoes it; returns why it was refused, or undefined when it worked. */
export function rehearse(step: StepName, privileges: Privileges): ErrorLines | undefined {
  try {
    return attempt(step, privileges);
  } catch (error) {
    if (error instanceof UscopeError) return { what: error.what, at: error.at, fix: error.fix };
    if (error instanceof Error && "syscall" in error) return fileRefusal(step, error);
    throw error;
  }
}

function attempt(step: StepName, privileges: Privileges): ErrorLines | undefined {
  switch (step) {
    case "create maps":
      return withMaps(() => undefined);
    case "load programs":
      return withMaps((maps) => {
        using program = loadProgram(rehearsalProgram(), maps, { multi: false });
        void program;
        return undefined;
      });
    case "attach by uprobe_multi":
      return attach("multi");
    case "attach by the uprobe PMU":
      return attach("pmu");
    case "watch new processes": {
      using events = openProcessEvents({ onFork() {}, onExec() {}, onExit() {} });
      void events;
      return undefined;
    }
    case "look into processes of other users":
      return lookIntoOthers(privileges);
    case "read kernel symbols":
      return readKernelSymbols(privileges);
    default:
      return unreachable(step);
  }
}

/** The two maps that every trace has; the ring is small, since its size is not in question. */
const mapSpecs: readonly MapSpec[] = [
  { name: eventsMap, kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: 1 << 16 },
  { name: countersMap, kind: "percpu-array", keyBytes: 4, valueBytes: 32, entries: 1 },
];

function withMaps(then: (maps: ReadonlyMap<string, KernelMap>) => undefined): undefined {
  const maps = new Map<string, KernelMap>();
  try {
    for (const spec of mapSpecs) maps.set(spec.name, createMap(spec));
    using ring = openRingBuffer(maps.get(eventsMap)!);
    void ring;
    return then(maps);
  } finally {
    for (const map of maps.values()) map[Symbol.dispose]();
  }
}

/** The helpers that every probe calls: cookie, clock and ring buffer. */
function rehearsalProgram(): ProgramSpec {
  const lines = [
    call("get_attach_cookie"),
    call("ktime_get_ns"),
    loadMap(1, eventsMap),
    mov(2, 0n),
    call("ringbuf_query"),
    mov(0, 0n),
    exit(),
  ];
  const name = "uscope_rehearse";
  return { name, license: "Dual BSD/GPL", sleepable: false, source: "", ...assemble(lines) };
}

/**
 * Arms and disarms a place for all processes, as a trace without -p does.
 * Why uscope's own text: a regular file that is there, and that nobody maps to run, so that no process is touched.
 */
function attach(way: "multi" | "pmu"): undefined {
  const shownPath = import.meta.filename;
  const fd = openSync(shownPath, "r");
  try {
    return withMaps((maps) => {
      using program = loadProgram(rehearsalProgram(), maps, { multi: way === "multi" });
      using link = (way === "multi" ? attachMulti : attachPmu)({
        program,
        openPath: `/proc/self/fd/${fd}`,
        shownPath,
        sites: [{ offset: 0 as FileOffset, semaphore: undefined, cookie: 1 }],
        returns: false,
        pid: undefined,
      });
      void link;
      return undefined;
    });
  } finally {
    closeSync(fd);
  }
}

/**
 * Looks at maps and files of processes of other users until one lets it. Where none is to be seen the capability decides.
 * Why not all of them: a single one may be guarded even against root (a security module, a user namespace).
 */
function lookIntoOthers(privileges: Privileges): ErrorLines | undefined {
  const enough = 100;
  let refused: string | undefined;
  for (const pid of findProcessesOfOthers().slice(0, enough)) {
    try {
      // Kernel: ptrace's check is made by open; CAP_PERFMON passes it too on newer kernels (seen on 6.18).
      closeSync(openSync(`/proc/${pid}/maps`, "r"));
      // Kernel: its files are behind the check as it always was.
      readlinkSync(`/proc/${pid}/root`);
      return undefined;
    } catch (error) {
      if (isRefused(error)) refused ??= "path" in error ? String(error.path) : `/proc/${pid}`;
    }
  }
  const isMissing = missingCapabilities(privileges, "look into processes of other users").length > 0;
  if (refused === undefined && !isMissing) return undefined;
  return {
    what: "the kernel does not let this process look into those of other users",
    at: refused ?? "/proc",
    fix: isMissing
      ? "run it as root (sudo), or give it CAP_SYS_PTRACE; processes of the same user may do without"
      : "a security module (SELinux, AppArmor) may forbid it: look into the kernel's log (dmesg)",
  };
}

function findProcessesOfOthers(): number[] {
  const own = process.geteuid?.();
  return listProcesses().filter((pid) => {
    try {
      // Kernel: a kernel thread has no command line and no memory; looking into it is never refused.
      return statSync(`/proc/${pid}`).uid !== own && readFileSync(`/proc/${pid}/cmdline`).length > 0;
    } catch {
      return false;
    }
  });
}

/** Kernel: whoever may not know them reads zeros; the first 64 KiB hold some 1,500 symbols. */
function readKernelSymbols(privileges: Privileges): ErrorLines | undefined {
  const path = "/proc/kallsyms";
  const bytes = Buffer.alloc(1 << 16);
  const fd = openSync(path, "r");
  try {
    const length = readSync(fd, bytes);
    if (/^0*[1-9a-f]/m.test(bytes.toString("latin1", 0, length))) return undefined;
  } finally {
    closeSync(fd);
  }
  const isMissing = missingCapabilities(privileges, "read kernel symbols").length > 0;
  return {
    what: "the addresses of kernel functions are hidden from this process",
    at: path,
    fix: isMissing ? "run it as root (sudo), or give it CAP_SYSLOG" : "sysctl kernel.kptr_restrict=1",
  };
}

function isRefused(error: unknown): error is Error {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "EACCES" || code === "EPERM";
}

/** Why: /proc or /sys may not be mounted, or be hidden; the step cannot do without. */
function fileRefusal(step: StepName, error: Error): ErrorLines {
  const path = "path" in error ? String(error.path) : "/proc";
  return {
    what: `${path} cannot be read (${"code" in error ? String(error.code) : error.message})`,
    at: `trying to ${step}`,
    fix: "mount /proc and /sys (in a container: share the host's), and see that they may be read",
  };
}
