import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CompiledProbe } from "../../src/lang/compile.js";
import { createMap } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { needs } from "../support/kernel.js";
import { crowded, expression } from "./expressions.js";
import { compile, compileCase } from "./support.js";

const cases = readFileSync(fileURLToPath(new URL("../golden/lang/programs.txt", import.meta.url)), "utf8")
  .split(/^=== /m)
  .slice(1)
  .map((text) => ({
    name: text.slice(0, text.indexOf("\n")),
    input: text
      .slice(text.indexOf("\n") + 1)
      .split(/^---$/m)[0]!
      .trim(),
  }));

// A seed is printed with a failure; it can be given by hand to see it again.
const seed = Number(process.env["SEED"] ?? Date.now() & 0x7fffffff);

describe.runIf(needs("ring buffer", "attach cookie"))("the kernel's verifier", () => {
  it.each(cases)("accepts: $name", ({ input }) => {
    load(compileCase(input));
  });

  it(`accepts random expressions, as values and as predicates (SEED=${seed})`, () => {
    for (const text of fc.sample(expression, { seed, numRuns: 60 })) {
      load(compile(`c:f (${text}) "%d %lu %hhd", ${text}, ${text}, arg1 / arg2 + *(int *)(arg3 + ${text})`));
    }
  });

  it(`accepts values that are kept on the stack while others take all registers (SEED=${seed})`, () => {
    const samples = fc.sample(crowded, { seed, numRuns: 30 });
    for (const [index, { waiting, address }] of samples.entries()) {
      const sum = `${waiting} + *(int *)${address}`;
      const source = `c:f (arg1 / arg2 + ${sum}) "%d %s %ld", arg4 / (${sum}), arg5, STRCMP("text", ${address}) * ${waiting}`;
      load(compile(source, { sleepable: index % 2 === 0, stacks: { user: index % 3, kernel: 0 } }));
    }
  });

  it("accepts as many values as an event holds", () => {
    const values = Array.from(
      { length: 32 },
      (_, index) => `*(long *)(arg${(index % 6) + 1} + ${8 * index}) + arg1`,
    );
    load(compile(`c:f (arg1) "${values.map(() => "%ld").join(" ")}", ${values.join(", ")}`));
    const texts = Array.from({ length: 32 }, (_, index) => `arg${(index % 6) + 1} + ${8 * index}`);
    load(compile(`c:f "${texts.map(() => "%s").join(" ")}", ${texts.join(", ")}`));
    load(
      compile(
        `c:f "${texts
          .slice(16)
          .map(() => "%.*s")
          .join(" ")}", ${texts.join(", ")}`,
      ),
    );
  });

  it.each([0, 1, 7, 4093, 4094, 5000, 30_000])("accepts text of up to %i bytes", (textLimit) => {
    load(compile('c:f "%s", arg1', { textLimit }));
    load(compile('c:f "%.*s", (int)arg2, arg1', { textLimit }));
  });

  it("accepts the longest literal of STRCMP", () => {
    load(
      compile(`c:f (STRCMP("${"x".repeat(256)}", arg1) || STRCMP("${"y".repeat(255)}", arg2)) "%s", arg3`),
    );
  });
});

describe.runIf(needs("ring buffer", "sleepable programs"))("sleepable programs", () => {
  it.each(cases)("are accepted: $name", ({ input }) => {
    const [source, ...options] = input.split("\n");
    const given = JSON.parse(options.join("\n") || "{}") as object;
    load(compileCase(`${source}\n${JSON.stringify({ ...given, sleepable: true })}`));
  });

  it.each([0, 1, 7, 4093, 4094, 5000, 30_000])("read text of up to %i bytes", (textLimit) => {
    load(compile('c:f "%s", arg1', { textLimit, sleepable: true }));
    load(compile('c:f "%.*s", (int)arg2, arg1', { textLimit, sleepable: true }));
  });
});

/** Loads all programs of a probe for both ways of attaching; the verifier's refusal fails the test. */
function load({ programs, maps }: CompiledProbe): void {
  const opened = new Map(maps.map((spec) => [spec.name, createMap(spec)]));
  try {
    for (const program of programs) {
      for (const multi of [true, false]) {
        using loaded = loadProgram(program, opened, { multi });
        expect(loaded.fd).toBeGreaterThan(0);
      }
    }
  } finally {
    for (const map of opened.values()) map[Symbol.dispose]();
  }
}
