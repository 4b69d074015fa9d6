/**
 * Owns which block is on every way to which other.
 * Does not own what follows from it (cheapen.ts).
 */
import { successorsOf } from "../ir.js";
import type { Program } from "../ir.js";

/** For each block those for which it is the last that is on every way to them. Unreachable blocks must be gone. */
export function findDominated(program: Program): readonly (readonly number[])[] {
  const order = reversePostorder(program);
  const rank: number[] = [];
  order.forEach((block, index) => (rank[block] = index));
  const before: number[][] = program.blocks.map(() => []);
  for (const block of order) {
    for (const next of successorsOf(program.blocks[block]!.end)) before[next]!.push(block);
  }
  const dominators: number[] = [0];
  const meet = (one: number, other: number): number => {
    let left = one;
    let right = other;
    while (left !== right) {
      if (rank[left]! > rank[right]!) left = dominators[left]!;
      else right = dominators[right]!;
    }
    return left;
  };
  for (let again = true; again;) {
    again = false;
    for (const block of order) {
      if (block === 0) continue;
      let found: number | undefined;
      for (const one of before[block]!) {
        // Why: only where a way leads back can the first answer be wrong.
        if (dominators[one] === undefined) again = true;
        else found = found === undefined ? one : meet(found, one);
      }
      if (dominators[block] === found) continue;
      if (dominators[block] !== undefined) again = true;
      dominators[block] = found!;
    }
  }
  const dominated: number[][] = program.blocks.map(() => []);
  for (let block = 1; block < dominators.length; block++) dominated[dominators[block]!]!.push(block);
  return dominated;
}

function reversePostorder({ blocks }: Program): number[] {
  const seen: boolean[] = [];
  const order: number[] = [];
  const visit = (block: number): void => {
    seen[block] = true;
    for (const next of successorsOf(blocks[block]!.end)) if (seen[next] !== true) visit(next);
    order.push(block);
  };
  visit(0);
  return order.reverse();
}
