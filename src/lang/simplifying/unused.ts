/**
 * Owns leaving out steps whose results nobody reads.
 * Does not own finding out that a result is not needed in part (fold.ts).
 */
import { eachRead, eachReadByEnd, writtenBy } from "../ir.js";
import type { Program, Step, Virtual } from "../ir.js";

/** Removes steps without effect whose results are read nowhere. */
export function removeUnused(program: Program): Program {
  const used = findUsed(program);
  const isNeeded = (step: Step): boolean => hasEffect(step) || used.has(writtenBy(step)!);
  const blocks = program.blocks.map((block) =>
    block.steps.every(isNeeded) ? block : { ...block, steps: block.steps.filter(isNeeded) },
  );
  return { ...program, blocks };
}

/** What is read by steps that have an effect, directly or through others. */
function findUsed({ blocks }: Program): ReadonlySet<Virtual> {
  const writers = new Map<Virtual, Step[]>();
  const used = new Set<Virtual>();
  const waiting: Virtual[] = [];
  const use = (register: Virtual): void => {
    if (used.has(register)) return;
    used.add(register);
    waiting.push(register);
  };
  for (const { steps, end } of blocks) {
    for (const step of steps) {
      if (hasEffect(step)) {
        eachRead(step, use);
        continue;
      }
      const to = writtenBy(step)!;
      const known = writers.get(to);
      if (known === undefined) writers.set(to, [step]);
      else known.push(step);
    }
    eachReadByEnd(end, use);
  }
  for (let register = waiting.pop(); register !== undefined; register = waiting.pop()) {
    const steps = writers.get(register);
    if (steps !== undefined) for (const step of steps) eachRead(step, use);
  }
  return used;
}

function hasEffect(step: Step): boolean {
  if (step.kind === "store" || step.kind === "add" || step.kind === "exchange") return true;
  return step.kind === "call" && !step.stable;
}
