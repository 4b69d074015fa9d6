/**
 * Owns comparing texts in a probe function: those of the traced program, names and choices with constants.
 * Does not own comparing numbers (comparing.ts).
 */
import type { AnyNode } from "acorn";
import type { Expression } from "../tree.js";
import { i32 } from "../types.js";
import type { Draft } from "./draft.js";
import { describe, literal } from "./values.js";
import type { ChoiceValue, IntegerValue, TextValue, Value } from "./values.js";

/** Compares a text with a constant. */
export function sameText(
  draft: Draft,
  value: Value,
  constant: Value,
  node: AnyNode,
): IntegerValue | Extract<Value, { kind: "constant" }> {
  const span = draft.spanOf(node);
  if (value.kind === "broken" || constant.kind === "broken") return draft.giveUp();
  if (constant.kind !== "constant" || typeof constant.value !== "string") {
    const both = describe(value) === "a text" && describe(constant) === "a text";
    const what = both
      ? "two texts of the traced program cannot be compared"
      : `a text is never the same as ${describe(constant.kind === "constant" ? constant : value)}`;
    return draft.refuse(node, what, 'compare text with a constant: p.text(p.arg(0)) === "GET"');
  }
  if (value.kind === "choice") return sameChoice(draft, value, constant.value, node);
  if (value.kind !== "text") {
    const fix =
      value.kind === "function"
        ? "make a probe of that function alone"
        : value.kind === "symbol"
          ? "compare its address, or return it and compare where the events are handled"
          : "compare it with a number";
    const what =
      describe(value) === "a text"
        ? "the name of a function is not known in the kernel"
        : `${describe(value)} is never the same as a text`;
    return draft.refuse(node, what, fix);
  }
  const bytes = new TextEncoder().encode(constant.value);
  if (value.from === "name" && bytes.length > 15) {
    draft.refuse(
      constant.span,
      "the name of a thread has at most 15 bytes",
      `compare with "${constant.value.slice(0, 15)}"`,
    );
  }
  const truth = sameBytes(value, bytes, span);
  return { kind: "integer", class: "boolean", expression: truth, type: i32, span };
}

function sameBytes({ value, length }: TextValue, bytes: Uint8Array, span: Value["span"]): Expression {
  if (length === undefined)
    return { kind: "same-text", literal: bytes, compared: "text", operand: value, span };
  const sameLength: Expression = {
    kind: "binary",
    operator: "==",
    left: length,
    right: literal(BigInt(bytes.length), span),
    span,
  };
  if (bytes.length === 0) return sameLength;
  const same: Expression = { kind: "same-text", literal: bytes, compared: "bytes", operand: value, span };
  return { kind: "binary", operator: "&&", left: sameLength, right: same, span };
}

function sameChoice(draft: Draft, choice: ChoiceValue, text: string, node: AnyNode): IntegerValue {
  const span = draft.spanOf(node);
  const same = choice.choices
    .filter(({ shown }) => shown === text)
    .map(({ value }): Expression => ({
      kind: "binary",
      operator: "==",
      left: choice.value,
      right: literal(value, span),
      span,
    }));
  const [first, ...others] = same;
  if (first === undefined) {
    const known = choice.choices.map(({ shown }) => JSON.stringify(shown)).join(", ");
    return draft.refuse(node, `this is never ${JSON.stringify(text)}`, `it is one of ${known}`);
  }
  const expression = others.reduce<Expression>(
    (left, right) => ({ kind: "binary", operator: "||", left, right, span }),
    first,
  );
  return { kind: "integer", class: "boolean", expression, type: i32, span };
}
