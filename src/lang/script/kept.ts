/**
 * Owns `p.entry`: what the entry of a span has kept, as values at its return.
 * Does not own which values can be kept (results.ts).
 */
import type { Span } from "../../base/errors.js";
import type { Expression } from "../tree.js";
import type { Shape } from "./shape.js";
import type { Value } from "./values.js";

/** What the entry of a span has kept, by its shape. */
export function keptValue(shape: Shape, span: Span): Value {
  switch (shape.kind) {
    case "constant":
      return { kind: "constant", value: shape.value, span };
    case "object":
      return {
        kind: "object",
        entries: new Map(shape.entries.map(({ name, shape: inner }) => [name, keptValue(inner, span)])),
        span,
      };
    case "array":
      return { kind: "array", items: shape.items.map((item) => keptValue(item, span)), span };
    case "choice": {
      const value: Expression = { kind: "kept", index: shape.field, span };
      return {
        kind: "choice",
        class: shape.as,
        value,
        type: shape.type,
        choices: shape.choices,
        open: true,
        span,
      };
    }
    case "field":
      return keptField(shape, { kind: "kept", index: shape.field, span });
  }
}

function keptField({ as, type }: Extract<Shape, { kind: "field" }>, value: Expression): Value {
  const { span } = value;
  switch (as) {
    case "number":
    case "bigint":
    case "boolean":
      return { kind: "integer", class: as, expression: value, type, span };
    case "text":
      return { kind: "text", from: "kept", value, length: undefined, limit: undefined, span };
    case "symbol":
      return { kind: "symbol", address: value, span };
    case "function":
      return { kind: "function", span };
    // Why: the entry refuses to keep them (results.ts).
    case "bytes":
    case "stack":
      return { kind: "broken", span };
  }
}
