/**
 * Owns turning lines with labels into instructions with distances, each with its place in the probe's text.
 * Does not own the bytes, which are encode.ts.
 */
import { assert } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import type { Jump, Label, Line } from "./build.js";
import type { Instruction } from "./instruction.js";
import { lddw } from "./opcodes.js";

export interface Assembly {
  readonly instructions: readonly Instruction[];
  /** For each instruction the part of the probe's text that it stands for. */
  readonly places: readonly (Span | undefined)[];
}

/** Resolves all labels. Throws an InternalError when a label is missing, placed twice or too far away. */
export function assemble(lines: readonly Line[]): Assembly {
  const instructions: Instruction[] = [];
  const places: (Span | undefined)[] = [];
  const slots = new Map<Label, number>();
  const jumps: { readonly jump: Jump; readonly index: number; readonly slot: number }[] = [];
  let slot = 0;
  let place: Span | undefined;
  for (const line of lines) {
    if ("kind" in line) {
      if (line.kind === "place") {
        place = line.span;
        continue;
      }
      assert(!slots.has(line), `the label "${line.name}" is placed twice`);
      slots.set(line, slot);
      continue;
    }
    if ("target" in line) jumps.push({ jump: line, index: instructions.length, slot });
    instructions.push(line);
    places.push(place);
    slot += slotsOf(line);
  }
  for (const { jump, index, slot } of jumps) {
    const { opcode, dst, src, imm, target } = jump;
    instructions[index] = { opcode, dst, src, offset: distance(slot, target, slots), imm };
  }
  return { instructions, places };
}

/** How many slots of 8 bytes an instruction takes. Jumps and the verifier's log count in slots. */
export function slotsOf(instruction: Instruction): 1 | 2 {
  return instruction.opcode === lddw ? 2 : 1;
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
