/**
 * Owns the checked form of a probe: every conversion that C makes silently stands here as a node, every node has a type.
 * Does not own how it came about (passes/2-check.ts) nor how it runs.
 */
import { unreachable } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import type { Builtin } from "./builtins.js";
import type { EventField } from "./event.js";
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
      readonly place: ReadablePlace;
      readonly type: IntegerType;
    }
  | { readonly kind: "builtin"; readonly builtin: Builtin; readonly type: IntegerType }
  /** A variable by its number. */
  | { readonly kind: "variable"; readonly variable: number; readonly type: IntegerType | PointerType }
  /** Has int64's width in its map. */
  | { readonly kind: "tunable"; readonly index: number; readonly type: IntegerType }
  /** A number that the entry of the span kept, by its place there. */
  | { readonly kind: "kept"; readonly index: number; readonly type: IntegerType }
  | { readonly kind: "elapsed"; readonly type: IntegerType }
  | { readonly kind: "site"; readonly type: IntegerType }
  /** C's conversion: cut, zero- or sign-extended by the operand's type; to bool by comparison with zero. */
  | { readonly kind: "convert"; readonly operand: Typed; readonly type: IntegerType | PointerType }
  /** The operand, of 64 bits; it cannot be computed where it is no safe integer of JavaScript. */
  | { readonly kind: "exact"; readonly operand: Typed; readonly type: IntegerType }
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
  /** Zero-terminated text, or bytes, at an address, or kept (neither: the thread's name), against a literal. */
  | {
      readonly kind: "same-text";
      readonly literal: Uint8Array;
      readonly compared: "text" | "bytes";
      readonly address: Typed | undefined;
      readonly kept?: KeptText;
      readonly type: IntegerType;
    }
);

export type TypedStatement = { readonly span: Span } & (
  | { readonly kind: "require"; readonly condition: Typed }
  | {
      readonly kind: "emit";
      readonly shape: number;
      readonly strict: boolean;
      readonly fields: readonly TypedField[];
    }
  /** Gives a variable a value of its own type, the first or another. */
  | { readonly kind: "assign"; readonly variable: number; readonly value: Typed }
  | {
      readonly kind: "if";
      readonly condition: Typed;
      readonly whenTrue: readonly TypedStatement[];
      readonly whenFalse: readonly TypedStatement[];
    }
  | { readonly kind: "block"; readonly label: number; readonly body: readonly TypedStatement[] }
  | { readonly kind: "leave"; readonly label: number }
  | { readonly kind: "finish" }
  | {
      readonly kind: "update";
      readonly aggregate: number;
      readonly operation: "add" | "set" | "delete";
      readonly key: readonly TypedKeyPart[];
      /** Of 64 bits, signed as the aggregate's values are. */
      readonly value: Typed | undefined;
    }
  | {
      readonly kind: "look-up";
      readonly aggregate: number;
      readonly key: readonly TypedKeyPart[];
      readonly variable: number;
      readonly found: number;
    }
  | { readonly kind: "keep"; readonly fields: readonly TypedField[] }
);

export type TypedKeyPart =
  /** In the part's type. */
  | { readonly kind: "integer"; readonly value: Typed }
  | { readonly kind: "text"; readonly value: TypedText }
  | { readonly kind: "literal"; readonly text: Uint8Array }
  | { readonly kind: "stack" };

export interface TypedField {
  readonly name: string;
  readonly value: TypedValue;
  readonly span: Span;
}

/** Text or bytes that the entry of the span kept, and where. */
export interface KeptText {
  readonly kind: "kept";
  readonly index: number;
  readonly place: EventField;
}

export type TypedText =
  /** `length` is an int64; negative means none. `limit` where the author gave one. */
  | {
      readonly kind: "text";
      readonly address: Typed;
      readonly length: Typed | undefined;
      readonly limit: number | undefined;
    }
  | { readonly kind: "comm" }
  | KeptText;

export type TypedValue =
  /** Has the type in which it travels, or a narrower one. */
  | { readonly kind: "integer"; readonly value: Typed; readonly type: IntegerType }
  | TypedText
  | { readonly kind: "bytes"; readonly address: Typed; readonly count: number }
  /** The user stack. */
  | { readonly kind: "stack" }
  | { readonly kind: "symbol"; readonly address: Typed; readonly space: "user" | "kernel" };

export interface TypedProbe {
  readonly statements: readonly TypedStatement[];
}

/** The integer as which a value of this type is computed. */
export function integerOf(type: Type): IntegerType {
  return type.kind === "integer" ? type : u64;
}

/** All statements of a probe, those inside others behind these. */
export function allStatements(statements: readonly TypedStatement[]): TypedStatement[] {
  return statements.flatMap((statement) => {
    if (statement.kind === "if")
      return [statement, ...allStatements(statement.whenTrue), ...allStatements(statement.whenFalse)];
    return statement.kind === "block" ? [statement, ...allStatements(statement.body)] : [statement];
  });
}

/** The values directly inside a statement. */
export function valuesOf(statement: TypedStatement): readonly Typed[] {
  switch (statement.kind) {
    case "require":
    case "if":
      return [statement.condition];
    case "emit":
    case "keep":
      return statement.fields.flatMap(({ value }) => valuesOfField(value));
    case "assign":
      return [statement.value];
    case "update":
      return [...keyValues(statement.key), ...(statement.value === undefined ? [] : [statement.value])];
    case "look-up":
      return keyValues(statement.key);
    case "block":
    case "leave":
    case "finish":
      return [];
    default:
      return unreachable(statement);
  }
}

/** The texts, or bytes, directly inside a statement. */
export function textsOf(statement: TypedStatement): readonly TypedValue[] {
  if (statement.kind === "emit" || statement.kind === "keep")
    return statement.fields.map(({ value }) => value).filter(({ kind }) => kind !== "integer");
  if (statement.kind !== "update" && statement.kind !== "look-up") return [];
  return statement.key.flatMap((part) => (part.kind === "text" ? [part.value] : []));
}

/** The values that a field, or a text, is made of. */
export function valuesOfField(value: TypedValue): readonly Typed[] {
  switch (value.kind) {
    case "integer":
      return [value.value];
    case "text":
      return value.length === undefined ? [value.address] : [value.address, value.length];
    case "bytes":
    case "symbol":
      return [value.address];
    case "comm":
    case "kept":
    case "stack":
      return [];
    default:
      return unreachable(value);
  }
}

function keyValues(key: readonly TypedKeyPart[]): readonly Typed[] {
  return key.flatMap((part) => {
    if (part.kind === "literal" || part.kind === "stack") return [];
    return part.kind === "integer" ? [part.value] : valuesOfField(part.value);
  });
}

/** The values directly inside a value. */
export function operandsOf(typed: Typed): readonly Typed[] {
  switch (typed.kind) {
    case "read":
      return [typed.address];
    case "same-text":
      return typed.address === undefined ? [] : [typed.address];
    case "constant":
    case "place":
    case "builtin":
    case "variable":
    case "tunable":
    case "kept":
    case "elapsed":
    case "site":
      return [];
    case "convert":
    case "exact":
    case "not":
      return [typed.operand];
    case "arithmetic":
    case "compare":
    case "logic":
      return [typed.left, typed.right];
    case "conditional":
      return [typed.condition, typed.whenTrue, typed.whenFalse];
    default:
      return unreachable(typed);
  }
}
