import { expect, test } from "vitest";
import { printTable } from "../../src/tools/table.js";

test("names stand to the left, numbers to the right, each column as wide as its widest", () => {
  expect(
    printTable([
      ["FUNC", "COUNT"],
      ["a", "1"],
      ["longer", "1000000"],
    ]),
  ).toBe("FUNC     COUNT\na            1\nlonger 1000000\n");
});

test("a name that is too long pushes the numbers of its own line alone", () => {
  const long = "x".repeat(100);
  const [header, short, line] = printTable([
    ["FUNC", "COUNT", "P50"],
    ["f", "12", "3"],
    [long, "1", "2"],
  ]).split("\n");
  expect(header).toBe("FUNC COUNT P50");
  expect(short).toBe("f       12   3");
  expect(line).toBe(`${long} 1 2`);
});
