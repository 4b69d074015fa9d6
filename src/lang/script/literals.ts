/**
 * Owns literals of a probe function: numbers, texts, templates, objects.
 * Does not own other expressions (expressions.ts).
 */
import type { AnyNode, Property } from "acorn";
import type { Draft } from "./draft.js";
import { frozen } from "./freezing.js";
import { refusalOf } from "./refusals.js";
import type { Evaluate, Scope } from "./scope.js";
import type { Value } from "./values.js";

export function readLiteral(draft: Draft, node: Extract<AnyNode, { type: "Literal" }>): Value {
  const span = draft.spanOf(node);
  const { value } = node;
  if (node.regex !== undefined && node.regex !== null) {
    return draft.refuse(
      node,
      "there are no regular expressions in the kernel",
      "compare the whole text with ===, or return it and match where the event is handled",
    );
  }
  return {
    kind: "constant",
    value:
      typeof node.bigint === "string" ? BigInt(node.bigint) : (value as string | number | boolean | null),
    span,
  };
}

export function readTemplate(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  node: Extract<AnyNode, { type: "TemplateLiteral" }>,
): Value {
  const parts = node.quasis.map((quasi, index) => {
    const expression = node.expressions[index];
    const text = quasi.value.cooked ?? quasi.value.raw;
    if (expression === undefined) return text;
    const value = evaluate(draft, scope, expression);
    if (value.kind === "constant") return `${text}${String(value.value)}`;
    return draft.refuse(
      expression,
      "text cannot be put together in the kernel",
      "return both as values of their own, and join them where the event is handled",
    );
  });
  return { kind: "constant", value: parts.join(""), span: draft.spanOf(node) };
}

export function readObject(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  node: Extract<AnyNode, { type: "ObjectExpression" }>,
): Value {
  const properties = node.properties.map((property) =>
    property.type === "Property"
      ? property
      : draft.refuse(property, refusalOf(property).what, refusalOf(property).fix),
  );
  const entries = new Map<string, Value>();
  const values = properties.map(({ value }) => value);
  for (const [index, property] of properties.entries()) {
    if (property.kind !== "init" || property.method) {
      draft.refuse(property, "an object of a probe has no functions", "write name: value");
    }
    const name = nameOfProperty(evaluate, draft, scope, property);
    const value = draft.attempt(() => evaluate(draft, scope, property.value));
    const changed =
      value !== undefined && values.slice(index + 1).some((later) => draft.source.assigns(later));
    entries.set(
      name,
      changed ? frozen(draft, name, value) : (value ?? { kind: "broken", span: draft.spanOf(property) }),
    );
  }
  return { kind: "object", entries, span: draft.spanOf(node) };
}

function nameOfProperty(evaluate: Evaluate, draft: Draft, scope: Scope, { key, computed }: Property): string {
  if (!computed && key.type === "Identifier") return key.name;
  if (!computed && key.type === "Literal") return String(key.value);
  const value = evaluate(draft, scope, key);
  if (value.kind === "constant") return String(value.value);
  return draft.refuse(
    key,
    "the names of an object are known before the probe runs",
    "write the name out, or return it as a value",
  );
}
