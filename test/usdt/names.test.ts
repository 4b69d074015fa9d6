import { expect, test } from "vitest";
import { matchesMarkerName } from "../../src/usdt/names.js";

test.each([
  ["query__start", "query__start", true],
  ["query-start", "query__start", true],
  ["query__start", "query-start", true],
  ["query_start", "query__start", false],
  ["query-*", "query__start", true],
  ["query_*", "query__start", true],
  ["query__*", "query__start", true],
  ["*_start", "query__start", true],
  ["gc-[bs]*", "gc__begin", true],
  ["gc__[!b]*", "gc__begin", false],
  ["[a-z]*-end", "gc__end", true],
  ["*", "", true],
  ["mark", '"mark"', true],
  ['"mark"', "mark", true],
  ["one-two*", '"one__two__three"', true],
  ["mark", "marks", false],
  ["a___b", "a___b", true],
  ["a-_b", "a___b", true],
  ["Mark", "mark", false],
])("%s means %s: %s", (pattern, name, isMeant) => {
  expect(matchesMarkerName(pattern, name)).toBe(isMeant);
});
