/**
 * Owns values that depend on a condition: numbers, booleans, texts at two addresses, constants told apart by a number.
 * Does not own choices between objects, which can only be returned (results.ts).
 */
import type { AnyNode } from "acorn";
import type { Expression } from "../tree.js";
import { i32, i64 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { Draft } from "./draft.js";
import { joinTypes } from "./joining.js";
import { integerOf, meeting } from "./operators.js";
import { describe, literal } from "./values.js";
import type { ChoiceValue, IntegerValue, TextValue, Value } from "./values.js";

/** Makes `condition ? whenTrue : whenFalse` of two values that were computed. */
export function choose(
  draft: Draft,
  condition: Expression,
  whenTrue: Value,
  whenFalse: Value,
  node: AnyNode,
): Value {
  const span = draft.spanOf(node);
  if (whenTrue.kind === "broken" || whenFalse.kind === "broken") return draft.giveUp();
  const pick = (one: Expression, other: Expression): Expression => ({
    kind: "conditional",
    condition,
    whenTrue: one,
    whenFalse: other,
    span,
  });
  if (isNumeric(whenTrue) && isNumeric(whenFalse)) {
    const one = integerOf(draft, whenTrue);
    const other = integerOf(draft, whenFalse);
    if (one.class === other.class) {
      const type = joinTypes(draft, [one, other], node);
      const expression = pick(joinSide(one, other, type), joinSide(other, one, type));
      return { kind: "integer", class: one.class, expression, type, span };
    }
    const fix = 'choose between two of one kind: write 0n beside a bigint, or p.cast(x, "i64")';
    return draft.refuse(
      node,
      `a choice between a ${one.class} and a ${other.class} has no type in the kernel`,
      fix,
    );
  }
  if (whenTrue.kind === "text" && whenFalse.kind === "text") {
    const text = chooseText(whenTrue, whenFalse, pick);
    if (text !== undefined) return { ...text, span };
    return draft.refuse(
      node,
      "these two texts are read in two ways",
      "give both a length, or none, or return two events",
    );
  }
  const closed = chooseConstant(whenTrue, whenFalse, pick);
  if (closed !== undefined) return { ...closed, span };
  return draft.refuse(
    node,
    `a choice between ${describe(whenTrue)} and ${describe(whenFalse)} cannot be a part of something`,
    "return two objects: if (condition) return { ... }; return { ... }",
  );
}

/** A side of a choice, converted where C would choose another type for both. */
function joinSide(side: IntegerValue, other: IntegerValue, type: IntegerType | undefined): Expression {
  const usual = meeting(side.type, other.type);
  if (type === undefined || usual === undefined) return side.expression;
  if (usual.bytes === type.bytes && usual.signed === type.signed) return side.expression;
  return { kind: "cast", type, operand: side.expression, span: side.span };
}

function isNumeric(value: Value): boolean {
  return (
    value.kind === "integer" ||
    (value.kind === "constant" && ["number", "bigint", "boolean"].includes(typeof value.value))
  );
}

type Pick = (one: Expression, other: Expression) => Expression;

function chooseText(one: TextValue, other: TextValue, pick: Pick): TextValue | undefined {
  if (one.from !== "memory" || other.from !== "memory" || one.limit !== other.limit) return undefined;
  if ((one.length === undefined) !== (other.length === undefined)) return undefined;
  const length = one.length && other.length && pick(asLength(one.length), asLength(other.length));
  return { ...one, value: pick(one.value, other.value), length };
}

/** Why as i64: a negative length is none, and C would make it a large one beside an unsigned one. */
function asLength(operand: Expression): Expression {
  return { kind: "cast", type: i64, operand, span: operand.span };
}

/** Constants, and choices between them, are numbered through. */
function chooseConstant(one: Value, other: Value, pick: Pick): ChoiceValue | undefined {
  const first = asChoice(one, 0n);
  const second = first && asChoice(other, BigInt(first.choices.length));
  if (first === undefined || second === undefined) return undefined;
  const choices = [...first.choices, ...second.choices];
  return { ...first, value: pick(first.value, second.value), choices };
}

function asChoice(value: Value, from: bigint): ChoiceValue | undefined {
  const { span } = value;
  if (value.kind === "constant") {
    const choices = [{ value: from, shown: value.value }];
    return {
      kind: "choice",
      class: "number",
      value: literal(from, span),
      type: i32,
      choices,
      open: false,
      span,
    };
  }
  if (value.kind !== "choice" || value.open) return undefined;
  const shifted: Expression =
    from === 0n
      ? value.value
      : { kind: "binary", operator: "+", left: value.value, right: literal(from, span), span };
  return {
    ...value,
    value: shifted,
    choices: value.choices.map((choice) => ({ ...choice, value: choice.value + from })),
  };
}
