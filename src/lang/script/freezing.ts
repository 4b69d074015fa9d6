/**
 * Owns computing a value here and now, whatever kind it is of, so that what is assigned behind this does not change it.
 * Does not own when that is needed (declaring.ts, expressions.ts).
 */
import type { Expression } from "../tree.js";
import type { Draft } from "./draft.js";
import type { Value } from "./values.js";

/** The same value, every expression in it computed here; `name` is for people. */
export function frozen(draft: Draft, name: string, value: Value): Value {
  const freeze = (expression: Expression, part: string): Expression =>
    draft.freezeExpression(expression, part);
  switch (value.kind) {
    case "integer":
      return value.lookUp === undefined ? draft.freeze(value, name) : value;
    case "text":
      return {
        ...value,
        value: freeze(value.value, name),
        length: value.length && freeze(value.length, `${name}.length`),
      };
    case "choice":
      return { ...value, value: freeze(value.value, name) };
    case "bytes":
    case "symbol":
      return { ...value, address: freeze(value.address, name) };
    case "object":
      return {
        ...value,
        entries: new Map(
          [...value.entries].map(([key, entry]) => [key, frozen(draft, `${name}.${key}`, entry)]),
        ),
      };
    case "array":
      return {
        ...value,
        items: value.items.map((item, index) => frozen(draft, `${name}[${index}]`, item)),
      };
    default:
      return value;
  }
}
