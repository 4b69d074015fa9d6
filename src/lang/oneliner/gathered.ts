/**
 * Owns what a distribution does with its values: the key of a counter with one part for each, or the value of a histogram.
 * Does not own reading them (distribution.ts).
 */
import type { Span } from "../../base/errors.js";
import type { AggregateSpec, KeyPartSpec } from "../aggregates.js";
import type { Problems } from "../problems.js";
import type { Expression, KeyPart } from "../tree.js";
import { i32, u64 } from "../types.js";
import type { IntegerType, Type } from "../types.js";

/** How values are gathered: each tuple of them counted, or one value in buckets that double. */
export type Gathering = "count" | "histogram";

/** A value with the type in front of it; each undefined where it was reported. */
export interface TypedExpression {
  readonly value: Expression | undefined;
  readonly type: Type | undefined;
}

export interface ShownValue {
  /** As it was written, without $entry(...) around it; unlike those of the other values. */
  readonly name: string;
  readonly shown: "number" | "address" | "text" | "duration";
}

export interface Gathered {
  readonly aggregate: AggregateSpec;
  readonly key: readonly KeyPart[];
  /** Of a histogram. */
  readonly value: Expression | undefined;
  readonly values: readonly ShownValue[];
}

/** Keys at most. Why so many: they are not taken away at each interval, so that none is lost between reading and that. */
const mostKeys = 65_536;

/** What is gathered where no values are named: the number of calls, or what they return as an int. */
export function gatherCalls(
  gathering: Gathering,
  isReturn: boolean,
  span: Span,
  problems: Problems,
): Gathered | undefined {
  const retval: Expression = { kind: "name", name: "retval", span };
  const values = [{ name: "retval", shown: "number" }] as const;
  if (gathering === "histogram") {
    if (isReturn) return { aggregate: histogramOf(i32), key: [], value: retval, values };
    const fix = "name it with its type: p:c:write(int fd, void *buf, size_t n):size_t:n";
    return problems.report(span, "a histogram needs a value", fix);
  }
  if (!isReturn) return { aggregate: counterOf([]), key: [], value: undefined, values: [] };
  const key = [{ kind: "integer", value: retval, span }] as const;
  return { aggregate: counterOf([{ kind: "integer", type: i32 }]), key, value: undefined, values };
}

/** What is gathered of the values that are named; undefined where one was reported. */
export function gather(
  source: string,
  gathering: Gathering,
  values: readonly TypedExpression[],
  textLimit: number,
  problems: Problems,
): Gathered | undefined {
  const known = values.filter(isKnown);
  if (known.length < values.length) return undefined;
  const [first, second] = known;
  if (gathering === "count" || first === undefined) return gatherTuple(source, known, textLimit, problems);
  if (second === undefined) return gatherValue(source, first, problems);
  const fix = "write another one for this: -H SPEC -H SPEC";
  return problems.report(second.value.span, "a histogram is of one value", fix);
}

interface KnownExpression {
  readonly value: Expression;
  readonly type: Type;
}

function isKnown(value: TypedExpression): value is KnownExpression {
  return value.value !== undefined && value.type !== undefined;
}

function gatherTuple(
  source: string,
  known: readonly KnownExpression[],
  textLimit: number,
  problems: Problems,
): Gathered {
  const values: ShownValue[] = [];
  for (const { value, type } of known) {
    if (isThreadName(value) && !isCharacters(type))
      problems.report(value.span, "the thread's name is text", "give it the type char *");
    values.push({ name: nameOf(source, value, values), shown: shownAs(type) });
  }
  const parts = known.map((part) => partOf(part, textLimit));
  return {
    aggregate: counterOf(parts.map(({ spec }) => spec)),
    key: parts.map(({ part }) => part),
    value: undefined,
    values,
  };
}

function gatherValue(
  source: string,
  { value, type }: KnownExpression,
  problems: Problems,
): Gathered | undefined {
  if (type.kind !== "integer" || isThreadName(value)) {
    const isText = isThreadName(value) || isCharacters(type);
    const what = `${isText ? "text" : "an address"} cannot be sorted into a histogram`;
    return problems.report(value.span, what, "count it: -C SPEC");
  }
  const shown = value.kind === "elapsed" ? "duration" : "number";
  const values = [{ name: nameOf(source, value, []), shown }] as const;
  return { aggregate: histogramOf(type), key: [], value, values };
}

function partOf(
  { value, type }: KnownExpression,
  textLimit: number,
): { readonly spec: KeyPartSpec; readonly part: KeyPart } {
  const { span } = value;
  if (!isCharacters(type)) {
    const spec = { kind: "integer", type: type.kind === "integer" ? type : u64 } as const;
    return { spec, part: { kind: "integer", value, span } };
  }
  const part = { kind: "text", value, length: undefined, span } as const;
  return { spec: isThreadName(value) ? { kind: "comm" } : { kind: "text", bytes: textLimit }, part };
}

function isThreadName(value: Expression): boolean {
  return value.kind === "name" && value.name === "comm";
}

function shownAs(type: Type): ShownValue["shown"] {
  if (isCharacters(type)) return "text";
  return type.kind === "pointer" ? "address" : "number";
}

/** C's text: a pointer to characters of either sign. */
function isCharacters(type: Type): boolean {
  return (
    type.kind === "pointer" && type.to?.kind === "integer" && type.to.bytes === 1 && type.to.truth !== true
  );
}

function counterOf(key: readonly KeyPartSpec[]): AggregateSpec {
  return { kind: "counter", key, value: u64, entries: mostKeys };
}

function histogramOf(value: IntegerType): AggregateSpec {
  return { kind: "log2", key: [], value, entries: 1 };
}

/** What the author wrote, as BCC shows it; with a number behind it where it was written before. */
function nameOf(source: string, { span }: Expression, others: readonly ShownValue[]): string {
  const text = source
    .slice(span.start, span.end)
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\$entry\( ?(\w+) ?\)/g, "$1");
  const twins = others.filter(({ name }) => name === text || name.startsWith(`${text}#`)).length;
  return twins === 0 ? text : `${text}#${twins + 1}`;
}
