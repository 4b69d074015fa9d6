/**
 * Owns what Linux does with a uprobe on one x86-64 instruction: refuse it, emulate it, step it, or break the program.
 * Does not own decoding, nor what a hit costs in time: see target/cost.ts.
 */
import type { InstructionClass, KernelRelease } from "./instruction-class.js";
import type { X86Instruction } from "./x86-decode.js";

/**
 * Classifies a decoded instruction. `pageBytesLeft` are the bytes from it to the end of its page.
 * Kernel: arch/x86/kernel/uprobes.c; each rule was also tried on 6.18 by arming and running it (test/isa/kernel.test.ts).
 */
export function classifyX86(
  instruction: X86Instruction,
  release: KernelRelease,
  pageBytesLeft: number,
): InstructionClass {
  const { length } = instruction;
  const refused = findRefusal(instruction);
  if (refused !== undefined) return { length, cost: "stepped", refused };
  const harmful = findHarm(instruction, release);
  if (harmful !== undefined) return { length, cost: "stepped", harmful };
  // Kernel: can_optimize: 64-bit, five bytes, any nop, not across a page. Since 6.18.
  const nop = isNop(instruction, release);
  if (atLeast(release, 6, 18) && length === 5 && pageBytesLeft >= 5 && (nop || isLongNop(instruction)))
    return { length, cost: "nop5" };
  return { length, cost: nop || isEmulated(instruction, release) ? "emulated" : "stepped" };
}

/** Says why the kernel answers errno 524 (ENOTSUPP), or undefined. */
function findRefusal(instruction: X86Instruction): string | undefined {
  // Kernel: prepare_uprobe looks at the first byte alone, before anything is decoded.
  if (isBreakpoint(instruction))
    return "a breakpoint (int3) stands there already, and the kernel puts no probe on one";
  const prefix = instruction.prefixes.find((prefix) => badPrefixes.has(prefix));
  // Kernel: is_prefix_bad.
  if (prefix !== undefined) return `the kernel refuses instructions with ${badPrefixes.get(prefix)}`;
  // Kernel: insn_masking_exception: a step over a load of SS would be lost.
  const loadsStackSegment = firstOpcode(instruction) === 0x8e && ((instruction.modrm ?? 0) & 0x38) === 2 << 3;
  if (loadsStackSegment) return "the kernel refuses instructions that load SS";
  // Kernel: branch_setup_xol_ops: 16-bit branches.
  if (instruction.prefixes.includes(0x66) && isBranch(instruction))
    return "the kernel refuses branches with prefix 66";
  // Kernel: good_insns_64. VEX and EVEX opcodes are looked up there as if they were one-byte opcodes.
  if (refusedOpcodes.has(firstOpcode(instruction))) {
    return instruction.encoding === "legacy"
      ? `the kernel refuses opcode ${hex(instruction.opcode)} (traps, port and privileged instructions)`
      : `the kernel refuses vector instructions with opcode ${hex(instruction.opcode)}`;
  }
  return undefined;
}

/** Says why the traced program would go wrong although the kernel takes the probe, or undefined. */
function findHarm(instruction: X86Instruction, release: KernelRelease): string | undefined {
  const { encoding, map, opcode, rex } = instruction;
  // Kernel: branch_setup_xol_ops and arch_uprobe_analyze_insn read a VEX or EVEX opcode as a one-byte opcode: vpshufd (70)
  // is "emulated" as jo, vpbroadcastb (7A) as jp, vpminsb (E8) as call; vcmpps (C2) keeps running in the copy, as ret would.
  if (encoding !== "legacy") {
    return mistakenVectorOpcodes.has(opcode)
      ? `the kernel would take this vector instruction (opcode ${hex(opcode)}) for another and not run it`
      : undefined;
  }
  if (map !== 0) return undefined;
  // Kernel: the step flag is in the flags that pushf saves; a popf later traps.
  if (opcode === 0x9c)
    return "a stepped pushf saves the kernel's own trap flag, and the program's popf would trap";
  // Kernel: up to 6.18 every opcode 90 is a nop, also xchg %r8,%rax.
  if (opcode === 0x90 && (rex & 1) !== 0 && !atLeast(release, 6, 19))
    return "this kernel takes xchg %r8,%rax for a nop";
  return undefined;
}

/** Kernel: branch_setup_xol_ops (since 3.16) and push_setup_xol_ops (since 5.0). */
function isEmulated(instruction: X86Instruction, release: KernelRelease): boolean {
  const { encoding, map, opcode, rex, length } = instruction;
  if (encoding !== "legacy") return false;
  if (isBranch(instruction)) return true;
  if (map !== 0 || opcode < 0x50 || opcode > 0x57 || !atLeast(release, 5, 0)) return false;
  return length === 1 || (length === 2 && rex === 0x41);
}

function isBreakpoint({ encoding, map, opcode, prefixes }: X86Instruction): boolean {
  return encoding === "legacy" && map === 0 && opcode === 0xcc && prefixes.length === 0;
}

