import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceError, UscopeError } from "../../../src/base/errors.js";
import { compileProbe } from "../../../src/lang/compile.js";
import type { CompiledProbe } from "../../../src/lang/compile.js";
import { parseDistribution } from "../../../src/lang/oneliner/distribution.js";
import type { ParsedDistribution } from "../../../src/lang/oneliner/distribution.js";
import type { Gathering } from "../../../src/lang/oneliner/gathered.js";
import { printTree } from "../../../src/lang/print-tree.js";
import { goldenCases } from "../../support/golden.js";
import { anyFunction, usualOptions } from "../support.js";

/** `-H SPEC` is a histogram, all else counts. */
function parseCase(input: string, textLimit = 80): ParsedDistribution {
  const isHistogram = input.startsWith("-H ");
  const gathering: Gathering = isHistogram ? "histogram" : "count";
  return parseDistribution(isHistogram ? input.slice(3) : input, gathering, { textLimit });
}

/** Compiles both ends for any function. */
function compileDistribution({ aggregate, main, entry }: ParsedDistribution): CompiledProbe {
  const aggregates = [{ map: "aggregate_0", spec: aggregate, number: 0 }];
  const span = { map: "span_0", number: 1 };
  if (entry === undefined) return compileProbe(main, anyFunction, { ...usualOptions, aggregates });
  const { kept } = compileProbe(entry, anyFunction, {
    ...usualOptions,
    aggregates,
    span: { ...span, role: "entry" },
  });
  return compileProbe(main, anyFunction, {
    ...usualOptions,
    aggregates,
    span: { ...span, role: "return", kept },
  });
}

describe("a distribution", () => {
  it("becomes trees and an aggregate", () => {
    goldenCases("lang/distributions.txt", (input) => {
      const parsed = parseCase(input);
      compileDistribution(parsed);
      const { label, values, aggregate, main, entry } = parsed;
      const key = aggregate.key.map((part) =>
        part.kind === "integer" ? typeName(part.type) : shortly(part),
      );
      const valueType = aggregate.kind === "log2" ? ` of ${typeName(aggregate.value)}` : "";
      return [
        `${aggregate.kind}${valueType} by (${key.join(", ")})`,
        ...values.map(({ name, shown }) => `${name}: ${shown}`),
        ...(label === undefined ? [] : [`label ${JSON.stringify(label)}`]),
        ...(entry === undefined ? [] : [`entry\n${printTree(entry.tree)}`.trimEnd()]),
        `main\n${printTree(main.tree)}`,
      ].join("\n");
    });
  });

  it("says what is wrong, where, and what to do", () => {
    goldenCases("lang/distribution-errors.txt", (input) => {
      try {
        compileDistribution(parseCase(input));
      } catch (error) {
        expect(error).toBeInstanceOf(UscopeError);
        expect((error as UscopeError).kind).toBe("SourceError");
        return `SourceError: ${(error as Error).message}`;
      }
      throw new Error(`no error for ${input}`);
    });
  });
});

const pieces = [
  ..."p: r: u: t: c: lib ns::f :: : : : malloc ( ) ( ) (int\u0020a) (char*\u0020s) , \" ' \\ && | ! - + / < == = ? . # ; ->".split(
    " ",
  ),
  ..."a s $retval $entry( $entry(a) $latency $PID $COMM STRCMP( int char* size_t arg1 arg99 1 0x 'a' é 💥 \0 \n".split(
    " ",
  ),
  " ",
];

describe("any text", () => {
  it("is compiled, or refused with a place inside it and a way out", () => {
    const texts = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join("")),
      fc
        .array(fc.constantFrom(...pieces), { maxLength: 20 })
        .map((parts) => `r:c:f(int a, char *s):${parts.join("")}`),
      fc
        .array(fc.constantFrom(...pieces), { maxLength: 12 })
        .map((parts) => `r:c:f(int a, char *s):int:${parts.join(" ")}`),
      fc.string({ maxLength: 40, unit: "binary" }),
    );
    fc.assert(
      fc.property(texts, fc.boolean(), (text, isHistogram) => {
        try {
          compileDistribution(parseCase(isHistogram ? `-H ${text}` : text));
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          for (const { span, what, fix } of error.problems) {
            expect(span.start).toBeGreaterThanOrEqual(0);
            expect(span.end).toBeGreaterThanOrEqual(span.start);
            expect(span.start).toBeLessThanOrEqual(text.length);
            expect(what).not.toBe("");
            expect(fix).not.toBe("");
          }
        }
      }),
      { numRuns: 3000 },
    );
  });
});

function typeName({ bytes, signed, truth }: { bytes: number; signed: boolean; truth?: true }): string {
  return truth ? "bool" : `${signed ? "i" : "u"}${bytes * 8}`;
}

function shortly(part: { kind: string; bytes?: number }): string {
  return part.bytes === undefined ? part.kind : `${part.kind}(${part.bytes})`;
}
