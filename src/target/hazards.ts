/**
 * Owns the preflight for return probes by the kernel's uretprobes: what of the target would break when its return
 * addresses are replaced. Does not own the decision to insist (`--force uretprobe`), nor safer ways to see returns.
 */
import { findSection } from "../elf/file.js";
import { readDynamicNames } from "../elf/imports.js";
import { mayBeMangled } from "../demangle/demangle.js";
import type { Binary } from "./binary.js";
import type { FunctionMatch } from "./functions.js";
import type { KernelVersion } from "./kernel-version.js";
import type { ProcessInfo } from "./process.js";
import { entryInstead, findSpecialHazard, noReturnAddress } from "./special-functions.js";
import { UnwindTable } from "./unwind-table.js";

export interface Hazard {
  readonly name:
    | "go"
    | "exceptions"
    | "stack-switching"
    | "saved-return"
    | "no-return-address"
    | "asks-for-caller"
    | "walked-stack"
    | "seccomp"
    | "shadow-stack";
  /** What would happen and why, a sentence without a full stop. */
  readonly reason: string;
  readonly alternative: string;
}

/**
 * Looks at a file once and returns the question to ask of each function: what would a return probe on it break? Nothing,
 * for plain C. Without processes, any process may be the one that is hit.
 */
export function returnHazards(
  binary: Binary,
  processes: readonly ProcessInfo[],
  kernel: KernelVersion,
): (match: FunctionMatch) => Hazard[] {
  const names = namesOf(binary);
  const always = [
    findGo(binary),
    findStackSwitching(binary, names, processes),
    findSeccomp(processes, kernel),
    findShadowStack(processes, kernel),
  ].filter((hazard) => hazard !== undefined);
  const passesExceptions =
    findSection(binary.elf, ".gcc_except_table") !== undefined &&
    (throwers.some((name) => names.imported.has(name) || names.defines(name)) ||
      names.imported.has("_Unwind_Resume"));
  const unwindTable = new UnwindTable(binary.elf);
  return (match) => {
    const { address, names } = match;
    const special = findSpecialHazard(binary, match);
    if (special !== undefined) return [special, ...always];
    // Why first: of tens of thousands of C++ functions none needs to be looked up.
    if (passesExceptions && names.some((name) => mayBeMangled(name))) return [...always, exceptionHazard];
    const entry = unwindTable.find(address);
    if (entry?.start === address && entry.startsInFrame) return [noReturnAddress, ...always];
    return passesExceptions && entry?.hasHandlers === true ? [...always, exceptionHazard] : always;
  };
}

interface LinkedNames {
  readonly imported: ReadonlySet<string>;
  readonly exported: ReadonlySet<string>;
  defines(name: string): boolean;
}

function namesOf(binary: Binary): LinkedNames {
  const { imported, exported } = readDynamicNames(binary.elf);
  // Why both: routines written in assembly are often exported without being marked as functions.
  return {
    imported,
    exported,
    defines: (name) => exported.has(name) || binary.functions.find(name).length > 0,
  };
}

/** Go copies a goroutine's stack when it grows, and checks the return addresses on it. */
function findGo(binary: Binary): Hazard | undefined {
  const isGo = [".go.buildinfo", ".gopclntab"].some((name) => findSection(binary.elf, name) !== undefined);
  if (!isGo) return undefined;
  return {
    name: "go",
    reason: "this is a Go program: Go moves its stacks, finds the kernel's return address on them and dies",
    alternative: entryInstead,
  };
}

/**
 * An exception that leaves the function is lost: the unwinder finds no code at the kernel's return address and ends the
 * program ("terminate called"). Rule: the file has tables of landing pads and throws or resumes (C++, Rust, or C that
 * is linked with them), and the function is not C (its name is mangled), or has landing pads of its own.
 * Why not more: C code between a thrower and a handler is rare, and every C function of a mixed program such as
 * Node.js would be refused; C programs and libraries, redis-server and libc among them, have no thrower at all.
 */
const exceptionHazard: Hazard = {
  name: "exceptions",
  reason: "a C++ exception or Rust panic that leaves this function would end the program (terminate called)",
  alternative: "probe its entry (p:), or insist with --force uretprobe",
};

