import { expect, test } from "vitest";
import { Budget } from "../../src/trace/budget.js";

test("says the share of a core that the hits since the last look have cost", () => {
  const budget = new Budget([700, 12_000], 0);
  expect(budget.share([1000n, 0n], 100_000_000)).toBeUndefined();
  expect(budget.share([100_000n, 0n], 1_000_000_000)).toBeCloseTo(7, 5);
  expect(budget.share([100_000n, 10_000n], 2_000_000_000)).toBeCloseTo(12, 5);
  expect(budget.share([100_000n, 10_000n], 3_000_000_000)).toBe(0);
});
