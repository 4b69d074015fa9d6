/**
 * Owns the constructors of instructions: one readable function per form, with labels where jumps will go.
 * Does not own turning labels into distances, which is assemble.ts.
 *
 * Registers are plain numbers, immediates are bigints, so `mov(1, 6)` copies r6 and `mov(1, 6n)` makes six.
 */
import { assert } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import { helpers } from "./helpers.js";
import type { HelperName } from "./helpers.js";
import type { Instruction, Register } from "./instruction.js";
import {
  aluClass,
  aluOperations,
  atomicOperations,
  byteOrders,
  callees,
  classes,
  codes,
  conditions,
  constants,
  jumpClass,
  lddw,
  modes,
  sizeCodes,
  sourceCodes,
} from "./opcodes.js";
import type { AluOperation, AtomicOperation, ByteOrder, Condition, Size, Width } from "./opcodes.js";

/** A register, or an immediate. */
export type Operand = Register | bigint;

/** A place that jumps can name. The object is the identity: put it once among the lines, name it in any number of jumps. */
export interface Label {
  readonly kind: "label";
  /** For people only; need not be unique. */
  readonly name: string;
}

/** A jump before assembly, which fills in the offset. */
export interface Jump extends Instruction {
  readonly target: Label;
}

/** Says which part of the probe's text the lines behind it stand for. */
export interface Place {
  readonly kind: "place";
  readonly span: Span | undefined;
}

/** What a program is written in, before assembly. */
export type Line = Instruction | Jump | Label | Place;

/** Makes a place to jump to. */
export function label(name: string): Label {
  return { kind: "label", name };
}

/** dst = operand; an immediate is sign-extended to 64 bits. */
export function mov(dst: Register, operand: Operand): Instruction {
  return alu("mov", dst, operand, 64);
}

/** dst = the low 32 bits of operand, the high half zero. */
export function mov32(dst: Register, operand: Operand): Instruction {
  return alu("mov", dst, operand, 32);
}

/** dst = dst OPERATION operand. A width of 32 clears the high half. */
export function alu(
  operation: AluOperation,
  dst: Register,
  operand: Operand,
  width: Width = 64,
): Instruction {
  const { code, offset } = aluOperations[operation];
  return withOperand(aluClass(width) | code, dst, operand, width, offset);
}

/** dst = -dst. */
export function negate(dst: Register, width: Width = 64): Instruction {
  return step({ opcode: aluClass(width) | codes.negate, dst });
}

/** Turns the low `width` bits of dst into (or out of) an order of bytes and clears the rest. `swap` since 6.6. */
export function byteSwap(order: ByteOrder, dst: Register, width: 16 | 32 | 64): Instruction {
  const { class: own, source } = byteOrders[order];
  return step({ opcode: own | codes.byteSwap | source, dst, imm: width });
}

/** dst = *(base + offset), zero-extended. */
export function load(size: Size, dst: Register, base: Register, offset: number): Instruction {
  return step({ opcode: classes.ldx | modes.memory | sizeCodes[size], dst, src: base, offset });
}

/** dst = *(base + offset), sign-extended to 64 bits. Since 6.6. */
export function loadSigned(size: 1 | 2 | 4, dst: Register, base: Register, offset: number): Instruction {
  return step({ opcode: classes.ldx | modes.memorySigned | sizeCodes[size], dst, src: base, offset });
}

/** *(base + offset) = the low bytes of src. */
export function store(size: Size, base: Register, offset: number, src: Register): Instruction {
  return step({ opcode: classes.stx | modes.memory | sizeCodes[size], dst: base, src, offset });
}

/** *(base + offset) = imm; for 8 bytes the immediate is sign-extended from 32 bits. */
export function storeImmediate(size: Size, base: Register, offset: number, imm: bigint): Instruction {
  const value = immediate(imm, size === 8 ? 64 : 32);
  return step({ opcode: classes.st | modes.memory | sizeCodes[size], dst: base, offset, imm: value });
}

