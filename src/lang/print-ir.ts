/**
 * Owns the text of the intermediate form, for -v and for golden files.
 * Does not own the form (ir.ts).
 */
import { unreachable } from "../base/assert.js";
import type { Argument, Base, Block, End, Operand, Program, Step } from "./ir.js";

/** Prints the blocks in their order; a step of 32 bits says so. */
export function printProgram(program: Program): string {
  const nameOf = (block: number): string => `${program.blocks[block]!.name}.${block}`;
  return program.blocks.map((block, index) => printBlock(block, index, nameOf)).join("");
}

function printBlock(block: Block, index: number, nameOf: (block: number) => string): string {
  const lines = [...block.steps.map(printStep), printEnd(block.end, nameOf)];
  const body = lines.map((line) => `  ${line}\n`).join("");
  return `${nameOf(index)}:${block.cold ? " (cold)" : ""}\n${body}`;
}

function printStep(step: Step): string {
  switch (step.kind) {
    case "copy":
      return `v${step.to} = ${printOperand(step.from)}`;
    case "compute": {
      const { to, left, operation, right, width } = step;
      return `v${to} = ${operation}${width} ${printOperand(left)}, ${printOperand(right)}`;
    }
    case "extend": {
      const { to, from, bits, signed, width } = step;
      return `v${to} = ${signed ? "sign" : "zero"}-extend ${printOperand(from)} from ${bits} to ${width}`;
    }
    case "load":
      return `v${step.to} = u${step.bytes * 8} ${printPlace(step.base, step.offset)}`;
    case "store":
      return `u${step.bytes * 8} ${printPlace(step.base, step.offset)} = ${printOperand(step.value)}`;
    case "add":
      return `u64 ${printPlace(step.base, step.offset)} += ${printOperand(step.value)}`;
    case "exchange": {
      const { to, base, offset, expected, value } = step;
      return `v${to} = exchange64 ${printPlace(base, offset)}, ${printOperand(expected)}, ${printOperand(value)}`;
    }
    case "call": {
      const call = `${step.helper}(${step.arguments.map(printArgument).join(", ")})`;
      return step.to === undefined ? call : `v${step.to} = ${call}`;
    }
    default:
      return unreachable(step);
  }
}

function printEnd(end: End, nameOf: (block: number) => string): string {
  switch (end.kind) {
    case "jump":
      return `goto ${nameOf(end.to)}`;
    case "branch": {
      const test = `${printOperand(end.left)} ${end.condition}${end.width} ${printOperand(end.right)}`;
      return `if ${test} goto ${nameOf(end.whenTrue)} else ${nameOf(end.whenFalse)}`;
    }
    case "exit":
      return "exit";
    default:
      return unreachable(end);
  }
}

function printArgument(argument: Argument): string {
  if (typeof argument !== "object") return printOperand(argument);
  if ("map" in argument) return argument.map;
  return "firstOf" in argument
    ? `&${argument.firstOf}[0]`
    : `&${printPlace(argument.address, argument.offset)}`;
}

function printPlace(base: Base, offset: number): string {
  const shown = typeof base === "number" ? `v${base}` : `stack${base.slot}`;
  return `[${shown}${offset === 0 ? "" : ` + ${offset}`}]`;
}

function printOperand(operand: Operand): string {
  return typeof operand === "number" ? `v${operand}` : `${operand}`;
}
