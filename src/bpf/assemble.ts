/**
 * Owns turning lines with labels into instructions with distances, each with its place in the probe's text.
 * Does not own the bytes, which are encode.ts.
 */
import { assert } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import type { Label, Line } from "./build.js";
import type { Instruction } from "./instruction.js";
import { lddw } from "./opcodes.js";

export interface Assembly {
  readonly instructions: readonly Instruction[];
  /** For each instruction the part of the probe's text that it stands for. */
  readonly places: readonly (Span | undefined)[];
}

/** Resolves all labels. Throws an InternalError when a label is missing, placed twice or too far away. */
export function assemble(lines: readonly Line[]): Assembly {
  const slots = placeLabels(lines);
  const instructions: Instruction[] = [];
  const places: (Span | undefined)[] = [];
  let slot = 0;
  for (const line of lines) {
    if ("kind" in line) continue;
    const { target, place, ...instruction } = line;
    instructions.push(
      target === undefined ? instruction : { ...instruction, offset: distance(slot, target, slots) },
    );
    places.push(place);
    slot += slotsOf(line);
  }
  return { instructions, places };
}

/** How many slots of 8 bytes an instruction takes. Jumps and the verifier's log count in slots. */
export function slotsOf(instruction: Instruction): 1 | 2 {
  return instruction.opcode === lddw ? 2 : 1;
}

function placeLabels(lines: readonly Line[]): Map<Label, number> {
  const slots = new Map<Label, number>();
  let slot = 0;
  for (const line of lines) {
    if (!("kind" in line)) slot += slotsOf(line);
    else {
      assert(!slots.has(line), `the label "${line.name}" is placed twice`);
      slots.set(line, slot);
    }
  }
  return slots;
}

/** Spec: a jump counts slots from the instruction behind it, in signed 16 bits. */
function distance(from: number, target: Label, slots: ReadonlyMap<Label, number>): number {
  const slot = slots.get(target);
  assert(slot !== undefined, `the label "${target.name}" is jumped to and placed nowhere`);
  const slotsAway = slot - (from + 1);
  assert(
    slotsAway >= -0x8000 && slotsAway <= 0x7fff,
    `the label "${target.name}" is ${slotsAway} slots away`,
  );
  return slotsAway;
}