/** *(base + offset) += src, in one piece. */
export function atomicAdd(size: 4 | 8, base: Register, offset: number, src: Register): Instruction {
  return atomic("add", size, base, offset, src);
}

/** *(base + offset) OPERATION= src in one piece; the fetching ones put the old value into src. All but "add" since 5.12. */
export function atomic(
  operation: AtomicOperation,
  size: 4 | 8,
  base: Register,
  offset: number,
  src: Register,
): Instruction {
  const { imm } = atomicOperations[operation];
  return step({ opcode: classes.stx | modes.atomic | sizeCodes[size], dst: base, src, offset, imm });
}

/** dst = the 64-bit value (signed or unsigned), by the shortest instruction. */
export function loadConstant(dst: Register, value: bigint): Instruction {
  assert(value >= -(1n << 63n) && value < 1n << 64n, "a constant of more than 64 bits");
  const signed = BigInt.asIntN(64, value);
  if (signed === BigInt.asIntN(32, value)) return mov(dst, signed);
  const wide = BigInt.asUintN(64, value);
  if (wide < 1n << 32n) return mov32(dst, wide);
  return { ...step({ opcode: lddw, dst, src: constants.number.src, imm: lowHalf(wide) }), wide };
}

/** dst = the map, as helpers want it. */
export function loadMap(dst: Register, name: string): Instruction {
  return { ...step({ opcode: lddw, dst, src: constants.map.src }), map: name };
}

/** dst = the address of byte `offset` of the first value of a plain array map. Since 5.2. */
export function loadMapValue(dst: Register, name: string, offset = 0): Instruction {
  // Spec: the second half of the immediate is the offset into the value.
  const wide = BigInt(offset) << 32n;
  return { ...step({ opcode: lddw, dst, src: constants["map-value"].src }), wide, map: name };
}

/** r0 = helper(r1, ... r5); r1 to r5 are lost. */
export function call(helper: HelperName): Instruction {
  return step({ opcode: classes.jump | codes.call, src: callees.helper.src, imm: helpers[helper].id });
}

/** Goes to the label. */
export function jump(target: Label): Jump {
  return { ...step({ opcode: classes.jump | codes.jump }), target };
}

/** Goes to the label when dst CONDITION operand holds; an immediate is sign-extended to 64 bits. */
export function jumpIf(
  condition: Condition,
  dst: Register,
  operand: Operand,
  target: Label,
  width: Width = 64,
): Jump {
  return { ...withOperand(jumpClass(width) | conditions[condition].code, dst, operand, width, 0), target };
}

/** Returns r0. */
export function exit(): Instruction {
  return step({ opcode: classes.jump | codes.exit });
}

function withOperand(
  opcode: number,
  dst: Register,
  operand: Operand,
  width: Width,
  offset: number,
): Instruction {
  return typeof operand === "bigint"
    ? step({ opcode: opcode | sourceCodes.immediate, dst, offset, imm: immediate(operand, width) })
    : step({ opcode: opcode | sourceCodes.register, dst, src: operand, offset });
}

/** Fields that are not named are zero. */
function step({
  opcode,
  dst = 0,
  src = 0,
  offset = 0,
  imm = 0,
}: Partial<Instruction> & { readonly opcode: number }): Instruction {
  assert(offset >= -0x8000 && offset <= 0x7fff, "an offset of more than 16 bits");
  return { opcode, dst, src, offset, imm };
}

/** An immediate as the signed number in the instruction. 32-bit operations see only the bits, so both readings are taken. */
function immediate(value: bigint, width: Width): number {
  const most = width === 64 ? 0x7fffffffn : 0xffffffffn;
  assert(value >= -0x80000000n && value <= most, "an immediate of more than 32 bits");
  return Number(BigInt.asIntN(32, value));
}

function lowHalf(wide: bigint): number {
  return Number(BigInt.asIntN(32, wide));
}
