/**
 * Owns comparing in a probe function: integers as the numbers that they are, what may be undefined, truths.
 * Does not own texts (comparing-texts.ts) nor arithmetic (operators.ts).
 */
import type { AnyNode } from "acorn";
import type { BinaryOperator, Expression } from "../tree.js";
import { i32, i64, u64 } from "../types.js";
import type { IntegerType } from "../types.js";
import { sameText } from "./comparing-texts.js";
import type { Draft } from "./draft.js";
import { constantInteger, integerOf } from "./operators.js";
import { describe, literal, use } from "./values.js";
import type { IntegerValue, Value } from "./values.js";

type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

const comparisons: Readonly<Record<string, Comparison>> = {
  "==": "==",
  "===": "==",
  "!=": "!=",
  "!==": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

export function isComparison(operator: string): boolean {
  return operator in comparisons;
}

export function compare(draft: Draft, written: string, left: Value, right: Value, node: AnyNode): Value {
  const operator = comparisons[written]!;
  const equality = operator === "==" || operator === "!=";
  if (left.kind === "constant" && right.kind === "constant") {
    return { kind: "constant", value: computed(operator, left.value, right.value), span: draft.spanOf(node) };
  }
  if (equality && (isNothing(left) || isNothing(right))) {
    return compareWithNothing(draft, operator, isNothing(left) ? right : left, node);
  }
  const textual = [left, right].some((side) => describe(side) === "a text");
  if (!textual) return compareIntegers(draft, operator, left, right, node);
  if (!equality) {
    draft.refuse(
      node,
      `text cannot be compared with "${written}"`,
      "compare it with === or !==, or return it and sort where the events are handled",
    );
  }
  const same =
    left.kind === "constant" ? sameText(draft, right, left, node) : sameText(draft, left, right, node);
  if (same.kind === "constant") return { ...same, value: same.value === (operator === "==") };
  return operator === "==" ? same : not(draft, same, node);
}

/** Makes `!x` of a truth. */
export function not(draft: Draft, value: IntegerValue, node: AnyNode): IntegerValue {
  const span = draft.spanOf(node);
  const expression: Expression = { kind: "unary", operator: "!", operand: value.expression, span };
  return { kind: "integer", class: "boolean", expression, type: i32, span };
}

/** What a condition asks of a value: a constant truth, or an expression that is not zero. */
export function truthOf(draft: Draft, value: Value): boolean | Expression {
  if (value.kind === "constant") return Boolean(value.value);
  if (value.kind === "integer") {
    if (value.lookUp !== undefined) value.lookUp.asked = true;
    return value.expression;
  }
  if (value.kind === "broken") return draft.giveUp();
  const fix =
    describe(value) === "a text"
      ? 'compare it: text === "GET"'
      : describe(value) === "a function"
        ? "call it"
        : "ask for one of its values";
  return draft.refuse(value.span, `${describe(value)} is no condition`, fix);
}

/** Makes a boolean of a condition. */
export function truthValue(truth: boolean | Expression, span: Value["span"]): Value {
  if (typeof truth === "boolean") return { kind: "constant", value: truth, span };
  const isTruth =
    (truth.kind === "binary" &&
      (truth.operator in comparisons || truth.operator === "&&" || truth.operator === "||")) ||
    (truth.kind === "unary" && truth.operator === "!") ||
    truth.kind === "same-text";
  const expression: Expression = isTruth
    ? truth
    : { kind: "binary", operator: "!=", left: truth, right: literal(0n, span), span };
  return { kind: "integer", class: "boolean", expression, type: i32, span };
}

function isNothing(side: Value): boolean {
  return side.kind === "constant" && (side.value === undefined || side.value === null);
}

function computed(operator: Comparison, left: unknown, right: unknown): boolean {
  const [one, other] = [left as number, right as number];
  switch (operator) {
    case "==":
      return equal(left, right);
    case "!=":
      return !equal(left, right);
    case "<":
      return one < other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    case ">=":
      return one >= other;
  }
}

function isNumber(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/** Why: a number and a bigint are compared by what they are, as everywhere in a probe; null and undefined are both nothing. */
function equal(left: unknown, right: unknown): boolean {
  // oxlint-disable-next-line eqeqeq
  if (isNumber(left) && isNumber(right)) return left == right;
  return (left ?? undefined) === (right ?? undefined);
}

function compareWithNothing(draft: Draft, operator: Comparison, value: Value, node: AnyNode): Value {
  const span = draft.spanOf(node);
  if (value.kind === "integer" && value.lookUp !== undefined) {
    value.lookUp.asked = true;
    const found: IntegerValue = {
      kind: "integer",
      class: "boolean",
      expression: use(value.lookUp.found, span),
      type: i32,
      span,
    };
    return operator === "!=" ? found : not(draft, found, node);
  }
  if (value.kind === "broken") return draft.giveUp();
  return draft.refuse(
    node,
    `${describe(value)} is never undefined here`,
    value.kind === "integer"
      ? "compare it with a number; only table.get(key) may be undefined"
      : "remove the comparison",
  );
}

function compareIntegers(
  draft: Draft,
  operator: Comparison,
  left: Value,
  right: Value,
  node: AnyNode,
): Value {
  const span = draft.spanOf(node);
  const one = integerOf(draft, left);
  const other = integerOf(draft, right);
  const booleans = [one, other].filter((side) => side.class === "boolean").length;
  if (booleans === 1) {
    const fix = "compare booleans with true or false, numbers with numbers";
    draft.refuse(node, "a boolean and a number are never the same", fix);
  }
  refuseImpossible(draft, one, right, node);
  refuseImpossible(draft, other, left, node);
  const operand = exact(one, other, operator, span);
  return { kind: "integer", class: "boolean", expression: operand, type: i32, span };
}

function refuseImpossible(draft: Draft, value: IntegerValue, other: Value, node: AnyNode): void {
  const constant = constantInteger(other);
  if (constant === undefined || constant >= 0n || value.type === undefined || value.type.signed) return;
  const written = draft.source.text.slice(value.span.start, value.span.end);
  const bits = value.type.bytes * 8;
  const signed = /^(.*\b)(?:arg|u64)\((.*)\)$/s.exec(written);
  const fix = signed
    ? `read it as a signed value: ${signed[1]}i64(${signed[2]})`
    : `make it signed first: p.cast(${written}, "i${bits}")`;
  draft.refuse(node, `an unsigned value is never ${constant}`, fix);
}

/**
 * Compares two integers as the numbers that they are. Why: C would make a negative one a large one where the other is unsigned, and
 * TypeScript never does.
 */
function exact(
  left: IntegerValue,
  right: IntegerValue,
  operator: Comparison,
  span: Value["span"],
): Expression {
  const plain = (one: Expression, other: Expression, by: BinaryOperator = operator): Expression => ({
    kind: "binary",
    operator: by,
    left: one,
    right: other,
    span,
  });
  const [one, other] = [left.type, right.type];
  const knownFit = [left, right].some(
    ({ expression }) => expression.kind === "integer" && expression.type.signed,
  );
  if (one === undefined || other === undefined || one.signed === other.signed || knownFit) {
    return plain(left.expression, right.expression);
  }
  const unsigned = one.signed ? other : one;
  if (unsigned.bytes < 4) return plain(left.expression, right.expression);
  if (unsigned.bytes === 4) {
    return plain(
      one.signed ? left.expression : widen(left.expression, i64),
      other.signed ? right.expression : widen(right.expression, i64),
    );
  }
  const signed = one.signed ? left.expression : right.expression;
  const bits = plain(
    one.signed ? widen(left.expression, u64) : left.expression,
    other.signed ? widen(right.expression, u64) : right.expression,
  );
  const negative = plain(signed, literal(0n, span), "<");
  // What a negative number on the signed side makes of it.
  const whenNegative =
    operator === "!=" || (one.signed ? operator.startsWith("<") : operator.startsWith(">"));
  return whenNegative
    ? plain(negative, bits, "||")
    : plain({ kind: "unary", operator: "!", operand: negative, span }, bits, "&&");
}

function widen(operand: Expression, type: IntegerType): Expression {
  return { kind: "cast", type, operand, span: operand.span };
}
