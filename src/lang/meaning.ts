/**
 * Owns what a name in a probe can stand for once the target has been asked.
 * Does not own finding it out; that is passes/1-bind.ts.
 */
import type { Builtin } from "./builtins.js";
import type { ValuePlace } from "./target.js";
import type { Expression } from "./tree.js";
import type { Type } from "./types.js";

/** A place that a program can read. */
export type ReadablePlace = Exclude<ValuePlace, { kind: "unreadable" }>;

export type Meaning =
  /** A value of the traced program; `type` is what the author declared it to be, else the place's own type. */
  | {
      readonly kind: "place";
      readonly place: ReadablePlace;
      readonly type: Type;
      /** All bits of the place are the value's, as a marker says; of what functions are passed only those of its type are. */
      readonly isWhole?: true;
      /** Of what is declared to be text: how many bytes behind the address it begins, and, where it ends in no zero, how long it is. */
      readonly text?: { readonly offset: number; readonly length: Omit<PlaceMeaning, "text"> | undefined };
    }
  | { readonly kind: "builtin"; readonly builtin: Builtin };

export type PlaceMeaning = Extract<Meaning, { kind: "place" }>;

/** The meaning of each `name` and `register`; those without one were reported as problems. */
export type Meanings = ReadonlyMap<Expression, Meaning>;
