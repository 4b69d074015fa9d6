/**
 * Owns reading what an aggregate holds as rows: values by key, summed over processors; and what was added between two readings.
 * Does not own when to read (reader.ts) nor percentiles and drawing (tools/).
 */
import { assert, unreachable } from "../../base/assert.js";
import { maximumOf, minimumOf } from "../../lang/aggregates.js";
import type { AggregateSpec } from "../../lang/aggregates.js";
import type { Counter, Histogram, Summary, Table } from "./aggregate.js";

/** A key and how often it was counted. */
export interface CountRow<Key> {
  /** What was kept apart. */
  readonly key: Key;
  /** How often. */
  readonly count: number;
}

/** What a summary knows of the values of a key. */
export interface SummaryRow<Key> extends CountRow<Key> {
  /** Exact up to 64 bits. */
  readonly sum: bigint;
  /** The sum divided by the count; 0 when nothing was added. */
  readonly average: number;
  /** The smallest value since the start, exact; 0n when nothing was added. */
  readonly min: bigint;
  /** The largest value since the start, exact; 0n when nothing was added. */
  readonly max: bigint;
}

/** Values from `from` up to, and not with, `to`. Open ends are infinite. */
export interface Bucket {
  /** The smallest value that belongs here. */
  readonly from: number;
  /** The smallest value that no longer does. */
  readonly to: number;
  /** How often. */
  readonly count: number;
}

/** How often values of each size were added for a key. */
export interface HistogramRow<Key> extends CountRow<Key> {
  /** Exact up to 64 bits. */
  readonly sum: bigint;
  /** The sum divided by the count; 0 when nothing was added. */
  readonly average: number;
  /** Those from the first to the last that hold something. */
  readonly buckets: readonly Bucket[];
}

/** A key of a table and its value. */
export interface TableRow<Key, Value> {
  /** What was kept apart. */
  readonly key: Key;
  /** What was set last. */
  readonly value: Value;
}

/** A row of an aggregate of this kind. */
export type RowOf<Source> =
  Source extends Counter<infer Key>
    ? CountRow<Key>
    : Source extends Summary<infer Key>
      ? SummaryRow<Key>
      : Source extends Histogram<infer Key>
        ? HistogramRow<Key>
        : Source extends Table<infer Key, infer Value>
          ? TableRow<Key, Value>
          : never;

/** One element of the map: its key as bytes, and its 64-bit words, processors summed up. */
export interface Element {
  /** As the map has it. */
  readonly key: Uint8Array;
  /** In the order of lang/aggregates.ts. */
  readonly words: readonly bigint[];
}

/** What each key of an aggregate held at one moment. */
export type Reading = ReadonlyMap<string, Element>;

/** Adds up the parts that each processor has of an element; extremes are kept so that the largest word is the one. */
export function joinParts(spec: AggregateSpec, parts: readonly Uint8Array[]): bigint[] {
  return joinWords(spec, parts.map(wordsOf));
}

/** The same for words. */
export function joinWords({ kind }: AggregateSpec, parts: readonly (readonly bigint[])[]): bigint[] {
  const [first = [], ...others] = parts;
  return first.map((word, index) =>
    isExtreme(kind, index)
      ? others.reduce((most, part) => (part[index]! > most ? part[index]! : most), word)
      : others.reduce((sum, part) => BigInt.asUintN(64, sum + part[index]!), word),
  );
}

/** Says whether a word is the smallest or the largest value of a summary. */
function isExtreme(kind: AggregateSpec["kind"], index: number): boolean {
  return kind === "summary" && index >= 2;
}

/** Takes away what was there before. Extremes stay those since the start: they cannot be taken apart. */
export function subtract({ kind }: AggregateSpec, now: Element, before: Element | undefined): Element {
  if (before === undefined || kind === "table") return now;
  const words = now.words.map((word, index) =>
    isExtreme(kind, index) ? word : BigInt.asUintN(64, word - before.words[index]!),
  );
  return { key: now.key, words };
}

/** Says whether an element holds nothing yet, or nothing new. */
export function isEmpty({ kind }: AggregateSpec, { words }: Element): boolean {
  return kind !== "table" && words[0] === 0n;
}

/** Makes a row of an element, without its key. */
export function rowOf(spec: AggregateSpec, words: readonly bigint[]): object {
  const [count = 0n, sum = 0n, ...others] = words;
  switch (spec.kind) {
    case "counter":
      return { count: Number(count) };
    case "summary": {
      const [min = 0n, max = 0n] = others;
      const extremes =
        count === 0n
          ? { min: 0n, max: 0n }
          : { min: minimumOf(min, spec.value), max: maximumOf(max, spec.value) };
      return { ...averaged(spec, count, sum), ...extremes };
    }
    case "log2":
      return { ...averaged(spec, count, sum), buckets: trim(log2Buckets(spec, others)) };
    case "linear":
      return { ...averaged(spec, count, sum), buckets: trim(linearBuckets(spec, others)) };
    case "table":
      return { value: tableValue(spec, count) };
    default:
      return unreachable(spec.kind);
  }
}

function averaged(
  { value }: AggregateSpec,
  count: bigint,
  sum: bigint,
): { count: number; sum: bigint; average: number } {
  const exact = value.signed ? BigInt.asIntN(64, sum) : BigInt.asUintN(64, sum);
  return { count: Number(count), sum: exact, average: count === 0n ? 0 : Number(exact) / Number(count) };
}

/** Bucket 0 holds what is below one (of values without a sign: zero), bucket n what has n bits. */
function log2Buckets({ value }: AggregateSpec, counts: readonly bigint[]): Bucket[] {
  const least = value.signed ? Number.NEGATIVE_INFINITY : 0;
  return counts.map((count, bits) => ({
    from: bits === 0 ? least : 2 ** (bits - 1),
    to: bits === 0 ? 1 : 2 ** bits,
    count: Number(count),
  }));
}

function linearBuckets({ steps }: AggregateSpec, counts: readonly bigint[]): Bucket[] {
  assert(steps !== undefined, "a linear histogram without steps");
  const from = Number(steps.from);
  const width = Number(steps.width);
  const last = counts.length - 1;
  return counts.map((count, index) => ({
    from: index === 0 ? Number.NEGATIVE_INFINITY : from + (index - 1) * width,
    to: index === last ? Number.POSITIVE_INFINITY : from + index * width,
    count: Number(count),
  }));
}

function trim(buckets: readonly Bucket[]): readonly Bucket[] {
  const first = buckets.findIndex(({ count }) => count > 0);
  return first === -1 ? [] : buckets.slice(first, buckets.findLastIndex(({ count }) => count > 0) + 1);
}

function tableValue({ value }: AggregateSpec, word: bigint): number | bigint {
  const bits = value.bytes * 8;
  const exact = value.signed ? BigInt.asIntN(bits, word) : BigInt.asUintN(bits, word);
  return value.bytes === 8 ? exact : Number(exact);
}

function wordsOf(bytes: Uint8Array): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: bytes.length >> 3 }, (_, index) => view.getBigUint64(index * 8, true));
}
