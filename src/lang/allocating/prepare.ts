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
    const hold = (operand: Operand, fits: (value: bigint) => boolean, step: Step | End): Operand => {
      if (typeof operand === "number" || fits(operand)) return operand;
      const to = registers++;
      steps.push({ kind: "copy", to, from: operand, span: step.span });
      return to;
    };
    for (const step of block.steps) steps.push(prepareStep(step, hold));
    const end = prepareEnd(block.end, hold);
    return { ...block, steps, end };
  });
  return { ...program, blocks, registers };
}

type Hold = (operand: Operand, fits: (value: bigint) => boolean, step: Step | End) => Operand;

function prepareStep(step: Step, hold: Hold): Step {
  switch (step.kind) {
    case "compute":
      return { ...step, right: hold(step.right, (value) => fitsImmediate(value, step.width), step) };
    case "store":
      return {
        ...step,
        value: hold(step.value, (value) => fitsImmediate(value, step.bytes === 8 ? 64 : 32), step),
      };
    case "add":
      return { ...step, value: hold(step.value, () => false, step) };
    default:
      return step;
  }
}

function prepareEnd(end: End, hold: Hold): End {
  if (end.kind !== "branch") return end;
  const left = hold(end.left, () => false, end);
  const right = hold(end.right, (value) => fitsImmediate(value, end.width), end);
  return { ...end, left, right };
}

/** Spec: an immediate has 32 bits, sign-extended in steps of 64. */
function fitsImmediate(value: bigint, width: Width): boolean {
  return width === 32 || BigInt.asIntN(64, value) === BigInt.asIntN(32, value);
}
