/**
 * Owns making one program of several: at each hit it goes to the one that is meant for the place, by the place's attach cookie.
 * Does not own which places share a program. Why joined: each program wants a link of its own, and the kernel takes some 40 ms to
 * let go of one link, whatever the number of places in it.
 */
import { assert } from "../base/assert.js";
import { assemble, slotsOf } from "./assemble.js";
import { alu, call, jump, jumpIf, label, mov } from "./build.js";
import type { Label, Line } from "./build.js";
import type { ProgramSpec } from "./spec.js";

/** What one program may hold. Spec: a jump goes 2^15 slots far, and the choice takes two for each program. */
export const mostSlots = 0x6000;
export const mostPrograms = 0x800;

/** How many slots a program takes. */
export function slotsOfProgram({ instructions }: ProgramSpec): number {
  return instructions.reduce((sum, instruction) => sum + slotsOf(instruction), 0);
}

/** Makes one program of several; the bits of the cookie from `choiceBit` on say which of them, counted from 0, a hit is for. */
export function joinPrograms(programs: readonly ProgramSpec[], choiceBit: number): ProgramSpec {
  const [first] = programs;
  assert(first !== undefined, "no program to join");
  const starts = programs.map(({ name }) => label(name));
  const lines: Line[] = [
    mov(contextRegister, 1),
    call("get_attach_cookie"),
    alu("rsh", 0, BigInt(choiceBit)),
    mov(1, contextRegister),
    ...choose(starts, 0),
  ];
  programs.forEach(({ instructions, places }, number) => {
    lines.push(starts[number]!);
    instructions.forEach((instruction, index) =>
      lines.push({ kind: "place", span: places[index] }, instruction),
    );
  });
  return { ...first, ...assemble(lines) };
}

/** Kept over calls. */
const contextRegister = 6;

/** Halves the programs, the first of which has the number `from`, until one is left. */
function choose(starts: readonly Label[], from: number): Line[] {
  if (starts.length === 1) return [jump(starts[0]!)];
  const middle = starts.length >> 1;
  const upper = label("upper");
  return [
    jumpIf("ge", 0, BigInt(from + middle), upper),
    ...choose(starts.slice(0, middle), from),
    upper,
    ...choose(starts.slice(middle), from + middle),
  ];
}
