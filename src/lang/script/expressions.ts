/**
 * Owns expressions of a probe function: each node as a value.
 * Does not own statements and assignment as a statement (statements.ts) nor operators (operators.ts, comparing.ts, choosing.ts).
 */
import type {
  AnyNode,
  CallExpression,
  Expression as ExpressionNode,
  MemberExpression,
  SpreadElement,
} from "acorn";
import type { Expression } from "../tree.js";
import { assignTo } from "./assigning.js";
import { call, memberOf } from "./calls.js";
import { compare, isComparison, truthValue } from "./comparing.js";
import type { Draft } from "./draft.js";
import { frozen } from "./freezing.js";
import { readLiteral, readObject, readTemplate } from "./literals.js";
import { conditionOf, readConditional, readLogical } from "./logic.js";
import { binary, isArithmetic, unary } from "./operators.js";
import { fixOfCall, refusalOf, refusalOfOperator } from "./refusals.js";
import { valueOfForeign, valueOfName } from "./scope.js";
import type { Scope } from "./scope.js";
import { isNaming } from "./source.js";
import type { Value } from "./values.js";

/** Reads an expression. What it does is written down as statements; what cannot be read is reported and given up. */
export function evaluate(draft: Draft, scope: Scope, node: AnyNode): Value {
  draft.enter(node);
  const value = read(draft, scope, node);
  draft.leave();
  return value;
}

function read(draft: Draft, scope: Scope, node: AnyNode): Value {
  switch (node.type) {
    case "Identifier":
      return valueOfName(draft, scope, node.name, node);
    case "Literal":
      return readLiteral(draft, node);
    case "TemplateLiteral":
      return readTemplate(evaluate, draft, scope, node);
    case "ParenthesizedExpression":
      return evaluate(draft, scope, node.expression);
    case "ObjectExpression":
      return readObject(evaluate, draft, scope, node);
    case "ArrayExpression": {
      const elements = node.elements.map(
        (element) => element ?? draft.refuse(node, "an array has no holes here", "write every value"),
      );
      return { kind: "array", items: evaluateAll(draft, scope, elements), span: draft.spanOf(node) };
    }
    case "UnaryExpression":
      return readUnary(draft, scope, node);
    case "BinaryExpression": {
      const { operator } = node;
      if (!isComparison(operator) && !isArithmetic(operator)) {
        const { what, fix } = refusalOfOperator(operator);
        return draft.refuse(node, what, fix);
      }
      const [left, right] = evaluateAll(draft, scope, [node.left as ExpressionNode, node.right]) as [
        Value,
        Value,
      ];
      return isComparison(operator)
        ? compare(draft, operator, left, right, node)
        : binary(draft, operator, left, right, node);
    }
    case "LogicalExpression":
      return readLogical(evaluate, draft, scope, node.operator, node.left, node.right, node);
    case "ConditionalExpression":
      return readConditional(evaluate, draft, scope, node);
    case "SequenceExpression": {
      const before = node.expressions.slice(0, -1);
      for (const expression of before) perform(draft, scope, expression);
      return evaluate(draft, scope, node.expressions.at(-1)!);
    }
    case "AssignmentExpression":
    case "UpdateExpression":
      return assignTo(draft, scope, node, { evaluate, logical: readLogical });
    case "MemberExpression":
      return readMember(draft, scope, node);
    case "CallExpression":
      return readCall(draft, scope, node);
    default: {
      const { what, fix } = refusalOf(node);
      return draft.refuse(node, what, fix);
    }
  }
}

/** What a node means as a condition: a constant truth, or an expression that is not zero. */
export function condition(draft: Draft, scope: Scope, node: AnyNode): boolean | Expression {
  return conditionOf(evaluate, draft, scope, node);
}

/** Does what an expression does, without asking for its value. */
export function perform(draft: Draft, scope: Scope, node: AnyNode): void {
  switch (node.type) {
    case "ParenthesizedExpression":
      return perform(draft, scope, node.expression);
    case "SequenceExpression":
      for (const expression of node.expressions) perform(draft, scope, expression);
      return;
    case "UnaryExpression":
      // Why: minifiers write void f() and !f() for f().
      if (node.operator === "void" || node.operator === "!") return perform(draft, scope, node.argument);
      break;
    case "LogicalExpression":
    case "ConditionalExpression": {
      const isChoice = node.type === "ConditionalExpression";
      if (!isChoice && node.operator === "??") break;
      const truth = condition(draft, scope, isChoice ? node.test : node.left);
      const whenTrue = isChoice ? node.consequent : node.operator === "&&" ? node.right : undefined;
      const whenFalse = isChoice ? node.alternate : node.operator === "||" ? node.right : undefined;
      const write = (branch: AnyNode | undefined) => () => {
        if (branch !== undefined) perform(draft, scope, branch);
      };
      if (typeof truth === "boolean") return write(truth ? whenTrue : whenFalse)();
      const statement = {
        condition: truth,
        whenTrue: draft.collect(write(whenTrue)),
        whenFalse: draft.collect(write(whenFalse)),
      };
      if (statement.whenTrue.length + statement.whenFalse.length > 0)
        draft.push({ kind: "if", ...statement, span: draft.spanOf(node) });
      return;
    }
    default:
  }
  evaluate(draft, scope, node);
}

