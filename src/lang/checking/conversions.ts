/**
 * Owns making C's silent conversions visible, and the nodes in which operands meet in one type.
 * Does not own which types those are (arithmetic.ts) nor misuse, which is refused before it comes here.
 */
import { assert } from "../../base/assert.js";
import type { Span } from "../../base/errors.js";
import { commonType, wrap } from "../arithmetic.js";
import { integerOf } from "../typed.js";
import type { Arithmetic, Comparison, Typed } from "../typed.js";
import { i32, i64, u64 } from "../types.js";
import type { IntegerType, Type } from "../types.js";

/** Makes a conversion, or none where the value is the same already. Constants are converted at once. */
export function convert(value: Typed, type: Type): Typed {
  assert(type.kind !== "text", "a conversion to text");
  const [from, to] = [integerOf(value.type), integerOf(type)];
  if (value.kind === "constant") return { ...value, value: wrap(value.value, to), type };
  const same = from.bytes === to.bytes && from.signed === to.signed && from.truth === to.truth;
  if (same && value.type.kind === type.kind && type.kind === "integer") return value;
  return { kind: "convert", operand: value, type, span: value.span };
}

/** Makes an operation whose operands both become the result's type. */
export function arithmetic(
  operator: Arithmetic,
  left: Typed,
  right: Typed,
  type: IntegerType,
  span: Span,
): Typed {
  return { kind: "arithmetic", operator, left: convert(left, type), right: convert(right, type), type, span };
}

/** Makes a comparison. Why: pointers are compared as the 64 bits that they are, a negative number as the address it would be. */
export function compare(operator: Comparison, left: Typed, right: Typed, span: Span): Typed {
  const pointers = left.type.kind === "pointer" || right.type.kind === "pointer";
  const type = pointers ? u64 : commonType(integerOf(left.type), integerOf(right.type));
  return {
    kind: "compare",
    operator,
    left: convert(left, type),
    right: convert(right, type),
    type: i32,
    span,
  };
}

/** Makes a distance of bytes out of a count of elements. */
export function scale(count: Typed, elementBytes: number): Typed {
  const distance = convert(count, i64);
  if (elementBytes === 1) return distance;
  const bytes: Typed = { kind: "constant", value: BigInt(elementBytes), type: i64, span: count.span };
  return arithmetic("*", distance, bytes, i64, count.span);
}
