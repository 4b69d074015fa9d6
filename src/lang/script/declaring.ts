/**
 * Owns declarations: what a name is bound to, once computed, and taking objects and arrays apart.
 * Does not own which names there are (scope.ts).
 */
import type { AnyNode, Pattern, VariableDeclaration } from "acorn";
import type { Expression, Statement, Variable } from "../tree.js";
import { i64 } from "../types.js";
import type { IntegerType } from "../types.js";
import { memberOf } from "./calls.js";
import type { Draft } from "./draft.js";
import { evaluate } from "./expressions.js";
import { frozen } from "./freezing.js";
import { integerOf, typeOfVariable } from "./operators.js";
import { refusalOf } from "./refusals.js";
import type { Scope } from "./scope.js";
import { literal } from "./values.js";
import type { Value } from "./values.js";

/** Reads `const` and `let`. `within` is what may assign the names. */
export function declare(
  draft: Draft,
  scope: Scope,
  node: VariableDeclaration,
  within: readonly AnyNode[],
): void {
  if (node.kind === "var") {
    draft.report(node, '"var" is not for probes: it is known outside its block', "write const or let");
  } else if (node.kind !== "const" && node.kind !== "let") {
    draft.report(node, "nothing is disposed of in the kernel", "write const");
  }
  for (const { id, init } of node.declarations) {
    const done = draft.attempt(() => {
      if (!init) return declareLater(draft, scope, id);
      bind(draft, scope, id, evaluate(draft, scope, init), { constant: node.kind === "const", within });
      return true;
    });
    if (done === undefined) breakNames(draft, scope, id);
  }
}

export interface BindOptions {
  readonly constant: boolean;
  readonly within: readonly AnyNode[];
}

/** Binds the names of a pattern to the parts of a value. */
export function bind(draft: Draft, scope: Scope, pattern: Pattern, value: Value, options: BindOptions): void {
  switch (pattern.type) {
    case "Identifier":
      return bindName(draft, scope, pattern.name, value, options);
    case "ObjectPattern":
      for (const property of pattern.properties) {
        const done = draft.attempt(() => {
          if (property.type === "RestElement")
            return draft.refuse(property, refusalOf(property).what, refusalOf(property).fix);
          const { key, computed } = property;
          if (computed || key.type !== "Identifier")
            return draft.refuse(key, "the names of an object are plain names here", "write { name }");
          bind(draft, scope, property.value, memberOf(draft, value, key.name, key), options);
          return true;
        });
        if (done === undefined)
          breakNames(draft, scope, property.type === "Property" ? property.value : property);
      }
      return;
    case "ArrayPattern":
      for (const [index, element] of pattern.elements.entries()) {
        if (element === null) continue;
        bind(draft, scope, element, memberOf(draft, value, String(index), element), options);
      }
      return;
    case "AssignmentPattern":
      return draft.refuse(
        pattern,
        "a default is never needed: all that is named is there",
        "remove the default, or hand the value over with using",
      );
    default: {
      const { what, fix } = refusalOf(pattern);
      return draft.refuse(pattern, what, fix);
    }
  }
}

function bindName(
  draft: Draft,
  scope: Scope,
  name: string,
  value: Value,
  { constant, within }: BindOptions,
): void {
  const isNumber =
    value.kind === "integer" ||
    (value.kind === "constant" && ["number", "bigint", "boolean"].includes(typeof value.value));
  if (
    constant ||
    !isNumber ||
    !within.some((node) => draft.source.assigns(node, name) && assignsName(node, name))
  ) {
    scope.add(name, { kind: "value", value: frozen(draft, name, value), constant });
    return;
  }
  const first = integerOf(draft, value);
  const type = typeOfVariable(first);
  if (value.kind === "constant" && first.class === "bigint") {
    const { variable, decide } = declareOpen(draft, name, type ?? i64, first.expression);
    scope.add(name, { kind: "variable", variable, class: first.class, decide });
    return;
  }
  scope.add(name, {
    kind: "variable",
    variable: draft.keep(name, first.expression, type),
    class: first.class,
  });
}

/** `let x;`: its class comes with the first value, its zero stands here. */
function declareLater(draft: Draft, scope: Scope, id: Pattern): true {
  if (id.type !== "Identifier") return draft.refuse(id, "there is nothing to take apart", "give it a value");
  const { decide } = declareOpen(draft, id.name, i64, literal(0n, draft.spanOf(id)));
  scope.add(id.name, { kind: "variable", variable: undefined, class: undefined, decide });
  return true;
}

/** Declares a variable whose type a later assignment decides: a written number says nothing of signs. */
function declareOpen(draft: Draft, name: string, type: IntegerType, value: Expression) {
  const statement = {
    kind: "declare" as const,
    variable: draft.variable(name, type),
    value,
    span: value.span,
  };
  draft.push(statement satisfies Statement);
  const decide = (type: IntegerType | undefined): Variable => {
    statement.variable = { ...statement.variable, type };
    return statement.variable;
  };
  return { variable: statement.variable, decide };
}

/** What could not be read is not reported again where it is used. */
export function breakNames(draft: Draft, scope: Scope, pattern: Pattern): void {
  const span = draft.spanOf(pattern);
  switch (pattern.type) {
    case "Identifier":
      scope.add(pattern.name, { kind: "value", value: { kind: "broken", span }, constant: true });
      return;
    case "ObjectPattern":
      for (const property of pattern.properties)
        breakNames(draft, scope, property.type === "Property" ? property.value : property);
      return;
    case "ArrayPattern":
      for (const element of pattern.elements) if (element !== null) breakNames(draft, scope, element);
      return;
    case "AssignmentPattern":
      return breakNames(draft, scope, pattern.left);
    case "RestElement":
      return breakNames(draft, scope, pattern.argument);
    default:
  }
}

/** Says whether a name is assigned somewhere in a node, where it is not another one of the same spelling. */
export function assignsName(node: AnyNode, name: string): boolean {
  if (node.type === "AssignmentExpression" && node.left.type === "Identifier" && node.left.name === name)
    return true;
  if (node.type === "UpdateExpression" && node.argument.type === "Identifier" && node.argument.name === name)
    return true;
  return Object.values(node).some((part: unknown) => {
    const nodes: unknown[] = Array.isArray(part) ? part : [part];
    return nodes.some((one) => isNode(one) && !declaresName(one, name) && assignsName(one, name));
  });
}

/** Says whether this block has a name of its own of this spelling. */
function declaresName(node: AnyNode, name: string): boolean {
  const declarations =
    node.type === "BlockStatement" ? node.body : node.type === "ForStatement" && node.init ? [node.init] : [];
  return declarations.some(
    (statement) =>
      statement.type === "VariableDeclaration" &&
      statement.declarations.some(({ id }) => id.type === "Identifier" && id.name === name),
  );
}

function isNode(part: unknown): part is AnyNode {
  return typeof part === "object" && part !== null && "type" in part;
}
