/**
 * Owns which layouts are one for a probe: those that agree on all that it reads. Why: the many places of a pattern over markers
 * differ in every argument, and a probe that reads none of them needs one program, not hundreds.
 * Does not own where values lie (target.ts).
 */
import { argumentsRead, declaredIn } from "./arguments.js";
import type { Layout } from "./target.js";
import type { ProbeTree } from "./tree.js";

export interface DistinctLayouts {
  /** The first of each kind. */
  readonly layouts: readonly Layout[];
  /** Per layout that was given, which of these it is. */
  readonly numbers: readonly number[];
}

/** Finds the layouts that differ for this probe. */
export function distinctLayouts(tree: ProbeTree, layouts: readonly Layout[]): DistinctLayouts {
  const distinct: Layout[] = [];
  const known = new Map<string, number>();
  const numbers = layouts.map((layout) => {
    const key = keyOf(layout, argumentsRead(tree, declaredIn(layout)));
    const number = known.get(key) ?? distinct.push(layout) - 1;
    known.set(key, number);
    return number;
  });
  return { layouts: distinct, numbers };
}

/** Why null: JSON has no undefined in lists. */
function keyOf(layout: Layout, read: ReadonlySet<number>): string {
  const { returned = null, returnAddress = null, frame = null, missing = null, argumentTypes } = layout;
  const declared = declaredIn(layout);
  const places = [...read].map((index) => [
    layout.arguments[index] ?? null,
    argumentTypes?.[index] ?? null,
    declared[index]?.form ?? null,
  ]);
  return JSON.stringify([places, returned, returnAddress, frame, missing], (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}
