/**
 * Owns the walk that folds each step, and computes once what is computed twice, where the first is on every way to the second.
 * Does not own how a single step is folded (fold.ts). Memory that changes is the business of lowering.
 */
import { writtenBy } from "../ir.js";
import type { Block, Operand, Program, Step, Virtual } from "../ir.js";
import { findDefinitions, isFixed } from "./definitions.js";
import type { Definitions } from "./definitions.js";
import { findDominated } from "./dominators.js";
import { foldEnd, foldStep } from "./fold.js";

/** Makes steps and branches cheaper, each behind what it is made of. Unreachable blocks must be gone. */
export function cheapen(program: Program): Program {
  const definitions = findDefinitions(program);
  const dominated = findDominated(program);
  const blocks: Block[] = [...program.blocks];
  /** What is known on every way to the block that is visited. */
  const known = new Map<string, Virtual>();
  /** What was loaded in this block, since the last call. */
  const loaded = new Map<string, Virtual>();
  const visit = (index: number): void => {
    const learned: string[] = [];
    const block = program.blocks[index]!;
    loaded.clear();
    const steps = block.steps.map((step): Step => {
      const folded = foldStep(step, definitions);
      if (folded.kind === "exchange" || (folded.kind === "call" && !folded.stable)) loaded.clear();
      const to = writtenBy(folded);
      if (to === undefined || !definitions.has(to)) return folded;
      const key = keyOf(folded, definitions);
      // Why: a saved register is loaded again rather than kept across a call: that costs less than a register of ours.
      const table = folded.kind === "load" ? loaded : known;
      const first = key === undefined ? undefined : table.get(key);
      const cheapest: Step =
        first === undefined ? folded : { kind: "copy", to, from: first, span: folded.span };
      definitions.set(to, cheapest);
      if (key === undefined || first !== undefined) return cheapest;
      if (folded.kind === "call") loaded.clear();
      table.set(key, to);
      if (table === known) learned.push(key);
      return cheapest;
    });
    blocks[index] = {
      name: block.name,
      cold: block.cold,
      steps,
      end: foldEnd(block.end, definitions),
    };
    for (const child of dominated[index]!) visit(child);
    for (const key of learned) known.delete(key);
  };
  visit(0);
  return { ...program, blocks };
}

/** The same text for steps that give the same; undefined where that cannot be said. */
function keyOf(step: Step, definitions: Definitions): string | undefined {
  switch (step.kind) {
    case "compute": {
      const { operation, width, left, right } = step;
      if (!isFixed(left, definitions) || !isFixed(right, definitions)) return undefined;
      return `${operation} ${width} ${show(left)} ${show(right)}`;
    }
    case "extend":
      if (!isFixed(step.from, definitions)) return undefined;
      return `extend ${step.bits} ${step.signed} ${step.width} ${show(step.from)}`;
    case "load":
      if (!step.stable || typeof step.base !== "number" || !isFixed(step.base, definitions)) return undefined;
      return `load ${step.base} ${step.offset} ${step.bytes}`;
    case "call":
      return step.stable ? `call ${step.helper}` : undefined;
    default:
      return undefined;
  }
}

function show(operand: Operand): string {
  return typeof operand === "number" ? `v${operand}` : `${operand}`;
}
