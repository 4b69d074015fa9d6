/**
 * Owns the shape of one x86-64 instruction: prefixes, opcode, ModRM, and how many bytes it takes.
 * Does not own its meaning; what it cannot tell for certain (XOP, APX, undefined opcodes) is undefined.
 */
import { oneByteOpcodes, twoByteOpcodes, vexMap1Immediates } from "./x86-opcodes.js";

export interface X86Instruction {
  /** Bytes in all, 1 to 15. */
  readonly length: number;
  /** Legacy prefixes in their order. */
  readonly prefixes: readonly number[];
  /** The REX byte, or 0. */
  readonly rex: number;
  readonly encoding: "legacy" | "vex" | "evex";
  /** 0: one byte, 1: behind 0F, 2: behind 0F 38, 3: behind 0F 3A; higher only with EVEX. */
  readonly map: number;
  readonly opcode: number;
  readonly modrm: number | undefined;
  /** The SIB byte, where ModRM asks for one. */
  readonly sib: number | undefined;
  /** Zero where there is none. */
  readonly displacement: number;
  /** The bytes behind the operands as a signed number; zero where there are none. */
  readonly immediate: number;
}

/** Decodes the instruction at the start of the bytes; undefined where the bytes end early or mean nothing known here. */
export function decodeX86(bytes: Uint8Array): X86Instruction | undefined {
  const prefixes: number[] = [];
  let at = 0;
  while (isLegacyPrefix(bytes[at])) prefixes.push(bytes[at++]!);
  const rex = ((bytes[at] ?? 0) & 0xf0) === 0x40 ? bytes[at++]! : 0;
  const first = bytes[at++];
  if (first === undefined) return undefined;
  const start: Start = { bytes, prefixes, rex };
  if (first === 0xc4 || first === 0xc5 || first === 0x62) {
    // Spec: VEX and EVEX behind 66, F2, F3, LOCK or REX raise #UD.
    if (rex !== 0 || prefixes.some((prefix) => mandatoryPrefixes.has(prefix))) return undefined;
    return first === 0x62 ? decodeEvex(start, at) : decodeVex(start, at, first);
  }
  // Spec: AMD XOP is 8F with a map number of 8 and above where POP has its /0.
  if (first === 0x8f && ((bytes[at] ?? 0) & 0x38) !== 0) return undefined;
  if (first !== 0x0f) return finish(start, at, "legacy", 0, first, oneByteOpcodes[first]!);
  const second = bytes[at++];
  if (second === undefined) return undefined;
  if (second !== 0x38 && second !== 0x3a) {
    return finish(start, at, "legacy", 1, second, twoByteOpcodes[second]!);
  }
  const third = bytes[at++];
  if (third === undefined) return undefined;
  return finish(start, at, "legacy", second === 0x38 ? 2 : 3, third, second === 0x38 ? "m" : "B");
}

interface Start {
  readonly bytes: Uint8Array;
  readonly prefixes: readonly number[];
  readonly rex: number;
}

/** Spec: C5 RvvvvLpp opcode; C4 RXBmmmmm WvvvvLpp opcode. */
function decodeVex(start: Start, at: number, first: number): X86Instruction | undefined {
  const map = first === 0xc5 ? 1 : (start.bytes[at] ?? 0) & 0x1f;
  const opcodeAt = at + (first === 0xc5 ? 1 : 2);
  const opcode = start.bytes[opcodeAt];
  if (opcode === undefined || map < 1 || map > 3) return undefined;
  return finish(start, opcodeAt + 1, "vex", map, opcode, vectorForm(map, opcode));
}

/** Spec: 62 RXBR0mmm Wvvvv1pp zLLbVaaa opcode; bits 3 (of the first) and 2 (of the second) are APX when they differ. */
function decodeEvex(start: Start, at: number): X86Instruction | undefined {
  const [first, second, , opcode] = start.bytes.subarray(at, at + 4);
  if (first === undefined || second === undefined || opcode === undefined) return undefined;
  const map = first & 7;
  if ((first & 8) !== 0 || (second & 4) === 0 || !evexMaps.has(map)) return undefined;
  return finish(start, at + 4, "evex", map, opcode, vectorForm(map, opcode));
}

