/** Owns the integer types by the names that authors of probe functions write. Does not own their meaning (lang/types.ts). */
import { i16, i32, i64, i8, truth, u16, u32, u64, u8 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { NumberClass } from "./values.js";

/** Each, and what it is in TypeScript. */
export const integerTypes: Readonly<
  Record<string, { readonly type: IntegerType; readonly class: NumberClass }>
> = {
  i8: { type: i8, class: "number" },
  i16: { type: i16, class: "number" },
  i32: { type: i32, class: "number" },
  u8: { type: u8, class: "number" },
  u16: { type: u16, class: "number" },
  u32: { type: u32, class: "number" },
  i64: { type: i64, class: "bigint" },
  u64: { type: u64, class: "bigint" },
  bool: { type: truth, class: "boolean" },
};

export const integerNames: readonly string[] = Object.keys(integerTypes);
