import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceError, UsageError } from "../../src/base/errors.js";
import { globMatcher, isGlob } from "../../src/base/text.js";
import { parse } from "../../src/lang/compile.js";
import type { Expression } from "../../src/lang/tree.js";
import { expressionsOf, operandsOf } from "../../src/lang/tree.js";
import { expression } from "./expressions.js";
import { compile } from "./support.js";

const pieces = [
  ...'p: r: u: t: c: lib ns::f :: : malloc +8 +0x10 0x40 * ? [ ] ( ) ( ) , , " " \' \\ % %d %s %.*s %-5lld %% & && | ! ~ - + / < << == = ? .'.split(
    " ",
  ),
  ..."arg1 arg2 arg99 retval pid $pid comm STRCMP( ctx-> reg( sizeof( (int) (char*) (struct x*) *(int*) 1 0x 08 1.5 'a' \\n @user # é 💥 \0 \n".split(
    " ",
  ),
  " ",
];

describe("any text", () => {
  it("is compiled, or refused with a place inside it and a way out", () => {
    const texts = fc.oneof(
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join("")),
      fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((parts) => `c:f ${parts.join(" ")}`),
      fc
        .array(fc.constantFrom(...pieces), { maxLength: 20 })
        .map((parts) => `c:f "%d %s", ${parts.join(" ")}`),
      fc.string({ maxLength: 40, unit: "binary" }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          compile(text);
        } catch (error) {
          if (error instanceof UsageError) return;
          if (!(error instanceof SourceError)) throw error;
          expect(error.source).toBe(text);
          for (const { span, what, fix } of error.problems) {
            expect(span.start).toBeGreaterThanOrEqual(0);
            expect(span.end).toBeGreaterThanOrEqual(span.start);
            expect(span.start).toBeLessThanOrEqual(text.length);
            expect(what).not.toBe("");
            expect(fix).not.toBe("");
          }
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("is refused in bounded time however long it is", () => {
    for (const text of [
      "(".repeat(50_000),
      "c:f ".padEnd(100_000, "("),
      `c:f "%d", ${"-".repeat(50_000)}1`,
      `c:f "${"%d".repeat(20_000)}"`,
      `c:f "%d", ${"1+".repeat(20_000)}`,
    ]) {
      expect(() => compile(text)).toThrow(SourceError);
    }
  });
});

describe("spans", () => {
  it("are the text of each part", () => {
    fc.assert(
      fc.property(expression, (text) => {
        const source = `c:f "%d", ${text}`;
        const { tree } = parse(source);
        const visit = (part: Expression): void => {
          const written = source.slice(part.span.start, part.span.end);
          expect(written.trim()).toBe(written);
          if (part.kind === "name") expect(written).toBe(part.name);
          for (const operand of operandsOf(part)) {
            expect(operand.span.start).toBeGreaterThanOrEqual(part.span.start);
            expect(operand.span.end).toBeLessThanOrEqual(part.span.end);
            visit(operand);
          }
        };
        for (const part of tree.body.flatMap(expressionsOf)) visit(part);
      }),
      { numRuns: 200 },
    );
  });

  it("lead from each instruction to what it stands for", () => {
    const source = 'c:f (arg2 > 5) "%d %s", *(int *)arg1, arg3';
    const [program] = compile(source).programs;
    const { instructions, places } = program!;
    expect(places.length).toBe(instructions.length);
    expect(program!.source).toBe(source);
    const texts = new Set(places.map((place) => place && source.slice(place.start, place.end)));
    expect(texts).toEqual(
      new Set([
        undefined,
        "(arg2 > 5)",
        "arg2",
        "*(int *)arg1",
        "arg1",
        "arg3",
        '"%d %s", *(int *)arg1, arg3',
      ]),
    );
  });
});

describe("a quoted name", () => {
  it("matches itself and nothing else, whatever it contains", () => {
    for (const name of [
      "operator*(A const&)",
      "f[abi:cxx11](int)",
      "what?",
      "back\\slash",
      "plain",
      "ns::vector<int, std::allocator<int> >::push_back(int&&)",
    ]) {
      const { tree } = parse(`lib:${JSON.stringify(name)}`);
      const { selector } = tree;
      if (selector.kind !== "function") return expect.unreachable();
      const { symbol } = selector;
      const matches = isGlob(symbol) ? globMatcher(symbol) : (candidate: string) => candidate === symbol;
      expect(matches(name), symbol).toBe(true);
      expect(matches(`${name}x`), symbol).toBe(false);
    }
  });
});
