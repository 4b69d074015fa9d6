/**
 * Owns which of the function's arguments a name stands for.
 * Does not own where that one lies: the target says it, place by place.
 */
import { expressionsOf, operandsOf } from "./tree.js";
import type { Expression, Parameter, ProbeTree } from "./tree.js";

/** Counts from 0, by the signature first, else as arg1, arg2 ...; undefined for other names. */
export function argumentNumber(name: string, parameters: readonly Parameter[]): number | undefined {
  const parameter = parameters.findIndex((candidate) => candidate.name === name);
  if (parameter !== -1) return parameter;
  const number = /^arg([1-9]\d{0,5})$/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number) - 1;
}

/** Says whether a probe reads any argument. */
export function readsArguments({ body, parameters }: ProbeTree): boolean {
  const reads = (expression: Expression): boolean =>
    expression.kind === "argument" ||
    (expression.kind === "name" && argumentNumber(expression.name, parameters) !== undefined) ||
    operandsOf(expression).some(reads);
  return body.some((statement) => expressionsOf(statement).some(reads));
}
