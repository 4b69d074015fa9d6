/**
 * Owns assignment: to variables that `let` declared, of values of their class.
 * Does not own declarations (declaring.ts).
 */
import type { AnyNode, AssignmentExpression, UpdateExpression } from "acorn";
import type { Variable } from "../tree.js";
import type { Draft } from "./draft.js";
import { frozen } from "./freezing.js";
import { binary, integerOf, typeOfVariable } from "./operators.js";
import type { Binding, Evaluate, Scope } from "./scope.js";
import { describe, use } from "./values.js";
import type { IntegerValue, Value } from "./values.js";

/** How the two sides are read. */
export interface Reading {
  evaluate(draft: Draft, scope: Scope, node: AnyNode): Value;
  logical(
    evaluate: Evaluate,
    draft: Draft,
    scope: Scope,
    operator: string,
    left: AnyNode,
    right: AnyNode,
    node: AnyNode,
  ): Value;
}

/** Writes an assignment down. Its value is the new one, or of `x++` the old one. */
export function assignTo(
  draft: Draft,
  scope: Scope,
  node: AssignmentExpression | UpdateExpression,
  reading: Reading,
): Value {
  const target = node.type === "UpdateExpression" ? node.argument : node.left;
  const span = draft.spanOf(node);
  if (target.type !== "Identifier") {
    const isMember = target.type === "MemberExpression";
    const what = isMember
      ? "a probe only watches: nothing of an object can be assigned"
      : "only variables can be assigned";
    return draft.refuse(
      target,
      what,
      isMember ? "use a variable of its own, made with let" : "assign one after the other",
    );
  }
  const { name } = target;
  const binding = scope.find(name);
  if (binding === undefined)
    return draft.refuse(
      target,
      `"${name}" is not declared here`,
      draft.handed.get(name)?.kind === "aggregate"
        ? `an aggregate is changed with its functions, as in ${name}.add()`
        : draft.handed.has(name)
          ? `what is handed over does not change: copy it with let mine = ${name}`
          : `declare it in the probe: let ${name} = 0. What lives outside cannot be changed from the kernel; count with a counter handed over with using`,
    );
  if (binding.kind === "value") return refuseConstant(draft, name, binding, target);
  const isUpdate = node.type === "UpdateExpression";
  if (binding.kind === "round") {
    return draft.refuse(
      target,
      `"${name}" counts the rounds of the loop, and changes only in its head`,
      `copy it: let place = ${name}`,
    );
  }
  const old = isUpdate ? reading.evaluate(draft, scope, target) : undefined;
  const before = old?.kind === "integer" && isUpdate && !node.prefix ? draft.freeze(old, name) : undefined;
  const value = integerOf(
    draft,
    isUpdate ? stepped(draft, old!, node) : assigned(draft, scope, node, target, reading),
  );
  store(draft, name, binding, value, node);
  const variable = binding.variable!;
  return (
    before ?? {
      kind: "integer",
      class: value.class,
      expression: use(variable, span),
      type: variable.type,
      span,
    }
  );
}

function stepped(draft: Draft, old: Value, node: UpdateExpression): Value {
  const one = old.kind === "integer" && old.class === "bigint" ? 1n : 1;
  return binary(
    draft,
    node.operator === "++" ? "+" : "-",
    old,
    { kind: "constant", value: one, span: draft.spanOf(node) },
    node,
  );
}

function assigned(
  draft: Draft,
  scope: Scope,
  node: AssignmentExpression,
  target: AnyNode,
  reading: Reading,
): Value {
  const operator = node.operator.slice(0, -1);
  if (operator === "") return reading.evaluate(draft, scope, node.right);
  if (operator === "&&" || operator === "||" || operator === "??")
    return reading.logical(reading.evaluate, draft, scope, operator, target, node.right, node);
  if (operator === "**")
    return draft.refuse(node, "there is no ** in the kernel", "multiply, or shift: 1 << 4");
  const before = reading.evaluate(draft, scope, target);
  // Spec: ECMA-262 13.15.2: the left side is read before the right one is evaluated.
  const left = draft.source.assigns(node.right) ? frozen(draft, "before", before) : before;
  return binary(draft, operator, left, reading.evaluate(draft, scope, node.right), node);
}

type VariableBinding = Extract<Binding, { kind: "variable" }>;

/** Gives a variable a value of its class. The first value of one that was declared without decides the class. */
export function store(
  draft: Draft,
  name: string,
  binding: VariableBinding,
  value: IntegerValue,
  node: AnyNode,
): void {
  const span = draft.spanOf(node);
  if (binding.class === undefined) {
    binding.class = value.class;
    binding.variable = binding.decide?.(typeOfVariable(value));
  }
  if (binding.class !== value.class) {
    const fix =
      binding.class === "bigint"
        ? 'make it a bigint: 5n, or p.cast(x, "i64")'
        : binding.class === "number"
          ? 'make it a number: p.cast(x, "i32")'
          : "compare, or write x !== 0";
    draft.refuse(node, `"${name}" is a ${binding.class}, and this is a ${value.class}`, fix);
  }
  if (binding.decide !== undefined && value.type?.bytes === 8 && value.expression.kind !== "integer") {
    binding.variable = binding.decide(value.type);
    binding.decide = undefined;
  }
  refuseOtherSign(draft, name, binding.variable!, value, node);
  draft.push({ kind: "assign", variable: binding.variable!, value: value.expression, span });
}

/** Why: of 64 bits the largest unsigned values would become negative, or negative ones huge, without a word. */
function refuseOtherSign(
  draft: Draft,
  name: string,
  { type }: Variable,
  { type: given, expression }: IntegerValue,
  node: AnyNode,
): void {
  const isWide = type?.bytes === 8 && given?.bytes === 8;
  if (!isWide || type.signed === given.signed || expression.kind === "integer") return;
  const [own, other] = type.signed ? ["signed", "unsigned"] : ["unsigned", "signed"];
  const cast = `p.cast(..., "${type.signed ? "i64" : "u64"}")`;
  const begin = type.signed ? `, or begin with let ${name} = p.cast(0n, "u64")` : "";
  draft.refuse(node, `"${name}" is ${own}, and this is ${other}`, `convert it: ${cast}${begin}`);
}

function refuseConstant(
  draft: Draft,
  name: string,
  binding: Extract<Binding, { kind: "value" }>,
  target: AnyNode,
): never {
  if (binding.value.kind === "broken") return draft.giveUp();
  if (binding.constant) return draft.refuse(target, `"${name}" is a constant`, `declare it with let ${name}`);
  return draft.refuse(
    target,
    `"${name}" is ${describe(binding.value)}, and only numbers and booleans can be assigned`,
    "use a const for each, or choose with ? :",
  );
}
