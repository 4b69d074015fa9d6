/** Owns the numbers of several rounds: medians, and ratios of what was measured in the same round. Does not own measuring. */
import { assert } from "../src/base/assert.js";

/** Returns the middle value, or the mean of the two middle ones. */
export function medianOf(values: readonly number[]): number {
  assert(values.length > 0, "a median of nothing");
  const sorted = [...values].sort((left, right) => left - right);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Returns the median of value / base, round by round. Why: machines drift, so only what ran side by side compares. */
export function ratioOf(values: readonly number[], bases: readonly number[]): number {
  assert(values.length === bases.length, "as many bases as values");
  return medianOf(values.map((value, round) => value / bases[round]!));
}

/** Runs every variant once a round, beginning with another one each time; returns each variant's numbers, round by round. */
export async function interleave<Name extends string>(
  rounds: number,
  variants: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number[]>> {
  const names = Object.keys(variants) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length]!;
      measured[name].push(await variants[name]());
    }
  }
  return measured;
}