/** Return traps are kept in the order of one stack: after a switch the kernel finds the wrong one and sends SIGILL. */
function findStackSwitching(
  binary: Binary,
  names: LinkedNames,
  processes: readonly ProcessInfo[],
): Hazard | undefined {
  const how = stackSwitchers.find(
    ([name, side]) =>
      names.imported.has(name) || (names.defines(name) && (side === "anywhere" || !names.exported.has(name))),
  )?.[0];
  const greenlets = processes.find((process) => isPython(binary) && mapsGreenlets(process));
  if (how === undefined && greenlets === undefined) return undefined;
  const what =
    how === undefined ? `process ${greenlets?.pid} uses greenlets` : `this program switches stacks (${how})`;
  return {
    name: "stack-switching",
    reason: `${what}: the kernel would return to the wrong place and the program would die by SIGILL`,
    alternative: entryInstead,
  };
}

/**
 * Kernel: the trampoline makes a system call (uretprobe, 6.11) that filters of sandboxed programs do not know and
 * answer with a kill, until "seccomp: passthrough uretprobe systemcall without filtering" (6.14; 6.13.3, 6.12.14).
 */
function findSeccomp(processes: readonly ProcessInfo[], kernel: KernelVersion): Hazard | undefined {
  const fixedPatch: Record<number, number> = { 11: Number.POSITIVE_INFINITY, 12: 14, 13: 3 };
  if (kernel.machine !== "x86-64" || kernel.major !== 6 || kernel.patch >= (fixedPatch[kernel.minor] ?? 0))
    return undefined;
  const sandboxed = processes.find((process) => process.status().seccomp !== 0);
  if (processes.length > 0 && sandboxed === undefined) return undefined;
  const who =
    sandboxed === undefined ? "sandboxed programs (seccomp) that call it" : `process ${sandboxed.pid}`;
  return {
    name: "seccomp",
    reason: `kernel ${kernel.text} kills ${who} at the first return: seccomp filters refuse its uretprobe system call`,
    alternative:
      sandboxed === undefined
        ? "name a process without seccomp with -p, or boot 6.14 or later"
        : "boot 6.14 or later, or probe the entry",
  };
}

/**
 * Kernel: programs have shadow stacks since 6.6, and uretprobes follow them since 6.11 (x86/shstk: Make return uprobe work
 * with shadow stack). Without processes, one that has a shadow stack may be hit wherever the processor has them.
 */
function findShadowStack(processes: readonly ProcessInfo[], kernel: KernelVersion): Hazard | undefined {
  if (kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 11)) return undefined;
  const guarded = processes.find((process) => process.status().threadFeatures.includes("shstk"));
  const mayBeGuarded =
    processes.length === 0 && kernel.major === 6 && kernel.minor >= 6 && kernel.hasShadowStacks;
  if (guarded === undefined && !mayBeGuarded) return undefined;
  const who = guarded === undefined ? "programs that call it may have" : `process ${guarded.pid} has`;
  return {
    name: "shadow-stack",
    reason: `${who} a shadow stack (CET), which kernel ${kernel.text} does not update: the first return would be a fault`,
    alternative:
      guarded === undefined
        ? "name a process without a shadow stack with -p, or boot 6.11 or later"
        : "boot 6.11 or later, or probe the entry",
  };
}

function mapsGreenlets(process: ProcessInfo): boolean {
  return process.mappings().some((mapping) => /\/_?greenlet[^/]*\.so/.test(mapping.path));
}

function isPython(binary: Binary): boolean {
  return /\/(lib)?python[\d.]*[^/]*$/.test(binary.path);
}

/** Not _Unwind_Resume where it is defined: libc has its own, for the clean-up of cancelled threads. */
const throwers: readonly string[] = ["__cxa_throw", "__cxa_rethrow", "_Unwind_RaiseException"];
/** libc exports swapcontext and does not use it, but in static programs it is what they use; the others are the switch itself. */
const stackSwitchers: readonly (readonly [string, "used" | "anywhere"])[] = [
  ["swapcontext", "used"],
  ["coroutine_transfer", "anywhere"],
  ["jump_fcontext", "anywhere"],
  ["boost_jump_fcontext", "anywhere"],
  ["zend_fiber_switch_context", "anywhere"],
  ["qemu_coroutine_switch", "anywhere"],
  ["g_switchstack", "anywhere"],
  ["coro_transfer", "anywhere"],
  ["co_switch", "anywhere"],
];
