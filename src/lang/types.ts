/**
 * Owns the types of values in probes: C's integers and pointers, and text.
 * Does not own conversions or checks; those are passes/.
 */
import { unreachable } from "../base/assert.js";

export interface IntegerType {
  readonly kind: "integer";
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
  /** C's bool: whatever is not zero becomes one. */
  readonly truth?: true;
}

/** A user-space address; `to` is undefined for `void *` and for structs that nobody described. */
export interface PointerType {
  readonly kind: "pointer";
  readonly to: Type | undefined;
  /** The name of the struct that it points to, whose size is not known. */
  readonly struct?: string;
}

/** Bytes inside the program itself: `comm` and text literals. Never an address. */
export interface TextType {
  readonly kind: "text";
  /** Bytes that it can hold, without a closing zero. */
  readonly bytes: number;
}

export type Type = IntegerType | PointerType | TextType;

export const u8: IntegerType = { kind: "integer", bytes: 1, signed: false };
export const i8: IntegerType = { kind: "integer", bytes: 1, signed: true };
export const u16: IntegerType = { kind: "integer", bytes: 2, signed: false };
export const i16: IntegerType = { kind: "integer", bytes: 2, signed: true };
export const u32: IntegerType = { kind: "integer", bytes: 4, signed: false };
export const i32: IntegerType = { kind: "integer", bytes: 4, signed: true };
export const u64: IntegerType = { kind: "integer", bytes: 8, signed: false };
export const i64: IntegerType = { kind: "integer", bytes: 8, signed: true };
export const truth: IntegerType = { kind: "integer", bytes: 1, signed: false, truth: true };

/** Says whether a number has a value of its own in this type. */
export function holds({ bytes, signed }: IntegerType, value: bigint): boolean {
  return value === (signed ? BigInt.asIntN(bytes * 8, value) : BigInt.asUintN(bytes * 8, value));
}

/** Prints a type as C writes it. */
export function printType(type: Type): string {
  switch (type.kind) {
    case "integer":
      if (type.bytes === 1 && type.signed) return "char";
      return type.truth ? "bool" : `${type.signed ? "" : "u"}int${type.bytes * 8}_t`;
    case "pointer":
      if (type.to === undefined) return type.struct === undefined ? "void *" : `${type.struct} *`;
      return `${printType(type.to)} *`.replace("* *", "**");
    case "text":
      return `char[${type.bytes}]`;
    default:
      return unreachable(type);
  }
}
