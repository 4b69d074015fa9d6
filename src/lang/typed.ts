/**
 * Owns the checked form of a probe: every conversion that C makes silently stands here as a node, every node has a type.
 * Does not own how it came about (passes/2-check.ts) nor how it runs.
 */
import { unreachable } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import type { Builtin } from "./builtins.js";
import type { ReadablePlace } from "./meaning.js";
import { u64 } from "./types.js";
import type { IntegerType, PointerType, Type } from "./types.js";

export type Arithmetic = "+" | "-" | "*" | "/" | "%" | "&" | "|" | "^" | "<<" | ">>";
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A value in a register: an integer, or an address. */
export type Typed = { readonly span: Span } & (
  | { readonly kind: "constant"; readonly value: bigint; readonly type: IntegerType | PointerType }
  | {
      readonly kind: "place";
      readonly place: Exclude<ReadablePlace, { kind: "constant" }>;
      readonly type: IntegerType;
    }
  | { readonly kind: "builtin"; readonly builtin: Builtin; readonly type: IntegerType }
  /** C's conversion: cut, zero- or sign-extended by the operand's type; to bool by comparison with zero. */
  | { readonly kind: "convert"; readonly operand: Typed; readonly type: IntegerType | PointerType }
  /** Both operands have the result's type and at least 32 bits; but the count of a shift may have another. */
  | {
      readonly kind: "arithmetic";
      readonly operator: Arithmetic;
      readonly left: Typed;
      readonly right: Typed;
      readonly type: IntegerType | PointerType;
    }
  /** Both operands have one type of at least 32 bits. The result is an int, 0 or 1. */
  | {
      readonly kind: "compare";
      readonly operator: Comparison;
      readonly left: Typed;
      readonly right: Typed;
      readonly type: IntegerType;
    }
  | { readonly kind: "not"; readonly operand: Typed; readonly type: IntegerType }
  | {
      readonly kind: "logic";
      readonly operator: "&&" | "||";
      readonly left: Typed;
      readonly right: Typed;
      readonly type: IntegerType;
    }
  | {
      readonly kind: "conditional";
      readonly condition: Typed;
      readonly whenTrue: Typed;
      readonly whenFalse: Typed;
      readonly type: IntegerType | PointerType;
    }
  /** A value in user memory. */
  | { readonly kind: "read"; readonly address: Typed; readonly type: IntegerType | PointerType }
  /** Zero-terminated text, or bytes, at an address (undefined: the thread's name) against a literal. */
  | {
      readonly kind: "same-text";
      readonly literal: Uint8Array;
      readonly compared: "text" | "bytes";
      readonly address: Typed | undefined;
      readonly type: IntegerType;
    }
);

export type TypedStatement =
  | { readonly kind: "require"; readonly condition: Typed; readonly span: Span }
  | { readonly kind: "emit"; readonly fields: readonly TypedField[]; readonly span: Span };

export interface TypedField {
  readonly name: string;
  readonly value: TypedValue;
  readonly span: Span;
}

export type TypedValue =
  /** Has exactly the type in which it travels. */
  | { readonly kind: "integer"; readonly value: Typed; readonly type: IntegerType }
  /** `length` is an int64; negative means none. */
  | { readonly kind: "text"; readonly address: Typed; readonly length: Typed | undefined }
  | { readonly kind: "comm" }
  | { readonly kind: "symbol"; readonly address: Typed; readonly space: "user" | "kernel" };

export interface TypedProbe {
  readonly statements: readonly TypedStatement[];
}

/** The integer as which a value of this type is computed. */
export function integerOf(type: Type): IntegerType {
  return type.kind === "integer" ? type : u64;
}

/** Says whether a probe reads user memory, so that faulting pages in would help. */
export function readsMemory({ statements }: TypedProbe): boolean {
  return statements.some((statement) => {
    if (statement.kind === "require") return valueReadsMemory(statement.condition);
    return statement.fields.some(fieldReadsMemory);
  });
}

/** Says whether a field is read from user memory, or computed from what is. */
export function fieldReadsMemory({ value }: TypedField): boolean {
  if (value.kind === "text") return true;
  if (value.kind === "integer") return valueReadsMemory(value.value);
  return value.kind === "symbol" && valueReadsMemory(value.address);
}

function valueReadsMemory(typed: Typed): boolean {
  switch (typed.kind) {
    case "read":
      return true;
    case "place":
      return typed.place.kind === "memory";
    case "same-text":
      return typed.address !== undefined;
    case "constant":
    case "builtin":
      return false;
    case "convert":
    case "not":
      return valueReadsMemory(typed.operand);
    case "arithmetic":
    case "compare":
    case "logic":
      return valueReadsMemory(typed.left) || valueReadsMemory(typed.right);
    case "conditional":
      return [typed.condition, typed.whenTrue, typed.whenFalse].some(valueReadsMemory);
    default:
      return unreachable(typed);
  }
}
