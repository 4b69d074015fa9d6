import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import {
  alu,
  atomic,
  exit,
  load,
  loadConstant,
  mov,
  mov32,
  store,
  storeImmediate,
} from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import { encode } from "../../src/bpf/encode.js";
import type { Instruction, Register } from "../../src/bpf/instruction.js";
import { opcodeTable } from "../../src/bpf/opcodes.js";
import type { OpcodeRow } from "../../src/bpf/opcodes.js";
import { print } from "../../src/bpf/print.js";
import { kernelSince, canAskKernel, runInKernel } from "../support/bpf-object.js";
import { interpret } from "../support/interpreter.js";
import { anyOf } from "./rows.js";

// The oracle's own oracle: programs of random instructions must end with the same number here and in the kernel.

const registers = [0, 1, 2, 3, 4, 5] as const;
const slots = [-8, -16, -24] as const;

const edges = [
  0n,
  1n,
  -1n,
  2n,
  31n,
  63n,
  64n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 63n,
  (1n << 63n) - 1n,
];
const number64 = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));

// Why: kernels before 6.12 stop with a fault at the least number divided by -1, so nothing signed is divided there.
const known = opcodeTable.filter(({ since }) => since !== "6.6" || kernelSince("6.12"));
const kinds = new Set(["alu", "negate", "move-signed", "byte-swap", "branch", "load", "store", "atomic"]);
// Kernel: 6.18 leaves the high half of r0 as it was after a compare-and-exchange of 32 bits that succeeds, when the path that reads
// the high half is the one that the verifier prunes. The specification says zero, and so does the interpreter.
const plain = known.filter(
  ({ form }) =>
    kinds.has(form.kind) &&
    !(form.kind === "atomic" && form.operation === "compare-exchange" && form.size === 4),
);

/** One instruction over r0 to r5 and three words of the stack; branches go over the next two. */
function anyStep(row: OpcodeRow): fc.Arbitrary<Instruction> {
  const choice = fc.record({
    instruction: anyOf(row),
    dst: fc.constantFrom(...registers),
    src: fc.constantFrom(...registers),
    at: fc.constantFrom(...slots),
    edge: fc.option(fc.constantFrom(...edges)),
  });
  return choice.map(({ instruction, dst, src, at, edge }) => {
    const imm = edge === null || row.imm !== "free" ? instruction.imm : Number(BigInt.asIntN(32, edge));
    return { ...instruction, ...place(row, dst, src, at, imm) };
  });
}

function place(row: OpcodeRow, dst: Register, src: Register, at: number, imm: number): Partial<Instruction> {
  const { form } = row;
  switch (form.kind) {
    case "load":
      return { dst, src: 10, offset: at };
    case "store":
      return form.source === "register" ? { dst: 10, src, offset: at } : { dst: 10, offset: at, imm };
    case "atomic":
      return { dst: 10, src, offset: at };
    case "branch":
      return form.source === "register" ? { dst, src, offset: 2 } : { dst, offset: 2, imm };
    case "alu":
      if (form.source === "register") return { dst, src };
      // Verifier: a constant shift stays below the width, a constant divisor is not zero.
      if (["lsh", "rsh", "arsh"].includes(form.operation)) return { dst, imm: imm & (form.width - 1) };
      if (["div", "mod", "sdiv", "smod"].includes(form.operation)) return { dst, imm: imm === 0 ? 3 : imm };
      return { dst, imm };
    default:
      return row.src === "free" ? { dst, src } : { dst };
  }
}

const program = fc
  .record({
    start: fc.tuple(...registers.map(() => number64)),
    steps: fc.array(fc.constantFrom(...plain).chain(anyStep), { minLength: 20, maxLength: 80 }),
  })
  .map(({ start, steps }): readonly Instruction[] => {
    const lines: Line[] = [
      mov(6, 0n),
      ...start.flatMap((value, index) => [loadConstant(registers[index] ?? 0, value)]),
      ...slots.map((at, index) => store(8, 10, at, registers[index] ?? 0)),
      ...steps,
      // Where a branch at the end may land.
      mov(7, 0n),
      mov(7, 0n),
      ...digest(),
      exit(),
    ];
    return assemble(lines).instructions;
  });

