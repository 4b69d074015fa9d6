/**
 * Owns what probes gather in the kernel, as authors declare it: counters, summaries, histograms and tables with typed keys.
 * Does not own their layout there (lang/aggregates.ts) nor reading them (snapshot.ts).
 */
import { UsageError } from "../../base/errors.js";
import { holdsStack } from "../../lang/aggregates.js";
import type { AggregateSpec, KeyPartSpec } from "../../lang/aggregates.js";
import { mostFrames } from "../../lang/event.js";
import type { KeyForm } from "../../lang/script/handed-over.js";
import type { IntegerTypes, ProcessValue } from "../../lang/script/parameter.js";
import { i16, i32, i64, i8, u16, u32, u64, u8 } from "../../lang/types.js";
import type { IntegerType } from "../../lang/types.js";

type NumberName = Exclude<keyof IntegerTypes, "bool">;

/** A part of a key that tables can have too. */
type PlainPart = NumberName | "text" | `text(${number})` | "comm" | "process" | "function";

/**
 * The type of one part of a key: an integer, text (of at most 32 bytes, or as many as said), the thread's name, the process
 * (pid and name), the function that was hit, or the user stack as names.
 */
export type KeyPart = PlainPart | "stack";

/** What a key is made of: one part, some by name, or some in a row. */
export type KeySchema<Part extends KeyPart = KeyPart> =
  | Part
  | readonly Part[]
  | { readonly [name: string]: Part };

type PartOf<Part> = Part extends NumberName
  ? IntegerTypes[Part]
  : Part extends "process"
    ? ProcessValue
    : Part extends "stack"
      ? readonly string[]
      : string;

/** The key that a schema describes. */
export type KeyOf<Schema> = Schema extends KeyPart
  ? PartOf<Schema>
  : { -readonly [Name in keyof Schema]: PartOf<Schema[Name]> };

/** What an aggregate keeps apart, and how much of it. */
export interface AggregateOptions<Schema extends KeySchema> {
  /** What to keep apart; without it there is one value. */
  readonly key?: Schema;
  /** Keys at most, 10240 unless said; what finds no room is counted as dropped. */
  readonly entries?: number;
}

/** What a summary or a histogram takes in. */
export interface ValueOptions {
  /** "i64" unless said: values of 64 bits without a sign are for "u64". */
  readonly value?: "i64" | "u64";
}

/** What all kinds of aggregates are. Handed over by `using`, they are filled in probe functions and read from an observation. */
export interface Aggregate {
  /** What it is in the kernel. */
  readonly spec: AggregateSpec;
  /** How its keys are written. */
  readonly form: KeyForm;
}

/** Counts. */
export interface Counter<Key = undefined> extends Aggregate {
  /** Tells the kinds of aggregates apart. */
  readonly kind: "counter";
  /** In a probe function: adds one. */
  add(...key: Key extends undefined ? [] : [key: Key]): void;
}

/** Count, sum, smallest, largest and average of what is added. */
export interface Summary<Key = undefined> extends Aggregate {
  /** Tells the kinds of aggregates apart. */
  readonly kind: "summary";
  /** In a probe function: takes a value in. */
  add(...key: Key extends undefined ? [value: number | bigint] : [key: Key, value: number | bigint]): void;
}

/** How often values of each size were added. */
export interface Histogram<Key = undefined> extends Aggregate {
  /** Tells the kinds of aggregates apart. */
  readonly kind: "histogram";
  /** In a probe function: sorts a value into its bucket. */
  add(...key: Key extends undefined ? [value: number | bigint] : [key: Key, value: number | bigint]): void;
}

/** Values by key, for probe functions that hand something on to each other. */
export interface Table<Key, Value> extends Aggregate {
  /** Tells the kinds of aggregates apart. */
  readonly kind: "table";
  /** In a probe function: the value of a key; undefined when there is none. */
  get(key: Key): Value | undefined;
  /** In a probe function: says whether there is such a key. */
  has(key: Key): boolean;
  /** In a probe function: sets the value of a key. */
  set(key: Key, value: Value): void;
  /** In a probe function: forgets a key. */
  delete(key: Key): void;
}

/** A counter, by key if one is given. */
export function counter(): Counter;
export function counter<const Schema extends KeySchema>(
  options: AggregateOptions<Schema> & { readonly key: Schema },
): Counter<KeyOf<Schema>>;
export function counter(options: AggregateOptions<KeySchema> = {}): Counter<unknown> {
  return { kind: "counter", ...declare("counter", options), add: onlyInProbes };
}

/** A summary of values, by key if one is given. */
export function summary(options?: ValueOptions & { readonly key?: never }): Summary;
export function summary<const Schema extends KeySchema>(
  options: AggregateOptions<Schema> & ValueOptions & { readonly key: Schema },
): Summary<KeyOf<Schema>>;
export function summary(options: AggregateOptions<KeySchema> & ValueOptions = {}): Summary<unknown> {
  return { kind: "summary", ...declare("summary", options, valueOf(options)), add: onlyInProbes };
}

function valueOf({ value = "i64" }: ValueOptions): IntegerType {
  if (value === "i64" || value === "u64") return integers[value];
  throw new UsageError({
    what: `"${String(value)}" is no type of what is added`,
    at: "the value of an aggregate",
    fix: 'use "i64", or "u64" for values without a sign',
  });
}

/** "log2": each bucket is twice as wide as the one before. Else buckets of one width from `from` up to `to`. */
export type Scale = "log2" | { readonly from: number; readonly to: number; readonly step: number };

