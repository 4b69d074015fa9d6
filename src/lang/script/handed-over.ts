/**
 * Owns what a probe function is handed from outside, by name: constants, tunable numbers, aggregates.
 * Does not own the objects that authors hold (trace/).
 */
import type { AggregateSpec } from "../aggregates.js";

export type HandedOver = ReadonlyMap<string, HandedValue>;

export type HandedValue =
  | { readonly kind: "constant"; readonly value: number | bigint | string | boolean }
  /** `index` is its place among the session's tunables; travels as int64. */
  | { readonly kind: "tunable"; readonly index: number; readonly class: "number" | "bigint" }
  | {
      readonly kind: "aggregate";
      /** Its place among the probe's aggregates. */
      readonly index: number;
      readonly spec: AggregateSpec;
      /** How a key is written: one value, an object with these names, or an array; in the order of the spec's parts. */
      readonly key: KeyForm;
      /** Of the values of a table: number or bigint. */
      readonly class: "number" | "bigint";
    };

/** `process` is { pid, comm }: two parts of the spec. */
export type KeyForm =
  | { readonly kind: "none" }
  | { readonly kind: "value"; readonly part: "single" | "process" }
  | {
      readonly kind: "object";
      readonly parts: readonly { readonly name: string; readonly part: "single" | "process" }[];
    }
  | { readonly kind: "array"; readonly parts: readonly ("single" | "process")[] };
