/**
 * Owns handing out r0 to r9: what must survive a call gets r6 to r9, the rest r0 to r5, each where it spares a move.
 * Does not own what becomes of those for which none is left (spilling.ts).
 */
import { assert } from "../../base/assert.js";
import type { Register } from "../../bpf/instruction.js";
import { context, readBy, readByEnd, writtenBy } from "../ir.js";
import type { Program, Step, Virtual } from "../ir.js";
import { entryPoint, findLiveness } from "./liveness.js";

export interface Coloring {
  readonly registers: ReadonlyMap<Virtual, Register>;
  /** These must make room, as no register was left for them, or for one that must have one beside them. */
  readonly crowded: readonly Virtual[];
}

/** Colors by greed: first what survives calls, the most used first, then the rest in the order of the program. */
export function color(program: Program, unspillable: ReadonlySet<Virtual>): Coloring {
  const { points, calls } = findLiveness(program);
  const taken = new Map<Register, bigint>(
    allRegisters.map((register) => [register, spoiledByCalls(register, calls)]),
  );
  const wishes = findWishes(program);
  const uses = countUses(program);
  const registers = new Map<Virtual, Register>();
  const failed: Virtual[] = [];
  const weight = (virtual: Virtual): number => {
    if (virtual === context || unspillable.has(virtual)) return Number.POSITIVE_INFINITY;
    return uses.get(virtual)! / bitCount(points.get(virtual)!);
  };
  const give = (virtual: Virtual): void => {
    const needed = points.get(virtual)!;
    const candidates = [
      ...wishes.registersFor(virtual, registers),
      ...((needed & calls) === 0n ? allRegisters : savedRegisters),
    ];
    const found = candidates.find((register) => {
      // Kernel: the context arrives in r1, so that nothing else can be there at the entry.
      const atEntry = virtual !== context && register === 1 ? entryPoint : 0n;
      return ((taken.get(register)! | atEntry) & needed) === 0n;
    });
    if (found === undefined) {
      failed.push(virtual);
      return;
    }
    registers.set(virtual, found);
    taken.set(found, taken.get(found)! | needed);
  };
  const all = [...points.keys()];
  const crossing = all.filter((virtual) => (points.get(virtual)! & calls) !== 0n);
  const local = all.filter((virtual) => (points.get(virtual)! & calls) === 0n);
  crossing.sort((one, other) => weight(other) - weight(one) || one - other);
  local.sort((one, other) => firstPoint(points.get(one)!) - firstPoint(points.get(other)!) || one - other);
  for (const virtual of [...crossing, ...local]) give(virtual);
  const spillable = (virtual: Virtual): boolean => virtual !== context && !unspillable.has(virtual);
  const crowded = failed.filter(spillable);
  if (failed.length === 0 || crowded.length > 0) return { registers, crowded };
  const inTheWay = failed.map((virtual) => {
    const needed = points.get(virtual)!;
    const beside = all.filter((other) => spillable(other) && (points.get(other)! & needed) !== 0n);
    // Why: no step reads and writes more than six values, so that ten registers do once all others are on the stack.
    assert(beside.length > 0, "no register is left for a value on its way to its use");
    return beside.reduce((least, other) => (weight(other) < weight(least) ? other : least));
  });
  return { registers, crowded: [...new Set(inTheWay)] };
}

const savedRegisters: readonly Register[] = [6, 7, 8, 9];
const allRegisters: readonly Register[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

function spoiledByCalls(register: Register, calls: bigint): bigint {
  return register <= 5 ? calls : 0n;
}

interface Wishes {
  /** Registers that would spare a move, best first. */
  registersFor(virtual: Virtual, given: ReadonlyMap<Virtual, Register>): Register[];
}

function findWishes(program: Program): Wishes {
  const fixed = new Map<Virtual, Register>([[context, 1]]);
  const made = new Map<Virtual, Register>();
  const related = new Map<Virtual, Virtual[]>();
  const relate = (one: Virtual, other: Virtual): void => {
    related.set(one, [...(related.get(one) ?? []), other]);
    related.set(other, [...(related.get(other) ?? []), one]);
  };
  // Backwards, so that what a value becomes is known before the value itself.
  for (const step of program.blocks.flatMap((block) => block.steps).reverse()) {
    if (step.kind === "call") {
      step.arguments.forEach((argument, index) => {
        if (typeof argument === "number" && argument !== context)
          fixed.set(argument, (index + 1) as Register);
      });
      if (step.to !== undefined) made.set(step.to, 0);
      continue;
    }
    const [from, to] = [sourceOf(step), writtenBy(step)];
    if (from === undefined || to === undefined) continue;
    relate(from, to);
    const wish = fixed.get(to);
    if (wish !== undefined && !fixed.has(from)) fixed.set(from, wish);
  }
  return {
    registersFor: (virtual, given) =>
      [
        fixed.get(virtual),
        ...(related.get(virtual) ?? []).map((other) => given.get(other)),
        made.get(virtual),
      ].filter((register) => register !== undefined),
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

/** How often each is read or written, seldom reached blocks counting little. */
function countUses(program: Program): ReadonlyMap<Virtual, number> {
  const uses = new Map<Virtual, number>();
  for (const block of program.blocks) {
    const each = block.cold ? 1 : 16;
    const add = (virtual: Virtual): void => {
      uses.set(virtual, (uses.get(virtual) ?? 0) + each);
    };
    for (const step of block.steps) {
      readBy(step).forEach(add);
      const to = writtenBy(step);
      if (to !== undefined) add(to);
    }
    readByEnd(block.end).forEach(add);
  }
  return uses;
}

function bitCount(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

function firstPoint(bits: bigint): number {
  return (bits & -bits).toString(2).length;
}
