/**
 * Owns what the instructions of an x86-64 function say of its stack: whether it calls, and what it names below its registers.
 * Does not own where its frame lies (target/frame-rules.ts). Decoded with the own decoder, in one line from its start.
 */
import { longestInstruction } from "./entry.js";
import { decodeX86 } from "./x86-decode.js";
import type { X86Instruction } from "./x86-decode.js";

export interface StackUse {
  /** The profiler at its start aside. */
  readonly calls: boolean;
  /** Names memory below the stack pointer. */
  readonly namesBelowStack: boolean;
  /** Bytes below the frame pointer that it names. */
  readonly namedBelowFrame: number;
  /** Where the stack pointer is moved in one line from the start, in bytes from there, and how far below the frame pointer it is then. */
  readonly moves: readonly { readonly at: number; readonly bytes: number }[];
}

/** Reads a function's code; undefined where an instruction is unknown. */
export function readStackUse(code: Uint8Array): StackUse | undefined {
  let calls = false;
  let namesBelowStack = false;
  let namedBelowFrame = 0;
  const moves: { readonly at: number; readonly bytes: number }[] = [];
  let isStart = true;
  let isPrologue = true;
  for (let at = 0; at < code.length;) {
    const instruction = decodeX86(code.subarray(at, at + longestInstruction));
    if (instruction === undefined) return undefined;
    calls ||= isCall(instruction) && !isStart;
    isStart &&= standsBeforeProfiler(instruction);
    const { base, bytes } = below(instruction);
    if (base === stackPointer && bytes > 0) namesBelowStack = true;
    if (base === framePointer) namedBelowFrame = Math.max(namedBelowFrame, bytes);
    isPrologue &&= !branches(instruction);
    const moved = isPrologue ? reserves(instruction) : 0;
    if (isPrologue && setsFrame(instruction)) moves.push({ at, bytes: 0 });
    else if (moved !== 0 && moves.length > 0) moves.push({ at, bytes: moves.at(-1)!.bytes + moved });
    at += instruction.length;
  }
  return { calls, namesBelowStack, namedBelowFrame, moves };
}

// Spec: the numbers of registers in ModRM and SIB.
const stackPointer = 4;
const framePointer = 5;

/** What an operand in memory, or an address that is taken (lea), has for its base, and how many bytes below that it lies. */
function below({ modrm, sib, rex, encoding, displacement }: X86Instruction): {
  readonly base: number | undefined;
  readonly bytes: number;
} {
  const isMemory = modrm !== undefined && modrm >> 6 !== 3;
  // Spec: mode 0 with base 5 has no base register.
  const number = isMemory ? (sib ?? modrm) & 7 : undefined;
  const isAbsent = isMemory && modrm >> 6 === 0 && number === framePointer;
  // Why REX alone: VEX and EVEX have the bit elsewhere; r12 for rsp and r13 for rbp make a refusal at worst.
  if (number === undefined || isAbsent || (rex & 1) !== 0) return { base: undefined, bytes: 0 };
  // Spec: EVEX scales displacements of one byte by up to 64.
  return { base: number, bytes: Math.max(0, -displacement) * (encoding === "evex" ? 64 : 1) };
}

function isCall({ encoding, map, opcode, modrm = 0 }: X86Instruction): boolean {
  if (encoding !== "legacy" || map !== 0) return false;
  return opcode === 0xe8 || (opcode === 0xff && (modrm & 0x30) === 0x10);
}

/** endbr64, push %rbp, mov %rsp,%rbp. Why: mcount and __fentry__ are called by leaf functions too. */
function standsBeforeProfiler(instruction: X86Instruction): boolean {
  const { map, opcode, rex, modrm } = instruction;
  const isEndbr64 = map === 1 && opcode === 0x1e && modrm === 0xfa;
  return isEndbr64 || setsFrame(instruction) || (map === 0 && opcode === 0x55 && rex === 0);
}

/** Jumps, calls, returns: the line from the start ends there. */
function branches({ encoding, map, opcode, modrm = 0 }: X86Instruction): boolean {
  if (encoding !== "legacy") return false;
  if (map === 1) return opcode >> 4 === 0x8;
  if (map !== 0) return false;
  const isIndirect = opcode === 0xff && (modrm & 0x38) >= 0x10 && (modrm & 0x38) < 0x30;
  return opcode >> 4 === 0x7 || (opcode >= 0xe0 && opcode <= 0xeb) || opcode >> 1 === 0x61 || isIndirect;
}

/** mov %rsp,%rbp in its two encodings. */
function setsFrame({ encoding, map, opcode, rex, modrm }: X86Instruction): boolean {
  if (encoding !== "legacy" || map !== 0 || rex !== 0x48) return false;
  return (opcode === 0x89 && modrm === 0xe5) || (opcode === 0x8b && modrm === 0xec);
}

/** Bytes by which push and sub lower the stack pointer; negative where pop and add raise it. */
function reserves({ encoding, map, opcode, rex, modrm, immediate }: X86Instruction): number {
  if (encoding !== "legacy" || map !== 0) return 0;
  if (opcode >> 3 === 0xa) return 8;
  if (opcode >> 3 === 0xb) return -8;
  const takesImmediate = (opcode === 0x81 || opcode === 0x83) && rex === 0x48;
  if (!takesImmediate) return 0;
  return modrm === 0xec ? immediate : modrm === 0xc4 ? -immediate : 0;
}
