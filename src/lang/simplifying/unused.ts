/**
 * Owns leaving out steps whose results nobody reads.
 * Does not own finding out that a result is not needed in part (fold.ts).
 */
import { readBy, readByEnd, writtenBy } from "../ir.js";
import type { Program, Step, Virtual } from "../ir.js";

/** Removes steps without effect whose results are read nowhere. */
export function removeUnused(program: Program): Program {
  const used = findUsed(program);
  const blocks = program.blocks.map((block) => ({
    ...block,
    steps: block.steps.filter((step) => hasEffect(step) || used.has(writtenBy(step)!)),
  }));
  return { ...program, blocks };
}

/** What is read by steps that have an effect, directly or through others. */
function findUsed(program: Program): ReadonlySet<Virtual> {
  const steps = program.blocks.flatMap((block) => block.steps);
  const writers = new Map<Virtual, Step[]>();
  for (const step of steps) {
    const to = writtenBy(step);
    if (to !== undefined) writers.set(to, [...(writers.get(to) ?? []), step]);
  }
  const used = new Set<Virtual>();
  const waiting = [
    ...steps.filter(hasEffect).flatMap(readBy),
    ...program.blocks.flatMap((block) => readByEnd(block.end)),
  ];
  for (let register = waiting.pop(); register !== undefined; register = waiting.pop()) {
    if (used.has(register)) continue;
    used.add(register);
    waiting.push(...(writers.get(register) ?? []).flatMap(readBy));
  }
  return used;
}

function hasEffect(step: Step): boolean {
  return step.kind === "store" || step.kind === "add" || (step.kind === "call" && !step.stable);
}
