/**
 * Owns arguments as values of a probe function: by their places, and by the names that the author of a marker's probe declares.
 * Does not own where they lie (the target) nor whether a type holds them (passes/1-bind.ts).
 */
import type { Span } from "../../base/errors.js";
import type { Expression } from "../tree.js";
import type { Draft } from "./draft.js";
import type { DeclaredArguments } from "./parameter.js";
import { integerTypes } from "./integer-types.js";
import type { IntegerValue, Value } from "./values.js";

interface ArgumentValue extends IntegerValue {
  readonly expression: Extract<Expression, { kind: "argument" }>;
}

/** The argument as a word of 64 bits, whatever it is. */
export function wordAt(index: number, span: Span): ArgumentValue {
  const word = argumentAt(index, "u64", span);
  return { ...word, expression: { ...word.expression, isWord: true } };
}

/** The argument as one of the types that authors name. */
export function argumentAt(index: number, typeName: string, span: Span): ArgumentValue {
  const { type, class: kind } = integerTypes[typeName]!;
  return { kind: "integer", class: kind, expression: { kind: "argument", index, type, span }, type, span };
}

/** `p.args`: the arguments of a marker by the names that the author declares. */
export function declaredArguments(draft: Draft, span: Span): Value {
  const { declared } = draft;
  if (declared === undefined) {
    const fix = 'name them in the options of usdt: { args: { query: "text" } }, or write p.arg(0)';
    return draft.refuse(span, "the arguments have no names here", fix);
  }
  draft.useDeclaration(span);
  const names = [...declared.keys()].filter((name) => declared.get(name) !== "skip");
  const valueAt = (name: string, place: Span): Value => declaredArgument(declared, name, place);
  const entries = new Map(names.map((name) => [name, valueAt(name, span)]));
  return { kind: "object", entries, valueAt, span };
}

function declaredArgument(declared: DeclaredArguments, name: string, span: Span): Value {
  const names = [...declared.keys()];
  const form = declared.get(name);
  const index = names.indexOf(name);
  if (typeof form !== "object" && form !== "text") {
    const value = argumentAt(index, form === "address" ? "u64" : form!, span);
    return { ...value, expression: { ...value.expression, name } };
  }
  // Why a word: a negative length is none, whatever its declaration makes of it.
  const length = typeof form === "object" ? wordAt(names.indexOf(form.text), span).expression : undefined;
  const { expression: value } = argumentAt(index, "u64", span);
  return { kind: "text", from: "memory", value, length, limit: undefined, span };
}
