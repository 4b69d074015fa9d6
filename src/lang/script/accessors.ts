/**
 * Owns the table of what a probe function's parameter offers, and what each becomes in the tree. parameter.ts says the same in types.
 * Does not own calls as such (calls.ts).
 */
import type { Span } from "../../base/errors.js";
import { nearestNames } from "../../base/text.js";
import type { Expression } from "../tree.js";
import { i64, u32, u64, u8 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { Draft, ProbeKind } from "./draft.js";
import { argumentAt, declaredArguments, wordAt } from "./arguments.js";
import { constantInteger, integerOf } from "./operators.js";
import { enumOf } from "./enums.js";
import { integerNames, integerTypes } from "./integer-types.js";
import { keptValue } from "./kept.js";
import { describe, literal } from "./values.js";
import type { IntegerValue, NumberClass, TextValue, Value } from "./values.js";

export interface Accessor {
  readonly name: string;
  /** Where it is offered: at entries and markers, at markers alone, at returns, at the return of a span, or everywhere. */
  readonly at: "anywhere" | "entry" | "marker" | "return" | "span-return";
  /** How it is written, for problems. */
  readonly usage: string;
  /** Undefined: a property. Otherwise how many arguments at least and at most. */
  readonly takes?: readonly [number, number];
  make(call: AccessorCall): Value;
}

export interface AccessorCall {
  readonly draft: Draft;
  /** What was given; as many as the accessor takes, the missing ones undefined. */
  readonly given: readonly (Value | undefined)[];
  readonly usage: string;
  readonly span: Span;
}

/** Says whether an accessor is offered to this kind of probe function. */
export function isOffered({ at }: Accessor, kind: ProbeKind): boolean {
  if (at === "anywhere") return true;
  if (at === "marker") return kind === "marker";
  if (at === "entry") return ["entry", "span-entry", "marker", "span-end"].includes(kind);
  if (at === "return") return kind === "return" || kind === "span-return";
  return kind === "span-return" || kind === "span-end";
}

function property(name: string, at: Accessor["at"], make: (call: AccessorCall) => Value): Accessor {
  return { name, at, usage: `p.${name}`, make };
}

function method(
  usage: string,
  at: Accessor["at"],
  takes: readonly [number, number],
  make: (call: AccessorCall) => Value,
): Accessor {
  const name = /^p\.(\w+)/.exec(usage)![1]!;
  return { name, at, usage, takes, make };
}

const named = (name: string): Accessor =>
  property(name, "anywhere", ({ span }) => integer("number", { kind: "name", name, span }, u32));

export const accessors: readonly Accessor[] = [
  named("pid"),
  named("tid"),
  named("uid"),
  named("gid"),
  named("cpu"),
  property("comm", "anywhere", ({ span }) => nameOfThread(span)),
  property("process", "anywhere", ({ span }) => {
    const pid = integer("number", { kind: "name", name: "pid", span }, u32);
    return {
      kind: "object",
      entries: new Map<string, Value>([
        ["pid", pid],
        ["comm", nameOfThread(span)],
      ]),
      span,
    };
  }),
  property("time", "anywhere", ({ span }) => integer("bigint", { kind: "name", name: "nsecs", span }, u64)),
  property("function", "anywhere", ({ span }) => ({ kind: "function", span })),
  property("durationNs", "span-return", ({ span }) => integer("number", { kind: "elapsed", span }, i64)),
  property("entry", "span-return", ({ draft, span }) =>
    draft.kept === undefined ? { kind: "constant", value: undefined, span } : keptValue(draft.kept, span),
  ),
  property("args", "marker", ({ draft, span }) => declaredArguments(draft, span)),
  method("p.arg(0)", "entry", [1, 1], (call) => wordAt(placeOf(call), call.span)),
  ...integerNames.map((name) =>
    method(`p.${name}(0)`, "entry", [1, 1], (call) => argumentAt(placeOf(call), name, call.span)),
  ),
  method('p.returned("i32")', "return", [0, 1], returned),
  method("p.text(address, { length, limit })", "anywhere", [1, 2], text),
  method("p.bytes(address, 16)", "anywhere", [2, 2], ({ draft, given, usage }) => {
    const address = addressOf(draft, given[0]!, usage);
    const count = requireConstant(draft, given[1]!, "the count of bytes", 1, 4096);
    return { kind: "bytes", address, count, span: given[0]!.span };
  }),
  method('p.read(address, "i32")', "anywhere", [2, 2], read),
  method('p.cast(value, "u32")', "anywhere", [2, 2], cast),
  method("p.symbol(address)", "anywhere", [1, 1], ({ draft, given, usage, span }) => ({
    kind: "symbol",
    address: addressOf(draft, given[0]!, usage),
    span,
  })),
  method("p.stack()", "anywhere", [0, 0], ({ span }) => ({ kind: "stack", span })),
  method('p.enum(value, { 0: "string", 1: "list" })', "anywhere", [2, 2], enumOf),
  method('p.register("sp")', "anywhere", [1, 1], ({ draft, given, span }) => {
    const name = requireText(draft, given[0]!, "the name of a register", 'p.register("sp")');
    return integer("bigint", { kind: "register", name, span: given[0]!.span }, u64, span);
  }),
];

export function findAccessor(name: string): Accessor | undefined {
  return accessors.find((accessor) => accessor.name === name);
}

function integer(
  kind: NumberClass,
  expression: Expression,
  type: IntegerType | undefined,
  span = expression.span,
): IntegerValue {
  return { kind: "integer", class: kind, expression, type, span };
}

function nameOfThread(span: Span): TextValue {
  return {
    kind: "text",
    from: "name",
    value: { kind: "name", name: "comm", span },
    length: undefined,
    limit: undefined,
    span,
  };
}

function placeOf({ draft, given }: AccessorCall): number {
  return requireConstant(draft, given[0]!, "the place of an argument", 0, 99);
}

function returned({ draft, given, span }: AccessorCall): Value {
  const word: Expression = { kind: "name", name: "retval", span };
  const { type, class: kind } = given[0] === undefined ? integerTypes["u64"]! : requireType(draft, given[0]);
  // Spec: the psABIs return a bool in the low 8 bits; what is above them means nothing.
  const operand: Expression = type.truth ? { kind: "cast", type: u8, operand: word, span } : word;
  return integer(kind, { kind: "cast", type, operand, span }, type);
}

function text({ draft, given, usage, span }: AccessorCall): Value {
  const value = addressOf(draft, given[0]!, usage);
  const options = given[1];
  if (options === undefined)
    return { kind: "text", from: "memory", value, length: undefined, limit: undefined, span };
  if (options.kind === "broken") return draft.giveUp();
  if (options.kind !== "object") {
    const written = draft.source.text.slice(options.span.start, options.span.end);
    return draft.refuse(options.span, "the options of a text are an object", `write { length: ${written} }`);
  }
  for (const [name, { span: place }] of options.entries) {
    if (name === "length" || name === "limit") continue;
    const near = nearestNames(name, ["length", "limit"]);
    draft.refuse(
      place,
      `a text has no option "${name}"`,
      near.length > 0 ? `did you mean ${near[0]}?` : "there are length and limit",
    );
  }
  const length = options.entries.get("length");
  const limit = options.entries.get("limit");
  const count = length && integerOf(draft, length, "a length");
  if (count?.class === "boolean")
    draft.refuse(length!.span, "a boolean is no length", "give a number: p.i32(1)");
  return {
    kind: "text",
    from: "memory",
    value,
    length: count?.expression,
    limit: limit && requireConstant(draft, limit, "the limit of a text", 1, 4096),
    span,
  };
}

function read({ draft, given, usage, span }: AccessorCall): Value {
  const address = addressOf(draft, given[0]!, usage);
  const { type, class: kind } = requireType(draft, given[1]!);
  // Why as u8: a bool in memory may hold any byte, and what is not zero is true.
  const stored = type.truth ? u8 : type;
  const pointer: Expression = {
    kind: "cast",
    type: { kind: "pointer", to: stored },
    operand: address,
    span: address.span,
  };
  const value: Expression = { kind: "dereference", operand: pointer, span };
  return integer(kind, type.truth ? { kind: "cast", type, operand: value, span } : value, type);
}

function cast({ draft, given, span }: AccessorCall): Value {
  const { expression } = integerOf(draft, given[0]!);
  const { type, class: kind } = requireType(draft, given[1]!);
  return integer(kind, { kind: "cast", type, operand: expression, span }, type);
}

/** An address: a bigint, or a constant. */
function addressOf(draft: Draft, value: Value, usage: string): Expression {
  if (value.kind === "broken") return draft.giveUp();
  if (value.kind === "integer" && value.class === "bigint") return integerOf(draft, value).expression;
  const constant = constantInteger(value);
  if (constant !== undefined && typeof (value as { value: unknown }).value === "bigint")
    return literal(constant, value.span, u64);
  const written = draft.source.text.slice(value.span.start, value.span.end);
  const narrow = /^(.*\b)[iu](?:8|16|32)\((.*)\)$/s.exec(written);
  const fix = narrow
    ? `read the whole word: ${narrow[1]}arg(${narrow[2]})`
    : `give a bigint, as p.arg(0) is: ${usage}`;
  return draft.refuse(value.span, `${describe(value)} is no address`, fix);
}

function requireType(
  draft: Draft,
  value: Value,
): { readonly type: IntegerType; readonly class: NumberClass } {
  const name = requireText(
    draft,
    value,
    "the name of a type",
    integerNames.map((one) => `"${one}"`).join(", "),
  );
  const found = Object.hasOwn(integerTypes, name) ? integerTypes[name] : undefined;
  if (found !== undefined) return found;
  const near = nearestNames(name, integerNames, 1);
  const fix =
    near.length > 0
      ? `did you mean "${near[0]}"? There are ${integerNames.join(" ")}`
      : `there are ${integerNames.join(" ")}`;
  return draft.refuse(value.span, `there is no type "${name}"`, fix);
}

function requireText(draft: Draft, value: Value, what: string, example: string): string {
  if (value.kind === "broken") return draft.giveUp();
  if (value.kind === "constant" && typeof value.value === "string") return value.value;
  return draft.refuse(value.span, `${what} is a constant text`, `write ${example}`);
}

function requireConstant(draft: Draft, value: Value, what: string, least: number, most: number): number {
  if (value.kind === "broken") return draft.giveUp();
  const constant = constantInteger(value);
  if (constant === undefined || value.kind !== "constant" || typeof value.value === "bigint") {
    return draft.refuse(
      value.span,
      `${what} is a constant number`,
      `write a number from ${least} to ${most}, or hand a constant over with using`,
    );
  }
  if (constant < BigInt(least) || constant > BigInt(most)) {
    draft.refuse(value.span, `${constant} is not ${what}`, `write a number from ${least} to ${most}`);
  }
  return Number(constant);
}
