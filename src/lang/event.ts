/**
 * Owns the shape of one event in the ring buffer: the header that every event carries, and the fields behind it.
 * Does not own decoding, which is trace/events.ts.
 *
 *      0        8    12   16    20      24
 *      +--------+----+----+-----+-------+-----------------------
 *      | time   | tid| pid| site| faults| fields, each aligned
 *      +--------+----+----+-----+-------+-----------------------
 *       u64 ns   u32  u32  u32   u32 (bit i: field i could not be computed)
 *
 * Optional columns ("cpu" u32, "comm", "uid" u32) are the first fields, then come the author's, then the stacks. A field that
 * could not be computed holds zeros (a text: length 0) and has its bit in `faults`, so that there are at most 32 fields.
 * A probe that sends events of several shapes has room for the fields of all, behind a u32 field `shape` that says which shape an
 * event has; in the fields of the other shapes lies whatever the ring held before.
 *
 * `time` is CLOCK_MONOTONIC right before the record was reserved: that is at the hit, or, where pages had to be faulted in first,
 * behind that. Why: an event that waited for its page is then as old as its place in the ring says, and order holds. `site` is the
 * low half of the attach cookie; the high half is about user stacks.
 */
import { unreachable } from "../base/assert.js";
import type { CallerRule } from "./target.js";
import type { IntegerType } from "./types.js";

export const headerBytes = 24;
export const timeAt = 0;
export const tidAt = 8;
export const pidAt = 12;
export const siteAt = 16;
export const faultsAt = 20;

export type FieldKind =
  | { readonly kind: "integer"; readonly type: IntegerType }
  /**
   * i32 length, then bytes. The length is the text's own, without the closing zero; where it is larger than `limit` the text
   * was cut, and only the first `limit` bytes are there. Of zero-terminated text it is exact up to `limit`; of text of a given
   * length it is what was asked for (0 to 2^31 - 1). -1 is the null pointer. Behind the text lies whatever the ring held before.
   */
  | { readonly kind: "text"; readonly limit: number }
  /** `comm`: 16 bytes, zero-terminated. */
  | { readonly kind: "comm" }
  /** So many bytes from the traced process. */
  | { readonly kind: "bytes"; readonly count: number }
  /** u64 address in the traced process or in the kernel. */
  | { readonly kind: "symbol"; readonly space: "user" | "kernel" }
  /**
   * i32 bytes written by bpf_get_stack (negative: -errno), u32 high half of the attach cookie, u64 where the function returns to,
   * then `depth` u64 addresses. The return address is there for user stacks at entries, zero elsewhere, and zero with a bit
   * in `faults` where it could not be read.
   */
  | { readonly kind: "stack"; readonly space: "user" | "kernel"; readonly depth: number };

export interface EventField {
  readonly name: string;
  /** From the start of the record. */
  readonly offset: number;
  readonly value: FieldKind;
}

export interface EventLayout {
  /** Bytes of one record, a multiple of 8. */
  readonly bytes: number;
  readonly fields: readonly EventField[];
}

/**
 * The lowest bits of the high half of a site's attach cookie: what is to be done with the return address of a user stack. At a function's first
 * instruction the frame pointer still is the caller's, and the caller itself is in no frame.
 */
export const callerRules = {
  /** The addresses are all. */
  complete: 0,
  /** It stands between the first address and the second. */
  missing: 1,
  /** So it does, unless it is the second already. */
  compare: 2,
} as const satisfies Record<CallerRule, number>;

/** The attach cookie of a site. */
export function cookieOf(site: number, rule: CallerRule): number {
  return site + callerRules[rule] * 2 ** 32;
}

/** Where in a cookie stands which program of several that are one a site is for: above what is about stacks. */
export const choiceBit = 34;

/** The cookie of a site that shares its program with others. */
export function withChoice(cookie: number, choice: number): number {
  return cookie + choice * 2 ** choiceBit;
}

/** The rule in the high half of a cookie. */
export function ruleOf(highHalf: number): number {
  return highHalf % 2 ** (choiceBit - 32);
}

/** The number of the site that a cookie was made for. */
export function siteOf(cookie: number): number {
  return cookie % 2 ** 32;
}

/** Where the parts of a stack begin in its field. */
export const stackParts = { rule: 4, returnAddress: 8, addresses: 16 } as const;

/** Kernel: PERF_MAX_STACK_DEPTH, the limit of kernel.perf_event_max_stack where nobody has raised it. */
export const mostFrames = 127;

/** The bytes of a stack of so many frames. */
export function stackBytes(depth: number): number {
  return stackParts.addresses + 8 * depth;
}

/**
 * Records whose site is from here on are no events: a program says that an aggregate, by its number behind this one, has a new
 * key, which stands behind the header. Why: a stack is named when it is first seen, while its process is what it was.
 */
export const firstKeyRecord = 0xffff_0000;

/** What `faults` has bits for. */
export const mostFields = 32;

/** The bytes of `comm`, with its closing zero. Kernel: TASK_COMM_LEN. */
export const commBytes = 16;

/** Places fields one behind the other behind the header, each aligned to what it is made of. */
export function layoutEvent(
  fields: readonly { readonly name: string; readonly value: FieldKind }[],
): EventLayout {
  return layoutFields(fields, headerBytes);
}

/** Places fields one behind the other behind so many bytes. */
export function layoutFields(
  fields: readonly { readonly name: string; readonly value: FieldKind }[],
  start: number,
): EventLayout {
  let bytes = start;
  const placed = fields.map(({ name, value }): EventField => {
    const alignment = alignmentOf(value);
    const offset = Math.ceil(bytes / alignment) * alignment;
    bytes = offset + sizeOf(value);
    return { name, offset, value };
  });
  return { bytes: Math.ceil(bytes / 8) * 8, fields: placed };
}

/**
 * The bytes that the helper gets for zero-terminated text.
 * Kernel: bpf_probe_read_user_str returns the bytes written with the zero and writes at most what it got, so that
 * room for one byte more than the limit and its zero tells a text of exactly the limit from a longer one.
 */
export function textRoom(limit: number): number {
  return limit + 2;
}

function sizeOf(value: FieldKind): number {
  switch (value.kind) {
    case "integer":
      return value.type.bytes;
    case "text":
      return 4 + textRoom(value.limit);
    case "bytes":
      return value.count;
    case "comm":
      return commBytes;
    case "symbol":
      return 8;
    case "stack":
      return stackBytes(value.depth);
    default:
      return unreachable(value);
  }
}

function alignmentOf(value: FieldKind): number {
  if (value.kind === "integer") return value.type.bytes;
  if (value.kind === "bytes") return 1;
  return value.kind === "text" ? 4 : 8;
}
