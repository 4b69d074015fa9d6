/**
 * Owns the blocks as a whole: which are reached, which can be joined, in which order they stand.
 * Does not own the steps in them.
 */
import { successorsOf } from "../ir.js";
import type { Block, End, Program } from "../ir.js";

/** Leaves out blocks that only jump on, and joins blocks that follow each other alone. Blocks that are not reached become empty. */
export function straighten(program: Program): Program {
  const threaded = program.blocks.map((block) => ({
    ...block,
    end: redirect(block.end, (target) => throughEmpty(program, target)),
  }));
  const entered = countEntries(threaded);
  const blocks: Block[] = [...threaded];
  const gone = new Set<number>();
  threaded.forEach((_, index) => {
    if (gone.has(index)) return;
    for (;;) {
      const block = blocks[index]!;
      const next = block.end.kind === "jump" ? block.end.to : undefined;
      if (next === undefined || next === index || next === 0 || entered[next] !== 1) return;
      const following = blocks[next]!;
      if (following.cold && !block.cold) return;
      blocks[index] = { ...block, steps: [...block.steps, ...following.steps], end: following.end };
      gone.add(next);
    }
  });
  return order({ ...program, blocks });
}

/** Follows blocks without steps to where they lead. */
function throughEmpty(program: Program, start: number): number {
  const seen = new Set<number>();
  let target = start;
  for (;;) {
    const block = program.blocks[target]!;
    if (block.steps.length > 0 || block.end.kind !== "jump" || seen.has(target)) return target;
    seen.add(target);
    target = block.end.to;
  }
}

function redirect(end: End, change: (target: number) => number): End {
  switch (end.kind) {
    case "jump":
      return { ...end, to: change(end.to) };
    case "branch":
      return { ...end, whenTrue: change(end.whenTrue), whenFalse: change(end.whenFalse) };
    case "exit":
      return end;
  }
}

function countEntries(blocks: readonly Block[]): number[] {
  const entries = blocks.map(() => 0);
  const reached = new Set<number>();
  const visit = (index: number): void => {
    if (reached.has(index)) return;
    reached.add(index);
    for (const next of successorsOf(blocks[index]!.end)) {
      entries[next]!++;
      visit(next);
    }
  };
  visit(0);
  return entries;
}

/** Puts reached blocks so that the longest way runs straight on, the seldom reached ones last. Drops the others. */
function order(program: Program): Program {
  const { blocks } = program;
  const length = wayLengths(blocks);
  const placed: number[] = [];
  const waiting: number[] = [0];
  const cold: number[] = [];
  const seen = new Set<number>();
  const place = (start: number): void => {
    for (let index: number | undefined = start; index !== undefined;) {
      if (seen.has(index)) return;
      seen.add(index);
      placed.push(index);
      const next: number[] = successorsOf(blocks[index]!.end).filter((candidate) => !seen.has(candidate));
      cold.push(...next.filter((candidate) => blocks[candidate]!.cold));
      const often = next.filter((candidate) => !blocks[candidate]!.cold || blocks[start]!.cold);
      often.sort((one, other) => length[other]! - length[one]!);
      waiting.push(...often.slice(1).reverse());
      index = often[0];
    }
  };
  while (waiting.length > 0 || cold.length > 0) place(waiting.pop() ?? cold.shift()!);
  const renamed = new Map(placed.map((old, index) => [old, index]));
  return {
    ...program,
    blocks: placed.map((old) => ({
      ...blocks[old]!,
      end: redirect(blocks[old]!.end, (target) => renamed.get(target)!),
    })),
  };
}

/** The number of blocks on the longest way to the exit, loops counted once. */
function wayLengths(blocks: readonly Block[]): number[] {
  const lengths: number[] = [];
  const open = new Set<number>();
  const visit = (index: number): number => {
    const known = lengths[index];
    if (known !== undefined) return known;
    if (open.has(index)) return 0;
    open.add(index);
    const length = 1 + Math.max(0, ...successorsOf(blocks[index]!.end).map(visit));
    lengths[index] = length;
    return length;
  };
  visit(0);
  return lengths;
}
