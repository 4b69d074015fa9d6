/**
 * Owns what a probe function returns: which events there are, of which fields, and how their values are rebuilt.
 * Does not own the values themselves (expressions.ts).
 */
import type { AnyNode } from "acorn";
import { unreachable } from "../../base/assert.js";
import type { EmitField, FieldForm } from "../tree.js";
import { truth, u32 } from "../types.js";
import type { IntegerType } from "../types.js";
import { printShape } from "./draft.js";
import type { Draft } from "./draft.js";
import { condition as conditionOf, evaluate, perform } from "./expressions.js";
import { joinTypes } from "./joining.js";
import { integerOf } from "./operators.js";
import type { Scope } from "./scope.js";
import type { Shape, Shown } from "./shape.js";
import { literal } from "./values.js";
import type { NumberClass, Value } from "./values.js";

/** Writes down the end of the hit, and the event that the returned expression stands for, if any. */
export function finish(draft: Draft, scope: Scope, node: AnyNode | null | undefined, place: AnyNode): void {
  if (!node) return finishWithout(draft, place);
  const span = draft.spanOf(node);
  switch (node.type) {
    case "ParenthesizedExpression":
      return finish(draft, scope, node.expression, place);
    case "SequenceExpression":
      for (const expression of node.expressions.slice(0, -1)) perform(draft, scope, expression);
      return finish(draft, scope, node.expressions.at(-1), place);
    case "ConditionalExpression": {
      const condition = conditionOf(draft, scope, node.test);
      if (typeof condition === "boolean")
        return finish(draft, scope, condition ? node.consequent : node.alternate, place);
      const [whenTrue, whenFalse] = [node.consequent, node.alternate].map((branch) =>
        draft.collect(() => finish(draft, scope, branch, place)),
      );
      draft.push({ kind: "if", condition, whenTrue: whenTrue!, whenFalse: whenFalse!, span });
      return;
    }
    case "LogicalExpression":
      if (node.operator === "&&" && !isPlainTruth(draft, scope, node.right)) {
        const condition = conditionOf(draft, scope, node.left);
        if (condition === false) return finishWithout(draft, place);
        if (condition === true) return finish(draft, scope, node.right, place);
        const whenTrue = draft.collect(() => finish(draft, scope, node.right, place));
        draft.push({
          kind: "if",
          condition,
          whenTrue,
          whenFalse: draft.collect(() => finishWithout(draft, place)),
          span,
        });
        return;
      }
      break;
    default:
  }
  finishWith(draft, evaluate(draft, scope, node), node);
}

/** Why: `a && b` of two booleans is a boolean, and `a && { ... }` is an event or none. */
function isPlainTruth(draft: Draft, scope: Scope, node: AnyNode): boolean {
  if (node.type === "BinaryExpression")
    return [">", "<", ">=", "<=", "==", "!=", "===", "!=="].includes(node.operator);
  if (node.type === "UnaryExpression") return node.operator === "!";
  if (node.type === "LogicalExpression") return isPlainTruth(draft, scope, node.right);
  if (node.type !== "Identifier" && node.type !== "MemberExpression" && node.type !== "CallExpression")
    return false;
  const { result } = draft.gather(() => evaluate(draft, scope, node));
  return result.kind === "integer" && result.class === "boolean";
}

/** Ends the hit without an event. */
export function finishWithout(draft: Draft, place: AnyNode): void {
  const span = draft.spanOf(place);
  if (draft.at === "span-entry" && draft.keepsWhat === "nothing") {
    draft.push({ kind: "keep", fields: [], span });
    return;
  }
  draft.push({ kind: "finish", span });
}

function finishWith(draft: Draft, value: Value, node: AnyNode): void {
  const span = draft.spanOf(node);
  if (value.kind === "constant" && value.value === undefined) return finishWithout(draft, node);
  if (value.kind === "constant" && value.value === null) {
    draft.refuse(node, "null is no event", "write return; for no event");
  }
  const fields: EmitField[] = [];
  const shape = shapeOf(draft, value, "", fields);
  if (draft.at === "span-entry") {
    draft.keeps.push({ fields, shape, span });
    draft.push({ kind: "keep", fields, span });
    return;
  }
  draft.returned.push({ shape, span });
  draft.push({ kind: "emit", shape: draft.shapeNumber(shape, formsOf(fields)), strict: true, fields, span });
  draft.push({ kind: "finish", span });
}

/** What two events of one shape have in common: the rounds of a loop share theirs. */
function formsOf(fields: readonly EmitField[]): string {
  return fields
    .map(({ form }) => JSON.stringify(form.kind === "text" ? { kind: form.kind, limit: form.limit } : form))
    .join();
}

