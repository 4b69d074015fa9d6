/**
 * Owns the first pass: what does each name mean in this binary, where its values lie as this layout says?
 * Does not own types of expressions (2-check) nor reading the values (3-lower).
 */
import { nearestNames } from "../../base/text.js";
import { argumentNumber, declaredIn } from "../arguments.js";
import { builtins, findBuiltin } from "../builtins.js";
import type { Meaning, Meanings, PlaceMeaning } from "../meaning.js";

import type { Reporter } from "../problems.js";
import { findRegister, registerNames } from "../registers.js";
import type { Architecture, DeclaredArgument, DeclaredForm, Layout, ValuePlace } from "../target.js";
import { expressionsOf, operandsOf, statementsOf } from "../tree.js";
import type { Expression, ProbeTree, Statement } from "../tree.js";
import { holds, i8, printType, u64 } from "../types.js";
import type { Type } from "../types.js";

/** Finds the meaning of every name in the tree; reports those that have none. */
export function bind(
  tree: ProbeTree,
  layout: Layout,
  architecture: Architecture,
  reporter: Reporter,
): Meanings {
  const scope: Scope = { tree, layout, architecture, declared: declaredIn(layout), ...reporter };
  const meanings = new Map<Expression, Meaning>();
  const visit = (expression: Expression): void => {
    const meaning = findMeaning(expression, scope);
    if (meaning !== undefined) meanings.set(expression, meaning);
    for (const operand of operandsOf(expression)) visit(operand);
  };
  const visitAll = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      for (const expression of expressionsOf(statement)) visit(expression);
      visitAll(statementsOf(statement));
    }
  };
  visitAll(tree.body);
  return meanings;
}

interface Scope extends Reporter {
  readonly tree: ProbeTree;
  readonly layout: Layout;
  readonly architecture: Architecture;
  readonly declared: readonly DeclaredArgument[];
}

type Name = Pick<Extract<Expression, { kind: "name" }>, "name" | "span">;
type Register = Extract<Expression, { kind: "register" }>;

function findMeaning(expression: Expression, scope: Scope): Meaning | undefined {
  if (expression.kind === "register") return bindRegister(expression, scope);
  if (expression.kind === "argument") {
    const { index, type, span } = expression;
    const meaning = bindArgument({ name: scope.advice.argument(index), span }, index, type, scope);
    return meaning && scope.layout.marker ? exactly(expression, meaning, scope) : meaning;
  }
  if (expression.kind !== "name") return undefined;
  const { name } = expression;
  const { tree, declared } = scope;
  const number = argumentNumber(name, tree.parameters, declared);
  if (number !== undefined) {
    const parameter = tree.parameters[number];
    if (parameter?.name === name) return bindArgument(expression, number, parameter.type, scope);
    const { form } = declared[number]?.name === name ? declared[number] : {};
    return bindArgument(expression, number, form?.kind === "text" ? characters : undefined, scope);
  }
  if (name === "retval") return bindReturned(expression, scope);
  const builtin = findBuiltin(name);
  if (builtin !== undefined) return { kind: "builtin", builtin };
  return reportUnknown(expression, scope);
}

const characters: Type = { kind: "pointer", to: i8 };

function bindRegister(
  { name, span }: Register,
  { architecture, problems, advice }: Scope,
): Meaning | undefined {
  if (findRegister(architecture, name) !== undefined) {
    return { kind: "place", place: { kind: "register", register: name, type: u64 }, type: u64 };
  }
  const near = nearestNames(name, registerNames(architecture));
  const examples = architecture === "x86-64" ? ["di", "ax", "sp", "ip"] : ["x0", "x1", "sp", "pc"];
  const fix =
    near.length > 0 ? `did you mean ${quoteAll(near)}?` : `write ${examples.map(advice.register).join(", ")}`;
  return problems.report(span, `${architecture} has no register "${name}"`, fix);
}

