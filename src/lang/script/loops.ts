/**
 * Owns `for` loops, which are written out round by round, and the jumps out of them.
 * Does not own what stands in them (statements.ts).
 */
import type { AnyNode, ForOfStatement, ForStatement } from "acorn";
import type { Statement } from "../tree.js";
import { assignsName, bind, declare } from "./declaring.js";
import type { Draft } from "./draft.js";
import { condition, evaluate, perform } from "./expressions.js";
import { binary } from "./operators.js";
import { Scope } from "./scope.js";
import type { Value } from "./values.js";

/** Rounds of one loop. */
export const mostRounds = 128;

/** Where break and continue lead to, innermost last. */
export interface Jump {
  readonly name: string | undefined;
  readonly breakTo: number;
  /** Undefined in a switch, which only has break. */
  readonly continueTo: number | undefined;
}

/** Reads statements; true where nothing behind them is reached. */
export type Run = (scope: Scope, node: AnyNode, jump: Jump) => boolean;

export function runFor(
  draft: Draft,
  scope: Scope,
  node: ForStatement,
  name: string | undefined,
  run: Run,
): void {
  const inner = new Scope(scope);
  begin(draft, inner, node);
  let hasBound = Boolean(node.test);
  written(draft, node, (out) => {
    for (let round = 0; ; round++) {
      const truth = !node.test || condition(draft, inner, node.test);
      if (truth === false) return;
      if (truth !== true) hasBound = false;
      if (round >= mostRounds) return hasBound ? refuseTooMany(draft, node) : refuseUnbounded(draft, node);
      const span = draft.spanOf(node.test ?? node);
      if (truth !== true) {
        draft.push({
          kind: "if",
          condition: truth,
          whenTrue: [],
          whenFalse: [{ kind: "leave", label: out, span }],
          span,
        });
      }
      if (oneRound(draft, new Scope(inner), node, out, name, run)) return;
      if (node.update) update(draft, inner, node.update);
    }
  });
}

export function runForOf(
  draft: Draft,
  scope: Scope,
  node: ForOfStatement,
  name: string | undefined,
  run: Run,
): void {
  const value = evaluate(draft, scope, node.right);
  if (value.kind !== "array")
    draft.refuse(
      node.right,
      "only an array written out has a length that is known",
      "write for (const x of [1, 2, 3]), or for (let i = 0; i < 8; i++)",
    );
  if (value.items.length > mostRounds) refuseTooMany(draft, node);
  const { left } = node;
  written(draft, node, (out) => {
    for (const item of value.items) {
      const inner = new Scope(scope);
      if (left.type !== "VariableDeclaration")
        draft.refuse(left, "the loop declares its own variable", "write for (const x of ...)");
      bind(draft, inner, left.declarations[0]!.id, item, {
        constant: left.kind === "const",
        within: [node.body],
      });
      if (oneRound(draft, inner, node, out, name, run)) return;
    }
  });
}

/** Writes a block that break leaves, where it does. */
function written(draft: Draft, node: AnyNode, write: (out: number) => void): void {
  const out = draft.label();
  pushBlock(
    draft,
    node,
    out,
    draft.collect(() => write(out)),
  );
}

/** Writes statements down, as a block if one of them leaves it. */
export function pushBlock(draft: Draft, node: AnyNode, label: number, body: readonly Statement[]): void {
  if (leaves(body, label)) draft.push({ kind: "block", label, body, span: draft.spanOf(node) });
  else for (const statement of body) draft.push(statement);
}

/** One time through the body; true where the loop surely ends in it. */
function oneRound(
  draft: Draft,
  scope: Scope,
  node: ForStatement | ForOfStatement,
  out: number,
  name: string | undefined,
  run: Run,
): boolean {
  const again = draft.label();
  const { statements, result: ends } = draft.gather(() =>
    run(scope, node.body, { name, breakTo: out, continueTo: again }),
  );
  pushBlock(draft, node.body, again, statements);
  return ends && !leaves(statements, again);
}

function leaves(statements: readonly Statement[], label: number): boolean {
  return statements.some((statement) => {
    if (statement.kind === "leave") return statement.label === label;
    if (statement.kind === "block") return leaves(statement.body, label);
    return (
      statement.kind === "if" && (leaves(statement.whenTrue, label) || leaves(statement.whenFalse, label))
    );
  });
}

/** The loop's own variables are those that its head changes; they begin with constants. */
function begin(draft: Draft, scope: Scope, { init, update: step, body, test }: ForStatement): void {
  if (!init) return;
  if (init.type !== "VariableDeclaration") return perform(draft, scope, init);
  for (const declarator of init.declarations) {
    const { id } = declarator;
    const counts = id.type === "Identifier" && step && assignsName(step, id.name);
    if (!counts || !declarator.init) {
      declare(draft, scope, { ...init, declarations: [declarator] }, [body, ...(test ? [test] : [])]);
      continue;
    }
    const value = evaluate(draft, scope, declarator.init);
    if (value.kind !== "constant") {
      draft.refuse(
        declarator.init,
        "a loop counts from a constant",
        `begin with one, and add inside: for (let ${id.name} = 0; ${id.name} < 8; ${id.name}++)`,
      );
    }
    scope.add(id.name, { kind: "round", value });
  }
}

/** What the head of a loop does behind each round: the loop's variables become their next constants. */
function update(draft: Draft, scope: Scope, node: AnyNode): void {
  if (node.type === "SequenceExpression") {
    for (const expression of node.expressions) update(draft, scope, expression);
    return;
  }
  const target =
    node.type === "UpdateExpression"
      ? node.argument
      : node.type === "AssignmentExpression"
        ? node.left
        : undefined;
  const binding = target?.type === "Identifier" ? scope.find(target.name) : undefined;
  if (binding?.kind !== "round") return perform(draft, scope, node);
  const value = nextOf(draft, scope, binding.value, node);
  if (value.kind !== "constant")
    draft.refuse(node, "a loop counts in constant steps", "write i++, or i += 2");
  binding.value = value;
}

function nextOf(draft: Draft, scope: Scope, value: Value, node: AnyNode): Value {
  if (node.type === "UpdateExpression") {
    const isBig = value.kind === "constant" && typeof value.value === "bigint";
    const one: Value = { kind: "constant", value: isBig ? 1n : 1, span: value.span };
    return binary(draft, node.operator === "++" ? "+" : "-", value, one, node);
  }
  if (node.type !== "AssignmentExpression") return value;
  const right = evaluate(draft, scope, node.right);
  return node.operator === "=" ? right : binary(draft, node.operator.slice(0, -1), value, right, node);
}

function refuseTooMany(draft: Draft, node: ForStatement | ForOfStatement): never {
  return draft.refuse(
    headOf(node),
    `this loop has more than ${mostRounds} rounds`,
    "loop less: each round becomes instructions of its own",
  );
}

function refuseUnbounded(draft: Draft, node: ForStatement): never {
  return draft.refuse(
    headOf(node),
    "this loop has no bound that is known",
    `give it one of at most ${mostRounds} besides: for (let i = 0; i < n && i < 16; i++)`,
  );
}

function headOf(node: ForStatement | ForOfStatement): AnyNode {
  return node.type === "ForStatement" ? (node.test ?? node) : node.right;
}
