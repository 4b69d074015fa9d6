/**
 * Owns giving registers to constants that an instruction cannot hold, before machine registers are handed out.
 * Does not own which instruction is used (passes/6-emit.ts).
 */
import type { Width } from "../../bpf/opcodes.js";
import type { End, Operand, Program, Step } from "../ir.js";

/** Moves such constants into virtual registers of their own, right before they are used. */
export function prepare(program: Program): Program {
  let registers = program.registers;
  const blocks = program.blocks.map((block) => {
    const steps: Step[] = [];
    const hold = (operand: Operand, { span }: Step | End): Operand => {
      const to = registers++;
      steps.push({ kind: "copy", to, from: operand, span });
      return to;
    };
    for (const step of block.steps) steps.push(prepareStep(step, hold));
    const end = prepareEnd(block.end, hold);
    return { name: block.name, cold: block.cold, steps, end };
  });
  return { ...program, blocks, registers };
}

type Hold = (operand: Operand, step: Step | End) => Operand;

function prepareStep(step: Step, hold: Hold): Step {
  switch (step.kind) {
    case "compute":
      return fits(step.right, step.width) ? step : { ...step, right: hold(step.right, step) };
    case "store":
      return fits(step.value, step.bytes === 8 ? 64 : 32) ? step : { ...step, value: hold(step.value, step) };
    case "add":
      return typeof step.value === "number" ? step : { ...step, value: hold(step.value, step) };
    default:
      return step;
  }
}

function prepareEnd(end: End, hold: Hold): End {
  if (end.kind !== "branch") return end;
  const left = typeof end.left === "number" ? end.left : hold(end.left, end);
  const right = fits(end.right, end.width) ? end.right : hold(end.right, end);
  return left === end.left && right === end.right ? end : { ...end, left, right };
}

/** Spec: an immediate has 32 bits, sign-extended in steps of 64. */
function fits(operand: Operand, width: Width): boolean {
  if (typeof operand === "number" || width === 32) return true;
  return BigInt.asIntN(64, operand) === BigInt.asIntN(32, operand);
}
