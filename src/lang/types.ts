/**
 * Owns the types of values in probes: C's integers and pointers, and text.
 * Does not own conversions or checks; those are passes/.
 */

export interface IntegerType {
  readonly kind: "integer";
  readonly bytes: 1 | 2 | 4 | 8;
  readonly signed: boolean;
}

/** A user-space address; `to` is undefined for `void *` and for structs that nobody described. */
export interface PointerType {
  readonly kind: "pointer";
  readonly to: Type | undefined;
}

/** Bytes inside the program itself: `comm` and text literals. Never an address. */
export interface TextType {
  readonly kind: "text";
  /** Bytes that it can hold, without a closing zero. */
  readonly bytes: number;
}

export type Type = IntegerType | PointerType | TextType;

export const u64: IntegerType = { kind: "integer", bytes: 8, signed: false };
export const i64: IntegerType = { kind: "integer", bytes: 8, signed: true };
export const u32: IntegerType = { kind: "integer", bytes: 4, signed: false };
export const i32: IntegerType = { kind: "integer", bytes: 4, signed: true };

/** Prints a type as C writes it. */
export function printType(type: Type): string {
  switch (type.kind) {
    case "integer":
      return `${type.signed ? "" : "u"}int${type.bytes * 8}_t`;
    case "pointer":
      return type.to === undefined ? "void *" : `${printType(type.to)} *`.replace("* *", "**");
    case "text":
      return `char[${type.bytes}]`;
  }
}
