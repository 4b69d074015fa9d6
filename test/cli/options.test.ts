import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/base/errors.js";
import { parseOptions, printOptions } from "../../src/cli/options.js";
import type { OptionRow } from "../../src/cli/options.js";

const rows: readonly OptionRow[] = [
  { name: "pid", letter: "p", value: "PID", repeatable: true, help: "a process" },
  { name: "max-events", letter: "M", value: "N", help: "a limit" },
  { name: "time", letter: "T", help: "a column" },
  { name: "json", help: "JSON" },
];

describe("parseOptions", () => {
  test("takes letters, long names, attached values and mixed order", () => {
    const parsed = parseOptions("trace", rows, ["-M5", "a:b", "-Tp", "12", "--pid=13", "c:d", "--json"]);
    expect(parsed.arguments).toEqual(["a:b", "c:d"]);
    expect(parsed.texts("pid")).toEqual(["12", "13"]);
    expect(parsed.number("max-events")).toBe(5);
    expect(parsed.has("time")).toBe(true);
    expect(parsed.command).toBeUndefined();
  });

  test("leaves all behind -- to the command", () => {
    const parsed = parseOptions("trace", rows, ["a:b", "--", "ls", "-T", "--", "x"]);
    expect(parsed.command).toEqual(["ls", "-T", "--", "x"]);
    expect(parsed.has("time")).toBe(false);
  });

  test.each([
    [["--jsno"], /unknown option --jsno/, /did you mean --json/],
    [["-q"], /unknown option -q/, /lists the options/],
    [["--pid"], /-p\/--pid takes a value: PID/, /write --pid PID/],
    [["-M", "1", "-M", "2"], /-M\/--max-events is given twice/, /once/],
    [["--json=1"], /--json takes no value/, /write --json alone/],
  ])("refuses %j", (words, what, fix) => {
    let thrown: unknown;
    try {
      parseOptions("trace", rows, words);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(UsageError);
    expect((thrown as UsageError).what).toMatch(what);
    expect((thrown as UsageError).fix).toMatch(fix);
  });

  test.each([["1.5"], ["x"], ["0"], ["99999999999999999999"], ["1e3"], ["0x10"]])(
    "refuses %s as a whole number from 1 on",
    (text) => {
      expect(() => parseOptions("trace", rows, ["-M", text]).number("max-events", 1)).toThrow(UsageError);
    },
  );
});

test("printOptions lines up names and explanations", () => {
  expect(printOptions(rows)).toBe(
    [
      "  -p, --pid PID       a process",
      "  -M, --max-events N  a limit",
      "  -T, --time          a column",
      "      --json          JSON",
    ].join("\n"),
  );
});
