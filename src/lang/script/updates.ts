/**
 * Owns what can be done with an aggregate that was handed over: add, set, delete, get, has.
 * Does not own its keys (keys.ts).
 */
import type { AnyNode } from "acorn";
import { nearestNames } from "../../base/text.js";
import { i32 } from "../types.js";
import type { Draft } from "./draft.js";
import { keyOf, nameOfType, refuseOutside } from "./keys.js";
import { integerOf } from "./operators.js";
import { describe, nameOfKind, use } from "./values.js";
import type { Aggregate, IntegerValue, Value } from "./values.js";

/** The operations of an aggregate by its kind. */
const tableOperations = ["get", "has", "set", "delete"];

/** Finds the operation of an aggregate that a property names. */
export function operationOf(
  draft: Draft,
  name: string,
  aggregate: Aggregate,
  operation: string,
  node: AnyNode,
): Value {
  const known = aggregate.spec.kind === "table" ? tableOperations : ["add"];
  if (known.includes(operation)) {
    return { kind: "operation", name, aggregate, operation, span: draft.spanOf(node) };
  }
  const near = nearestNames(operation, known, 1);
  const fix =
    near.length > 0
      ? `did you mean ${name}.${near[0]}?`
      : `write ${known.map((one) => `${name}.${one}(...)`).join(", ")}`;
  return draft.refuse(node, `a ${nameOfKind(aggregate)} has no "${operation}"`, fix);
}

/** Makes the call of an operation. */
export function callOperation(
  draft: Draft,
  { name, aggregate, operation }: Extract<Value, { kind: "operation" }>,
  given: readonly Value[],
  node: AnyNode,
): Value {
  const span = draft.spanOf(node);
  const usage = printUsage(name, aggregate, operation);
  const keyed = aggregate.key.kind !== "none";
  const takesValue = operation === "set" || (operation === "add" && aggregate.spec.kind !== "counter");
  const wanted = (keyed ? 1 : 0) + (takesValue ? 1 : 0);
  if (given.length !== wanted) {
    const taken = `${wanted === 0 ? "no" : wanted} argument${wanted === 1 ? "" : "s"}`;
    const isAmount = operation === "add" && !takesValue && given.length === wanted + 1;
    const fix = isAmount
      ? `write ${usage}: a counter counts calls; sums are what a summary is for`
      : `write ${usage}`;
    return draft.refuse(
      node,
      `${name}.${operation} takes ${taken}, and there ${given.length === 1 ? "is 1" : `are ${given.length}`}`,
      fix,
    );
  }
  const key = keyed ? keyOf(draft, aggregate, name, given[0]!) : [];
  const amount = given[keyed ? 1 : 0];
  if (operation === "get" || operation === "has") return lookUp(draft, name, aggregate, operation, key, span);
  const value = amount && amountOf(draft, name, aggregate, operation, amount).expression;
  push(draft, aggregate, operation as "add" | "set" | "delete", key, value, span);
  return { kind: "constant", value: undefined, span };
}

function push(
  draft: Draft,
  { index }: Aggregate,
  operation: "add" | "set" | "delete",
  key: ReturnType<typeof keyOf>,
  value: IntegerValue["expression"] | undefined,
  span: Value["span"],
): void {
  draft.push({ kind: "update", aggregate: index, operation, key, value, span });
}

function amountOf(
  draft: Draft,
  name: string,
  aggregate: Aggregate,
  operation: string,
  amount: Value,
): IntegerValue {
  if (describe(amount) === "a text") {
    const what = operation === "set" ? `${name} holds numbers` : `${name} adds numbers`;
    return draft.refuse(amount.span, `${what}, and this is a text`, "use the text as the key");
  }
  const integer = integerOf(draft, amount);
  if (integer.class === "boolean") {
    draft.refuse(amount.span, `${name} takes numbers, and this is a boolean`, "choose a number: x ? 1 : 0");
  }
  if (aggregate.spec.kind === "table" && integer.class !== aggregate.class) {
    const fix =
      aggregate.class === "bigint"
        ? `make it a bigint: p.cast(x, "${nameOfType(aggregate.spec.value)}"), or 5n for 5`
        : `make it a number: p.cast(x, "${nameOfType(aggregate.spec.value)}")`;
    draft.refuse(
      amount.span,
      `${name} holds values of kind ${aggregate.class}, and this is a ${integer.class}`,
      fix,
    );
  }
  refuseOutside(draft, amount, aggregate.spec.value, operation === "set" ? `a value of ${name}` : name);
  refuseOtherSign(draft, name, aggregate, integer);
  return integer;
}

/** Why: of 64 bits the largest unsigned values would become negative, or negative ones huge, without a word. */
function refuseOtherSign(draft: Draft, name: string, { spec }: Aggregate, integer: IntegerValue): void {
  const { type, expression, span } = integer;
  if (spec.value.bytes < 8 || type === undefined || expression.kind === "integer") return;
  const isLost = spec.value.signed ? !type.signed && type.bytes === 8 : type.signed;
  if (!isLost) return;
  const [own, other] = spec.value.signed ? ["i64", "u64"] : ["u64", "i64"];
  const what = spec.value.signed
    ? `${name} takes signed values, and this is an unsigned one of 64 bits`
    : `${name} takes unsigned values, and this is a signed one`;
  const written = draft.source.text.slice(span.start, span.end);
  const fix = `convert it: p.cast(${written}, "${own}"), or declare ${name} with { value: "${other}" }`;
  draft.refuse(span, what, fix);
}

function lookUp(
  draft: Draft,
  name: string,
  { index, spec, class: kind }: Aggregate,
  operation: "get" | "has",
  key: ReturnType<typeof keyOf>,
  span: Value["span"],
): Value {
  const variable = draft.variable(name, spec.value);
  const found = draft.variable(`${name}.has`, i32);
  draft.push({ kind: "look-up", aggregate: index, key, variable, found, span });
  if (operation === "has")
    return { kind: "integer", class: "boolean", expression: use(found, span), type: i32, span };
  const lookUpOf = { found, asked: false };
  return {
    kind: "integer",
    class: kind,
    expression: use(variable, span),
    type: spec.value,
    lookUp: lookUpOf,
    span,
  };
}

function printUsage(name: string, aggregate: Aggregate, operation: string): string {
  const key = aggregate.key.kind === "none" ? [] : ["key"];
  const value =
    operation === "set" || (operation === "add" && aggregate.spec.kind !== "counter") ? ["value"] : [];
  return `${name}.${operation}(${[...key, ...value].join(", ")})`;
}
