/**
 * Owns what an expression of a probe function stands for while it is read: numbers of the traced program, texts, objects, constants.
 * Does not own how they are made (expressions.ts, accessors.ts) nor how they are sent (results.ts).
 */
import type { Span } from "../../base/errors.js";
import type { Expression, Variable } from "../tree.js";
import { i32, i64, u64 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { HandedValue } from "./handed-over.js";
import type { Accessor } from "./accessors.js";
import type { Constant } from "./shape.js";

/** TypeScript's view of an integer. */
export type NumberClass = "number" | "bigint" | "boolean";

export type Value =
  /** Known while the probe is read. */
  | { readonly kind: "constant"; readonly value: Constant; readonly span: Span }
  | IntegerValue
  | TextValue
  /** One of some constants, told apart by a number; what is not among them is that number where `open`. */
  | ChoiceValue
  | { readonly kind: "bytes"; readonly address: Expression; readonly count: number; readonly span: Span }
  | { readonly kind: "stack"; readonly span: Span }
  | { readonly kind: "symbol"; readonly address: Expression; readonly span: Span }
  /** The function that was hit, by its site. */
  | { readonly kind: "function"; readonly span: Span }
  | {
      readonly kind: "object";
      readonly entries: ReadonlyMap<string, Value>;
      /** An entry as it is where it is used, so that a problem is shown there. */
      readonly valueAt?: (name: string, span: Span) => Value;
      readonly span: Span;
    }
  | { readonly kind: "array"; readonly items: readonly Value[]; readonly span: Span }
  /** `p` itself, and the object of what is handed over. */
  | { readonly kind: "parameter"; readonly span: Span }
  | { readonly kind: "handed"; readonly span: Span }
  | { readonly kind: "method"; readonly accessor: Accessor; readonly span: Span }
  | { readonly kind: "aggregate"; readonly name: string; readonly aggregate: Aggregate; readonly span: Span }
  | {
      readonly kind: "operation";
      readonly name: string;
      readonly aggregate: Aggregate;
      readonly operation: string;
      readonly span: Span;
    }
  /** What could not be read and was reported. */
  | { readonly kind: "broken"; readonly span: Span };

export type Aggregate = Extract<HandedValue, { kind: "aggregate" }>;

export interface IntegerValue {
  readonly kind: "integer";
  readonly class: NumberClass;
  readonly expression: Expression;
  /** By C's rules; undefined: not known here. */
  readonly type: IntegerType | undefined;
  /** Where it comes from a table: whether the key was there. */
  readonly lookUp?: LookUp;
  readonly span: Span;
}

export interface LookUp {
  readonly found: Variable;
  /** Whether somebody asked: before that the value may be undefined. */
  asked: boolean;
}

export interface TextValue {
  readonly kind: "text";
  /** In memory at an address, the thread's name, or what a span's entry has kept. */
  readonly from: "memory" | "name" | "kept";
  readonly value: Expression;
  readonly length: Expression | undefined;
  readonly limit: number | undefined;
  readonly span: Span;
}

export interface ChoiceValue {
  readonly kind: "choice";
  /** As what its number is shown. */
  readonly class: "number" | "bigint";
  readonly value: Expression;
  readonly type: IntegerType | undefined;
  readonly choices: readonly { readonly value: bigint; readonly shown: Constant }[];
  readonly open: boolean;
  readonly span: Span;
}

/** The type of a literal: int where it fits and is no bigint, then int64, then uint64; undefined where it is no 64-bit number. */
export function typeOfLiteral(value: bigint, kind: "number" | "bigint" = "number"): IntegerType | undefined {
  if (kind === "number" && BigInt.asIntN(32, value) === value) return i32;
  if (BigInt.asIntN(64, value) === value) return i64;
  return BigInt.asUintN(64, value) === value ? u64 : undefined;
}

export function literal(
  value: bigint,
  span: Span,
  type: IntegerType = typeOfLiteral(value) ?? u64,
): Expression {
  return { kind: "integer", value, type, span };
}

/** The variable as an expression. */
export function use(variable: Variable, span: Span): Expression {
  return { kind: "variable", variable, span };
}

/** What a value is, for sentences. */
export function describe(value: Value): string {
  switch (value.kind) {
    case "constant":
      if (value.value === undefined || value.value === null) return String(value.value);
      return typeof value.value === "string" ? "a text" : `a ${typeof value.value}`;
    case "integer":
      return `a ${value.class}`;
    case "text":
    case "function":
    case "symbol":
    case "choice":
      return "a text";
    case "bytes":
      return "bytes";
    case "stack":
    case "array":
      return "an array";
    case "object":
    case "handed":
      return "an object";
    case "parameter":
      return "the probe's parameter";
    case "method":
    case "operation":
      return "a function";
    case "aggregate":
      return `a ${nameOfKind(value.aggregate)}`;
    case "broken":
      return "nothing";
  }
}

export function nameOfKind({ spec }: Aggregate): string {
  return { counter: "counter", summary: "summary", log2: "histogram", linear: "histogram", table: "table" }[
    spec.kind
  ];
}
