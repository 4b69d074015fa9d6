/**
 * Owns computing once what is computed twice, where the first computation is on every way to the second.
 * Does not own memory that changes: user memory is the business of lowering.
 */
import { mapEndOperands, mapOperands, successorsOf, writtenBy } from "../ir.js";
import type { Block, Operand, Program, Step, Virtual } from "../ir.js";
import { findDefinitions, isFixed } from "./definitions.js";
import type { Definitions } from "./definitions.js";

/** Replaces repeated computations by the first one's result. Unreachable blocks must be gone. */
export function number(program: Program): Program {
  const definitions = findDefinitions(program);
  const dominators = findDominators(program);
  const replaced = new Map<Virtual, Virtual>();
  const replace = (operand: Operand): Operand =>
    typeof operand === "number" ? (replaced.get(operand) ?? operand) : operand;
  const blocks: Block[] = [...program.blocks];
  const visit = (index: number, outer: Known): void => {
    const known: Known = new Map(outer);
    const block = program.blocks[index]!;
    let loaded: Known = new Map();
    const steps = block.steps.map((step): Step => {
      const seen = mapOperands(step, replace);
      if (seen.kind === "call" && !seen.stable) loaded = new Map();
      const key = keyOf(seen, definitions);
      const to = writtenBy(seen);
      if (key === undefined || to === undefined) return seen;
      // Why: a saved register is loaded again rather than kept across a call: that costs less than a register of ours.
      const table = seen.kind === "load" ? loaded : known;
      const first = table.get(key);
      if (first !== undefined) {
        replaced.set(to, first);
        return { kind: "copy", to, from: first, span: seen.span };
      }
      if (seen.kind === "call") loaded = new Map();
      table.set(key, to);
      return seen;
    });
    blocks[index] = { ...block, steps, end: mapEndOperands(block.end, replace) };
    dominators.forEach((dominator, child) => {
      if (child !== index && dominator === index) visit(child, known);
    });
  };
  visit(0, new Map());
  return { ...program, blocks };
}

type Known = Map<string, Virtual>;

/** The same text for steps that give the same; undefined where that cannot be said. */
function keyOf(step: Step, definitions: Definitions): string | undefined {
  const fixed = (...operands: Operand[]): boolean =>
    operands.every((operand) => isFixed(operand, definitions));
  switch (step.kind) {
    case "compute": {
      const { to, operation, width, left, right } = step;
      return fixed(to, left, right) ? `${operation} ${width} ${show(left)} ${show(right)}` : undefined;
    }
    case "extend": {
      const { to, from, bits, signed, width } = step;
      return fixed(to, from) ? `extend ${bits} ${signed} ${width} ${show(from)}` : undefined;
    }
    case "load": {
      const { to, base, offset, bytes, stable } = step;
      return stable && typeof base === "number" && fixed(to, base)
        ? `load ${base} ${offset} ${bytes}`
        : undefined;
    }
    case "call":
      return step.stable && step.to !== undefined && fixed(step.to) ? `call ${step.helper}` : undefined;
    default:
      return undefined;
  }
}

function show(operand: Operand): string {
  return typeof operand === "number" ? `v${operand}` : `${operand}`;
}

/** For each block the last block before it that is on every way to it; the first block is its own. */
function findDominators(program: Program): number[] {
  const order = reversePostorder(program);
  const rank = new Map(order.map((block, index) => [block, index]));
  const before = new Map<number, number[]>();
  for (const block of order) {
    for (const next of successorsOf(program.blocks[block]!.end))
      before.set(next, [...(before.get(next) ?? []), block]);
  }
  const dominators: number[] = [];
  dominators[0] = 0;
  const meet = (one: number, other: number): number => {
    let [left, right] = [one, other];
    while (left !== right) {
      if (rank.get(left)! > rank.get(right)!) left = dominators[left]!;
      else right = dominators[right]!;
    }
    return left;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const block of order.slice(1)) {
      const found = before
        .get(block)!
        .filter((candidate) => dominators[candidate] !== undefined)
        .reduce(meet);
      if (dominators[block] !== found) {
        dominators[block] = found;
        changed = true;
      }
    }
  }
  return dominators;
}

function reversePostorder(program: Program): number[] {
  const seen = new Set<number>();
  const order: number[] = [];
  const visit = (block: number): void => {
    if (seen.has(block)) return;
    seen.add(block);
    for (const next of successorsOf(program.blocks[block]!.end)) visit(next);
    order.push(block);
  };
  visit(0);
  return order.reverse();
}
