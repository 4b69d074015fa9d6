import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compileProbe } from "../../src/lang/compile.js";
import type { CompileOptions } from "../../src/lang/compile.js";
import { createMap } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { i32, u64 } from "../../src/lang/types.js";
import { needs } from "../support/kernel.js";
import { handed, parseText } from "./script/support.js";
import { argument, compileStatements, field, keep, text } from "./statements.js";
import { anyFunction, usualOptions } from "./support.js";

const cases = readFileSync(fileURLToPath(new URL("../golden/lang/scripts.txt", import.meta.url)), "utf8")
  .split(/^=== /m)
  .slice(1)
  .map((part) => ({
    name: part.slice(0, part.indexOf("\n")),
    input: part
      .slice(part.indexOf("\n") + 1)
      .split(/^---$/m)[0]!
      .trim(),
  }));

const aggregates = [...handed.values()]
  .filter((value) => value.kind === "aggregate")
  .map(({ index, spec }) => ({ map: `a${index}`, spec, number: index }));

/** What the cases at the return of a span find kept: a text, a word and a number. */
const { kept } = compileStatements(
  [keep(text(argument(0), { limit: 30 }), field(argument(1, u64)), field(argument(2, i32)))],
  { span: { map: "open", number: 30, role: "entry" } },
);

function optionsFor(input: string): Partial<CompileOptions> {
  const role = /^span-(entry|return): /.exec(input)?.[1] as "entry" | "return" | undefined;
  if (role === undefined) return {};
  return { span: { map: "open", number: 30, role, ...(role === "return" ? { kept } : {}) } };
}

describe.runIf(needs("ring buffer", "attach cookie", "sleepable programs"))("the kernel's verifier", () => {
  describe.each([false, true])("sleepable: %s", (sleepable) => {
    it.each(cases)("accepts the function: $name", ({ input }) => {
      const parsed = parseText(input);
      const at = /^(span-)?return: /.test(input) ? "return" : "entry";
      const selector = { ...parsed.tree.selector, at } as typeof parsed.tree.selector;
      const options = { ...usualOptions, sleepable, sites: 5, aggregates, ...optionsFor(input) };
      const probe = compileProbe({ ...parsed, tree: { ...parsed.tree, selector } }, anyFunction, options);
      const maps = new Map(probe.maps.map((spec) => [spec.name, createMap(spec)]));
      try {
        using loaded = loadProgram(probe.programs[0]!, maps, { multi: true });
        expect(loaded.fd).toBeGreaterThan(0);
      } finally {
        for (const map of maps.values()) map[Symbol.dispose]();
      }
    });
  });
});
