/**
 * Owns the first pass: what does each name mean in this binary, where its values lie as this layout says?
 * Does not own types of expressions (2-check) nor reading the values (3-lower).
 */
import { nearestNames } from "../../base/text.js";
import { builtins, findBuiltin } from "../builtins.js";
import type { Meaning, Meanings } from "../meaning.js";
import type { Problems } from "../problems.js";
import { findRegister, registerNames } from "../registers.js";
import type { Architecture, Layout, ValuePlace } from "../target.js";
import { expressionsOf, operandsOf } from "../tree.js";
import type { Expression, ProbeTree } from "../tree.js";
import { u64 } from "../types.js";
import type { Type } from "../types.js";

/** Finds the meaning of every name in the tree; reports those that have none. */
export function bind(
  tree: ProbeTree,
  layout: Layout,
  architecture: Architecture,
  problems: Problems,
): Meanings {
  const scope: Scope = { tree, layout, architecture, problems };
  const meanings = new Map<Expression, Meaning>();
  const visit = (expression: Expression): void => {
    const meaning = findMeaning(expression, scope);
    if (meaning !== undefined) meanings.set(expression, meaning);
    for (const operand of operandsOf(expression)) visit(operand);
  };
  for (const statement of tree.body) {
    for (const expression of expressionsOf(statement)) visit(expression);
  }
  return meanings;
}

interface Scope {
  readonly tree: ProbeTree;
  readonly layout: Layout;
  readonly architecture: Architecture;
  readonly problems: Problems;
}

type Name = Extract<Expression, { kind: "name" }>;

function findMeaning(expression: Expression, scope: Scope): Meaning | undefined {
  if (expression.kind === "register") return bindRegister(expression, scope);
  if (expression.kind !== "name") return undefined;
  const { name } = expression;
  const parameter = scope.tree.parameters.findIndex((candidate) => candidate.name === name);
  if (parameter !== -1)
    return bindArgument(expression, parameter, scope.tree.parameters[parameter]!.type, scope);
  const number = /^arg([1-9]\d{0,5})$/.exec(name)?.[1];
  if (number !== undefined) return bindArgument(expression, Number(number) - 1, undefined, scope);
  if (name === "retval") return bindReturned(expression, scope);
  const builtin = findBuiltin(name);
  if (builtin !== undefined) return { kind: "builtin", builtin };
  return reportUnknown(expression, scope);
}

function bindRegister(
  expression: Extract<Expression, { kind: "register" }>,
  { architecture, problems }: Scope,
): Meaning | undefined {
  const { name, span } = expression;
  if (findRegister(architecture, name) !== undefined) {
    return { kind: "place", place: { kind: "register", register: name, type: u64 }, type: u64 };
  }
  const near = nearestNames(name, registerNames(architecture));
  const example =
    architecture === "x86-64" ? "ctx->di, ctx->ax, ctx->sp or ctx->ip" : "ctx->x0, ctx->sp or ctx->pc";
  return problems.report(
    span,
    `${architecture} has no register "${name}"`,
    near.length > 0 ? `did you mean ${quoteAll(near)}?` : `write ${example}`,
  );
}

function bindArgument(
  expression: Name,
  index: number,
  type: Type | undefined,
  { layout, problems }: Scope,
): Meaning | undefined {
  const place = layout.arguments[index];
  if (place !== undefined) return bindPlace(expression, place, type, problems);
  const count = layout.arguments.length;
  const reason =
    layout.missing ??
    (count === 0 ? "here, where nothing has arguments" : `here: there are ${count} arguments`);
  return problems.report(
    expression.span,
    `${expression.name} is not known ${reason}`,
    layout.returned === undefined
      ? "use the arguments that there are, or a register, as in ctx->di"
      : "use retval at a return, or watch the entry with p:",
  );
}

function bindReturned(expression: Name, { layout, problems }: Scope): Meaning | undefined {
  if (layout.returned !== undefined) return bindPlace(expression, layout.returned, undefined, problems);
  return problems.report(
    expression.span,
    "retval is known only when a function returns",
    "watch the return with r: in front, as in r:LIBRARY:FUNCTION",
  );
}

function bindPlace(
  expression: Name,
  place: ValuePlace,
  type: Type | undefined,
  problems: Problems,
): Meaning | undefined {
  if (place.kind !== "unreadable") return { kind: "place", place, type: type ?? place.type };
  return problems.report(
    expression.span,
    `${expression.name} cannot be read here: ${place.reason}`,
    "leave this one out; the others can be read",
  );
}

function reportUnknown({ name, span }: Name, { tree, layout, problems }: Scope): undefined {
  const known = [
    ...tree.parameters.map((parameter) => parameter.name),
    ...layout.arguments.slice(0, 6).map((_, index) => `arg${index + 1}`),
    ...(layout.returned === undefined ? [] : ["retval"]),
    ...builtins.map((builtin) => builtin.name),
  ].filter((candidate) => candidate !== "");
  const near = nearestNames(name, known);
  const what =
    name === "$task" ? "$task is a struct of the kernel, which is not traced here" : `"${name}" is not known`;
  return problems.report(
    span,
    what,
    near.length > 0 ? `did you mean ${quoteAll(near)}?` : `known are ${known.join(" ")}`,
  );
}

function quoteAll(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(" or ");
}
