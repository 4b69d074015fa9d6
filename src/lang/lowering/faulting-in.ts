/**
 * Owns making the pages present that a field is read from, while no record is held.
 * Does not own the field (passes/3-lower.ts): what is not there at all is found out when that is written.
 */
import { unreachable } from "../../base/assert.js";
import { textRoom } from "../event.js";
import type { TypedField, TypedValue } from "../typed.js";
import { fieldReadsMemory } from "../uses.js";
import type { BlockNumber, Builder } from "./builder.js";
import { boundLength } from "./lengths.js";
import type { UserMemory } from "./user-memory.js";
import type { Values } from "./values.js";

export interface Pages {
  readonly builder: Builder;
  /** May fault pages in. */
  readonly memory: UserMemory;
  readonly values: Values;
  /** Bytes of text per field at most, where the author gave no other limit. */
  readonly textLimit: number;
}

/** Makes present what a field is read from, as far as it exists. */
export function faultIn(field: TypedField, pages: Pages): void {
  if (!fieldReadsMemory(field)) return;
  const { builder, values } = pages;
  const outer = builder.span;
  builder.span = field.span;
  const next = builder.block("next", "seldom");
  values.failingTo(next, () => touch(field.value, pages, next));
  builder.jump(next);
  builder.enter(next);
  builder.span = outer;
}

function touch(value: TypedValue, { builder, memory, values, textLimit }: Pages, next: BlockNumber): void {
  switch (value.kind) {
    case "integer":
      values.value(value.value);
      return;
    case "symbol":
      values.value(value.address);
      return;
    case "comm":
    case "kept":
    case "stack":
      return;
    case "bytes": {
      if (value.count === 0) return;
      return memory.touchPages(values.value(value.address), BigInt(value.count), value.count, next);
    }
    case "text": {
      const address = values.value(value.address);
      const limit = value.limit ?? textLimit;
      if (value.length === undefined) {
        const room = textRoom(limit);
        return memory.touchPages(address, BigInt(room), room, next);
      }
      const { read } = boundLength(builder, values.value(value.length), limit);
      const some = builder.block("some", "seldom");
      builder.branch("eq", 64, read, 0n, next, some);
      builder.enter(some);
      return memory.touchPages(address, read, limit, next);
    }
    default:
      return unreachable(value);
  }
}
