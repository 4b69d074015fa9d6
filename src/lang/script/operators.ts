/**
 * Owns arithmetic of a probe function: which classes combine, constants computed at once, C's types of the rest.
 * Does not own comparing (comparing.ts).
 */
import type { AnyNode } from "acorn";
import type { Span } from "../../base/errors.js";
import { commonType, promote } from "../arithmetic.js";
import type { BinaryOperator, Expression } from "../tree.js";
import { i32, i64, u32 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { Draft } from "./draft.js";
import { describe, literal, typeOfLiteral } from "./values.js";
import type { IntegerValue, NumberClass, Value } from "./values.js";

const arithmeticOperators = new Set(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>"]);

export function isArithmetic(operator: string): boolean {
  return arithmeticOperators.has(operator);
}

/** A value that can be computed with; constants become literals. What is none is refused. */
export function integerOf(draft: Draft, value: Value, wanted = "a number"): IntegerValue {
  const { span } = value;
  if (value.kind === "integer") {
    if (value.lookUp === undefined || value.lookUp.asked) return value;
    const fix = "say what counts when the key is not there: table.get(key) ?? 0n, or ask with === undefined";
    return draft.refuse(
      span,
      "this may be undefined",
      fix.replace("0n", value.class === "bigint" ? "0n" : "0"),
    );
  }
  if (value.kind === "broken") return draft.giveUp();
  if (value.kind !== "constant") {
    const fix =
      describe(value) === "a text"
        ? "text can be returned, compared with === and used in keys"
        : `use one of its values, and a number`;
    return draft.refuse(span, `${describe(value)} is not ${wanted}`, fix);
  }
  const constant = value.value;
  if (typeof constant === "boolean") {
    return {
      kind: "integer",
      class: "boolean",
      expression: literal(constant ? 1n : 0n, span),
      type: i32,
      span,
    };
  }
  if (typeof constant !== "bigint" && typeof constant !== "number") {
    return draft.refuse(span, `${describe(value)} is not ${wanted}`, "use a number here");
  }
  const kind = typeof constant === "bigint" ? "bigint" : "number";
  const whole = wholeOf(draft, constant, span);
  const type = typeOfLiteral(whole, kind);
  if (type === undefined) {
    return draft.refuse(span, `${constant} does not fit into 64 bits`, "use numbers from -2^63 to 2^64 - 1");
  }
  return { kind: "integer", class: kind, expression: literal(whole, span, type), type, span };
}

/** The number as a bigint. What is not exact is refused. */
export function wholeOf(draft: Draft, value: number | bigint, span: Span): bigint {
  if (typeof value === "bigint") return value;
  if (!Number.isInteger(value)) {
    return draft.refuse(
      span,
      `${value} is no whole number`,
      "use whole numbers: eBPF has no others; scale it, as in nanoseconds for seconds",
    );
  }
  if (!Number.isSafeInteger(value)) {
    return draft.refuse(
      span,
      "a number above 2^53 is not exact",
      `write it as a bigint: ${draft.source.text.slice(span.start, span.end).replaceAll("_", "")}n`,
    );
  }
  return BigInt(value);
}

/** The integer that is known while the probe is read, or undefined. */
export function constantInteger(value: Value): bigint | undefined {
  if (value.kind !== "constant") return undefined;
  if (typeof value.value === "bigint") return value.value;
  return typeof value.value === "number" && Number.isSafeInteger(value.value)
    ? BigInt(value.value)
    : undefined;
}

/** Makes `left operator right`. */
export function binary(draft: Draft, operator: string, left: Value, right: Value, node: AnyNode): Value {
  const span = draft.spanOf(node);
  if (left.kind === "constant" && right.kind === "constant") {
    const folded = fold(draft, operator, left.value, right.value, node);
    if (folded !== undefined) return { kind: "constant", value: folded, span };
  }
  if (operator === "+" && [left, right].some((side) => describe(side) === "a text")) {
    draft.refuse(
      node,
      "text cannot be put together in the kernel",
      "return both as values of their own, and join them where the event is handled",
    );
  }
  const one = numeric(draft, operator, left);
  const other = numeric(draft, operator, right);
  const type = requireSameClass(draft, operator, one, other, node);
  if (operator === ">>>") return unsignedShift(draft, one, other, node);
  if ((operator === "/" || operator === "%") && constantInteger(right) === 0n) {
    draft.refuse(right.span, "nothing can be divided by zero", "divide by something else");
  }
  const isShift = operator === "<<" || operator === ">>";
  return {
    kind: "integer",
    class: type,
    expression: {
      kind: "binary",
      operator: operator as BinaryOperator,
      left: one.expression,
      right: other.expression,
      span,
    },
    type: isShift ? one.type && promote(one.type) : meeting(one.type, other.type),
    span,
  };
}

/** The type in which two integers meet by C's rules, as far as it is known. */
export function meeting(
  left: IntegerType | undefined,
  right: IntegerType | undefined,
): IntegerType | undefined {
  return left && right && commonType(left, right);
}

/** Makes `-x`, `~x`, `+x`. */
export function unary(draft: Draft, operator: "-" | "~" | "+", operand: Value, node: AnyNode): Value {
  const span = draft.spanOf(node);
  if (operand.kind === "constant") {
    const { value } = operand;
    if (typeof value === "bigint" && operator !== "+") {
      return { kind: "constant", value: operator === "-" ? -value : ~value, span };
    }
    if (typeof value === "number") {
      return { kind: "constant", value: operator === "-" ? -value : operator === "~" ? ~value : value, span };
    }
  }
  const integer = integerOf(draft, operand);
  if (integer.class === "boolean" && operator === "+") return { ...integer, class: "number", span };
  if (integer.class === "bigint" && operator === "+") {
    draft.refuse(
      node,
      "a bigint does not become a number by itself",
      'write p.cast(x, "i32"), which keeps the low 32 bits',
    );
  }
  numeric(draft, operator, operand);
  return {
    kind: "integer",
    class: integer.class,
    expression: { kind: "unary", operator, operand: integer.expression, span },
    type: integer.type && promote(integer.type),
    span,
  };
}

function numeric(draft: Draft, operator: string, value: Value): IntegerValue {
  const integer = integerOf(draft, value);
  if (integer.class === "boolean") {
    draft.refuse(value.span, `a boolean is no number for "${operator}"`, "choose numbers: x ? 1 : 0");
  }
  return integer;
}

function requireSameClass(
  draft: Draft,
  operator: string,
  left: IntegerValue,
  right: IntegerValue,
  node: AnyNode,
): NumberClass {
  if (left.class === right.class) return left.class;
  const number = left.class === "number" ? left : right;
  const written = draft.source.text.slice(number.span.start, number.span.end);
  const isLiteral = /^[\d_xXa-fA-F]+$/.test(written);
  const fix = isLiteral ? `write ${written}n` : `make both a bigint: p.cast(${written}, "i64")`;
  return draft.refuse(node, `"${operator}" cannot mix a bigint and a number`, fix);
}

/** Spec: ECMA-262 Number::unsignedRightShift: the low 32 bits, without a sign. */
function unsignedShift(draft: Draft, left: IntegerValue, right: IntegerValue, node: AnyNode): Value {
  const span = draft.spanOf(node);
  if (left.class === "bigint") {
    draft.refuse(
      node,
      '">>>" is not for bigints',
      'write >> on an unsigned value: p.u64(0) >> 8n, or p.cast(x, "u64") >> 8n',
    );
  }
  const operand: Expression = { kind: "cast", type: u32, operand: left.expression, span: left.span };
  const isZero = right.expression.kind === "integer" && right.expression.value === 0n;
  const expression: Expression = isZero
    ? { ...operand, span }
    : { kind: "binary", operator: ">>", left: operand, right: right.expression, span };
  return { kind: "integer", class: "number", expression, type: u32, span };
}

type Known = string | number | bigint | boolean | null | undefined;

/** Computes with constants as JavaScript does, where that is exact. */
function fold(draft: Draft, operator: string, left: Known, right: Known, node: AnyNode): Known {
  const span = draft.spanOf(node);
  if (typeof left === "bigint" && typeof right === "bigint") {
    if (right === 0n && (operator === "/" || operator === "%")) return undefined;
    const value = bigintOperations[operator]?.(left, right);
    return value;
  }
  if (typeof left === "string" && typeof right === "string" && operator === "+") return left + right;
  if (typeof left !== "number" || typeof right !== "number") return undefined;
  if (right === 0 && (operator === "/" || operator === "%")) return undefined;
  const value = numberOperations[operator]?.(left, right);
  if (value === undefined) return undefined;
  if (!Number.isInteger(value)) {
    draft.refuse(span, `${value} is no whole number`, "divide outside, and hand the result over with using");
  }
  return value;
}

const bigintOperations: Readonly<Record<string, (left: bigint, right: bigint) => bigint | undefined>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "&": (left, right) => left & right,
  "|": (left, right) => left | right,
  "^": (left, right) => left ^ right,
  "<<": (left, right) => (right >= 0n && right < 64n ? left << right : undefined),
  ">>": (left, right) => (right >= 0n && right < 64n ? left >> right : undefined),
};

const numberOperations: Readonly<Record<string, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "&": (left, right) => left & right,
  "|": (left, right) => left | right,
  "^": (left, right) => left ^ right,
  "<<": (left, right) => left << right,
  ">>": (left, right) => left >> right,
  ">>>": (left, right) => left >>> right,
};

/** The type of a `let`: int64 for numbers; a bigint's is that of its first value. */
export function typeOfVariable(value: IntegerValue): IntegerType | undefined {
  if (value.class === "number") return i64;
  return value.class === "boolean" ? i32 : value.type;
}
