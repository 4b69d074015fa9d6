/**
 * Owns division and remainder as C has them, signed ones out of the unsigned ones that every kernel knows.
 * Does not own what becomes of a division by zero: the caller names the block.
 */
import { wrap } from "../arithmetic.js";
import type { Operand } from "../ir.js";
import type { IntegerType } from "../types.js";
import type { BlockNumber, Builder } from "./builder.js";

/**
 * Divides; goes to `fault` where the divisor is zero. Why: eBPF gives 0 for x / 0, a wrong value in place of an error. Verifier:
 * signed division is an instruction only since 6.6, so magnitudes are divided and the sign is set afterwards; INT_MIN / -1 wraps.
 */
export function divide(
  builder: Builder,
  operator: "/" | "%",
  left: Operand,
  right: Operand,
  type: IntegerType,
  fault: BlockNumber,
): Operand {
  const width = type.bytes === 8 ? 64 : 32;
  const operation = operator === "/" ? "div" : "mod";
  const nonzero = builder.block("divide");
  builder.branch("eq", width, right, 0n, fault, nonzero);
  builder.enter(nonzero);
  if (!type.signed) return builder.compute(operation, width, left, right);
  const leftSign = signOf(builder, left, type);
  const rightSign = signOf(builder, right, type);
  const magnitudes = [
    negateBy(builder, left, leftSign, width),
    negateBy(builder, right, rightSign, width),
  ] as const;
  const result = builder.compute(operation, width, ...magnitudes);
  // Spec: C17 6.5.5: the remainder has the sign of the dividend.
  const sign = operator === "/" ? builder.compute("xor", width, leftSign, rightSign) : leftSign;
  return negateBy(builder, result, sign, width);
}

/** -1 or 0. */
function signOf(builder: Builder, value: Operand, type: IntegerType): Operand {
  const last = type.bytes * 8 - 1;
  if (typeof value === "bigint") return wrap(value, type) < 0n ? -1n : 0n;
  return builder.compute("arsh", type.bytes === 8 ? 64 : 32, value, BigInt(last));
}

/** Negates where the sign is -1, not where it is 0. */
function negateBy(builder: Builder, value: Operand, sign: Operand, width: 32 | 64): Operand {
  return builder.compute("sub", width, builder.compute("xor", width, value, sign), sign);
}
