/**
 * Owns the fourth pass: the same program with less to do. Its parts stand in simplifying/.
 * Does not own anything about machine registers (5-allocate).
 */
import type { Program } from "../ir.js";
import { straighten } from "../simplifying/flow.js";
import { fold } from "../simplifying/fold.js";
import { number } from "../simplifying/numbering.js";
import { removeUnused } from "../simplifying/unused.js";

/** Simplifies until nothing changes any more. */
export function simplify(program: Program): Program {
  let current = straighten(program);
  let before = "";
  // Why: each round only removes or cheapens; the bound stands against a fault of ours that would turn in circles.
  for (let round = 0; round < 20; round++) {
    current = removeUnused(straighten(number(fold(current))));
    const after = fingerprint(current);
    if (after === before) break;
    before = after;
  }
  return straighten(current);
}

function fingerprint(program: Program): string {
  return JSON.stringify(program.blocks, (key, value: unknown) => {
    if (key === "span") return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
}
