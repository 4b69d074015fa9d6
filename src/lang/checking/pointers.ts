/**
 * Owns what pointers can do: step by elements, be subtracted, be read through; and refusing the rest.
 * Does not own integers (expressions.ts).
 */
import { assert } from "../../base/assert.js";
import type { Span } from "../../base/errors.js";
import type { Reporter } from "../problems.js";
import type { Typed } from "../typed.js";
import { i64, printType } from "../types.js";
import type { PointerType, Type } from "../types.js";
import { arithmetic, convert, scale } from "./conversions.js";

/** Spec: C17 6.5.6: a pointer moves by whole elements. */
export function step(
  operator: "+" | "-",
  pointer: Typed,
  count: Typed,
  span: Span,
  reporter: Reporter,
): Typed | undefined {
  const { type } = pointer;
  assert(type.kind === "pointer", "a step from what is no pointer");
  const size = elementBytes(type, span, reporter);
  if (size === undefined) return undefined;
  const right = convert(scale(count, size), type);
  return { kind: "arithmetic", operator, left: pointer, right, type, span };
}

/** The number of elements between two pointers. */
export function difference(left: Typed, right: Typed, span: Span, reporter: Reporter): Typed | undefined {
  const { type } = left;
  assert(type.kind === "pointer", "a difference of what is no pointer");
  const size = elementBytes(type, span, reporter);
  if (size === undefined) return undefined;
  const bytes = arithmetic("-", left, right, i64, span);
  if (size === 1) return bytes;
  return arithmetic("/", bytes, { kind: "constant", value: BigInt(size), type: i64, span }, i64, span);
}

/** Reads what an address points to. `shown` is the part of the text where a cast would help. */
export function readThrough(
  address: Typed,
  shown: Span,
  span: Span,
  { problems, advice }: Reporter,
): Typed | undefined {
  const { type } = address;
  if (type.kind === "integer") {
    return problems.report(shown, `a value of type ${printType(type)} is no pointer`, advice.sayPointee);
  }
  if (type.to === undefined || type.to.kind === "text") {
    const what = `what a ${printType(type)} points to has no known size`;
    return problems.report(shown, what, advice.sayPointee);
  }
  return { kind: "read", address, type: type.to, span };
}

/** Refuses an operation that is not for pointers; one of the types is one. */
export function refusePointer(
  operator: string,
  types: readonly Type[],
  span: Span,
  { problems, advice }: Reporter,
): undefined {
  const pointer = types.find((type) => type.kind === "pointer");
  assert(pointer !== undefined, "a refusal of pointers without one");
  const what = `"${operator}" is not for values of type ${printType(pointer)}`;
  return problems.report(span, what, advice.castToNumber);
}

/** Why: a `void *` moves by bytes, as GNU C has it; a struct of unknown size would move by a wrong amount. */
function elementBytes(pointer: PointerType, span: Span, { problems, advice }: Reporter): number | undefined {
  if (pointer.to !== undefined) return pointer.to.kind === "pointer" ? 8 : pointer.to.bytes;
  if (pointer.struct === undefined) return 1;
  return problems.report(span, `the size of ${pointer.struct} is not known`, advice.stepInBytes);
}
