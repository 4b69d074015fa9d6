/**
 * Owns when each virtual register is needed: the points of the program at which its value must be kept, and how often it is used.
 * Does not own who gets which machine register (coloring.ts).
 *
 * Blocks are taken in their order; each step and each end has three points: it reads at the first, a call spoils r0 to r5 at the
 * second, it writes at the third. A set of points is a bigint, one bit a point.
 */
import { eachRead, eachReadByEnd, spoilsRegisters, successorsOf, writtenBy } from "../ir.js";
import type { Program, Step, Virtual } from "../ir.js";

export interface Liveness {
  /** For each virtual register that occurs. */
  readonly lives: ReadonlyMap<Virtual, Life>;
  /** The points at which calls spoil r0 to r5. */
  readonly calls: bigint;
}

/** When one virtual register is needed. */
export interface Life {
  readonly points: bigint;
  readonly first: number;
  /** How many points there are. */
  readonly count: number;
  /** How often it is read or written, seldom reached blocks counting little. */
  readonly uses: number;
}

const pointsPerStep = 3;

/** Finds the points of all virtual registers, from the last back to the entry. */
export function findLiveness(program: Program): Liveness {
  const { blocks } = program;
  const after = liveAfterBlocks(program);
  const lives = new Map<Virtual, Life>();
  const uses = new Map<Virtual, number>();
  /** What is needed at the point that was visited last, up to which point. */
  const open = new Map<Virtual, number>();
  let calls = 0n;
  let at = blocks.reduce((sum, { steps }) => sum + (steps.length + 1) * pointsPerStep, 0);
  let weight = 0;
  const need = (register: Virtual, end: number): void => {
    if (!open.has(register)) open.set(register, end);
  };
  const use = (register: Virtual): void => {
    uses.set(register, (uses.get(register) ?? 0) + weight);
  };
  const read = (register: Virtual): void => {
    need(register, at + 1);
    use(register);
  };
  const close = (register: Virtual, first: number): void => {
    const count = open.get(register)! - first;
    open.delete(register);
    const points = ((1n << BigInt(count)) - 1n) << BigInt(first);
    const later = lives.get(register);
    lives.set(register, {
      points: later === undefined ? points : points | later.points,
      first,
      count: later === undefined ? count : count + later.count,
      uses: uses.get(register) ?? 0,
    });
  };
  for (let index = blocks.length - 1; index >= 0; index--) {
    const { steps, end, cold } = blocks[index]!;
    const wanted = after[index]!;
    for (const register of open.keys()) if (!wanted.has(register)) close(register, at);
    for (const register of wanted) if (!open.has(register)) open.set(register, at);
    at -= pointsPerStep;
    weight = cold ? 1 : 16;
    eachReadByEnd(end, read);
    for (let position = steps.length - 1; position >= 0; position--) {
      const step = steps[position]!;
      at -= pointsPerStep;
      const to = writtenBy(step);
      if (to !== undefined) {
        need(to, at + 3);
        use(to);
        close(to, at + 2);
      }
      const held = heldThrough(step);
      if (held !== undefined) need(held, held === to ? at + 2 : at + 3);
      eachRead(step, read);
      if (spoilsRegisters(step)) calls |= 1n << BigInt(at + 1);
    }
  }
  for (const register of open.keys()) close(register, at);
  return { lives, calls };
}

/**
 * What must survive a step's own writing. Spec: eBPF computes `dst = dst OP src`, so that the left operand is moved to dst first:
 * the right one must lie elsewhere unless the two can be exchanged.
 */
function heldThrough(step: Step): Virtual | undefined {
  if (step.kind !== "compute" || typeof step.right !== "number" || step.left === step.right) return undefined;
  const exchangeable =
    ["add", "mul", "and", "or", "xor"].includes(step.operation) && typeof step.left === "number";
  return exchangeable ? undefined : step.right;
}

/** Follows each register from where a block reads what others wrote, back along all ways. */
function liveAfterBlocks({ blocks }: Program): readonly ReadonlySet<Virtual>[] {
  const after = blocks.map(() => new Set<Virtual>());
  const written = blocks.map(() => new Set<Virtual>());
  const before: number[][] = blocks.map(() => []);
  const readFirst: { readonly register: Virtual; readonly block: number }[] = [];
  blocks.forEach(({ steps, end }, block) => {
    const own = written[block]!;
    const read = (register: Virtual): void => {
      if (!own.has(register)) readFirst.push({ register, block });
    };
    for (const step of steps) {
      eachRead(step, read);
      const to = writtenBy(step);
      if (to !== undefined) own.add(to);
    }
    eachReadByEnd(end, read);
    for (const next of successorsOf(end)) before[next]!.push(block);
  });
  for (const { register, block } of readFirst) {
    const waiting = [block];
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      for (const one of before[index]!) {
        if (after[one]!.has(register)) continue;
        after[one]!.add(register);
        if (!written[one]!.has(register)) waiting.push(one);
      }
    }
  }
  return after;
}
