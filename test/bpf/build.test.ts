import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InternalError } from "../../src/base/errors.js";
import { assemble, slotsOf } from "../../src/bpf/assemble.js";
import * as build from "../../src/bpf/build.js";
import { findRow } from "../../src/bpf/opcodes.js";
import { print } from "../../src/bpf/print.js";
import { golden } from "../support/golden.js";
import { interpret } from "../support/interpreter.js";

const { alu, exit, label, loadConstant, mov, mov32, storeImmediate } = build;

describe("constructors", () => {
  test("one of each form reads as the golden file", () => {
    const out = label("out");
    const cases: [string, build.Line][] = [
      ["mov(1, 6)", mov(1, 6)],
      ["mov(1, 6n)", mov(1, 6n)],
      ["mov(1, -1n)", mov(1, -1n)],
      ["mov32(1, 2)", mov32(1, 2)],
      ["mov32(1, 0xffffffffn)", mov32(1, 0xffffffffn)],
      ['alu("add", 1, 2)', alu("add", 1, 2)],
      ['alu("rsh", 1, 8n, 32)', alu("rsh", 1, 8n, 32)],
      ['alu("sdiv", 1, 2)', alu("sdiv", 1, 2)],
      ["negate(3)", build.negate(3)],
      ["negate(3, 32)", build.negate(3, 32)],
      ['byteSwap("be", 1, 16)', build.byteSwap("be", 1, 16)],
      ['byteSwap("le", 1, 32)', build.byteSwap("le", 1, 32)],
      ['byteSwap("swap", 1, 64)', build.byteSwap("swap", 1, 64)],
      ["load(8, 1, 6, 112)", build.load(8, 1, 6, 112)],
      ["loadSigned(4, 1, 6, -4)", build.loadSigned(4, 1, 6, -4)],
      ["store(2, 10, -8, 3)", build.store(2, 10, -8, 3)],
      ["storeImmediate(8, 10, -8, -1n)", storeImmediate(8, 10, -8, -1n)],
      ["storeImmediate(4, 10, -8, 0xffffffffn)", storeImmediate(4, 10, -8, 0xffffffffn)],
      ["atomicAdd(8, 7, 16, 1)", build.atomicAdd(8, 7, 16, 1)],
      ['atomic("fetch-or", 4, 7, 0, 1)', build.atomic("fetch-or", 4, 7, 0, 1)],
      ['atomic("compare-exchange", 8, 7, 0, 1)', build.atomic("compare-exchange", 8, 7, 0, 1)],
      ["loadConstant(1, 7n)", loadConstant(1, 7n)],
      ["loadConstant(1, -7n)", loadConstant(1, -7n)],
      ["loadConstant(1, 0x80000000n)", loadConstant(1, 0x80000000n)],
      ["loadConstant(1, 1n << 32n)", loadConstant(1, 1n << 32n)],
      ['loadMap(1, "events")', build.loadMap(1, "events")],
      ['loadMapValue(1, "settings", 8)', build.loadMapValue(1, "settings", 8)],
      ['call("probe_read_user")', build.call("probe_read_user")],
      ["jump(out)", build.jump(out)],
      ['jumpIf("eq", 1, 0n, out)', build.jumpIf("eq", 1, 0n, out)],
      ['jumpIf("slt", 1, -1n, out, 32)', build.jumpIf("slt", 1, -1n, out, 32)],
      ['jumpIf("set", 1, 2, out)', build.jumpIf("set", 1, 2, out)],
      ["exit()", exit()],
    ];
    const { instructions } = assemble([...cases.map(([, line]) => line), out]);
    const shown = instructions.map((instruction, index) => {
      expect(findRow(instruction), cases[index]?.[0]).toBeDefined();
      return `${cases[index]?.[0].padEnd(42)} ${print([instruction]).trim().slice(3)}`;
    });
    golden("bpf/constructors.txt", `${shown.join("\n")}\n`);
  });

  test("loadConstant makes any 64-bit value, in one slot where it can", () => {
    const values = fc.oneof(
      fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
      fc.constantFrom(
        0n,
        -1n,
        0x7fffffffn,
        0x80000000n,
        0xffffffffn,
        1n << 32n,
        -0x80000000n,
        -0x80000001n,
        (1n << 64n) - 1n,
      ),
    );
    fc.assert(
      fc.property(values, (value) => {
        const made = loadConstant(0, value);
        expect(interpret([made, exit()]).r0).toBe(BigInt.asUintN(64, value));
        const short = value >= -0x80000000n && value <= 0xffffffffn;
        if (short) expect(slotsOf(made)).toBe(1);
      }),
    );
  });

  test("immediates that do not fit are our own fault", () => {
    const wrong = [
      () => mov(1, 0x80000000n),
      () => mov(1, -0x80000001n),
      () => mov32(1, 1n << 32n),
      () => alu("add", 1, 1n << 40n),
      () => storeImmediate(8, 10, -8, 0xffffffffn),
      () => loadConstant(1, 1n << 64n),
      () => build.load(8, 1, 10, 40000),
      () => build.jumpIf("eq", 1, 1n << 33n, label("out")),
    ];
    for (const make of wrong) expect(make).toThrow(InternalError);
  });
});
