/**
 * Owns what a probe function returns, as data: which field of the event becomes which part of the value.
 * Does not own making that value (trace/script/shapes.ts).
 */
import type { IntegerType } from "../types.js";

export type Shape =
  /** A field of the event, counting the author's fields of this emit from 0; `type` is there for integers, as far as it is known. */
  | { readonly kind: "field"; readonly field: number; readonly as: Shown; readonly type?: IntegerType }
  /** A field that is looked up: an enum by table, or a choice between constants. What is not in the table is shown as it is. */
  | {
      readonly kind: "choice";
      readonly field: number;
      readonly as: "number" | "bigint";
      readonly type: IntegerType | undefined;
      readonly choices: readonly { readonly value: bigint; readonly shown: Constant }[];
    }
  | { readonly kind: "constant"; readonly value: Constant }
  | { readonly kind: "object"; readonly entries: readonly { readonly name: string; readonly shape: Shape }[] }
  | { readonly kind: "array"; readonly items: readonly Shape[] };

/** "number" and "bigint" are by the expression's type, never by the value; "function" is a site's number shown as its name. */
export type Shown = "number" | "bigint" | "boolean" | "text" | "bytes" | "symbol" | "stack" | "function";

export type Constant = string | number | bigint | boolean | null | undefined;
