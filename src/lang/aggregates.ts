/**
 * Owns the description of what probes gather in the kernel: counters, summaries, histograms and tables, with typed keys.
 * Does not own the programs that fill them (lowering/) nor reading them (trace/).
 *
 * A key is its parts one behind the other, each aligned to what it is made of, holes and the end filled with zeros:
 *
 *      integer   its 1, 2, 4 or 8 bytes
 *      site      u32
 *      comm      16 bytes, zero-terminated
 *      text      u16 length, then `bytes` bytes, zero behind the text. A length larger than `bytes`: the text was cut, and is one
 *                byte shorter than `bytes` for each that the length is larger than `bytes` + 1; 0xffff: NULL
 *      stack     u32 process, u32 0, then as in an event (event.ts), zeros behind the last address
 *
 * Where there is no key, the map's key is a u32 0. A value is 8-byte words, all zero at first:
 *
 *      counter   sum
 *      summary   count, sum, least, most   (sum wraps at 64 bits; the extremes as `minimumOf` and `maximumOf` read them)
 *      log2      count, sum, 65 buckets    (0: below one; n: 2^(n-1) to 2^n - 1)
 *      linear    count, sum, below, steps..., above
 *      table     the value
 *
 * Why the extremes are not simply there: zero must mean "nothing yet", in one word, for a program can be interrupted between any two
 * words by another that adds to the same ones. So both are kept as unsigned words that only grow, of which zero is the least.
 */
import { assert } from "../base/assert.js";
import type { MapKind, MapSpec } from "../bpf/spec.js";
import { stackBytes } from "./event.js";
import type { IntegerType } from "./types.js";

export interface AggregateSpec {
  readonly kind: "counter" | "summary" | "log2" | "linear" | "table";
  /** Empty: there is only one. */
  readonly key: readonly KeyPartSpec[];
  /** Of the values that are added or set. */
  readonly value: IntegerType;
  /** Keys at most; what finds it full is counted in the map `drops`. */
  readonly entries: number;
  /** Of a linear histogram: the lower end of the first step, the width of each and their number. */
  readonly steps?: { readonly from: bigint; readonly width: bigint; readonly count: number };
}

export type KeyPartSpec =
  | { readonly kind: "integer"; readonly type: IntegerType }
  | { readonly kind: "comm" }
  /** The number of a site, u32, which is shown as its function. */
  | { readonly kind: "site" }
  | { readonly kind: "text"; readonly bytes: number }
  /** The user stack, of so many frames at most, with the process whose addresses it has. */
  | { readonly kind: "stack"; readonly depth: number };

/** Where the stack itself begins in its part of a key. */
export const stackAt = 8;

/** Says whether keys hold a stack: then they are too large for the program's stack. */
export function holdsStack({ key }: Pick<AggregateSpec, "key">): boolean {
  return key.some(({ kind }) => kind === "stack");
}

/** The length of a text that is NULL. */
export const nullText = 0xffff;

/** The length that stands for a text of which only the first `there` bytes are known, in a part for `bytes`. */
export function cutLength(bytes: number, there: number): number {
  return 2 * bytes + 1 - there;
}

/** How many bytes of a text are there, by its length in a part for `bytes`. */
export function bytesThere(bytes: number, length: number): number {
  return length > bytes ? 2 * bytes + 1 - length : length;
}

/** Of a key without stacks: more do not fit onto the program's stack together with all else. */
export const mostKeyBytes = 256;

/** Bytes before a histogram's buckets: count and sum. */
export const bucketsAt = 16;

export const log2Buckets = 65;

