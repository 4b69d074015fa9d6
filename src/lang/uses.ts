/**
 * Owns what a checked probe needs: whether it reads memory, which of its values may fail, what it takes from outside.
 * Does not own the checked form (typed.ts).
 */
import { allStatements, operandsOf, textsOf, valuesOf, valuesOfField } from "./typed.js";
import type { Typed, TypedField, TypedProbe, TypedValue } from "./typed.js";

/** Says whether a value, or any inside it, is such. */
function holdsAny(typed: Typed, is: (typed: Typed) => boolean): boolean {
  return is(typed) || operandsOf(typed).some((operand) => holdsAny(operand, is));
}

/** Says whether a probe reads user memory, so that faulting pages in would help. */
export function readsMemory({ statements }: TypedProbe): boolean {
  return allStatements(statements).some(
    (statement) => valuesOf(statement).some(valueReadsMemory) || textsOf(statement).some(isRead),
  );
}

/** Says whether a field is read from user memory, or computed from what is. */
export function fieldReadsMemory({ value }: TypedField): boolean {
  return isRead(value) || valuesOfField(value).some(valueReadsMemory);
}

/** Says whether it is there, however its address came about. */
export function isRead({ kind }: TypedValue): boolean {
  return kind === "text" || kind === "bytes";
}

function valueReadsMemory(typed: Typed): boolean {
  return holdsAny(typed, readsItself);
}

function readsItself(typed: Typed): boolean {
  switch (typed.kind) {
    case "read":
      return true;
    case "place":
      return typed.place.kind === "memory";
    case "same-text":
      return typed.address !== undefined;
    default:
      return false;
  }
}

/** Says whether there are hits at which a value cannot be computed. */
export function canFault(typed: Typed): boolean {
  return holdsAny(typed, (part) => {
    if (readsItself(part) || part.kind === "exact") return true;
    if (part.kind === "place" && part.place.kind === "lacking") return true;
    const divides = part.kind === "arithmetic" && (part.operator === "/" || part.operator === "%");
    if (part.kind === "same-text" && part.kept !== undefined) return true;
    return divides && (part.right.kind !== "constant" || part.right.value === 0n);
  });
}

/** What a probe takes from outside: tunables, and what the entry of its span kept, by their places. */
export interface Uses {
  readonly tunables: ReadonlySet<number>;
  readonly kept: ReadonlySet<number>;
  readonly elapsed: boolean;
}

export function usesOf({ statements }: TypedProbe): Uses {
  const tunables = new Set<number>();
  const kept = new Set<number>();
  let elapsed = false;
  const visit = (typed: Typed): void => {
    if (typed.kind === "tunable") tunables.add(typed.index);
    if (typed.kind === "kept") kept.add(typed.index);
    if (typed.kind === "same-text" && typed.kept !== undefined) kept.add(typed.kept.index);
    if (typed.kind === "elapsed") elapsed = true;
    operandsOf(typed).forEach(visit);
  };
  for (const statement of allStatements(statements)) {
    valuesOf(statement).forEach(visit);
    for (const text of textsOf(statement)) if (text.kind === "kept") kept.add(text.index);
  }
  return { tunables, kept, elapsed };
}