function isBranch({ encoding, map, opcode }: X86Instruction): boolean {
  if (encoding !== "legacy") return false;
  if (map === 1) return opcode >= 0x80 && opcode <= 0x8f;
  return map === 0 && ((opcode >= 0x70 && opcode <= 0x7f) || [0xe8, 0xe9, 0xeb].includes(opcode));
}

function isNop(instruction: X86Instruction, release: KernelRelease): boolean {
  const { encoding, map, opcode } = instruction;
  if (encoding !== "legacy") return false;
  const isShort = map === 0 && opcode === 0x90;
  if (atLeast(release, 6, 19)) return isRecognisedNop(instruction);
  if (!atLeast(release, 6, 18)) return isShort;
  return isShort || isKernelNop(instruction);
}

/** Kernel 6.19: insn_is_nop: nop but not pause, nopl, `mov` and `lea` of a whole register onto itself, a jump to the next. */
function isRecognisedNop(instruction: X86Instruction): boolean {
  const { map, opcode, modrm, sib, rex, displacement, prefixes, immediate } = instruction;
  const register = (((modrm ?? 0) >> 3) & 7) | ((rex & 4) << 1);
  const base = (sib ?? modrm ?? 0) & 7;
  const onItself = (rex & 8) !== 0 && register === (base | ((rex & 1) << 3));
  const mode = (modrm ?? 0) >> 6;
  if (map === 1) return isLongNop(instruction);
  if (map !== 0) return false;
  if (opcode === 0x90) return (rex & 1) === 0 && !prefixes.includes(0xf3);
  if (opcode === 0x89) return mode === 3 && onItself;
  if (opcode === 0x8d) {
    const indexed = sib !== undefined && (sib >> 3 !== 4 || (rex & 2) !== 0);
    return (mode === 1 || mode === 2) && displacement === 0 && !indexed && prefixes.length === 0 && onItself;
  }
  return (opcode === 0xe9 || opcode === 0xeb) && immediate === 0;
}

/** `nopl` in any form: 0F 1F /0. */
function isLongNop({ encoding, map, opcode, modrm, rex }: X86Instruction): boolean {
  return (
    encoding === "legacy" && map === 1 && opcode === 0x1f && ((modrm ?? 8) & 0x38) === 0 && (rex & 4) === 0
  );
}

/**
 * Kernel 6.18: only the forms that the kernel itself writes (x86_nops, up to ASM_NOP_MAX = 8 bytes):
 * 0f 1f 00; 0f 1f 40 00; 0f 1f 44 00 00; the last behind 66; 0f 1f 80 and 0f 1f 84 00 with four zeros.
 */
function isKernelNop(instruction: X86Instruction): boolean {
  const { length, modrm, sib, displacement, rex, prefixes } = instruction;
  if (!isLongNop(instruction) || displacement !== 0 || rex !== 0 || (sib ?? 0) !== 0) return false;
  if (prefixes.length > 0) return length === 6 && prefixes[0] === 0x66 && modrm === 0x44;
  return kernelNopForms.has(modrm ?? -1);
}

/** What OPCODE1 is in the kernel's decoder: the escape 0F for legacy maps, the opcode itself behind VEX and EVEX. */
function firstOpcode({ encoding, map, opcode }: X86Instruction): number {
  return encoding === "legacy" && map !== 0 ? 0x0f : opcode;
}

function atLeast(release: KernelRelease, major: number, minor: number): boolean {
  return release.major > major || (release.major === major && release.minor >= minor);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

const badPrefixes: ReadonlyMap<number, string> = new Map([
  [0x26, "an ES prefix (26)"],
  [0x2e, "a CS prefix (2e)"],
  [0x36, "an SS prefix (36)"],
  [0x3e, "a DS prefix (3e)"],
  [0xf0, "a LOCK prefix (f0)"],
]);
/** Kernel: the zeros of good_insns_64 in arch/x86/kernel/uprobes.c. Everything behind 0F passes. */
const refusedOpcodes: ReadonlySet<number> = new Set([
  0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62, 0x6c, 0x6d, 0x6e, 0x6f,
  0x82, 0x9a, 0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xe4, 0xe5, 0xe6, 0xe7, 0xea, 0xec, 0xed, 0xee, 0xef,
  0xf1, 0xf4, 0xfa, 0xfb,
]);
/** One-byte meanings: 70-7f jcc, 90 nop, 9d popf, c2 c3 ca cb ret, e8 call, e9 eb jmp. */
const mistakenVectorOpcodes: ReadonlySet<number> = new Set([
  0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f, 0x90, 0x9d,
  0xc2, 0xc3, 0xca, 0xcb, 0xe8, 0xe9, 0xeb,
]);
const kernelNopForms: ReadonlySet<number> = new Set([0x00, 0x40, 0x44, 0x80, 0x84]);
