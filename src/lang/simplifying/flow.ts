/**
 * Owns the blocks as a whole: which are reached, which can be joined, in which order they stand.
 * Does not own the steps in them.
 */
import { successorsOf } from "../ir.js";
import type { Block, End, Program } from "../ir.js";

/** Leaves out blocks that only jump on, and joins blocks that follow each other alone. Blocks that are not reached are dropped. */
export function straighten(program: Program): Program {
  const blocks = redirectAll(program.blocks, (target) => throughEmpty(program, target));
  const entries = countEntries(blocks);
  for (let index = 0; index < blocks.length; index++) {
    if (entries[index]! > 0) blocks[index] = joinFollowing(blocks, index, entries);
  }
  return order({ ...program, blocks });
}

/** The block with all that follow it alone; these are entered no more. */
function joinFollowing(blocks: readonly Block[], index: number, entries: number[]): Block {
  const first = blocks[index]!;
  const steps = [...first.steps];
  let { end } = first;
  while (end.kind === "jump" && entries[end.to] === 1) {
    const following = blocks[end.to]!;
    if (following.cold && !first.cold) break;
    steps.push(...following.steps);
    entries[end.to] = 0;
    end = following.end;
  }
  return end === first.end ? first : { ...first, steps, end };
}

/** Follows blocks without steps to where they lead. */
function throughEmpty({ blocks }: Program, start: number): number {
  let target = start;
  // Why so often at most: a circle of empty blocks leads nowhere.
  for (let hops = 0; hops < blocks.length; hops++) {
    const { steps, end } = blocks[target]!;
    if (steps.length > 0 || end.kind !== "jump") return target;
    target = end.to;
  }
  return start;
}

function redirectAll(blocks: readonly Block[], change: (target: number) => number): Block[] {
  return blocks.map((block) => {
    const end = redirect(block.end, change);
    return end === block.end ? block : { ...block, end };
  });
}

/** The same end with other blocks; itself where they stay, as most do. */
function redirect(end: End, change: (target: number) => number): End {
  switch (end.kind) {
    case "jump": {
      const to = change(end.to);
      return to === end.to ? end : { ...end, to };
    }
    case "branch": {
      const whenTrue = change(end.whenTrue);
      const whenFalse = change(end.whenFalse);
      return whenTrue === end.whenTrue && whenFalse === end.whenFalse ? end : { ...end, whenTrue, whenFalse };
    }
    case "exit":
      return end;
  }
}

/** How many ways lead to each block, from those that are reached and, to the first one, from outside. */
function countEntries(blocks: readonly Block[]): number[] {
  const entries = blocks.map(() => 0);
  const visit = (index: number): void => {
    if (entries[index]!++ > 0) return;
    for (const next of successorsOf(blocks[index]!.end)) visit(next);
  };
  visit(0);
  return entries;
}

/** Puts reached blocks so that the longest way runs straight on, the seldom reached ones last. Drops the others. */
function order(program: Program): Program {
  const { blocks } = program;
  const length = wayLengths(blocks);
  const placed: Block[] = [];
  const renamed: number[] = [];
  const waiting: number[] = [0];
  const cold: number[] = [];
  const place = (start: number): void => {
    for (let index: number | undefined = start; index !== undefined;) {
      if (renamed[index] !== undefined) return;
      const block: Block = blocks[index]!;
      renamed[index] = placed.push(block) - 1;
      const often: number[] = [];
      for (const next of successorsOf(block.end)) {
        if (renamed[next] !== undefined) continue;
        if (blocks[next]!.cold) cold.push(next);
        if (!blocks[next]!.cold || blocks[start]!.cold) often.push(next);
      }
      if (often.length > 1) {
        const isSecondLonger: boolean = length[often[1]!]! > length[often[0]!]!;
        waiting.push(isSecondLonger ? often.shift()! : often.pop()!);
      }
      index = often[0];
    }
  };
  while (waiting.length > 0 || cold.length > 0) place(waiting.pop() ?? cold.shift()!);
  return { ...program, blocks: redirectAll(placed, (target) => renamed[target]!) };
}

/** The number of blocks on the longest way to the exit, loops counted once. */
function wayLengths(blocks: readonly Block[]): number[] {
  const lengths: number[] = [];
  const visit = (index: number): void => {
    // A way that leads back here while this is open adds nothing.
    lengths[index] = 0;
    let longest = 0;
    for (const next of successorsOf(blocks[index]!.end)) {
      if (lengths[next] === undefined) visit(next);
      longest = Math.max(longest, lengths[next]!);
    }
    lengths[index] = 1 + longest;
  };
  visit(0);
  return lengths;
}
