/**
 * Owns C's rules for mixing integer types, and what an operation on constants gives.
 * Does not own pointers nor problems (passes/2-check.ts).
 */
import { i32 } from "./types.js";
import type { IntegerType } from "./types.js";

/** Spec: C17 6.3.1.1: whatever is narrower than an int becomes one. */
export function promote(type: IntegerType): IntegerType {
  return type.bytes < 4 ? i32 : type;
}

/** Spec: C17 6.3.1.8: the type in which two integers meet. */
export function commonType(left: IntegerType, right: IntegerType): IntegerType {
  const [one, other] = [promote(left), promote(right)];
  if (one.bytes !== other.bytes) return one.bytes > other.bytes ? one : other;
  return one.signed ? other : one;
}

/** The value of these bits in this type. */
export function wrap(value: bigint, type: IntegerType): bigint {
  if (type.truth) return value === 0n ? 0n : 1n;
  return type.signed ? BigInt.asIntN(type.bytes * 8, value) : BigInt.asUintN(type.bytes * 8, value);
}
