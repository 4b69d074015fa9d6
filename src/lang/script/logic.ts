/**
 * Owns logic in a probe function: conditions, `&&`, `||`, `??` and `? :`, also where a side of them does something.
 * Does not own which values can be chosen between (choosing.ts).
 */
import type { AnyNode } from "acorn";
import type { Expression, Statement } from "../tree.js";
import { i32 } from "../types.js";
import { choose } from "./choosing.js";
import { truthOf, truthValue } from "./comparing.js";
import type { Draft } from "./draft.js";
import { joinTypes } from "./joining.js";
import { integerOf, typeOfVariable } from "./operators.js";
import type { Evaluate, Scope } from "./scope.js";
import { literal, use } from "./values.js";
import type { Value } from "./values.js";

/** What a node means as a condition: a constant truth, or an expression that is not zero. */
export function conditionOf(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  node: AnyNode,
): boolean | Expression {
  const span = draft.spanOf(node);
  if (node.type === "ParenthesizedExpression") return conditionOf(evaluate, draft, scope, node.expression);
  if (node.type === "UnaryExpression" && node.operator === "!") {
    draft.enter(node);
    const truth = conditionOf(evaluate, draft, scope, node.argument);
    draft.leave();
    return typeof truth === "boolean" ? !truth : { kind: "unary", operator: "!", operand: truth, span };
  }
  if (node.type !== "LogicalExpression" || node.operator === "??") {
    return truthOf(draft, evaluate(draft, scope, node));
  }
  const isBoth = node.operator === "&&";
  draft.enter(node);
  const left = conditionOf(evaluate, draft, scope, node.left);
  draft.leave();
  if (typeof left === "boolean")
    return left === isBoth ? conditionOf(evaluate, draft, scope, node.right) : left;
  const { statements, result: right } = draft.gather(() => conditionOf(evaluate, draft, scope, node.right));
  if (statements.length === 0) {
    if (typeof right === "boolean") return right === isBoth ? left : right;
    return { kind: "binary", operator: node.operator, left, right, span };
  }
  const truth = truthValue(right, span);
  const variable = draft.keep("chosen", literal(isBoth ? 0n : 1n, span), i32);
  const value = integerOf(draft, truth).expression;
  const asked: Statement[] = [...statements, { kind: "assign", variable, value, span }];
  draft.push({
    kind: "if",
    condition: left,
    whenTrue: isBoth ? asked : [],
    whenFalse: isBoth ? [] : asked,
    span,
  });
  return use(variable, span);
}

/** `left && right`, `||` and `??`, as values. */
export function readLogical(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  operator: string,
  left: AnyNode,
  right: AnyNode,
  node: AnyNode,
): Value {
  const first = evaluate(draft, scope, left);
  if (operator === "??") return orElse(evaluate, draft, scope, first, right, node);
  const truth = truthOf(draft, first);
  if (typeof truth === "boolean")
    return truth === (operator === "&&") ? evaluate(draft, scope, right) : first;
  const { statements, result: second } = draft.gather(() => evaluate(draft, scope, right));
  const span = draft.spanOf(node);
  if (statements.length === 0 && isBoolean(first) && isBoolean(second)) {
    if (second.kind === "constant") return second.value === (operator === "&&") ? first : second;
    const other = integerOf(draft, second).expression;
    const expression: Expression = {
      kind: "binary",
      operator: operator as "&&" | "||",
      left: truth,
      right: other,
      span,
    };
    return { kind: "integer", class: "boolean", expression, type: i32, span };
  }
  const kept = first.kind === "integer" && !isBoolean(first) ? draft.freeze({ ...first }, "left") : first;
  const condition = kept.kind === "integer" ? kept.expression : truth;
  const whenFalse: Value = isBoolean(first) ? { kind: "constant", value: operator === "||", span } : kept;
  return operator === "&&"
    ? joined(draft, condition, { statements, value: second }, { statements: [], value: whenFalse }, node)
    : joined(draft, condition, { statements: [], value: whenFalse }, { statements, value: second }, node);
}

function orElse(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  first: Value,
  right: AnyNode,
  node: AnyNode,
): Value {
  const span = draft.spanOf(node);
  if (first.kind === "constant")
    return first.value === undefined || first.value === null ? evaluate(draft, scope, right) : first;
  if (first.kind !== "integer" || first.lookUp === undefined) {
    return draft.refuse(
      node,
      "what stands left of ?? is never undefined here",
      "remove ??; only table.get(key) may be undefined",
    );
  }
  first.lookUp.asked = true;
  const { lookUp, ...present } = first;
  const second = draft.gather(() => evaluate(draft, scope, right));
  return joined(
    draft,
    use(lookUp.found, span),
    { statements: [], value: present },
    { statements: second.statements, value: second.result },
    node,
  );
}

export function readConditional(
  evaluate: Evaluate,
  draft: Draft,
  scope: Scope,
  node: Extract<AnyNode, { type: "ConditionalExpression" }>,
): Value {
  const truth = conditionOf(evaluate, draft, scope, node.test);
  if (typeof truth === "boolean") return evaluate(draft, scope, truth ? node.consequent : node.alternate);
  const branch = (part: AnyNode): Branch => {
    const { statements, result } = draft.gather(() => evaluate(draft, scope, part));
    return { statements, value: result };
  };
  return joined(draft, truth, branch(node.consequent), branch(node.alternate), node);
}

function isBoolean(value: Value): boolean {
  return (
    (value.kind === "integer" && value.class === "boolean") ||
    (value.kind === "constant" && typeof value.value === "boolean")
  );
}

interface Branch {
  readonly statements: readonly Statement[];
  readonly value: Value;
}

/** The value of one of two branches; where a branch does something, it is done only there, and the value is kept in a variable. */
function joined(
  draft: Draft,
  condition: Expression,
  whenTrue: Branch,
  whenFalse: Branch,
  node: AnyNode,
): Value {
  const span = draft.spanOf(node);
  if (whenTrue.statements.length + whenFalse.statements.length === 0) {
    return choose(draft, condition, whenTrue.value, whenFalse.value, node);
  }
  const one = integerOf(draft, whenTrue.value);
  const other = integerOf(draft, whenFalse.value);
  if (one.class !== other.class) choose(draft, condition, whenTrue.value, whenFalse.value, node);
  const type = joinTypes(draft, [one, other], node) ?? typeOfVariable(one);
  const variable = draft.keep("chosen", literal(0n, span), type);
  const branch = ({ statements }: Branch, value: Expression) => [
    ...statements,
    { kind: "assign", variable, value, span } as const,
  ];
  draft.push({
    kind: "if",
    condition,
    whenTrue: branch(whenTrue, one.expression),
    whenFalse: branch(whenFalse, other.expression),
    span,
  });
  return { kind: "integer", class: one.class, expression: use(variable, span), type, span };
}
