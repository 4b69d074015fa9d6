import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readInteger } from "../../src/trace/events.js";
import { expression } from "./expressions.js";
import { argumentsOf, compile, run } from "./support.js";

/**
 * The oracle is gcc: random expressions over random arguments, evaluated by a program that gcc made and by the programs that we
 * make, must agree in every width in which a value can travel.
 */

const forms = ["hhd", "hhu", "hd", "hu", "d", "u", "ld", "lu"] as const;

const interesting = [
  0n,
  1n,
  2n,
  127n,
  128n,
  255n,
  0x7fffn,
  0x8000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
  0xffffffff80000000n,
];
const argument = fc.oneof(fc.constantFrom(...interesting), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));

const folder = mkdtempSync(join(tmpdir(), "uscope-arithmetic-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("expressions", () => {
  // A seed is printed with a failure; it can be given by hand to see it again.
  const seed = Number(process.env["SEED"] ?? Date.now() & 0x7fffffff);
  const expressions = fc.sample(expression, { seed, numRuns: 250 });
  const calls = fc.sample(fc.tuple(argument, argument, argument, argument, argument, argument), {
    seed,
    numRuns: 12,
  });
  let expected: string[][];

  beforeAll(() => {
    expected = runByGcc(expressions, calls);
  });

  it(`have C's meaning at every width (SEED=${seed})`, () => {
    expressions.forEach((text, index) => {
      const probe = compile(
        `c:f "${forms.map((form) => `%${form}`).join(" ")}", ${forms.map(() => text).join(", ")}`,
      );
      calls.forEach((values, call) => {
        const { record, counts } = run(probe, { context: argumentsOf(...values) });
        const view = new DataView(record.buffer, record.byteOffset);
        const shown = probe.event.fields.map(({ offset, value }) =>
          value.kind === "integer"
            ? `${readInteger(view, offset, value.type.bytes, value.type.signed)}`
            : "?",
        );
        expect(shown, `${text} with ${values.map((value) => `0x${value.toString(16)}`).join(", ")}`).toEqual(
          expected[index * calls.length + call],
        );
        expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: 0n });
      });
    });
  });

  it(`hold as predicates exactly where C says so (SEED=${seed})`, () => {
    const holding = runByGcc(
      expressions.map((text) => `(${text} ? 1 : 0)`),
      calls,
    );
    expressions.forEach((text, index) => {
      const probe = compile(`c:f (${text})`);
      calls.forEach((values, call) => {
        const { records, counts } = run(probe, { context: argumentsOf(...values) });
        const wanted = holding[index * calls.length + call]![4] === "1" ? 1 : 0;
        expect(records.length, text).toBe(wanted);
        expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: BigInt(1 - wanted) });
      });
    });
  });
});

/** For each expression and each call, the value in each form, by a program that gcc made. */
function runByGcc(expressions: readonly string[], calls: readonly (readonly bigint[])[]): string[][] {
  const parameters = Array.from({ length: 6 }, (_, index) => `uint64_t arg${index + 1}`).join(", ");
  const casts =
    "(int8_t)e, (uint8_t)e, (int16_t)e, (uint16_t)e, (int32_t)e, (uint32_t)e, (long)e, (unsigned long)e";
  const functions = expressions.map(
    (text, index) =>
      `static void e${index}(${parameters}) { __auto_type e = ${text}; printf("%hhd %hhu %hd %hu %d %u %ld %lu\\n", ${casts}); }`,
  );
  const source = [
    "#include <stdio.h>\n#include <stdint.h>\n#include <stddef.h>\n#include <stdbool.h>",
    ...functions,
    `static const uint64_t calls[][6] = { ${calls.map((values) => `{ ${values.map((value) => `${value}u`).join(", ")} }`).join(", ")} };`,
    `static void (*const all[])(${parameters}) = { ${expressions.map((_, index) => `e${index}`).join(", ")} };`,
    "int main(void) { for (size_t i = 0; i < sizeof all / sizeof *all; i++) for (size_t j = 0; j < sizeof calls / sizeof *calls; j++)",
    "  all[i](calls[j][0], calls[j][1], calls[j][2], calls[j][3], calls[j][4], calls[j][5]); }",
  ].join("\n");
  const path = join(folder, "expressions.c");
  writeFileSync(path, source);
  execFileSync("gcc", ["-w", "-O0", "-fwrapv", "-fsigned-char", "-o", `${path}.out`, path]);
  return execFileSync(`${path}.out`, { encoding: "utf8", maxBuffer: 1 << 26 })
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" "));
}
