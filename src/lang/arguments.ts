/**
 * Owns which of the function's arguments a name stands for.
 * Does not own where that one lies: the target says it, place by place.
 */
import { expressionsOf, operandsOf, statementsOf } from "./tree.js";
import type { DeclaredArgument, Layout } from "./target.js";
import type { Expression, Parameter, ProbeTree, Statement } from "./tree.js";

/** Counts from 0: by the signature first, else as arg1, arg2 ..., else as a marker's provider names it; undefined for other names. */
export function argumentNumber(
  name: string,
  parameters: readonly Parameter[],
  declared: readonly DeclaredArgument[] = [],
): number | undefined {
  const parameter = parameters.findIndex((candidate) => candidate.name === name);
  if (parameter !== -1) return parameter;
  const number = /^arg([1-9]\d{0,5})$/.exec(name)?.[1];
  if (number !== undefined) return Number(number) - 1;
  const named = declared.findIndex((argument) => argument.name === name);
  return named === -1 ? undefined : named;
}

/** The arguments that a probe reads, and the lengths of those that are texts; counted from 0. */
export function argumentsRead(
  { body, parameters }: ProbeTree,
  declared: readonly DeclaredArgument[] = [],
): ReadonlySet<number> {
  const read = new Set<number>();
  const visit = (expression: Expression): void => {
    const number =
      expression.kind === "argument"
        ? expression.index
        : expression.kind === "name"
          ? argumentNumber(expression.name, parameters, declared)
          : undefined;
    if (number !== undefined) read.add(number);
    const length = number === undefined ? undefined : findLength(declared, number);
    if (length !== undefined) read.add(length);
    operandsOf(expression).forEach(visit);
  };
  const visitAll = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      expressionsOf(statement).forEach(visit);
      visitAll(statementsOf(statement));
    }
  };
  visitAll(body);
  return read;
}

/** What a marker's provider says of its arguments; nothing of a function's. */
export function declaredIn({ marker }: Layout): readonly DeclaredArgument[] {
  return marker?.declared ?? [];
}

/** Which argument holds the bytes of a text among the arguments, all counted from 0. */
function findLength(declared: readonly DeclaredArgument[], index: number): number | undefined {
  const form = declared[index]?.form;
  return form?.kind === "text" ? form.length : undefined;
}
