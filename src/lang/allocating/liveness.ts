/**
 * Owns when each virtual register is needed: the set of points of the program at which its value must be kept.
 * Does not own who gets which machine register (coloring.ts).
 *
 * Blocks are taken in their order; each step and each end has three points: it reads at the first, a call spoils r0 to r5 at the
 * second, it writes at the third. A set of points is a bigint, one bit a point.
 */
import { context, readBy, readByEnd, successorsOf, writtenBy } from "../ir.js";
import type { Block, Program, Step, Virtual } from "../ir.js";

export interface Liveness {
  /** For each virtual register that occurs, the points at which it is needed. */
  readonly points: ReadonlyMap<Virtual, bigint>;
  /** The points at which calls spoil r0 to r5. */
  readonly calls: bigint;
}

const pointsPerStep = 3;

/** Bit 0 stands for the entry, where the context lies in r1. */
export const entryPoint = 1n;

/** Finds the points of all virtual registers. */
export function findLiveness(program: Program): Liveness {
  const after = liveAfterBlocks(program);
  const points = new Map<Virtual, bigint>();
  const add = (register: Virtual, bits: bigint): void => {
    points.set(register, (points.get(register) ?? 0n) | bits);
  };
  let calls = 0n;
  let at = 1;
  program.blocks.forEach((block, index) => {
    const live = new Set(after[index]);
    const end = at + block.steps.length * pointsPerStep;
    for (const register of live) add(register, 0b111n << BigInt(end));
    for (const register of readByEnd(block.end)) {
      live.add(register);
      add(register, 1n << BigInt(end));
    }
    for (let position = block.steps.length - 1; position >= 0; position--) {
      const step = block.steps[position]!;
      const shift = BigInt(at + position * pointsPerStep);
      const to = writtenBy(step);
      if (to !== undefined) live.delete(to);
      for (const register of live) add(register, 0b111n << shift);
      if (to !== undefined) add(to, 0b100n << shift);
      for (const register of readBy(step)) add(register, 1n << shift);
      for (const register of heldThrough(step)) add(register, 0b111n << shift);
      for (const register of readBy(step)) live.add(register);
      if (step.kind === "call") calls |= 0b010n << shift;
    }
    at = end + pointsPerStep;
  });
  if (points.has(context)) add(context, entryPoint);
  return { points, calls };
}

/**
 * What must survive a step's own writing. Spec: eBPF computes `dst = dst OP src`, so that the left operand is moved to dst first:
 * the right one must lie elsewhere unless the two can be exchanged.
 */
function heldThrough(step: Step): Virtual[] {
  if (step.kind !== "compute" || typeof step.right !== "number" || step.left === step.right) return [];
  const exchangeable =
    ["add", "mul", "and", "or", "xor"].includes(step.operation) && typeof step.left === "number";
  return exchangeable ? [] : [step.right];
}

function liveAfterBlocks(program: Program): readonly ReadonlySet<Virtual>[] {
  const after = program.blocks.map(() => new Set<Virtual>());
  const before = program.blocks.map(() => new Set<Virtual>());
  for (let changed = true; changed;) {
    changed = false;
    for (let index = program.blocks.length - 1; index >= 0; index--) {
      const block = program.blocks[index]!;
      for (const next of successorsOf(block.end))
        for (const register of before[next]!) after[index]!.add(register);
      const live = liveBefore(block, after[index]!);
      if (live.size !== before[index]!.size) {
        before[index] = live;
        changed = true;
      }
    }
  }
  return after;
}

function liveBefore(block: Block, after: ReadonlySet<Virtual>): Set<Virtual> {
  const live = new Set(after);
  for (const register of readByEnd(block.end)) live.add(register);
  for (const step of block.steps.toReversed()) {
    const to = writtenBy(step);
    if (to !== undefined) live.delete(to);
    for (const register of readBy(step)) live.add(register);
  }
  return live;
}
