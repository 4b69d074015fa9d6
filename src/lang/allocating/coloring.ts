/**
 * Owns handing out r0 to r9: what must survive a call gets r6 to r9, the rest r0 to r5, each where it spares a move.
 * Does not own what becomes of those for which none is left (spilling.ts).
 */
import { assert } from "../../base/assert.js";
import type { Register } from "../../bpf/instruction.js";
import { context, writtenBy } from "../ir.js";
import type { Program, Step, Virtual } from "../ir.js";
import { findLiveness } from "./liveness.js";

export interface Coloring {
  readonly registers: ReadonlyMap<Virtual, Register>;
  /** These must make room, as no register was left for them, or for one that must have one beside them. */
  readonly crowded: readonly Virtual[];
}

/** Colors by greed: first what survives calls, the most used first, then the rest in the order of the program. */
export function color(program: Program, unspillable: ReadonlySet<Virtual>): Coloring {
  const { lives, calls } = findLiveness(program);
  const taken = allRegisters.map((register) => (register <= 5 ? calls : 0n));
  const wishes = findWishes(program);
  const registers = new Map<Virtual, Register>();
  const failed: Virtual[] = [];
  const weight = (virtual: Virtual): number => {
    if (virtual === context || unspillable.has(virtual)) return Number.POSITIVE_INFINITY;
    const { uses, count } = lives.get(virtual)!;
    return uses / count;
  };
  const give = (virtual: Virtual, candidates: readonly Register[]): void => {
    const { points } = lives.get(virtual)!;
    const isFree = (register: Register): boolean => (taken[register]! & points) === 0n;
    const found = wishes.find(virtual, registers, isFree) ?? candidates.find(isFree);
    if (found === undefined) {
      failed.push(virtual);
      return;
    }
    registers.set(virtual, found);
    taken[found]! |= points;
  };
  const crossing: Ranked[] = [];
  const local: Ranked[] = [];
  for (const [virtual, { points, first }] of lives) {
    if ((points & calls) === 0n) local.push({ virtual, rank: first });
    else crossing.push({ virtual, rank: -weight(virtual) });
  }
  for (const { virtual } of crossing.sort(byRank)) give(virtual, savedRegisters);
  for (const { virtual } of local.sort(byRank)) give(virtual, allRegisters);
  const spillable = (virtual: Virtual): boolean => virtual !== context && !unspillable.has(virtual);
  const crowded = failed.filter(spillable);
  if (failed.length === 0 || crowded.length > 0) return { registers, crowded };
  const inTheWay = failed.map((virtual) => {
    const needed = lives.get(virtual)!.points;
    const beside = [...lives.keys()].filter(
      (other) => spillable(other) && (lives.get(other)!.points & needed) !== 0n,
    );
    // Why: no step reads and writes more than six values, so that ten registers do once all others are on the stack.
    assert(beside.length > 0, "no register is left for a value on its way to its use");
    return beside.reduce((least, other) => (weight(other) < weight(least) ? other : least));
  });
  return { registers, crowded: [...new Set(inTheWay)] };
}

const savedRegisters: readonly Register[] = [6, 7, 8, 9];
const allRegisters: readonly Register[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

interface Ranked {
  readonly virtual: Virtual;
  readonly rank: number;
}

function byRank(one: Ranked, other: Ranked): number {
  return one.rank === other.rank ? one.virtual - other.virtual : one.rank - other.rank;
}

interface Wishes {
  /** The best register that would spare a move, among those that are free. */
  find(
    virtual: Virtual,
    given: ReadonlyMap<Virtual, Register>,
    isFree: (register: Register) => boolean,
  ): Register | undefined;
}

function findWishes({ blocks }: Program): Wishes {
  const fixed = new Map<Virtual, Register>([[context, 1]]);
  const made = new Set<Virtual>();
  const related = new Map<Virtual, Virtual[]>();
  const relate = (one: Virtual, other: Virtual): void => {
    const known = related.get(one);
    if (known === undefined) related.set(one, [other]);
    else known.push(other);
  };
  const wish = (step: Step): void => {
    if (step.kind === "call") {
      step.arguments.forEach((argument, index) => {
        if (typeof argument === "number" && argument !== context)
          fixed.set(argument, (index + 1) as Register);
      });
      if (step.to !== undefined) made.add(step.to);
      return;
    }
    const from = sourceOf(step);
    const to = writtenBy(step);
    if (from === undefined || to === undefined) return;
    relate(from, to);
    relate(to, from);
    const next = fixed.get(to);
    if (next !== undefined && !fixed.has(from)) fixed.set(from, next);
  };
  // Backwards, so that what a value becomes is known before the value itself.
  for (let block = blocks.length - 1; block >= 0; block--) {
    const { steps } = blocks[block]!;
    for (let index = steps.length - 1; index >= 0; index--) wish(steps[index]!);
  }
  return {
    find: (virtual, given, isFree) => {
      const first = fixed.get(virtual);
      if (first !== undefined && isFree(first)) return first;
      for (const other of related.get(virtual) ?? []) {
        const register = given.get(other);
        if (register !== undefined && isFree(register)) return register;
      }
      return made.has(virtual) && isFree(0) ? 0 : undefined;
    },
  };
}

/** The register that a step would best write over. */
function sourceOf(step: Step): Virtual | undefined {
  const operand =
    step.kind === "copy" || step.kind === "extend"
      ? step.from
      : step.kind === "compute"
        ? step.left
        : undefined;
  return typeof operand === "number" && operand !== context ? operand : undefined;
}
