/**
 * Owns the structs whose fields are known without debug information: those that every 64-bit Linux lays out alike.
 * Does not own other structs, whose fields are read by their offsets.
 */
import type { Span } from "../../base/errors.js";
import type { Expression, Parameter } from "../tree.js";
import { i64, u64 } from "../types.js";
import type { IntegerType, Type } from "../types.js";

interface StructField {
  readonly offset: bigint;
  readonly type: IntegerType;
}

// Spec: with a time_t of 64 bits both members are a long (timeval's too: suseconds_t).
const structs: ReadonlyMap<string, ReadonlyMap<string, StructField>> = new Map([
  ["struct timespec", timeFields("tv_sec", "tv_nsec")],
  ["struct timeval", timeFields("tv_sec", "tv_usec")],
]);

function timeFields(seconds: string, rest: string): ReadonlyMap<string, StructField> {
  return new Map([
    [seconds, { offset: 0n, type: i64 }],
    [rest, { offset: 8n, type: i64 }],
  ]);
}

/** The field behind `->`, read through the pointer; undefined where the struct or the field is not known. */
export function readField(
  base: Expression,
  field: string,
  parameters: readonly Parameter[],
  span: Span,
): Expression | undefined {
  const type = typeOf(base, parameters);
  const found = type?.kind === "pointer" ? structs.get(type.struct ?? "")?.get(field) : undefined;
  if (found === undefined) return undefined;
  const start: Expression = { kind: "cast", type: u64, operand: base, span };
  const offset: Expression = { kind: "integer", value: found.offset, type: u64, span };
  const address: Expression = { kind: "binary", operator: "+", left: start, right: offset, span };
  const pointer: Type = { kind: "pointer", to: found.type };
  return { kind: "dereference", operand: { kind: "cast", type: pointer, operand: address, span }, span };
}

/** The type of a parameter or a cast, which say it themselves. */
export function typeOf(expression: Expression, parameters: readonly Parameter[]): Type | undefined {
  if (expression.kind === "cast") return expression.type;
  if (expression.kind !== "name") return undefined;
  return parameters.find(({ name }) => name === expression.name)?.type;
}
