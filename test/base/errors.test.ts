import { describe, expect, it } from "vitest";
import { InternalError, SourceError, UsageError, isUscopeError, printCaret } from "../../src/base/errors.js";

describe("printCaret", () => {
  it.each([
    [
      "at the beginning of a text that begins with an empty line",
      "\nabc",
      { start: 0, end: 1 },
      "    \n    ^",
    ],
    ["in a later line", "one\ntwo three", { start: 8, end: 13 }, "    two three\n        ^^^^^"],
    ["behind the end", "abc", { start: 9, end: 12 }, "    abc\n       ^"],
    ["over a line's end", "abc\ndef", { start: 1, end: 6 }, "    abc\n     ^^"],
  ])("shows the place %s", (_where, source, span, shown) => {
    expect(printCaret(source, span)).toBe(shown);
  });
});

describe("isUscopeError", () => {
  it("knows the errors of another copy of the module by what they carry", () => {
    const other = Object.assign(new Error("x"), { kind: "UsageError", what: "x", at: "y", fix: "z" });
    expect(
      [new UsageError({ what: "", at: "", fix: "" }), new InternalError("x"), other].map(isUscopeError),
    ).toEqual([true, true, true]);
    expect([new Error("x"), undefined, { kind: "UsageError" }].map(isUscopeError)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

it("a SourceError says line and column of a text of several lines", () => {
  const problem = { what: "no", span: { start: 4, end: 5 }, fix: "yes" };
  expect(new SourceError("abc\nd", [problem]).message).toBe(
    "no\n  at: line 2, column 1\n    d\n    ^\n  fix: yes",
  );
});
