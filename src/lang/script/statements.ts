/**
 * Owns statements of a probe function.
 * Does not own declarations, loops, switches and results, which have a file each.
 */
import type { AnyNode, BreakStatement, ContinueStatement, IfStatement } from "acorn";
import { bind, breakNames, declare } from "./declaring.js";
import type { Draft } from "./draft.js";
import { condition, perform } from "./expressions.js";
import { runFor, runForOf } from "./loops.js";
import type { Jump } from "./loops.js";
import { refusalOf } from "./refusals.js";
import { finish, finishWithout } from "./results.js";
import { Scope } from "./scope.js";
import { isNaming } from "./source.js";
import { runSwitch } from "./switches.js";
import type { Value } from "./values.js";

/** Reads a whole probe function. */
export function readFunction(draft: Draft): void {
  const { function: node } = draft.source;
  const scope = new Scope();
  readParameters(draft, scope);
  if (node.body.type !== "BlockStatement") {
    const { body } = node;
    draft.attempt(() => finish(draft, scope, body, body));
    return;
  }
  const ended = runList(draft, new Scope(scope), node.body.body, []);
  // Why: the entry of a span has to say that the call is to be followed, also where it hands nothing on.
  if (!ended && draft.at === "span-entry") finishWithout(draft, node.body);
}

function readParameters(draft: Draft, scope: Scope): void {
  const { params, body } = draft.source.function;
  const extra = params[2];
  if (extra !== undefined) {
    draft.report(
      extra,
      "a probe function is handed two things: what the probe offers, and what using hands over",
      "write (p, { limit }) => ...",
    );
  }
  for (const [index, pattern] of params.slice(0, 2).entries()) {
    const kind = index === 0 ? "parameter" : "handed";
    const value: Value = { kind, span: draft.spanOf(pattern) };
    const done = draft.attempt(() => {
      bind(draft, scope, pattern, value, { constant: false, within: [body] });
      return true;
    });
    if (done === undefined) breakNames(draft, scope, pattern);
  }
}

/** Reads statements one after the other; true where what would follow is never reached. */
function runList(draft: Draft, scope: Scope, nodes: readonly AnyNode[], jumps: readonly Jump[]): boolean {
  for (const [index, node] of nodes.entries()) {
    const ended = draft.attempt(() => run(draft, scope, node, jumps, () => nodes.slice(index + 1)));
    if (ended === true) return true;
  }
  return false;
}

/** `behind` is what follows in the same block, and may assign what is declared here. */
function run(
  draft: Draft,
  scope: Scope,
  node: AnyNode,
  jumps: readonly Jump[],
  behind: () => readonly AnyNode[] = () => [],
): boolean {
  draft.step(node);
  draft.enter(node);
  const ended = read(draft, scope, node, jumps, behind);
  draft.leave();
  return ended;
}

function read(
  draft: Draft,
  scope: Scope,
  node: AnyNode,
  jumps: readonly Jump[],
  behind: () => readonly AnyNode[],
): boolean {
  switch (node.type) {
    case "BlockStatement":
      return runList(draft, new Scope(scope), node.body, jumps);
    case "EmptyStatement":
    case "DebuggerStatement":
      return false;
    case "ExpressionStatement":
      // Why: "use strict" and names that transforms set do nothing.
      if (node.directive === undefined && !isNaming(node.expression)) perform(draft, scope, node.expression);
      return false;
    case "VariableDeclaration":
      declare(draft, scope, node, behind());
      return false;
    case "ReturnStatement":
      finish(draft, scope, node.argument, node);
      return true;
    case "IfStatement":
      return runIf(draft, scope, node, jumps);
    case "ForStatement":
    case "ForOfStatement":
      runLoop(draft, scope, node, jumps, undefined);
      return false;
    case "LabeledStatement": {
      const { body } = node;
      if (body.type !== "ForStatement" && body.type !== "ForOfStatement") {
        draft.refuse(node, "only loops have labels in a probe", "leave the label out");
      }
      runLoop(draft, scope, body, jumps, node.label.name);
      return false;
    }
    case "SwitchStatement":
      runSwitch(draft, scope, node, (inner, body, jump) => runList(draft, inner, body, [...jumps, jump]));
      return false;
    case "BreakStatement":
    case "ContinueStatement":
      leave(draft, node, jumps);
      return true;
    default: {
      const { what, fix } = refusalOf(node);
      return draft.refuse(node, what, fix);
    }
  }
}

type Loop = Extract<AnyNode, { type: "ForStatement" | "ForOfStatement" }>;

function runLoop(
  draft: Draft,
  scope: Scope,
  node: Loop,
  jumps: readonly Jump[],
  name: string | undefined,
): void {
  const rounds = (inner: Scope, body: AnyNode, jump: Jump): boolean =>
    runList(draft, inner, [body], [...jumps, jump]);
  if (node.type === "ForStatement") runFor(draft, scope, node, name, rounds);
  else runForOf(draft, scope, node, name, rounds);
}

function runIf(draft: Draft, scope: Scope, node: IfStatement, jumps: readonly Jump[]): boolean {
  const truth = draft.attempt(() => condition(draft, scope, node.test));
  const branch = (body: AnyNode | null | undefined) => () =>
    body !== null && body !== undefined && runList(draft, new Scope(scope), [body], jumps);
  if (truth === true) return branch(node.consequent)();
  if (truth === false) return branch(node.alternate)();
  const whenTrue = draft.gather(branch(node.consequent));
  const whenFalse = draft.gather(branch(node.alternate));
  if (truth !== undefined && whenTrue.statements.length + whenFalse.statements.length > 0) {
    const span = draft.spanOf(node.test);
    draft.push({
      kind: "if",
      condition: truth,
      whenTrue: whenTrue.statements,
      whenFalse: whenFalse.statements,
      span,
    });
  }
  return whenTrue.result && whenFalse.result;
}

function leave(draft: Draft, node: BreakStatement | ContinueStatement, jumps: readonly Jump[]): void {
  const isBreak = node.type === "BreakStatement";
  const name = node.label?.name;
  const jump = jumps.findLast((one) =>
    name === undefined ? isBreak || one.continueTo !== undefined : one.name === name,
  );
  const label = isBreak ? jump?.breakTo : jump?.continueTo;
  if (label === undefined)
    return draft.refuse(node, `there is no loop to ${isBreak ? "break" : "continue"} here`, "leave it out");
  draft.push({ kind: "leave", label, span: draft.spanOf(node) });
}
