/**
 * Owns where each register of the traced machine lies in what the kernel hands to a uprobe program, by all its names.
 * Does not own which register holds which argument: the target knows that.
 */
import type { Architecture } from "./target.js";

/** Finds the byte offset of a 64-bit register in the program's context. */
export function findRegister(architecture: Architecture, name: string): number | undefined {
  return tables[architecture].get(name);
}

/** The names to offer where one was misspelt. */
export function registerNames(architecture: Architecture): Iterable<string> {
  return tables[architecture].keys();
}

// Kernel: struct pt_regs in arch/x86/include/asm/ptrace.h. Each line: offset, the kernel's name, the machine's name.
const x86: readonly (readonly [number, string, string])[] = [
  [0, "r15", "r15"],
  [8, "r14", "r14"],
  [16, "r13", "r13"],
  [24, "r12", "r12"],
  [32, "bp", "rbp"],
  [40, "bx", "rbx"],
  [48, "r11", "r11"],
  [56, "r10", "r10"],
  [64, "r9", "r9"],
  [72, "r8", "r8"],
  [80, "ax", "rax"],
  [88, "cx", "rcx"],
  [96, "dx", "rdx"],
  [104, "si", "rsi"],
  [112, "di", "rdi"],
  [120, "orig_ax", "orig_rax"],
  [128, "ip", "rip"],
  [136, "cs", "cs"],
  [144, "flags", "eflags"],
  [152, "sp", "rsp"],
  [160, "ss", "ss"],
];

// Kernel: struct user_pt_regs in arch/arm64/include/uapi/asm/ptrace.h.
const arm64: readonly (readonly [number, string, string])[] = [
  ...Array.from({ length: 31 }, (_, index) => [8 * index, `x${index}`, `regs[${index}]`] as const),
  [29 * 8, "fp", "fp"],
  [30 * 8, "lr", "lr"],
  [248, "sp", "sp"],
  [256, "pc", "ip"],
  [264, "pstate", "pstate"],
];

const tables: Record<Architecture, ReadonlyMap<string, number>> = {
  "x86-64": tableOf(x86),
  arm64: tableOf(arm64),
};

function tableOf(rows: readonly (readonly [number, string, string])[]): ReadonlyMap<string, number> {
  return new Map(rows.flatMap(([offset, ...names]) => names.map((name) => [name, offset] as const)));
}
