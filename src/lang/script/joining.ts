/**
 * Owns the type in which numbers from different ways through a probe meet: one that holds each of them as it is.
 * Does not own arithmetic, where C's rules hold (operators.ts).
 */
import type { AnyNode } from "acorn";
import type { Span } from "../../base/errors.js";
import type { Expression } from "../tree.js";
import { i64 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { Draft } from "./draft.js";
import { meeting } from "./operators.js";

/** A number, as far as joining asks. */
export interface Joined {
  readonly expression: Expression;
  readonly type: IntegerType | undefined;
}

/**
 * The type of a value that is one of some. Why not C's: of a negative number and an unsigned one C would make a huge one, and
 * TypeScript chooses between numbers as they are. What no type holds is refused.
 */
export function joinTypes(
  draft: Draft,
  numbers: readonly Joined[],
  place: AnyNode | Span,
): IntegerType | undefined {
  const usual = numbers.map(({ type }) => type).reduce(meeting);
  if (usual === undefined || usual.signed || !numbers.some(mayBeNegative)) return usual;
  if (usual.bytes < 8) return i64;
  return draft.refuse(
    place,
    "this is one of a signed and an unsigned value of 64 bits, and no type holds both",
    'convert one of them: p.cast(x, "i64"), or p.cast(x, "u64")',
  );
}

/** Why not of what is written: a number that is not negative is the same in every type that is wide enough. */
function mayBeNegative({ type, expression }: Joined): boolean {
  return type?.signed === true && (expression.kind !== "integer" || expression.value < 0n);
}
