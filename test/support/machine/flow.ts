/**
 * Owns what the verifier asks of a program's shape before it looks at values.
 * Does not own running it.
 */
import { slotsOf } from "../../../src/bpf/assemble.js";
import type { Instruction } from "../../../src/bpf/instruction.js";
import { findRow } from "../../../src/bpf/opcodes.js";
import { refuse } from "./memory.js";

/** Instructions by slot; the second slot of a 64-bit constant is undefined. */
export type Slots = readonly (Instruction | undefined)[];

export function layOut(instructions: readonly Instruction[]): Slots {
  return instructions.flatMap((instruction) =>
    slotsOf(instruction) === 2 ? [instruction, undefined] : [instruction],
  );
}

/**
 * Requires that every instruction is known and can be reached, and that no path leaves the program but by exit.
 * Verifier: check_cfg(): "unreachable insn", "jump out of range", "last insn is not an exit or jmp".
 */
export function checkFlow(slots: Slots): void {
  const reached = new Set<number>();
  const open = [0];
  for (let slot = open.pop(); slot !== undefined; slot = open.pop()) {
    if (reached.has(slot)) continue;
    const instruction = slots[slot];
    if (instruction === undefined) refuse(`slot ${slot} is reached, where no instruction starts`);
    if (findRow(instruction) === undefined)
      refuse(`slot ${slot}: an unknown instruction ${JSON.stringify(instruction)}`);
    reached.add(slot);
    open.push(...successors(instruction, slot));
  }
  const dead = slots.findIndex((instruction, slot) => instruction !== undefined && !reached.has(slot));
  if (dead !== -1) refuse(`slot ${dead} is never reached`);
}

function successors(instruction: Instruction, slot: number): number[] {
  const next = slot + slotsOf(instruction);
  const kind = instruction.opcode & 0x07;
  const code = instruction.opcode & 0xf0;
  if (kind !== 5 && kind !== 6) return [next];
  if (code === 0x00) return [next + (kind === 5 ? instruction.offset : instruction.imm)];
  if (code === 0x80) return [next];
  if (code === 0x90) return [];
  return [next, next + instruction.offset];
}
