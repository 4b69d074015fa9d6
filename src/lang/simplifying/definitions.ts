/**
 * Owns the question what a virtual register holds, for those that are written exactly once.
 * Does not own using the answer.
 */
import type { Operand, Program, Step, Virtual } from "../ir.js";
import { context, writtenBy } from "../ir.js";

/** The one step that writes a value; variables and the context have none. */
export type Definitions = ReadonlyMap<Virtual, Step>;

export function findDefinitions(program: Program): Map<Virtual, Step> {
  const found = new Map<Virtual, Step>();
  const variables = new Set<Virtual>();
  for (const block of program.blocks) {
    for (const step of block.steps) {
      const to = writtenBy(step);
      if (to === undefined) continue;
      if (found.has(to)) variables.add(to);
      found.set(to, step);
    }
  }
  for (const variable of variables) found.delete(variable);
  return found;
}

/** Says whether this operand is the same wherever it can be used. */
export function isFixed(operand: Operand, definitions: Definitions): boolean {
  return typeof operand === "bigint" || operand === context || definitions.has(operand);
}

/** How many low bits can be other than zero. */
export function significantBits(operand: Operand, definitions: Definitions): number {
  if (typeof operand === "bigint") return operand < 0n ? 64 : operand.toString(2).length;
  const step = definitions.get(operand);
  switch (step?.kind) {
    case "load":
      return step.bytes * 8;
    case "extend":
      return step.signed ? step.width : step.bits;
    case "compute":
      return significantOfCompute(step, definitions);
    default:
      return 64;
  }
}

function significantOfCompute(step: Extract<Step, { kind: "compute" }>, definitions: Definitions): number {
  const { operation, width, left, right } = step;
  if (operation === "and") {
    const sides = [left, right].map((side) => significantBits(side, definitions));
    return Math.min(width, ...sides);
  }
  if (operation === "rsh" && typeof right === "bigint") {
    return Math.max(1, Math.min(width, significantBits(left, definitions)) - Number(right));
  }
  return width;
}
