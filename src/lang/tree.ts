/**
 * Owns the tree in which every front writes a probe down, before anything is known of the target.
 * Does not own syntax (the fronts) nor meaning (the passes).
 */
import { unreachable } from "../base/assert.js";
import type { Span } from "../base/errors.js";
import type { IntegerType, Type } from "./types.js";

/** Names the places of a probe as its author wrote them. */
export type Selector =
  | {
      readonly kind: "function";
      /** Where in the function: its entry (with `offset` inside it) or its return. */
      readonly at: "entry" | "return";
      /** Path, executable or library name; empty means the traced process's own executable. */
      readonly library: string;
      /** A name or a glob; mangled or demangled. */
      readonly symbol: string;
      readonly offset: number;
      readonly span: Span;
    }
  | {
      readonly kind: "address";
      readonly library: string;
      /** A virtual address of the file. */
      readonly address: bigint;
      readonly span: Span;
    }
  | {
      readonly kind: "marker";
      readonly library: string;
      readonly provider: string | undefined;
      readonly marker: string;
      readonly span: Span;
    };

/** One probe: where, and what to do there. */
export interface ProbeTree {
  readonly selector: Selector;
  /** Names for arg1, arg2 ... with their C types, from a signature. */
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
}

export interface Parameter {
  readonly name: string;
  readonly type: Type;
  readonly span: Span;
}

export type Statement =
  /** Goes on only where the condition holds. */
  | { readonly kind: "require"; readonly condition: Expression; readonly span: Span }
  /** Sends one event. */
  | { readonly kind: "emit"; readonly fields: readonly EmitField[]; readonly span: Span };

/** One value of an event, in the form in which it travels. */
export interface EmitField {
  readonly name: string;
  readonly value: Expression;
  readonly form: FieldForm;
  readonly span: Span;
}

export type FieldForm =
  /** Cut or extended to this width, as C's assignment does. */
  | { readonly kind: "integer"; readonly type: IntegerType }
  /** Text at an address (zero-terminated, or of a given length), or text that lies in the program (`comm`). */
  | { readonly kind: "text"; readonly length: Expression | undefined }
  /** An address to be shown as symbol + offset. */
  | { readonly kind: "symbol"; readonly space: "user" | "kernel" };

export type UnaryOperator = "-" | "~" | "!" | "+";
export type BinaryOperator =
  | "*"
  | "/"
  | "%"
  | "+"
  | "-"
  | "<<"
  | ">>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "=="
  | "!="
  | "&"
  | "^"
  | "|"
  | "&&"
  | "||";

export type Expression =
  | { readonly kind: "integer"; readonly value: bigint; readonly type: IntegerType; readonly span: Span }
  | { readonly kind: "text"; readonly value: string; readonly span: Span }
  /** arg1, retval, pid, $pid, a parameter of the signature ...: bound by the first pass. */
  | { readonly kind: "name"; readonly name: string; readonly span: Span }
  /** A raw machine register, by the kernel's pt_regs name. */
  | { readonly kind: "register"; readonly name: string; readonly span: Span }
  | {
      readonly kind: "unary";
      readonly operator: UnaryOperator;
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "conditional";
      readonly condition: Expression;
      readonly whenTrue: Expression;
      readonly whenFalse: Expression;
      readonly span: Span;
    }
  | { readonly kind: "cast"; readonly type: Type; readonly operand: Expression; readonly span: Span }
  /** Reads user memory through a pointer. */
  | { readonly kind: "dereference"; readonly operand: Expression; readonly span: Span }
  | { readonly kind: "index"; readonly base: Expression; readonly index: Expression; readonly span: Span }
  /** Exact comparison of text at an address with a literal; 1 or 0. */
  | {
      readonly kind: "same-text";
      /** Without a closing zero. */
      readonly literal: Uint8Array;
      /** `text` ends in a zero in memory; of `bytes` as many are compared as the literal has. */
      readonly compared: "text" | "bytes";
      readonly operand: Expression;
      readonly span: Span;
    };

/** The expressions directly inside an expression, in the order in which they are written. */
export function operandsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "integer":
    case "text":
    case "name":
    case "register":
      return [];
    case "unary":
    case "cast":
    case "dereference":
    case "same-text":
      return [expression.operand];
    case "binary":
      return [expression.left, expression.right];
    case "conditional":
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case "index":
      return [expression.base, expression.index];
    default:
      return unreachable(expression);
  }
}

/** The expressions directly inside a statement. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "require":
      return [statement.condition];
    case "emit":
      return statement.fields.flatMap(({ value, form }) =>
        form.kind === "text" && form.length !== undefined ? [form.length, value] : [value],
      );
    default:
      return unreachable(statement);
  }
}
