/**
 * Owns which step or branch stands for which of C's operators.
 * Does not own their operands (values.ts) nor division (division.ts).
 */
import { unreachable } from "../../base/assert.js";
import type { Condition } from "../../bpf/opcodes.js";
import type { Operation } from "../ir.js";
import type { Arithmetic, Comparison } from "../typed.js";

export const operations: Readonly<Record<Exclude<Arithmetic, "/" | "%" | ">>">, Operation>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<<": "lsh",
};

export function conditionOf(operator: Comparison, signed: boolean): Condition {
  switch (operator) {
    case "==":
      return "eq";
    case "!=":
      return "ne";
    case "<":
      return signed ? "slt" : "lt";
    case "<=":
      return signed ? "sle" : "le";
    case ">":
      return signed ? "sgt" : "gt";
    case ">=":
      return signed ? "sge" : "ge";
    default:
      return unreachable(operator);
  }
}
