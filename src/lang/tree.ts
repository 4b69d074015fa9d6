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
      /** Of a pair that is found by its names: of the markers that match those that begin something, or what ends it. */
      readonly half?: "begin" | "end";
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
  /** Goes on only where the condition holds; what does not go on is counted as filtered. */
  | { readonly kind: "require"; readonly condition: Expression; readonly span: Span }
  /**
   * Sends one event. `shape` tells the events of one probe apart; the first is 0. In a strict event a number that cannot be
   * computed ends the hit, as faulted; otherwise the field is marked as faulted, as texts always are.
   */
  | {
      readonly kind: "emit";
      readonly shape: number;
      readonly strict: boolean;
      readonly fields: readonly EmitField[];
      readonly span: Span;
    }
  /** Computes a value once and keeps it, in its own type; a variable is declared before it is used, and once. */
  | { readonly kind: "declare"; readonly variable: Variable; readonly value: Expression; readonly span: Span }
  /** Gives a variable another value, converted to the variable's type. */
  | { readonly kind: "assign"; readonly variable: Variable; readonly value: Expression; readonly span: Span }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly whenTrue: readonly Statement[];
      readonly whenFalse: readonly Statement[];
      readonly span: Span;
    }
  /** Statements that `leave` with their label goes behind: loops and switches, which the fronts unroll, are made of them. */
  | {
      readonly kind: "block";
      readonly label: number;
      readonly body: readonly Statement[];
      readonly span: Span;
    }
  | { readonly kind: "leave"; readonly label: number; readonly span: Span }
  /** Ends the hit. */
  | { readonly kind: "finish"; readonly span: Span }
  /** Changes an aggregate. */
  | {
      readonly kind: "update";
      /** Its place among the probe's aggregates. */
      readonly aggregate: number;
      /** `add` counts, sums up or sorts into a bucket; `set` and `delete` are for tables. */
      readonly operation: "add" | "set" | "delete";
      readonly key: readonly KeyPart[];
      /** What is added or set; undefined adds 1, and for `delete`. */
      readonly value: Expression | undefined;
      readonly span: Span;
    }
  /** Looks a key up in a table: `found` becomes 1 or 0, `variable` the value or 0. Both are declared by this. */
  | {
      readonly kind: "look-up";
      readonly aggregate: number;
      readonly key: readonly KeyPart[];
      readonly variable: Variable;
      readonly found: Variable;
      readonly span: Span;
    }
  /** At the entry of a span: keeps the time and these values for the return. Nothing may follow it. */
  | { readonly kind: "keep"; readonly fields: readonly EmitField[]; readonly span: Span };

/** A variable of a probe by its number; the name is for people. */
export interface Variable {
  readonly number: number;
  readonly name: string;
  /** Undefined: the type of the value that it is declared with. */
  readonly type: IntegerType | undefined;
}

/** One part of an aggregate's key, in the order of its declaration (lang/aggregates.ts); it is converted to the part's type. */
export type KeyPart =
  | { readonly kind: "integer"; readonly value: Expression; readonly span: Span }
  /** Text as in an event's field: at an address, or the thread's name. */
  | {
      readonly kind: "text";
      readonly value: Expression;
      readonly length: Expression | undefined;
      readonly span: Span;
    }
  /** Text that the author wrote. */
  | { readonly kind: "literal"; readonly text: Uint8Array; readonly span: Span }
  /** The user stack. */
  | { readonly kind: "stack"; readonly span: Span };

/** One value of an event, in the form in which it travels. */
export interface EmitField {
  readonly name: string;
  readonly value: Expression;
  readonly form: FieldForm;
  readonly span: Span;
}

export type FieldForm =
  /**
   * Cut or extended to this width, as C's assignment does; undefined: in the value's own type. An exact one of 64 bits cannot be
   * computed where it is no safe integer of JavaScript.
   */
  | { readonly kind: "integer"; readonly type: IntegerType | undefined; readonly exact?: boolean }
  /**
   * Text at an address (zero-terminated, or of a given length), or text that lies in the program (`comm`), or that was kept.
   * `limit` is the most bytes that are read, undefined: as the session says.
   */
  | { readonly kind: "text"; readonly length: Expression | undefined; readonly limit?: number }
  /** So many bytes at an address, whatever they are. */
  | { readonly kind: "bytes"; readonly count: number }
  /** The user stack, as addresses; its value is not looked at. */
  | { readonly kind: "stack" }
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
  /** A variable that was declared on every way here. */
  | { readonly kind: "variable"; readonly variable: Variable; readonly span: Span }
  /**
   * An argument by its place, 0 the first: as `name` arg1, but without a name in between. Of a marker the type has to hold whatever
   * the argument may be; but a word takes it as C's conversion makes it.
   */
  | {
      readonly kind: "argument";
      readonly index: number;
      readonly type: IntegerType;
      readonly isWord?: true;
      /** What the author of the probe calls it. */
      readonly name?: string;
      readonly span: Span;
    }
  /** A number that can be changed while the probe runs, by its place among the session's tunables. */
  | { readonly kind: "tunable"; readonly index: number; readonly type: IntegerType; readonly span: Span }
  /** At the return of a span: a value that its entry kept, by its place; text is allowed where the form of a field is text. */
  | { readonly kind: "kept"; readonly index: number; readonly span: Span }
  /** At the return of a span: nanoseconds since its entry, int64. */
  | { readonly kind: "elapsed"; readonly span: Span }
  /** The number of the place that was hit: which function it is. */
  | { readonly kind: "site"; readonly span: Span }
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
    case "variable":
    case "argument":
    case "tunable":
    case "kept":
    case "elapsed":
    case "site":
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

/** The expressions directly inside a statement, not those of the statements inside it. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "require":
    case "if":
      return [statement.condition];
    case "emit":
    case "keep":
      return statement.fields.flatMap(({ value, form }) =>
        form.kind === "text" && form.length !== undefined ? [form.length, value] : [value],
      );
    case "declare":
    case "assign":
      return [statement.value];
    case "update":
      return [...keyExpressions(statement.key), ...(statement.value === undefined ? [] : [statement.value])];
    case "look-up":
      return keyExpressions(statement.key);
    case "block":
    case "leave":
    case "finish":
      return [];
    default:
      return unreachable(statement);
  }
}

function keyExpressions(key: readonly KeyPart[]): readonly Expression[] {
  return key.flatMap((part) => {
    if (part.kind === "literal" || part.kind === "stack") return [];
    return part.kind === "text" && part.length !== undefined ? [part.length, part.value] : [part.value];
  });
}

/** The statements directly inside a statement. */
export function statementsOf(statement: Statement): readonly Statement[] {
  if (statement.kind === "if") return [...statement.whenTrue, ...statement.whenFalse];
  return statement.kind === "block" ? statement.body : [];
}
