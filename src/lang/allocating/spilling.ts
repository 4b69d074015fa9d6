/**
 * Owns keeping values on the stack, or making them anew, where no register is left for them.
 * Does not own choosing them (coloring.ts).
 */
import { assert } from "../../base/assert.js";
import { context, eachRead, eachReadByEnd, mapEndOperands, mapOperands, writtenBy } from "../ir.js";
import type { Block, Operand, Program, Step, Virtual } from "../ir.js";
import { findDefinitions } from "../simplifying/definitions.js";

export interface Spilled {
  readonly program: Program;
  /** Short-lived registers that carry a value to its use: they must get a register. */
  readonly carriers: readonly Virtual[];
}

/** Rewrites the program so that the given registers live only between the stack and their uses. */
export function spill(program: Program, registers: readonly Virtual[]): Spilled {
  const homes = findHomes(program, registers);
  const slots = [...program.slots];
  const slotOf = new Map<Virtual, number>();
  for (const [register, home] of homes) {
    if (home !== undefined) continue;
    slotOf.set(register, slots.length);
    slots.push(8);
  }
  let count = program.registers;
  const carriers: Virtual[] = [];
  const carrier = (): Virtual => {
    carriers.push(count);
    return count++;
  };

  const reload = (register: Virtual, into: Step[], span: Step["span"]): Virtual => {
    const to = carrier();
    const home = homes.get(register);
    const slot = slotOf.get(register);
    if (home !== undefined) into.push({ ...home, to, span });
    else {
      assert(slot !== undefined, "a spilled register without a place");
      into.push({ kind: "load", to, base: { slot }, offset: 0, bytes: 8, stable: false, span });
    }
    return to;
  };

  const rewrite = (block: Block): Block => {
    const steps: Step[] = [];
    // What the step before has written still lies in its carrier.
    let written: { readonly register: Virtual; readonly carrier: Virtual } | undefined;
    let fresh = new Map<Virtual, Virtual>();
    let span: Step["span"];
    const bring = (register: Virtual): void => {
      if (!homes.has(register) || fresh.has(register)) return;
      const kept = written?.register === register ? written.carrier : undefined;
      fresh.set(register, kept ?? reload(register, steps, span));
    };
    const brought = (operand: Operand): Operand =>
      typeof operand === "number" ? (fresh.get(operand) ?? operand) : operand;
    const begin = (place: Step["span"]): void => {
      if (fresh.size > 0) fresh = new Map();
      span = place;
    };
    for (const step of block.steps) {
      const to = writtenBy(step);
      if (to !== undefined && homes.get(to) !== undefined) continue;
      begin(step.span);
      eachRead(step, bring);
      written = undefined;
      const changed = fresh.size === 0 ? step : mapOperands(step, brought);
      const slot = to === undefined ? undefined : slotOf.get(to);
      if (slot === undefined) {
        steps.push(changed);
        continue;
      }
      const value = carrier();
      written = { register: to!, carrier: value };
      assert(changed.kind !== "store" && changed.kind !== "add", "a step that writes");
      steps.push({ ...changed, to: value });
      steps.push({ kind: "store", base: { slot }, offset: 0, bytes: 8, value, span: step.span });
    }
    begin(block.end.span);
    eachReadByEnd(block.end, bring);
    const end = fresh.size === 0 ? block.end : mapEndOperands(block.end, brought);
    return { name: block.name, cold: block.cold, steps, end };
  };

  return { program: { blocks: program.blocks.map(rewrite), slots, registers: count }, carriers };
}

type Remade = Extract<Step, { kind: "copy" | "load" }>;

/** For each register a step that makes the value anew wherever it is needed, a constant or a saved register; or undefined. */
function findHomes(
  program: Program,
  registers: readonly Virtual[],
): ReadonlyMap<Virtual, Remade | undefined> {
  const homes = new Map<Virtual, Remade | undefined>();
  const definitions = findDefinitions(program);
  for (const register of registers) {
    const only = definitions.get(register);
    const isConstant = only?.kind === "copy" && typeof only.from === "bigint";
    const isSaved = only?.kind === "load" && only.stable && only.base === context;
    homes.set(register, isConstant || isSaved ? only : undefined);
  }
  return homes;
}
