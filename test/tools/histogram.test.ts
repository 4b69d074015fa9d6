import { describe, expect, test } from "vitest";
import { drawHistogram, percentile, printDuration, printQuantity } from "../../src/tools/histogram.js";
import type { Bucket } from "../../src/tools/histogram.js";

/** Buckets as the kernel side has them: 0, then [2^(n-1), 2^n). */
function log2(counts: Readonly<Record<number, number>>): Bucket[] {
  return Array.from({ length: 65 }, (_, index) => ({
    from: index === 0 ? 0n : 2n ** BigInt(index - 1),
    to: 2n ** BigInt(index),
    count: BigInt(counts[index] ?? 0),
  }));
}

const bar = (length: number): string => `|${"@".repeat(length).padEnd(40)}|`;

describe("a log2 histogram", () => {
  test("shows the rows from the first to the last that count something", () => {
    expect(
      drawHistogram(log2({ 11: 10, 13: 40 }))
        .split("\n")
        .slice(0, 3),
    ).toEqual([`[1K, 2K) 10 ${bar(10)}`, `[2K, 4K)  0 ${bar(0)}`, `[4K, 8K) 40 ${bar(40)}`]);
  });

  test("is the same without the empty buckets", () => {
    const all = log2({ 0: 1, 3: 5, 20: 7 });
    expect(drawHistogram(all.filter(({ count }) => count > 0n))).toBe(drawHistogram(all));
  });

  test("names buckets of one value by it", () => {
    const lines = drawHistogram(log2({ 0: 1, 1: 1, 2: 1 })).split("\n");
    expect(lines.slice(0, 3).map((line) => line.split(" ")[0])).toEqual(["[0]", "[1]", "[2,"]);
  });

  test("reaches to the last of 64 bits", () => {
    expect(drawHistogram(log2({ 64: 3 }))).toContain(`[8E, 16E) 3 ${bar(40)}`);
  });

  test("shows whatever counts at all", () => {
    expect(drawHistogram(log2({ 3: 1, 4: 1_000_000 }))).toContain(`       1 ${bar(1)}`);
  });

  test("of durations has their units", () => {
    expect(drawHistogram(log2({ 10: 1, 11: 1, 21: 1, 31: 1 }), "ns")).toMatch(
      /^\[512ns, 1us\).*\n\[1us, 2us\)[^]*\[1ms, 2.1ms\)[^]*\[1.1s, 2.1s\)/,
    );
  });

  test("without values says so", () => {
    expect(drawHistogram(log2({}))).toBe("no values\n");
    expect(drawHistogram([])).toBe("no values\n");
  });
});

describe("a linear histogram", () => {
  const steps: Bucket[] = [
    { from: -Infinity, to: 0, count: 1 },
    { from: 0, to: 10, count: 4 },
    { from: 30, to: 40, count: 2 },
    { from: 100, to: Infinity, count: 1 },
  ];

  test("fills in its steps, and shows its open ends", () => {
    const labels = drawHistogram(steps)
      .split("\n")
      .map((line) => /^[[(].*?[)\]]/.exec(line)?.[0]);
    expect(labels.slice(0, 6)).toEqual([
      "(..., 0)",
      "[0, 10)",
      "[10, 20)",
      "[20, 30)",
      "[30, 40)",
      "[40, 50)",
    ]);
    expect(labels).toContain("[100, ...)");
  });

  test("of whole thousands is short", () => {
    expect(
      drawHistogram([
        { from: 1000, to: 2000, count: 1 },
        { from: 2000, to: 3000, count: 1 },
      ]),
    ).toContain("[1K, 2K)");
  });

  test("with steps of one names each value", () => {
    expect(drawHistogram([{ from: 3, to: 4, count: 2 }])).toBe(`[3] 2 ${bar(40)}\np50 =3  p90 =3  p99 =3\n`);
  });

  test("does not fill a hole of millions of steps row by row", () => {
    const rows = drawHistogram([
      { from: 0, to: 1, count: 1 },
      { from: 1e9, to: 1e9 + 1, count: 1 },
    ]).split("\n");
    expect(rows).toHaveLength(5);
  });
});

describe("percentiles", () => {
  test("lie evenly in their bucket", () => {
    const buckets = [{ from: 0, to: 100, count: 100 }];
    expect([0.01, 0.5, 0.99, 1].map((share) => percentile(buckets, share))).toEqual([1, 50, 99, 100]);
  });

  test("never leave the bucket that the true value is in", () => {
    // The oracle is the sorted list itself.
    const values = Array.from({ length: 1000 }, (_, index) => ((index * 7919) % 5000) + 1).sort(
      (a, b) => a - b,
    );
    const counts: Record<number, number> = {};
    for (const value of values)
      counts[Math.floor(Math.log2(value)) + 1] = (counts[Math.floor(Math.log2(value)) + 1] ?? 0) + 1;
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const exact = values[Math.ceil(share * values.length) - 1]!;
      const low = 2 ** Math.floor(Math.log2(exact));
      const estimate = percentile(log2(counts), share)!;
      expect(estimate).toBeGreaterThanOrEqual(low);
      expect(estimate).toBeLessThanOrEqual(2 * low);
    }
  });

  test("say how sure they are", () => {
    expect(drawHistogram([{ from: 10, to: Infinity, count: 1 }])).toContain("p50 >=10");
    expect(drawHistogram([{ from: -Infinity, to: 10, count: 1 }])).toContain("p50 <10");
  });

  test("of nothing are undefined", () => {
    expect(percentile([], 0.5)).toBeUndefined();
  });
});

describe("numbers for people", () => {
  test.each([
    [0, "0ns"],
    [999, "999ns"],
    [1000, "1us"],
    [1250, "1.3us"],
    [999_949, "1ms"],
    [34_000_000, "34ms"],
    [5_100_000_000, "5.1s"],
    [86_400e9, "86400s"],
  ])("%d ns is %s", (value, text) => expect(printDuration(value)).toBe(text));

  test.each([
    [0, "0ns"],
    [999, "999ns"],
    [1000, "1.00us"],
    [2_304_000, "2.30ms"],
    [40_176_113, "40.2ms"],
    [999_600, "1.00ms"],
    [123_456_789, "123ms"],
    [5e9, "5.00s"],
    [7200e9, "7200s"],
  ])("%d ns with three digits is %s", (value, text) =>
    expect(printDuration(value, { digits: 3 })).toBe(text),
  );

  test.each([
    [1023, 1024, "1023"],
    [1024, 1024, "1K"],
    [1536, 1024, "1.5K"],
    [1_048_575, 1024, "1M"],
    [2 ** 63, 1024, "8E"],
    [-2048, 1024, "-2K"],
    [1500, 1000, "1.5K"],
    [999_999, 1000, "1M"],
  ] as const)("%d by %d is %s", (value, factor, text) => expect(printQuantity(value, factor)).toBe(text));
});
