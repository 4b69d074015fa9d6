import { describe, expect, test } from "vitest";
import { InternalError } from "../../src/base/errors.js";
import { assemble } from "../../src/bpf/assemble.js";
import { exit, jump, jumpIf, label, loadConstant, mov } from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import { interpret } from "../support/interpreter.js";

describe("assemble", () => {
  test("counts slots from the instruction behind the jump, two for a 64-bit constant", () => {
    const back = label("back");
    const out = label("out");
    const { instructions } = assemble([
      mov(0, 0n),
      back,
      jumpIf("ne", 0, 0n, out),
      loadConstant(0, 1n << 33n),
      jump(back),
      out,
      exit(),
    ]);
    expect(instructions.map(({ offset }) => offset)).toEqual([0, 3, 0, -4, 0]);
    expect(interpret(instructions).r0).toBe(1n << 33n);
  });

  test("knows labels by what they are, not by their name", () => {
    const [first, second] = [label("done"), label("done")];
    const { instructions } = assemble([
      mov(0, 1n),
      jump(second),
      first,
      exit(),
      second,
      mov(0, 2n),
      jump(first),
    ]);
    expect(interpret(instructions).r0).toBe(2n);
  });

  test("keeps a place for each instruction, the last one that was said before it", () => {
    const out = label("out");
    const lines: Line[] = [
      mov(0, 0n),
      { kind: "place", span: { start: 1, end: 9 } },
      jump(out),
      { kind: "place", span: { start: 3, end: 4 } },
      mov(0, 1n),
      out,
      { kind: "place", span: undefined },
      exit(),
    ];
    const { instructions, places } = assemble(lines);
    expect(places).toEqual([undefined, { start: 1, end: 9 }, { start: 3, end: 4 }, undefined]);
    expect(instructions.map((instruction) => Object.keys(instruction).sort().join())).toEqual(
      instructions.map(() => "dst,imm,offset,opcode,src"),
    );
  });

  test("reaches 32767 slots and no further", () => {
    expect(assemble(far(32767)).instructions[0]?.offset).toBe(32767);
    expect(() => assemble(far(32768))).toThrow(InternalError);
  });

  test("refuses labels that are missing or placed twice", () => {
    const out = label("out");
    expect(() => assemble([jump(out), exit()])).toThrow('"out" is jumped to and placed nowhere');
    expect(() => assemble([out, exit(), out])).toThrow('"out" is placed twice');
  });
});

function far(count: number): Line[] {
  const out = label("out");
  return [jump(out), ...Array.from({ length: count }, () => mov(0, 0n)), out, exit()];
}