/** The options of a histogram. */
export interface HistogramOptions<Schema extends KeySchema> extends AggregateOptions<Schema>, ValueOptions {
  /** "log2" unless said. */
  readonly scale?: Scale;
}

/** A histogram of values, by key if one is given. */
export function histogram(options?: HistogramOptions<KeySchema> & { readonly key?: never }): Histogram;
export function histogram<const Schema extends KeySchema>(
  options: HistogramOptions<Schema> & { readonly key: Schema },
): Histogram<KeyOf<Schema>>;
export function histogram(options: HistogramOptions<KeySchema> = {}): Histogram<unknown> {
  const { scale = "log2" } = options;
  if (scale === "log2")
    return { kind: "histogram", ...declare("log2", options, valueOf(options)), add: onlyInProbes };
  const { spec, form } = declare("linear", options, valueOf(options));
  return { kind: "histogram", spec: { ...spec, steps: stepsOf(scale, spec.value) }, form, add: onlyInProbes };
}

/** A table of values by key. */
export function table<const Schema extends KeySchema<PlainPart>, Name extends NumberName>(
  options: AggregateOptions<Schema> & { readonly key: Schema; readonly value: Name },
): Table<KeyOf<Schema>, IntegerTypes[Name]> {
  const { spec, form } = declare("table", options);
  if (holdsStack(spec))
    throw new UsageError({
      what: "a table has no stacks as keys",
      at: "the key of an aggregate",
      fix: "count, or sum up, by stack: counter, summary and histogram have such keys",
    });
  const calls = { get: onlyInProbes, has: onlyInProbes, set: onlyInProbes, delete: onlyInProbes };
  return { kind: "table", spec: { ...spec, value: integers[options.value] }, form, ...calls };
}

const defaultEntries = 10_240;
/** Kernel: a hash map has at most 2^31 elements, and takes memory for all of them when it is made. */
const mostEntries = 1 << 24;
const defaultText = 32;
/** A key is put together on the program's stack of 512 bytes. */
const mostText = 200;

const integers: Readonly<Record<NumberName, IntegerType>> = { i8, i16, i32, i64, u8, u16, u32, u64 };

function declare(
  kind: AggregateSpec["kind"],
  { key, entries = defaultEntries }: AggregateOptions<KeySchema>,
  value: IntegerType = i64,
): Aggregate {
  if (!Number.isInteger(entries) || entries < 1 || entries > mostEntries) {
    throw new UsageError({
      what: `${entries} is no number of entries`,
      at: `an aggregate (${kind})`,
      fix: `give an integer from 1 to ${mostEntries}`,
    });
  }
  const { form, parts } =
    key === undefined ? { form: { kind: "none" } as const, parts: [] } : readSchema(key);
  return { spec: { kind, key: parts.flatMap(partSpecs), value, entries }, form };
}

function readSchema(key: KeySchema): { readonly form: KeyForm; readonly parts: readonly KeyPart[] } {
  if (typeof key === "string") return { form: { kind: "value", part: formOf(key) }, parts: [key] };
  if (isRow(key)) return { form: { kind: "array", parts: key.map(formOf) }, parts: key };
  const entries = Object.entries(key);
  const parts = entries.map(([name, part]) => ({ name, part: formOf(part) }));
  return { form: { kind: "object", parts }, parts: entries.map(([, part]) => part) };
}

function isRow(key: KeySchema): key is readonly KeyPart[] {
  return Array.isArray(key);
}

function formOf(part: KeyPart): "single" | "process" {
  return part === "process" ? "process" : "single";
}

function partSpecs(part: KeyPart): readonly KeyPartSpec[] {
  if (part === "process") return [{ kind: "integer", type: u32 }, { kind: "comm" }];
  if (part === "comm") return [{ kind: "comm" }];
  if (part === "function") return [{ kind: "site" }];
  if (part === "stack") return [{ kind: "stack", depth: mostFrames }];
  if (Object.hasOwn(integers, part)) return [{ kind: "integer", type: integers[part as NumberName] }];
  const bytes = part === "text" ? defaultText : Number(/^text\((\d+)\)$/.exec(part)?.[1]);
  if (bytes >= 1 && bytes <= mostText) return [{ kind: "text", bytes }];
  throw new UsageError({
    what: `"${part}" is no part of a key`,
    at: "the key of an aggregate",
    fix: `use one of ${Object.keys(integers).join(" ")} text text(N) comm process function stack, N up to ${mostText}`,
  });
}

function stepsOf(
  { from, to, step }: Exclude<Scale, "log2">,
  { signed }: IntegerType,
): NonNullable<AggregateSpec["steps"]> {
  const count = Math.ceil((to - from) / step);
  const mostSteps = 1000;
  if (
    [from, to, step].every(Number.isSafeInteger) &&
    step > 0 &&
    (signed || from >= 0) &&
    count >= 1 &&
    count <= mostSteps
  )
    return { from: BigInt(from), width: BigInt(step), count };
  throw new UsageError({
    what: `a histogram${signed ? "" : " of u64"} from ${from} to ${to} in steps of ${step} cannot be made`,
    at: "histogram",
    fix: `give integers with from < to and at most ${mostSteps} steps`,
  });
}

function onlyInProbes(): never {
  throw new UsageError({
    what: "an aggregate is filled in the kernel, by probe functions that are handed it",
    at: "a call outside of a probe function",
    fix: "hand it over with using: { ... }, and read it with observation.read(...)",
  });
}