/** Adds the fields of a value, and says how it is made of them. */
function shapeOf(draft: Draft, value: Value, name: string, fields: EmitField[]): Shape {
  const { span } = value;
  const add = (as: Shown, form: FieldForm, expression: EmitField["value"]): Shape => ({
    kind: "field",
    field: addField(fields, name, form, expression),
    as,
    ...(form.kind === "integer" && form.type !== undefined ? { type: form.type } : {}),
  });
  switch (value.kind) {
    case "constant": {
      const isNumber = ["number", "bigint", "boolean"].includes(typeof value.value);
      // Why: what is kept has one shape, and numbers may differ from one return to the next.
      if (isNumber && draft.at === "span-entry") return shapeOf(draft, integerOf(draft, value), name, fields);
      return { kind: "constant", value: value.value };
    }
    case "integer": {
      const { class: kind, type, expression } = integerOf(draft, value);
      return add(
        kind,
        kind === "boolean" ? { kind: "integer", type: truth } : formOf(draft, kind, type),
        expression,
      );
    }
    case "text":
      return add(
        "text",
        { kind: "text", length: value.length, ...(value.limit === undefined ? {} : { limit: value.limit }) },
        value.value,
      );
    case "choice": {
      const { class: kind, type } = value;
      const field = addField(fields, name, formOf(draft, kind, type), value.value);
      return { kind: "choice", field, as: kind, type, choices: value.choices };
    }
    case "bytes":
    case "stack":
      if (draft.at === "span-entry") {
        draft.refuse(
          span,
          `${value.kind === "stack" ? "a stack is" : "bytes are"} not kept from the entry`,
          value.kind === "stack"
            ? "write p.stack() in the second function of the span"
            : "keep the address, and read at the return",
        );
      }
      if (value.kind === "stack") return add("stack", { kind: "stack" }, literal(0n, span));
      return add("bytes", { kind: "bytes", count: value.count }, value.address);
    case "symbol":
      return add("symbol", { kind: "symbol", space: "user" }, value.address);
    case "function":
      return add("function", { kind: "integer", type: u32 }, { kind: "site", span });
    case "object": {
      const entries = [...value.entries].map(([key, entry]) => {
        const shape = draft.attempt(() =>
          shapeOf(draft, entry, name === "" ? key : `${name}.${key}`, fields),
        );
        return { name: key, shape: shape ?? { kind: "constant" as const, value: undefined } };
      });
      return { kind: "object", entries };
    }
    case "array":
      return {
        kind: "array",
        items: value.items.map((item, index) => shapeOf(draft, item, `${name}[${index}]`, fields)),
      };
    case "broken":
      return draft.giveUp();
    case "parameter":
      return draft.refuse(
        span,
        "the probe's parameter is no value of the traced program",
        "name what you want to see: { pid: p.pid, comm: p.comm }",
      );
    case "handed":
      return draft.refuse(
        span,
        "what was handed over is known already",
        "return values of the traced program",
      );
    case "method":
      return draft.refuse(span, `p.${value.accessor.name} is a function`, `call it: ${value.accessor.usage}`);
    case "aggregate":
    case "operation":
      return draft.refuse(
        span,
        "an aggregate is no part of an event",
        "read it where it was made; return nothing here",
      );
    default:
      return unreachable(value);
  }
}

/** Why exact: 64 bits that become a number must be one that numbers can be. What is kept is looked at where it is sent. */
function formOf({ at }: Draft, kind: NumberClass, type: IntegerType | undefined): FieldForm {
  const isExact = kind === "number" && type?.bytes === 8 && at !== "span-entry";
  return { kind: "integer", type, ...(isExact ? { exact: true } : {}) };
}

function addField(fields: EmitField[], name: string, form: FieldForm, value: EmitField["value"]): number {
  fields.push({ name: name === "" ? "value" : name, value, form, span: value.span });
  return fields.length - 1;
}

/** All that the entry of a span keeps has one shape; numbers get the type that holds each of them. */
export function joinKeeps(draft: Draft): void {
  const [first, ...others] = draft.keeps;
  if (first === undefined) {
    if (draft.at === "span-entry") draft.shapes.push({ kind: "constant", value: undefined });
    return;
  }
  draft.shapes.push(first.shape);
  for (const other of others) {
    if (printShape(other.shape) === printShape(first.shape)) continue;
    draft.report(
      other.span,
      "what is kept here has another shape than at the first return",
      "return the same names and kinds everywhere",
    );
  }
  if (draft.problems.count > 0) return;
  if (others.length === 0) return;
  const types = new Map<number, IntegerType | undefined>();
  for (const [index, { form }] of first.fields.entries()) {
    if (form.kind !== "integer") continue;
    const type = draft.attempt(() => joinField(draft, index));
    types.set(index, type);
    for (const { fields } of draft.keeps)
      fields[index] = { ...fields[index]!, form: { kind: "integer", type } };
  }
  draft.shapes[0] = withTypes(first.shape, types);
}

function joinField(draft: Draft, index: number): IntegerType | undefined {
  const fields = draft.keeps.map((keep) => keep.fields[index]!);
  if (fields.every((field) => typeOfField(field)?.truth)) return truth;
  const joined = fields.map((field) => ({ expression: field.value, type: typeOfField(field) }));
  return joinTypes(draft, joined, fields.at(-1)!.span);
}

function typeOfField({ form }: EmitField): IntegerType | undefined {
  return form.kind === "integer" ? form.type : undefined;
}

/** The shape with other types for the fields that have one. */
function withTypes(shape: Shape, types: ReadonlyMap<number, IntegerType | undefined>): Shape {
  switch (shape.kind) {
    case "field": {
      const type = types.get(shape.field);
      return type === undefined ? shape : { ...shape, type };
    }
    case "choice":
      return { ...shape, type: types.get(shape.field) };
    case "constant":
      return shape;
    case "object": {
      const entries = shape.entries.map((entry) => ({ ...entry, shape: withTypes(entry.shape, types) }));
      return { ...shape, entries };
    }
    case "array":
      return { ...shape, items: shape.items.map((item) => withTypes(item, types)) };
    default:
      return unreachable(shape);
  }
}

/** Why: `condition && { ... }` is an event or none, so that the type of such events has no false, nor 0 and the like. */
export function refuseNothings(draft: Draft): void {
  if (!draft.returned.some(({ shape }) => shape.kind === "object" || shape.kind === "array")) return;
  for (const { shape, span } of draft.returned) {
    const isNothing =
      (shape.kind === "field" && shape.as === "boolean") || (shape.kind === "constant" && !shape.value);
    if (!isNothing) continue;
    const what = "false, 0 or an empty text is no event beside events that are objects";
    draft.report(span, what, "write return; for no event, or return it in an object: { value }");
  }
}
