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
 * `time` is CLOCK_MONOTONIC at the hit. `site` is the number given as attach cookie.
 */
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
   * i32 length, then `capacity` bytes. The length is the text's own (larger than `capacity` when it was cut there:
   * for zero-terminated text any larger number means "cut", for `%.*s` it is the length asked for).
   */
  | { readonly kind: "text"; readonly capacity: number }
  /** `comm`: 16 bytes, zero-terminated. */
  | { readonly kind: "comm" }
  /** u64 address in the traced process or in the kernel. */
  | { readonly kind: "symbol"; readonly space: "user" | "kernel" }
  /** i32 bytes written by bpf_get_stack (negative: -errno), u32 zero, then `depth` u64 addresses. */
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
