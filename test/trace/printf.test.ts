import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { printInteger, printPadded } from "../../src/trace/printf.js";
import type { Conversion } from "../../src/trace/printf.js";

const plain: Conversion = {
  kind: "conversion",
  field: 0,
  conversion: "d",
  leftAlign: false,
  plusSign: false,
  spaceSign: false,
  alternate: false,
  zeroPad: false,
  width: undefined,
  precision: undefined,
};

/** Every mix of flags, some widths and precisions, and the format text that means the same to C's printf. */
function* conversions(): Generator<{ readonly format: string; readonly conversion: Conversion }> {
  for (const conversion of ["d", "u", "x", "X", "o"] as const) {
    for (let flags = 0; flags < 32; flags++) {
      const [leftAlign, plusSign, spaceSign, alternate, zeroPad] = [1, 2, 4, 8, 16].map(
        (bit) => (flags & bit) !== 0,
      ) as [boolean, boolean, boolean, boolean, boolean];
      for (const width of [undefined, 1, 9]) {
        for (const precision of [undefined, 0, 1, 6]) {
          const text = `${leftAlign ? "-" : ""}${plusSign ? "+" : ""}${spaceSign ? " " : ""}${alternate ? "#" : ""}${zeroPad ? "0" : ""}`;
          yield {
            format: `%${text}${width ?? ""}${precision === undefined ? "" : `.${precision}`}${conversion}`,
            conversion: {
              ...plain,
              conversion,
              leftAlign,
              plusSign,
              spaceSign,
              alternate,
              zeroPad,
              width,
              precision,
            },
          };
        }
      }
    }
  }
}

describe("printInteger", () => {
  const all = [...conversions()];

  test.each([0n, 1n, 255n, 2147483647n, 9223372036854775807n, -1n, -12345n])(
    "prints %s as C's printf does, through bash",
    (value) => {
      const chosen = all.filter(({ conversion }) => value >= 0n || conversion.conversion === "d");
      const expected = execFileSync(
        "bash",
        [
          "-c",
          'printf -- "$@"',
          "bash",
          chosen.map(({ format }) => format).join("\n"),
          ...chosen.map(() => String(value)),
        ],
        { encoding: "utf8" },
      );
      const actual = chosen.map(({ conversion }) => printInteger(value, conversion)).join("\n");
      expect(chosen.length).toBeGreaterThan(300);
      expect(actual).toBe(expected);
    },
  );

  test("prints numbers as it prints bigints", () => {
    for (const { conversion } of all)
      expect(printInteger(4321, conversion)).toBe(printInteger(4321n, conversion));
  });

  test("prints %p with 0x, NULL too", () => {
    expect(printInteger(0xdeadbeefn, { ...plain, conversion: "p" })).toBe("0xdeadbeef");
    expect(printInteger(0n, { ...plain, conversion: "p" })).toBe("0x0");
  });
});

test("printPadded aligns text", () => {
  expect(printPadded("ab", { ...plain, conversion: "s", width: 4 })).toBe("  ab");
  expect(printPadded("ab", { ...plain, conversion: "s", width: 4, leftAlign: true })).toBe("ab  ");
  expect(printPadded("abcdef", { ...plain, conversion: "s", width: 4 })).toBe("abcdef");
});
