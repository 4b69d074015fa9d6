/**
 * Owns the plain, frozen description of what is to be loaded: the same bytes on every machine.
 * Does not own loading, which is kernel/.
 */
import type { Span } from "../base/errors.js";
import type { Instruction } from "./instruction.js";

export type MapKind =
  | "ringbuf"
  | "array"
  | "percpu-array"
  | "hash"
  | "percpu-hash"
  | "lru-hash"
  | "stack-trace";

export interface MapSpec {
  readonly name: string;
  readonly kind: MapKind;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** For a ring buffer: its bytes, a power of two and a multiple of the page size. */
  readonly entries: number;
}

export interface ProgramSpec {
  readonly name: string;
  readonly license: "Dual BSD/GPL";
  /** May fault pages in while it reads user memory. Kernel: uprobes since 6.0, uprobe_multi since 6.6. */
  readonly sleepable: boolean;
  readonly instructions: readonly Instruction[];
  /** What the author wrote, and for each instruction the part of it that it stands for. */
  readonly source: string;
  readonly places: readonly (Span | undefined)[];
}
