/**
 * Owns short ways to write trees by hand, for tests of what no one-liner can say: variables, branches, aggregates, spans.
 * Does not own running them (support.ts).
 */
import type { AggregateSpec } from "../../src/lang/aggregates.js";
import { compileProbe } from "../../src/lang/compile.js";
import type { CompileOptions, CompiledProbe } from "../../src/lang/compile.js";
import { onelinerAdvice } from "../../src/lang/oneliner/advice.js";
import type {
  BinaryOperator,
  EmitField,
  Expression,
  FieldForm,
  KeyPart,
  Statement,
  Variable,
} from "../../src/lang/tree.js";
import { i32, i64, u64 } from "../../src/lang/types.js";
import type { IntegerType } from "../../src/lang/types.js";
import { anyFunction, usualOptions } from "./support.js";

export const span = { start: 0, end: 1 };

export const number = (value: bigint | number, type: IntegerType = i32): Expression => ({
  kind: "integer",
  value: BigInt(value),
  type,
  span,
});
export const argument = (index: number, type: IntegerType = u64): Expression => ({
  kind: "argument",
  index,
  type,
  span,
});
export const named = (name: string): Expression => ({ kind: "name", name, span });
export const tunable = (index: number): Expression => ({ kind: "tunable", index, type: i64, span });
export const kept = (index: number): Expression => ({ kind: "kept", index, span });
export const elapsed: Expression = { kind: "elapsed", span };
export const site: Expression = { kind: "site", span };
export const binary = (operator: BinaryOperator, left: Expression, right: Expression): Expression => ({
  kind: "binary",
  operator,
  left,
  right,
  span,
});
/** Reads memory as such an integer. */
export const read = (address: Expression, type: IntegerType): Expression => ({
  kind: "dereference",
  operand: { kind: "cast", type: { kind: "pointer", to: type }, operand: address, span },
  span,
});
export const variable = (number: number, type?: IntegerType): Variable => ({
  number,
  name: `v${number}`,
  type,
});
export const use = (of: Variable): Expression => ({ kind: "variable", variable: of, span });

export const declare = (to: Variable, value: Expression): Statement => ({
  kind: "declare",
  variable: to,
  value,
  span,
});
export const assign = (to: Variable, value: Expression): Statement => ({
  kind: "assign",
  variable: to,
  value,
  span,
});
export const when = (
  condition: Expression,
  whenTrue: readonly Statement[],
  whenFalse: readonly Statement[] = [],
): Statement => ({ kind: "if", condition, whenTrue, whenFalse, span });
export const block = (label: number, body: readonly Statement[]): Statement => ({
  kind: "block",
  label,
  body,
  span,
});
export const leave = (label: number): Statement => ({ kind: "leave", label, span });
export const finish: Statement = { kind: "finish", span };

export const field = (
  value: Expression,
  form: FieldForm = { kind: "integer", type: undefined },
): EmitField => ({
  name: "value",
  value,
  form,
  span,
});
export const text = (address: Expression, given: { length?: Expression; limit?: number } = {}): EmitField =>
  field(address, {
    kind: "text",
    length: given.length,
    ...(given.limit === undefined ? {} : { limit: given.limit }),
  });
export const emit = (fields: readonly EmitField[], shape = 0): Statement => ({
  kind: "emit",
  shape,
  strict: true,
  fields,
  span,
});
export const keep = (...fields: readonly EmitField[]): Statement => ({ kind: "keep", fields, span });

export const keyNumber = (value: Expression): KeyPart => ({ kind: "integer", value, span });
export const keyText = (value: Expression, length?: Expression): KeyPart => ({
  kind: "text",
  value,
  length,
  span,
});
export const keyLiteral = (literal: string): KeyPart => ({
  kind: "literal",
  text: new TextEncoder().encode(literal),
  span,
});
export const update = (
  aggregate: number,
  key: readonly KeyPart[] = [],
  value?: Expression,
  operation: "add" | "set" | "delete" = "add",
): Statement => ({ kind: "update", aggregate, operation, key, value, span });
export const lookUp = (
  aggregate: number,
  key: readonly KeyPart[],
  to: Variable,
  found: Variable,
): Statement => ({
  kind: "look-up",
  aggregate,
  key,
  variable: to,
  found,
  span,
});

/** Compiles statements for the entry of any function, or its return. */
export function compileStatements(
  body: readonly Statement[],
  options: Partial<CompileOptions> = {},
  at: "entry" | "return" = "entry",
): CompiledProbe {
  const parsed = {
    source: "p",
    tree: {
      selector: { kind: "function" as const, at, library: "", symbol: "f", offset: 0, span },
      parameters: [],
      body,
    },
    template: undefined,
    advice: onelinerAdvice,
  };
  return compileProbe(parsed, anyFunction, { ...usualOptions, ...options });
}

/** Options for aggregates of these specs, numbered in their order, in maps a0, a1 ... */
export function aggregates(...specs: readonly AggregateSpec[]): Pick<CompileOptions, "aggregates"> {
  return { aggregates: specs.map((spec, number) => ({ map: `a${number}`, spec, number })) };
}

export function aggregate(kind: AggregateSpec["kind"], given: Partial<AggregateSpec> = {}): AggregateSpec {
  return { kind, key: [], value: i64, entries: 100, ...given };
}
