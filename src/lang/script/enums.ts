/**
 * Owns `p.enum`: a number by name, each name for a number that the value can have.
 * Does not own choices between constants (choosing.ts).
 */
import { promote } from "../arithmetic.js";
import { holds, printType } from "../types.js";
import type { AccessorCall } from "./accessors.js";
import { integerOf } from "./operators.js";
import type { Value } from "./values.js";

/** Makes the value that a table names. */
export function enumOf({ draft, given, span, usage }: AccessorCall): Value {
  const value = integerOf(draft, given[0]!);
  const table = given[1]!;
  if (table.kind === "broken") return draft.giveUp();
  if (value.class === "boolean") draft.refuse(value.span, "a boolean has no table", 'write x ? "yes" : "no"');
  const isList = table.kind === "array";
  if (table.kind !== "object" && !isList) {
    return draft.refuse(table.span, "the table of an enum is an object", `write ${usage}`);
  }
  const entries = isList
    ? table.items.map((item, index) => [String(index), item] as const)
    : [...table.entries];
  const choices = entries.map(([name, shown]) => {
    if (!/^-?\d+$/.test(name)) draft.refuse(shown.span, `"${name}" is no whole number`, `write ${usage}`);
    if (shown.kind !== "constant" || typeof shown.value !== "string") {
      return draft.refuse(shown.span, "the names of an enum are constant texts", `write ${usage}`);
    }
    if (value.type !== undefined && !holds(value.type, BigInt(name))) {
      const fix =
        !value.type.signed && name.startsWith("-")
          ? `make the value signed: p.cast(x, "i${value.type.bytes * 8}")`
          : "leave it out, or read a wider value";
      draft.refuse(shown.span, `a value of type ${printType(value.type)} is never ${name}`, fix);
    }
    return { value: BigInt(name), shown: shown.value };
  });
  return {
    kind: "choice",
    class: value.class === "bigint" ? "bigint" : "number",
    value: value.expression,
    type: value.type && promote(value.type),
    choices,
    open: true,
    span,
  };
}