/** Makes one number of 32 bits of all registers and the stack, to which every bit counts. */
function digest(): Line[] {
  return [...registers.flatMap(mix), ...slots.flatMap((at) => [load(8, 8, 10, at), ...mix(8)]), mov32(0, 6)];
}

function mix(register: Register): Line[] {
  return [
    alu("xor", 6, register),
    loadConstant(7, 0x9e37_79b9_7f4a_7c15n),
    alu("mul", 6, 7),
    mov(7, 6),
    alu("rsh", 7, 29n),
    alu("xor", 6, 7),
  ];
}

describe("the interpreter's arithmetic", () => {
  test.runIf(canAskKernel())("is the kernel's, over random programs", () => {
    fc.assert(
      fc.property(program, (instructions) => {
        const here = Number(interpret(instructions).r0 & 0xffffffffn);
        expect(here, print(instructions)).toBe(runInKernel(encode(instructions)));
      }),
      { numRuns: 60 },
    );
  });

  // Spec: instruction-set.rst, the sentences on division, shifts and extension, without a kernel.
  const least = 1n << 63n;
  test.each<[string, readonly Line[], bigint]>([
    ["x / 0 = 0", [mov(0, 7n), mov(1, 0n), alu("div", 0, 1)], 0n],
    ["x % 0 = x", [mov(0, 7n), mov(1, 0n), alu("mod", 0, 1)], 7n],
    ["(u32)x % 0 = (u32)x", [mov(0, -1n), mov(1, 0n), alu("mod", 0, 1, 32)], 0xffffffffn],
    ["least s/ -1 = least", [loadConstant(0, least), alu("sdiv", 0, -1n)], least],
    ["least s% -1 = 0", [loadConstant(0, least), alu("smod", 0, -1n)], 0n],
    ["-13 s/ 3 = -4", [mov(0, -13n), alu("sdiv", 0, 3n)], (1n << 64n) - 4n],
    ["-13 s% 3 = -1", [mov(0, -13n), alu("smod", 0, 3n)], (1n << 64n) - 1n],
    ["division of -1 is unsigned", [mov(0, -1n), alu("div", 0, 2n)], least - 1n],
    ["-1 as divisor is extended", [mov(0, -1n), alu("div", 0, -1n)], 1n],
    ["32-bit results are zero-extended", [mov(0, -1n), alu("add", 0, 0n, 32)], 0xffffffffn],
    ["distances are taken modulo the width", [mov(0, 1n), mov(1, 65n), alu("lsh", 0, 1)], 2n],
    ["s>> keeps the sign", [mov(0, -8n), alu("arsh", 0, 1n)], (1n << 64n) - 4n],
    ["s>> of 32 bits keeps the sign there", [mov32(0, -8n), alu("arsh", 0, 1n, 32)], 0xfffffffcn],
    [
      "32-bit exchanges clear the high half of r0",
      [
        storeImmediate(8, 10, -8, 0n),
        mov(1, 5n),
        loadConstant(0, 1n << 32n),
        atomic("compare-exchange", 4, 10, -8, 1),
      ],
      0n,
    ],
    [
      "32-bit exchanges that fail bring the old value",
      [storeImmediate(8, 10, -8, -1n), mov(1, 5n), mov(0, 1n), atomic("compare-exchange", 4, 10, -8, 1)],
      0xffffffffn,
    ],
    [
      "immediates of 64-bit stores are extended",
      [storeImmediate(8, 10, -8, -2n), load(8, 0, 10, -8)],
      (1n << 64n) - 2n,
    ],
  ])("%s", (_, lines, expected) => {
    expect(interpret(assemble([...lines, exit()]).instructions).r0).toBe(expected);
  });
});
