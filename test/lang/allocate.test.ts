import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceError } from "../../src/base/errors.js";
import type { CompileOptions } from "../../src/lang/compile.js";
import { readInteger } from "../../src/trace/events.js";
import type { MemoryRange } from "../support/interpreter.js";
import { crowded, expression } from "./expressions.js";
import { argumentsOf, compile, run } from "./support.js";

/**
 * Programs that need more registers than there are: several values wait over a call while a signed division needs the others.
 * Where a property fails, its seed and its smallest example are printed.
 */

const options: fc.Arbitrary<Partial<CompileOptions>> = fc.record({
  textLimit: fc.constantFrom(0, 7, 80, 5000),
  sleepable: fc.boolean(),
  columns: fc.record({ cpu: fc.boolean(), comm: fc.boolean(), uid: fc.boolean() }),
  stacks: fc.record({ user: fc.constantFrom(0, 127), kernel: fc.constantFrom(0, 8) }),
  filter: fc.record(
    {
      pids: fc.constantFrom<number[][]>([], [5], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
      tid: fc.constant(7),
      uid: fc.constant(1000),
      notPid: fc.constant(8),
      notComm: fc.constant("launcher"),
      cgroup: fc.constant({ id: 1n << 40n, level: 3 }),
      children: fc.constant({ realParent: 1200, tgid: 1100 }),
    },
    { requiredKeys: ["pids"] },
  ),
});

describe("values for which no register is left", () => {
  it("make room for one that must have one", () => {
    compile(
      'c:f "%hhd", arg1 / arg2 + *(int *)(arg3 + (arg1 <= ((arg6 >> ((short)arg1 / (int)arg1)) ? arg1 : 2147483647)))',
    );
  });

  it("do not keep a program from being made", () => {
    fc.assert(
      fc.property(crowded, crowded, options, ({ waiting, address }, other, given) => {
        const source =
          `c:f (arg1 / arg2 + *(int *)${address}) "%d %s %ld", ` +
          `arg4 / (${waiting} + *(int *)${address}), arg5, STRCMP("text", ${other.address}) * ${other.waiting} - *(char *)${address}`;
        compileOrRefuse(source, given);
      }),
      { numRuns: 40 },
    );
  });

  it("do not keep a full event from being made", () => {
    const fields = fc.array(fc.oneof(expression, crowded.map(sumOf)), { minLength: 20, maxLength: 24 });
    fc.assert(
      fc.property(fields, options, (values, given) => {
        compileOrRefuse(`c:f "${values.map(() => "%ld").join(" ")}", ${values.join(", ")}`, given);
      }),
      { numRuns: 6 },
    );
  });

  // The oracle is the same compiler where registers suffice: the two parts each as a field of their own, added up here.
  it("are the same values", () => {
    const argument = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
    const values = fc.tuple(argument, argument, argument, argument, argument);
    fc.assert(
      fc.property(
        crowded,
        fc.array(values, { minLength: 4, maxLength: 4 }),
        fc.boolean(),
        (sum, calls, sleepable) => {
          const whole = compile(`c:f "%ld", ${sumOf(sum)}`, { sleepable });
          const parts = [sum.waiting, sum.address].map((text) => compile(`c:f "%ld", ${text}`));
          for (const [one, two, four, five, six] of calls) {
            const context = argumentsOf(one, two, numbers.address, four, five, six);
            const [waiting, address] = parts.map((part) => shown(part, { context })) as [bigint, bigint];
            const at = Number(address - numbers.address);
            const read = new DataView(numbers.bytes.buffer).getInt32(at, true);
            const expected = BigInt.asIntN(64, waiting + BigInt(read));
            expect(shown(whole, { context, memory: [numbers] })).toBe(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

const numbers: MemoryRange = {
  address: 0x1000n,
  bytes: Uint8Array.from({ length: 8 }, (_, index) => 17 + 31 * index),
};

function sumOf({ waiting, address }: { readonly waiting: string; readonly address: string }): string {
  return `(${waiting} + *(int *)${address})`;
}

/** The program's stack is the only thing that may run out, and its author is told. */
function compileOrRefuse(source: string, given: Partial<CompileOptions>): void {
  try {
    compile(source, given);
  } catch (error) {
    expect(error).toBeInstanceOf(SourceError);
    expect(String(error)).toMatch(/this takes \d+ bytes of the program's stack, and there are 512/);
  }
}

/** The only field of the only event. */
function shown(probe: ReturnType<typeof compile>, world: Parameters<typeof run>[1]): bigint {
  const { record } = run(probe, world);
  const { offset } = probe.event.fields[0]!;
  return BigInt(readInteger(new DataView(record.buffer, record.byteOffset), offset, 8, true));
}
