/**
 * Owns keeping values on the stack, or making them anew, where no register is left for them.
 * Does not own choosing them (coloring.ts).
 */
import { assert } from "../../base/assert.js";
import { context, mapEndOperands, mapOperands, readBy, readByEnd, writtenBy } from "../ir.js";
import type { Block, Operand, Program, Step, Virtual } from "../ir.js";

export interface Spilled {
  readonly program: Program;
  /** Short-lived registers that carry a value to its use: they must get a register. */
  readonly carriers: readonly Virtual[];
}

/** Rewrites the program so that the given registers live only between the stack and their uses. */
export function spill(program: Program, registers: readonly Virtual[]): Spilled {
  const homes = new Map(registers.map((register) => [register, findHome(program, register)]));
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
    const reloaded = (read: readonly Virtual[], span: Step["span"]): ((operand: Operand) => Operand) => {
      const fresh = new Map<Virtual, Virtual>();
      for (const register of new Set(read)) {
        if (!homes.has(register)) continue;
        const kept = written?.register === register ? written.carrier : undefined;
        fresh.set(register, kept ?? reload(register, steps, span));
      }
      written = undefined;
      return (operand) => (typeof operand === "number" ? (fresh.get(operand) ?? operand) : operand);
    };
    for (const step of block.steps) {
      const to = writtenBy(step);
      if (to !== undefined && homes.get(to) !== undefined) continue;
      const changed = mapOperands(step, reloaded(readBy(step), step.span));
      const slot = to === undefined ? undefined : slotOf.get(to);
      if (slot === undefined) {
        steps.push(changed);
        continue;
      }
      const fresh = carrier();
      written = { register: to!, carrier: fresh };
      assert(changed.kind !== "store" && changed.kind !== "add", "a step that writes");
      steps.push({ ...changed, to: fresh });
      steps.push({ kind: "store", base: { slot }, offset: 0, bytes: 8, value: fresh, span: step.span });
    }
    const end = mapEndOperands(block.end, reloaded(readByEnd(block.end), block.end.span));
    return { ...block, steps, end };
  };

  return { program: { blocks: program.blocks.map(rewrite), slots, registers: count }, carriers };
}

type Remade = Extract<Step, { kind: "copy" | "load" }>;

/** A step that makes the value anew wherever it is needed: a constant, or a saved register. */
function findHome(program: Program, register: Virtual): Remade | undefined {
  const writers = program.blocks.flatMap((block) =>
    block.steps.filter((step) => writtenBy(step) === register),
  );
  const only = writers.length === 1 ? writers[0] : undefined;
  if (only?.kind === "copy" && typeof only.from === "bigint") return only;
  return only?.kind === "load" && only.stable && only.base === context ? only : undefined;
}