/** Reads expressions in their order; what an assignment in a later one changes is read before. */
export function evaluateAll(
  draft: Draft,
  scope: Scope,
  nodes: readonly (ExpressionNode | SpreadElement)[],
): Value[] {
  // Why: one value that cannot be read does not hide what is wrong with the next.
  const values = nodes.flatMap((node, index) => {
    const value = draft.attempt(() => evaluate(draft, scope, node));
    const changed =
      value !== undefined && nodes.slice(index + 1).some((later) => draft.source.assigns(later));
    return changed ? frozen(draft, "before", value) : (value ?? []);
  });
  return values.length === nodes.length ? values : draft.giveUp();
}

function readUnary(draft: Draft, scope: Scope, node: Extract<AnyNode, { type: "UnaryExpression" }>): Value {
  const { operator } = node;
  if (operator === "void") {
    perform(draft, scope, node.argument);
    return { kind: "constant", value: undefined, span: draft.spanOf(node) };
  }
  if (operator === "typeof" || operator === "delete") {
    const { what, fix } = refusalOfOperator(operator);
    return draft.refuse(node, what, fix);
  }
  if (operator !== "!") return unary(draft, operator, evaluate(draft, scope, node.argument), node);
  const truth = condition(draft, scope, node);
  return truthValue(truth, draft.spanOf(node));
}

function readMember(draft: Draft, scope: Scope, node: MemberExpression): Value {
  const { object, property } = node;
  if (property.type === "PrivateIdentifier" || object.type === "Super") {
    const { what, fix } = refusalOf(object.type === "Super" ? object : property);
    return draft.refuse(node, what, fix);
  }
  const isOutside =
    object.type === "Identifier" && scope.find(object.name) === undefined && !draft.handed.has(object.name);
  if (isOutside && !node.computed && property.type === "Identifier" && object.name !== "undefined") {
    return valueOfForeign(draft, object.name, property.name, node);
  }
  const value = evaluate(draft, scope, object);
  if (!node.computed && property.type === "Identifier") return memberOf(draft, value, property.name, node);
  const place = evaluate(draft, scope, property);
  if (place.kind === "constant") return memberOf(draft, value, String(place.value), node);
  return draft.refuse(
    property,
    "the place in an array or object is a constant",
    "write a number, or the variable of a for loop",
  );
}

function readCall(draft: Draft, scope: Scope, node: CallExpression): Value {
  const { callee } = node;
  if (isNaming(node) && node.arguments[0] !== undefined) return evaluate(draft, scope, node.arguments[0]);
  if (callee.type === "Super") return draft.refuse(node, refusalOf(callee).what, refusalOf(callee).fix);
  refuseForeignCall(draft, scope, callee, node);
  const target = evaluate(draft, scope, callee);
  return call(draft, target, evaluateAll(draft, scope, node.arguments), node);
}

/** Says of a call to something outside what to write instead. */
function refuseForeignCall(draft: Draft, scope: Scope, callee: ExpressionNode, node: AnyNode): void {
  // Why: transforms write (0, _lib.f)() for f().
  const called =
    callee.type === "SequenceExpression"
      ? callee.expressions.at(-1)!
      : callee.type === "ParenthesizedExpression"
        ? callee.expression
        : callee;
  let root: AnyNode = called;
  while (root.type === "MemberExpression") root = root.object;
  if (root.type !== "Identifier" || scope.find(root.name) !== undefined) return;
  const name =
    called.type === "MemberExpression" && called.property.type === "Identifier"
      ? called.property.name
      : root.name;
  if (draft.handed.has(root.name) || (called === root && draft.handed.has(name))) return;
  if (called.type === "MemberExpression" && called.object.type === "MemberExpression") return;
  const isImport = called.type === "MemberExpression" && /^(?:_|import_)|_\d+$/.test(root.name);
  const written = isImport || called === root ? name : `${root.name}.${name}`;
  draft.refuse(node, `"${written}" cannot be called in the kernel`, fixOfCall(written));
}
