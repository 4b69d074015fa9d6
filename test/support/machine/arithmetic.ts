/**
 * Owns the meaning of arithmetic, comparisons and byte swaps on numbers of 32 and 64 bits.
 * Does not own registers or pointers. Written from the specification alone, not from src/bpf/opcodes.ts, so that each can be wrong by itself.
 *
 * Spec: Documentation/bpf/standardization/instruction-set.rst, "Arithmetic instructions", "Byte swap instructions", "Jump instructions".
 */
import { refuse } from "./memory.js";

/** Computes left OPERATION right; `code` is the upper half of the opcode, the result is zero-extended from `width`. */
export function compute(code: number, left: bigint, right: bigint, width: number, isSigned: boolean): bigint {
  const a = BigInt.asUintN(width, left);
  const b = BigInt.asUintN(width, right);
  return BigInt.asUintN(
    width,
    isSigned ? computeSigned(code, a, b, width) : computeUnsigned(code, a, b, width),
  );
}

function computeUnsigned(code: number, a: bigint, b: bigint, width: number): bigint {
  // Spec: shifts use the low 5 or 6 bits of the distance.
  const distance = b & BigInt(width - 1);
  switch (code) {
    case 0x00:
      return a + b;
    case 0x10:
      return a - b;
    case 0x20:
      return a * b;
    // Spec: division by zero gives zero, the remainder of it the dividend.
    case 0x30:
      return b === 0n ? 0n : a / b;
    case 0x40:
      return a | b;
    case 0x50:
      return a & b;
    case 0x60:
      return a << distance;
    case 0x70:
      return a >> distance;
    case 0x90:
      return b === 0n ? a : a % b;
    case 0xa0:
      return a ^ b;
    case 0xb0:
      return b;
    case 0xc0:
      return BigInt.asIntN(width, a) >> distance;
    default:
      return refuse(`no arithmetic has the code 0x${code.toString(16)}`);
  }
}

/** Spec: truncates towards zero; the least number divided by -1 is itself, its remainder zero. BigInt does the same and wraps. */
function computeSigned(code: number, left: bigint, right: bigint, width: number): bigint {
  const a = BigInt.asIntN(width, left);
  const b = BigInt.asIntN(width, right);
  if (code === 0x30) return b === 0n ? 0n : a / b;
  if (code === 0x90) return b === 0n ? a : a % b;
  return refuse(`no signed arithmetic has the code 0x${code.toString(16)}`);
}

/** Says whether left CONDITION right holds; `code` is the upper half of the opcode. */
export function compare(code: number, left: bigint, right: bigint, width: number): boolean {
  const a = BigInt.asUintN(width, left);
  const b = BigInt.asUintN(width, right);
  const signedA = BigInt.asIntN(width, left);
  const signedB = BigInt.asIntN(width, right);
  switch (code) {
    case 0x10:
      return a === b;
    case 0x20:
      return a > b;
    case 0x30:
      return a >= b;
    case 0x40:
      return (a & b) !== 0n;
    case 0x50:
      return a !== b;
    case 0x60:
      return signedA > signedB;
    case 0x70:
      return signedA >= signedB;
    case 0xa0:
      return a < b;
    case 0xb0:
      return a <= b;
    case 0xc0:
      return signedA < signedB;
    case 0xd0:
      return signedA <= signedB;
    default:
      return refuse(`no comparison has the code 0x${code.toString(16)}`);
  }
}

/** Turns the low `width` bits round and clears the rest. */
export function swapBytes(value: bigint, width: number): bigint {
  let swapped = 0n;
  for (let bit = 0; bit < width; bit += 8) swapped = (swapped << 8n) | ((value >> BigInt(bit)) & 0xffn);
  return swapped;
}
