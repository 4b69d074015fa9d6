/**
 * Owns the fifth pass: a machine register for every virtual one, a place on the stack for every buffer. Its parts stand in allocating/.
 * Does not own instructions (6-emit).
 */
import type { Register } from "../../bpf/instruction.js";
import { color } from "../allocating/coloring.js";
import { prepare } from "../allocating/prepare.js";
import { spill } from "../allocating/spilling.js";
import type { Program, Step, Virtual } from "../ir.js";

export interface Allocated {
  readonly program: Program;
  readonly registers: ReadonlyMap<Virtual, Register>;
  /** For each buffer its offset from the frame pointer, negative; undefined for those that are not used. */
  readonly frame: readonly (number | undefined)[];
  /** All of the stack that it takes. */
  readonly stackBytes: number;
}

/** Hands out registers; what finds none goes to the stack, until all is placed. */
export function allocate(program: Program): Allocated {
  let current = prepare(program);
  const unspillable = new Set<Virtual>();
  for (;;) {
    const { registers, crowded } = color(current, unspillable);
    if (crowded.length === 0) return { program: current, registers, ...placeSlots(current) };
    // Why: each round takes from those that can still be spilled and adds none, so that the rounds end.
    const spilled = spill(current, crowded);
    for (const carrier of spilled.carriers) unspillable.add(carrier);
    current = spilled.program;
  }
}

function placeSlots({ blocks, slots }: Program): Pick<Allocated, "frame" | "stackBytes"> {
  const used = new Set(blocks.flatMap((block) => block.steps.flatMap(slotsOf)));
  let depth = 0;
  const frame = slots.map((bytes, slot) => {
    if (!used.has(slot)) return undefined;
    depth += Math.ceil(bytes / 8) * 8;
    return -depth;
  });
  return { frame, stackBytes: depth };
}

function slotsOf(step: Step): number[] {
  switch (step.kind) {
    case "load":
    case "store":
    case "add":
      return typeof step.base === "number" ? [] : [step.base.slot];
    case "call":
      return step.arguments.flatMap((argument) =>
        typeof argument === "object" && "address" in argument && typeof argument.address !== "number"
          ? [argument.address.slot]
          : [],
      );
    case "copy":
    case "compute":
    case "extend":
    case "exchange":
      return [];
  }
}
