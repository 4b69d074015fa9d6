import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SourceError } from "../../../src/base/errors.js";
import { operandsOf, expressionsOf, statementsOf } from "../../../src/lang/tree.js";
import type { Expression, Statement } from "../../../src/lang/tree.js";
import { parseText } from "./support.js";

const pieces = [
  ..."p.arg(0) p.i32(1) p.u8(2) p.text(p.arg(0)) p.comm p.pid p.time p.returned() p.entry p.enum p.stack() p.read(p.arg(0),'u8') limit counts.add(p.comm) hits.add() starts.get(1) starts.set(1,2n) x y".split(
    " ",
  ),
  ..."if ( ) { } [ ] ; , ? : => = += ++ == === !== < > && || ?? ! ~ - + * / % & | ^ << >>> . ... ` $ \" ' \\ / 0 1 2n 0.5 true undefined null".split(
    " ",
  ),
  ..."return const let var for while switch case default break continue function class new this await async yield typeof void delete in of".split(
    " ",
  ),
  "const x =",
  "let y =",
  "for (let i = 0; i < 3; i++)",
  "return {",
  "a:",
  "\n",
  " ",
  "\0",
  "é",
];

describe("any text of a function", () => {
  it("is parsed, or refused with a place inside it and a way out", () => {
    const body = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(" "));
    const texts = fc.oneof(
      body.map((text) => `(p, { limit, counts, hits, starts }) => { ${text} }`),
      body.map((text) => `(p) => ${text}`),
      expression.map((text) => `(p, { limit, starts }) => (${text})`),
      statements.map((text) => `(p, { limit, starts, counts, hits }) => { let x = 1; let y = 2n; ${text} }`),
      fc.string({ maxLength: 40, unit: "binary" }),
    );
    const kinds = fc.constantFrom("entry", "return", "span-entry", "span-return");
    let parsed = 0;
    fc.assert(
      fc.property(texts, kinds, (text, at) => {
        try {
          const { tree } = parseText(`${at}: ${text}`);
          parsed++;
          requireSpansInside(tree.body, text);
        } catch (error) {
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
      { numRuns: 4000 },
    );
    expect(parsed).toBeGreaterThan(400);
  });

  it("is refused in bounded time however long it is", () => {
    for (const text of [
      `(p) => ${"(".repeat(20_000)}`,
      `(p) => ${"-~".repeat(20_000)}1`,
      `(p) => ${"1 + ".repeat(20_000)} p.pid`,
      `(p) => ${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      `(p) => { ${"if (p.pid) {".repeat(5_000)} ${"}".repeat(5_000)} }`,
      `(p) => { ${"p.pid;".repeat(50_000)} }`,
    ]) {
      expect(() => parseText(text), text.slice(0, 30)).toThrow(SourceError);
    }
  });
});

/** Expressions that are mostly right. */
const { expression } = fc.letrec<{ expression: string; number: string; word: string; truth: string }>(
  (tie) => ({
    expression: fc.oneof(tie("number"), tie("word"), tie("truth")),
    number: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("p.i32(0)", "p.u8(1)", "p.pid", "7", "limit", "-1"),
      fc
        .tuple(tie("number"), fc.constantFrom("+", "-", "*", "&", "|", "^", ">>>", "<<"), tie("number"))
        .map((parts) => `(${parts.join(" ")})`),
      fc.tuple(tie("truth"), tie("number"), tie("number")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    ),
    word: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("p.arg(0)", "p.u64(1)", "p.i64(2)", "5n", "p.time", "(starts.get(p.pid) ?? 1n)"),
      fc
        .tuple(tie("word"), fc.constantFrom("+", "-", "*", "&", ">>"), tie("word"))
        .map((parts) => `(${parts.join(" ")})`),
    ),
    truth: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom("p.bool(0)", "starts.has(1)", 'p.comm === "x"', "p.text(p.arg(0)) !== ''"),
      fc
        .tuple(tie("expression"), fc.constantFrom("<", ">=", "==="), tie("expression"))
        .map((parts) => `(${parts.join(" ")})`),
      fc
        .tuple(tie("truth"), fc.constantFrom("&&", "||"), tie("truth"))
        .map((parts) => `(${parts.join(" ")})`),
      tie("truth").map((text) => `!${text}`),
    ),
  }),
);

/** Statements that are mostly right. */
const { statements } = fc.letrec<{ statements: string; statement: string }>((tie) => ({
  statements: fc.array(tie("statement"), { maxLength: 4 }).map((all) => all.join(" ")),
  statement: fc.oneof(
    { depthSize: "small" },
    expression.map((text) => `x = ${text};`),
    expression.map((text) => `y += ${text};`),
    expression.map((text) => `return { a: ${text} };`),
    fc.constantFrom(
      "counts.add(p.comm);",
      "hits.add();",
      "starts.set(1, y);",
      "x++;",
      "break;",
      "continue;",
      "return;",
    ),
    fc
      .tuple(expression, tie("statements"), tie("statements"))
      .map(([a, b, c]) => `if (${a}) { ${b} } else { ${c} }`),
    fc.tuple(expression, tie("statements")).map(([a, b]) => `for (let i = 0; i < 3 && ${a}; i++) { ${b} }`),
  ),
}));

/** Every part of the tree stands where it says, and variables are declared before they are used, once. */
function requireSpansInside(body: readonly Statement[], text: string): void {
  const declared = new Set<number>();
  const visit = ({ span, ...part }: Expression): void => {
    expect(span.start).toBeGreaterThanOrEqual(0);
    expect(span.end).toBeLessThanOrEqual(text.length);
    expect(span.end).toBeGreaterThan(span.start);
    if (part.kind === "variable") expect(declared).toContain(part.variable.number);
    for (const operand of operandsOf({ span, ...part } as Expression)) visit(operand);
  };
  const walk = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      for (const part of expressionsOf(statement)) visit(part);
      const made =
        statement.kind === "declare"
          ? [statement.variable]
          : statement.kind === "look-up"
            ? [statement.variable, statement.found]
            : [];
      for (const { number } of made) {
        expect(declared).not.toContain(number);
        declared.add(number);
      }
      walk(statementsOf(statement));
    }
  };
  walk(body);
}