function vectorForm(map: number, opcode: number): string {
  if (map === 3) return "B";
  if (map !== 1) return "m";
  // Spec: the first 16 opcodes of the 0F map have no vector form.
  if (opcode < 0x10) return "x";
  if (opcode === 0x77) return ".";
  return vexMap1Immediates.includes(opcode) ? "B" : "m";
}

/** Walks over ModRM, SIB, displacement and immediate. */
function finish(
  start: Start,
  opcodeEnd: number,
  encoding: X86Instruction["encoding"],
  map: number,
  opcode: number,
  form: string,
): X86Instruction | undefined {
  if (form === "x" || form === "p") return undefined;
  const { bytes, prefixes, rex } = start;
  let at = opcodeEnd;
  let modrm: number | undefined;
  let sib: number | undefined;
  let displacementBytes = 0;
  if (withModrm.has(form)) {
    modrm = bytes[at++];
    if (modrm === undefined) return undefined;
    const mode = form === "r" ? 3 : modrm >> 6;
    if (mode !== 3 && (modrm & 7) === 4) sib = bytes[at++] ?? 0;
    const base = sib === undefined ? modrm & 7 : sib & 7;
    displacementBytes = mode === 1 ? 1 : mode === 2 || (mode === 0 && base === 5) ? 4 : 0;
  }
  const displacement = signedAt(bytes, at, displacementBytes);
  at += displacementBytes;
  const immediateBytes = countImmediate(form, prefixes, rex, modrm);
  const immediate = signedAt(bytes, at, immediateBytes);
  const length = at + immediateBytes;
  // Spec: an instruction longer than 15 bytes raises #GP.
  if (length > bytes.length || length > 15) return undefined;
  return { length, prefixes, rex, encoding, map, opcode, modrm, sib, displacement, immediate };
}

function countImmediate(
  form: string,
  prefixes: readonly number[],
  rex: number,
  modrm: number | undefined,
): number {
  const wide = (rex & 8) !== 0;
  const short = prefixes.includes(0x66) && !wide ? 2 : 4;
  const takesTest = modrm !== undefined && (modrm & 0x30) === 0;
  switch (form) {
    case "b":
    case "B":
      return 1;
    case "w":
      return 2;
    case "e":
      return 3;
    case "z":
    case "Z":
      return short;
    // Why: Intel ignores prefix 66 before near branches; AMD does not, and the kernel refuses them.
    case "j":
      return 4;
    case "v":
      return wide ? 8 : short;
    case "o":
      return prefixes.includes(0x67) ? 4 : 8;
    case "g":
      return takesTest ? 1 : 0;
    case "G":
      return takesTest ? short : 0;
    case "q":
      return prefixes.includes(0x66) || prefixes.includes(0xf2) ? 2 : 0;
    default:
      return 0;
  }
}

/** Reads 0, 1, 2, 4 ... little-endian bytes; of longer ones only whether they are zero is kept exactly. */
function signedAt(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0);
  return count > 0 && (bytes[at + count - 1] ?? 0) >= 0x80 ? value - 2 ** (8 * count) : value;
}

function isLegacyPrefix(byte: number | undefined): boolean {
  return byte !== undefined && legacyPrefixes.has(byte);
}

const legacyPrefixes: ReadonlySet<number> = new Set([
  0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
]);
const mandatoryPrefixes: ReadonlySet<number> = new Set([0x66, 0xf0, 0xf2, 0xf3]);
const evexMaps: ReadonlySet<number> = new Set([1, 2, 3, 5, 6]);
const withModrm: ReadonlySet<string> = new Set(["m", "B", "Z", "g", "G", "r", "q"]);
