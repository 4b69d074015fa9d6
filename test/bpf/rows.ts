/**
 * Owns making instructions from rows of the opcode table for tests.
 * Does not own the table.
 */
import * as fc from "fast-check";
import type { Instruction, Register } from "../../src/bpf/instruction.js";
import { opcodeTable } from "../../src/bpf/opcodes.js";
import type { Field, OpcodeRow } from "../../src/bpf/opcodes.js";

const register = fc.integer({ min: 0, max: 10 }).map((number) => number as Register);
const offset = fc.integer({ min: -0x8000, max: 0x7fff });
const imm = fc.integer({ min: -0x80000000, max: 0x7fffffff });

/** Any instruction of a row, as decode() gives it: a 64-bit constant has its low half in `imm` too. */
export function anyOf(row: OpcodeRow): fc.Arbitrary<Instruction> {
  const fields = fc.record({
    dst: pick(row.dst, register) as fc.Arbitrary<Register>,
    src: pick(row.src, register),
    offset: pick(row.offset, offset),
  });
  if (row.form.kind !== "constant") {
    return fc.tuple(fields, pick(row.imm, imm)).map(([rest, imm]) => ({ opcode: row.opcode, ...rest, imm }));
  }
  const wide = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  return fc.tuple(fields, wide).map(([rest, wide]) => ({
    opcode: row.opcode,
    ...rest,
    imm: Number(BigInt.asIntN(32, wide)),
    wide,
  }));
}

/** Any instruction of any row. */
export const anyInstruction = fc.constantFrom(...opcodeTable).chain(anyOf);

/**
 * One instruction of a row that the verifier takes among others when r0 to r9 hold numbers and the stack's last 8 bytes are written.
 * Undefined for what needs maps, BTF or functions beside it.
 */
export function harmless(row: OpcodeRow): Instruction | undefined {
  const { form, opcode } = row;
  const plain = {
    opcode,
    dst: choose(row.dst, 2) as Register,
    src: choose(row.src, 3),
    offset: choose(row.offset, 0),
  };
  switch (form.kind) {
    case "load":
      return { ...plain, src: 10, offset: -8, imm: 0 };
    case "store":
      return { ...plain, dst: 10, offset: -8, imm: choose(row.imm, 7) };
    case "atomic":
      return { ...plain, dst: 10, offset: -8, imm: choose(row.imm, 0) };
    case "constant":
      return form.constant === "number" ? { ...plain, imm: 1, wide: 0x700000001n } : undefined;
    case "call":
      return form.callee === "helper" ? { ...plain, imm: 5 } : undefined;
    case "jump":
      return { ...plain, imm: 0 };
    default:
      return { ...plain, imm: choose(row.imm, 31) };
  }
}

function choose(field: Field, value: number): number {
  return field === "free" ? value : field;
}

function pick(field: Field, free: fc.Arbitrary<number>): fc.Arbitrary<number> {
  return field === "free" ? free : fc.constant(field);
}
