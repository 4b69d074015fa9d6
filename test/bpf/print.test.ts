import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/base/errors.js";
import { assemble } from "../../src/bpf/assemble.js";
import * as build from "../../src/bpf/build.js";
import { decode } from "../../src/bpf/decode.js";
import { encode } from "../../src/bpf/encode.js";
import { print } from "../../src/bpf/print.js";
import { dumpTranslated, canAskKernel } from "../support/bpf-object.js";
import { goldenCases } from "../support/golden.js";

describe("print", () => {
  test("bytes read as the golden file", () => {
    goldenCases("bpf/decode.txt", (input) => {
      const bytes = Uint8Array.from(input.split(/\s+/).filter(Boolean), (byte) => Number.parseInt(byte, 16));
      try {
        return print(decode(bytes));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        return error.message;
      }
    });
  });

  test.runIf(canAskKernel())("equals bpftool prog dump xlated", () => {
    const out = build.label("out");
    // Only what the verifier does not rewrite on its way into the kernel.
    const { instructions } = assemble([
      build.mov(6, 1),
      build.loadConstant(2, 0x1234_5678_9abc_def0n),
      build.loadConstant(3, -2n),
      build.storeImmediate(8, 10, -16, -3n),
      build.store(4, 10, -8, 3),
      build.load(8, 0, 10, -16),
      build.atomicAdd(8, 10, -16, 2),
      build.atomic("fetch-add", 4, 10, -8, 3),
      build.alu("add", 0, 2),
      build.alu("arsh", 0, 3n, 32),
      build.negate(0),
      build.byteSwap("be", 0, 32),
      build.load(8, 3, 6, 112),
      build.jumpIf("sgt", 3, -5n, out, 32),
      build.jumpIf("set", 3, 1n, out),
      build.mov32(0, 0n),
      out,
      build.exit(),
    ]);
    expect(print(instructions)).toBe(dumpTranslated(encode(instructions)).replace(/\n+$/, "\n"));
  });
});