/** Where each part of a key lies, and how long the whole is. */
export function placeKey(parts: readonly KeyPartSpec[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  let bytes = 0;
  let widest = 4;
  const offsets = parts.map((part) => {
    const alignment = alignmentOf(part);
    widest = Math.max(widest, alignment);
    const offset = roundUp(bytes, alignment);
    bytes = offset + sizeOf(part);
    return offset;
  });
  return { offsets, bytes: Math.max(4, roundUp(bytes, widest)) };
}

/** The bytes of a part, without what aligns the next one. */
export function sizeOf(part: KeyPartSpec): number {
  switch (part.kind) {
    case "integer":
      return part.type.bytes;
    case "site":
      return 4;
    case "comm":
      return 16;
    case "text":
      return 2 + part.bytes;
    case "stack":
      return stackAt + stackBytes(part.depth);
  }
}

function alignmentOf(part: KeyPartSpec): number {
  switch (part.kind) {
    case "integer":
      return part.type.bytes;
    case "site":
      return 4;
    case "comm":
    case "stack":
      return 8;
    case "text":
      return 2;
  }
}

/** The bytes of one value. */
export function valueBytesOf({ kind, steps }: AggregateSpec): number {
  switch (kind) {
    case "counter":
    case "table":
      return 8;
    case "summary":
      return 32;
    case "log2":
      return bucketsAt + 8 * log2Buckets;
    case "linear":
      assert(steps !== undefined, "a linear histogram without steps");
      return bucketsAt + 8 * (steps.count + 2);
  }
}

/**
 * Says whether a site's number is the whole key. Then the map is an array: nothing needs to be inserted, so that tens of thousands of
 * functions are counted at the price of one; sites that were never hit have elements of zeros.
 */
export function isIndexedBySite({ kind, key }: AggregateSpec): boolean {
  return kind !== "table" && key.length === 1 && key[0]!.kind === "site";
}

/** Says whether a program finds an element under every key that it looks up. */
export function isArray(spec: AggregateSpec): boolean {
  return isIndexedBySite(spec) || (spec.key.length === 0 && spec.kind !== "table");
}

// Kernel: PCPU_MIN_UNIT_SIZE bounds what one processor's part of an element may take.
const mostPerCpuBytes = 32 << 10;

/** What the elements of all sites may take on each processor; what takes more is shared by all. */
const mostSiteBytes = 1 << 20;

/** The map of an aggregate; `sites` is how many there are at most, for those that are indexed by site. */
export function mapSpecFor(
  spec: AggregateSpec,
  { name, sites }: { readonly name: string; readonly sites: number },
): MapSpec {
  const valueBytes = valueBytesOf(spec);
  const { bytes: keyBytes } = placeKey(spec.key);
  if (!isArray(spec)) {
    const entries = spec.key.length === 0 ? 1 : spec.entries;
    return { name, kind: hashKindOf(spec), keyBytes, valueBytes, entries };
  }
  const entries = isIndexedBySite(spec) ? Math.max(1, sites) : 1;
  const isSmall =
    valueBytes <= mostPerCpuBytes && (entries === 1 || isWord(spec) || valueBytes * entries <= mostSiteBytes);
  return { name, kind: isSmall ? "percpu-array" : "array", keyBytes, valueBytes, entries };
}

/** Bytes of the kernel's memory that a map takes when it is made, on a machine with so many processors. */
export function memoryOf({ kind, keyBytes, valueBytes, entries }: MapSpec, cpus: number): number {
  const isArrayMap = kind === "array" || kind === "percpu-array";
  const isPerCpu = kind === "percpu-array" || kind === "percpu-hash";
  // Kernel: struct htab_elem, and its bucket (kernel/bpf/hashtab.c).
  const own = isArrayMap ? 0 : 64 + roundUp(keyBytes, 8);
  return entries * (own + roundUp(valueBytes, 8) * (isPerCpu ? cpus : 1));
}

/** Why: tables hold one value a key; 67 words a key and processor are too much. */
function hashKindOf(spec: AggregateSpec): MapKind {
  return isWord(spec) ? "percpu-hash" : "hash";
}

/** Says whether an element is a handful of words. */
function isWord({ kind }: AggregateSpec): boolean {
  return kind === "counter" || kind === "summary";
}

/** The least value that was added, of a summary's third word. */
export function minimumOf(word: bigint, type: IntegerType): bigint {
  return maximumOf(BigInt.asUintN(64, ~word), type);
}

/** The largest value that was added, of a summary's fourth word. */
export function maximumOf(word: bigint, { signed }: IntegerType): bigint {
  return signed ? BigInt.asIntN(64, word ^ signBit) : BigInt.asUintN(64, word);
}

/** Turns the order of signed words into that of unsigned ones. */
export const signBit = 1n << 63n;

function roundUp(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}
