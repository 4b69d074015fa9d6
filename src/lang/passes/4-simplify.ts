/**
 * Owns the fourth pass: the same program with less to do. Its parts stand in simplifying/.
 * Does not own anything about machine registers (5-allocate).
 */
import type { Program } from "../ir.js";
import { cheapen } from "../simplifying/cheapen.js";
import { straighten } from "../simplifying/flow.js";
import { removeUnused } from "../simplifying/unused.js";

/**
 * Simplifies until nothing changes any more. Why only when ways went: one walk sees each value behind what it is made of, so that a
 * second one finds something only where fewer ways lead to a place, or fewer steps write a register.
 */
export function simplify(program: Program): Program {
  let current = straighten(program);
  for (;;) {
    const before = countWays(current);
    current = straighten(removeUnused(cheapen(current)));
    if (countWays(current) === before) return current;
  }
}

/** Blocks and branches. Each round removes some or is the last. */
function countWays({ blocks }: Program): number {
  let ways = blocks.length;
  for (const { end } of blocks) if (end.kind === "branch") ways++;
  return ways;
}