function bindArgument(
  name: Name,
  index: number,
  type: Type | undefined,
  scope: Scope,
): PlaceMeaning | undefined {
  const { layout, problems, advice } = scope;
  const place = layout.arguments[index];
  if (place !== undefined) {
    const meaning = bindPlace(name, place, type ?? layout.argumentTypes?.[index], scope);
    const form = scope.declared[index]?.form;
    return meaning && form?.kind === "text" ? { ...meaning, text: textAt(form, layout) } : meaning;
  }
  const count = layout.arguments.length;
  const known = `here: there ${count === 1 ? "is 1 argument" : `are ${count === 0 ? "no" : count} arguments`}`;
  const fix =
    layout.returned === undefined
      ? `use the arguments that there are, or a register, as in ${advice.register("sp")}`
      : advice.watchEntry;
  return problems.report(name.span, `${name.name} is not known ${layout.missing ?? known}`, fix);
}

/** Refuses a type that does not hold all that the marker may pass. Of the same width any sign will do: the author knows it better. */
function exactly(
  { index, type, isWord, name, span }: Extract<Expression, { kind: "argument" }>,
  meaning: PlaceMeaning,
  { layout, problems, advice }: Scope,
): Meaning | undefined {
  const { place } = meaning;
  const own = layout.marker?.types[index];
  const isHeld =
    isWord === true ||
    type.truth === true ||
    own?.kind !== "integer" ||
    (place.kind === "constant" && holds(type, place.value)) ||
    type.bytes === own.bytes ||
    (type.bytes > own.bytes && (type.signed || !own.signed));
  if (isHeld) return { ...meaning, isWhole: true };
  const what = `${name === undefined ? "this argument" : `"${name}"`} is ${own.signed ? "a signed" : "an unsigned"} number of ${own.bytes * 8} bits, and not every one has a value as ${printType(type)}`;
  return problems.report(span, what, advice.ownType(index, own));
}

function textAt(
  { offset, length }: Extract<DeclaredForm, { kind: "text" }>,
  { arguments: places, argumentTypes }: Layout,
): NonNullable<PlaceMeaning["text"]> {
  const place = length === undefined ? undefined : places[length];
  // Why without it where it cannot be read: then the text is read as any other is.
  if (length === undefined || place === undefined || place.kind === "unreadable")
    return { offset, length: undefined };
  return { offset, length: { kind: "place", place, type: argumentTypes?.[length] ?? place.type } };
}

function bindReturned(name: Name, scope: Scope): Meaning | undefined {
  const { tree, layout, problems, advice } = scope;
  if (layout.returned !== undefined) return bindPlace(name, layout.returned, undefined, scope);
  const fix =
    tree.selector.kind === "marker"
      ? `a marker has arguments alone: ${advice.argument(0)}, ${advice.argument(1)} ...`
      : advice.watchReturn;
  return problems.report(name.span, `${name.name} is known only when a function returns`, fix);
}

function bindPlace(
  name: Name,
  place: ValuePlace,
  type: Type | undefined,
  { problems }: Scope,
): PlaceMeaning | undefined {
  if (place.kind !== "unreadable") return { kind: "place", place, type: type ?? place.type };
  const what = `${name.name} cannot be read here: ${place.reason}`;
  return problems.report(name.span, what, "leave this one out; the others can be read");
}

function reportUnknown({ name, span }: Name, { tree, layout, declared, problems }: Scope): undefined {
  const known = [
    ...tree.parameters.map((parameter) => parameter.name),
    ...declared.map((argument) => argument.name),
    ...layout.arguments.slice(0, 6).map((_, index) => `arg${index + 1}`),
    ...(layout.returned === undefined ? [] : ["retval"]),
    ...builtins.map((builtin) => builtin.name),
  ].filter((candidate) => candidate !== "");
  const near = nearestNames(name, known);
  const fix = near.length > 0 ? `did you mean ${quoteAll(near)}?` : `known are ${known.join(" ")}`;
  return problems.report(span, `"${name}" is not known`, fix);
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}
