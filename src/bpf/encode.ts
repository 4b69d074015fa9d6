/**
 * Owns making the bytes of instructions as the kernel takes them.
 * Does not own labels (assemble.ts) nor opening maps: the caller knows their file descriptors.
 *
 *      0        1         2         4              8
 *      +--------+----+----+---------+--------------+
 *      | opcode | dst|src | offset  | imm          |     dst is the low half of its byte
 *      +--------+----+----+---------+--------------+
 *      | 0        0    0    0       | imm, high    |     lddw only
 *      +--------+----+----+---------+--------------+
 *
 * Spec: Documentation/bpf/standardization/instruction-set.rst, "Instruction encoding", for little-endian machines.
 */
import { assert } from "../base/assert.js";
import { InternalError } from "../base/errors.js";
import { slotsOf } from "./assemble.js";
import type { Instruction } from "./instruction.js";

/** Bytes of one slot. */
export const slotBytes = 8;

/** Makes the bytes; `resolveMap` says the file descriptor of a map. Throws an InternalError when a field does not fit. */
export function encode(
  instructions: readonly Instruction[],
  resolveMap: (name: string) => number = requireNoMap,
): Uint8Array {
  const slots = instructions.reduce((sum, instruction) => sum + slotsOf(instruction), 0);
  const bytes = new Uint8Array(slots * slotBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const instruction of instructions) {
    writeSlot(view, at, instruction);
    if (slotsOf(instruction) === 2) writeWide(view, at, instruction, resolveMap);
    at += slotsOf(instruction) * slotBytes;
  }
  return bytes;
}

function writeSlot(view: DataView, at: number, { opcode, dst, src, offset, imm }: Instruction): void {
  assertInside(opcode, 0, 0xff, "opcode");
  assertInside(dst, 0, 0x0f, "destination");
  assertInside(src, 0, 0x0f, "source");
  assertInside(offset, -0x8000, 0x7fff, "offset");
  assertInside(imm, -0x80000000, 0x7fffffff, "immediate");
  view.setUint8(at, opcode);
  view.setUint8(at + 1, (src << 4) | dst);
  view.setInt16(at + 2, offset, true);
  view.setInt32(at + 4, imm, true);
}

function writeWide(
  view: DataView,
  at: number,
  { wide, map }: Instruction,
  resolveMap: (name: string) => number,
): void {
  assert(wide !== undefined || map !== undefined, "a lddw of nothing");
  view.setBigUint64(at + slotBytes, (wide ?? 0n) & 0xffffffff_00000000n, true);
  const low = map === undefined ? Number(BigInt.asIntN(32, wide ?? 0n)) : resolveMap(map);
  assertInside(low, -0x80000000, 0x7fffffff, "file descriptor");
  view.setInt32(at + 4, low, true);
}

function assertInside(value: number, least: number, most: number, what: string): void {
  assert(Number.isInteger(value) && value >= least && value <= most, `${value} as ${what} of an instruction`);
}

function requireNoMap(name: string): never {
  throw new InternalError(`the map "${name}" has no file descriptor`);
}
