import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escapeControls, globMatcher, isGlob, nearestNames } from "../../src/base/text.js";

describe("globMatcher", () => {
  test.each([
    ["create*", "createStringObject", true],
    ["create*", "recreate", false],
    ["*Object", "createStringObject", true],
    ["a?c", "abc", true],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["a.b", "axb", false],
    ["f(int)*", "f(int) const", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["std::vector<*>::push_back", "std::vector<int>::push_back", true],
    ["[", "[", true],
    ["[a", "[a", true],
    ["[z-a]", "m", false],
    ["[z-a]", "z", false],
    ["[!z-a]", "m", true],
    ["[]", "[]", true],
    ["[]", "x", false],
    ["[!]", "[!]", true],
    ["[]a]", "]", true],
    ["[!]a]", "a", false],
    ["[a-]", "-", true],
    ["[\\w]", "w", true],
    ["[\\w]", "a", false],
    ["[^a]", "^", true],
    ["*?", "", false],
    ["a**", "a", true],
    ["*ab", "aab", true],
    ["a\\", "a\\", true],
    ["a?b", "a\nb", true],
    ["", "", true],
  ])("%s on %s: %s", (pattern, name, matches) => {
    expect(globMatcher(pattern)(name)).toBe(matches);
  });

  test("agrees with the shell's case patterns", () => {
    const letter = fc.constantFrom(
      "a",
      "b",
      "c",
      "*",
      "?",
      "[a-b]",
      "[!a]",
      "[b-a]",
      "[!b-a]",
      "[]a]",
      "[!]b]",
    );
    const cases = fc.sample(
      fc.tuple(
        fc.string({ unit: letter, maxLength: 6 }),
        fc.string({ unit: fc.constantFrom("a", "b", "c", "]"), maxLength: 6 }),
      ),
      500,
    );
    const script = cases
      .map(
        ([pattern, name]) =>
          `case "${name}" in ${pattern === "" ? "''" : pattern}) echo 1;; *) echo 0;; esac`,
      )
      .join("\n");
    const expected = execFileSync("sh", ["-c", script], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line === "1");
    expect(cases.map(([pattern, name]) => globMatcher(pattern)(name))).toEqual(expected);
    expect(expected).toContain(true);
    expect(expected).toContain(false);
  });

  test("agrees with a regular expression, where the pattern is short", () => {
    const parts = {
      "*": "[^]*",
      "?": "[^]",
      a: "a",
      ".": "\\.",
      "[a-c]": "[a-c]",
      "[!b]": "[^b]",
      "\\*": "\\*",
    };
    const part = fc.constantFrom(...Object.entries(parts));
    const name = fc.string({ unit: fc.constantFrom("a", "b", "d", ".", "*", "\n", "\ud83d"), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), name, (pattern, text) => {
        const expression = new RegExp(`^${pattern.map(([, source]) => source).join("")}$`);
        expect(globMatcher(pattern.map(([glob]) => glob).join(""))(text)).toBe(expression.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["*_*_*_*_*_*x", "_".repeat(240)],
    [`${"*a".repeat(500)}x`, "a".repeat(5000)],
    [`*${"a".repeat(500)}b`, "a".repeat(5000)],
    [`${"*?".repeat(500)}x`, "a".repeat(5000)],
  ])("takes no more steps than pattern times name: %.20s", (pattern, name) => {
    const start = performance.now();
    expect(globMatcher(pattern)(name)).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test("isGlob tells patterns from names", () => {
  expect(isGlob("main")).toBe(false);
  expect(isGlob("ma?n")).toBe(true);
  expect(isGlob("*")).toBe(true);
});

test("nearestNames finds what was meant, nearest first, and nothing far away", () => {
  const names = ["createStringObject", "createObject", "freeStringObject", "main", "createStringObjects"];
  expect(nearestNames("createStringObjekt", names)[0]).toBe("createStringObject");
  expect(nearestNames("Main", names)).toEqual(["main"]);
  expect(nearestNames("entirelyDifferent", names)).toEqual([]);
});

test("escapeControls shows what a terminal would obey", () => {
  expect(escapeControls("a\u001b[2Jb\u009b\u007f\n")).toBe("a\\x1b[2Jb\\x9b\\x7f\\n");
});
