import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, InternalError } from "../../src/base/errors.js";
import { assemble } from "../../src/bpf/assemble.js";
import { exit, loadConstant, loadMap, loadMapValue } from "../../src/bpf/build.js";
import { decode } from "../../src/bpf/decode.js";
import { encode } from "../../src/bpf/encode.js";
import { opcodeTable } from "../../src/bpf/opcodes.js";
import { print } from "../../src/bpf/print.js";
import { anyInstruction, anyOf } from "./rows.js";

describe("encode and decode", () => {
  test.each(opcodeTable.map((row) => [JSON.stringify(row.form), row] as const))("%s comes back", (_, row) => {
    fc.assert(
      fc.property(anyOf(row), (instruction) => {
        expect(decode(encode([instruction]))).toEqual([instruction]);
      }),
    );
  });

  test("whole programs come back, and print without a gap", () => {
    fc.assert(
      fc.property(fc.array(anyInstruction, { maxLength: 200 }), (instructions) => {
        const bytes = encode(instructions);
        expect(decode(bytes)).toEqual(instructions);
        expect(print(instructions)).not.toMatch(/unknown instruction|undefined|NaN/);
      }),
    );
  });

  test("random bytes are read as what they say or refused", () => {
    let read = 0;
    // Why: of purely random slots nearly none is an instruction; with many zeros and known opcodes many are.
    const byte = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(255));
    const opcode = fc.oneof(fc.constantFrom(...opcodeTable.map(({ opcode }) => opcode)), fc.nat(255));
    const slot = fc.tuple(opcode, byte, byte, byte, byte, byte, byte, byte);
    const slots = fc.array(slot, { maxLength: 4 }).map((slots) => Uint8Array.from(slots.flat()));
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 64 }), slots);
    fc.assert(
      fc.property(bytes, (bytes) => {
        try {
          const instructions = decode(bytes);
          read += instructions.length;
          expect(encode(instructions)).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(20);
  });

  test("one changed byte in a program is read as what it says or refused", () => {
    const change = fc.record({
      program: fc.array(anyInstruction, { minLength: 1, maxLength: 8 }),
      at: fc.nat(),
      value: fc.nat(255),
    });
    fc.assert(
      fc.property(change, ({ program, at, value }) => {
        const bytes = encode(program);
        bytes[at % bytes.length] = value;
        try {
          expect(encode(decode(bytes))).toEqual(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("every prefix of a program is read or refused", () => {
    const bytes = encode(assemble([loadConstant(1, 1n << 40n), loadConstant(0, 0n), exit()]).instructions);
    const read = Array.from({ length: bytes.length + 1 }, (_, length) => {
      try {
        return decode(bytes.subarray(0, length)).length;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        return undefined;
      }
    });
    expect(read.flatMap((count, length) => (count === undefined ? [] : [[length, count]]))).toEqual([
      [0, 0],
      [16, 1],
      [24, 2],
      [32, 3],
    ]);
  });

  test("large input takes time by its size only", () => {
    const bytes = new Uint8Array(8 << 17).fill(0).map((_, index) => (index % 8 === 0 ? 0xb7 : 0));
    expect(decode(bytes).length).toBe(1 << 17);
  });

  test("maps become file descriptors, with the offset of a direct value beside", () => {
    const { instructions } = assemble([loadMap(1, "events"), loadMapValue(2, "counters", 24)]);
    const bytes = encode(instructions, (name) => ({ events: 7, counters: 300 })[name] ?? -1);
    expect([0, 8, 16, 24].map((at) => [...bytes.subarray(at, at + 8)])).toEqual([
      [0x18, 0x11, 0, 0, 7, 0, 0, 0],
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0x18, 0x22, 0, 0, 0x2c, 1, 0, 0],
      [0, 0, 0, 0, 24, 0, 0, 0],
    ]);
    expect(() => encode(instructions)).toThrow(InternalError);
  });

  test("what does not fit is our own fault", () => {
    const plain = { opcode: 0xb7, dst: 1, src: 0, offset: 0, imm: 0 } as const;
    for (const wrong of [
      { imm: 0x80000000 },
      { imm: 0.5 },
      { offset: 40000 },
      { src: 16 },
      { opcode: 256 },
      { imm: NaN },
    ]) {
      expect(() => encode([{ ...plain, ...wrong }])).toThrow(InternalError);
    }
    expect(() => encode([{ ...plain, opcode: 0x18 }])).toThrow(InternalError);
  });
});
