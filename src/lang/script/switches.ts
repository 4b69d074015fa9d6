/**
 * Owns `switch`: its cases as a chain of ifs.
 * Does not own what stands in them (statements.ts).
 */
import type { AnyNode, SwitchCase, SwitchStatement } from "acorn";
import type { Expression, Statement } from "../tree.js";
import { compare, truthOf } from "./comparing.js";
import type { Draft } from "./draft.js";
import { evaluate } from "./expressions.js";
import { pushBlock } from "./loops.js";
import type { Jump } from "./loops.js";
import { Scope } from "./scope.js";
import type { Value } from "./values.js";

const mostCases = 64;

export function runSwitch(
  draft: Draft,
  scope: Scope,
  node: SwitchStatement,
  run: (scope: Scope, body: readonly AnyNode[], jump: Jump) => boolean,
): void {
  if (node.cases.length > mostCases)
    draft.refuse(
      node,
      `a switch has at most ${mostCases} cases here`,
      "use p.enum(value, { ... }) for names",
    );
  const value = asked(draft, evaluate(draft, scope, node.discriminant));
  const label = draft.label();
  const groups = groupsOf(draft, node);
  const body = draft.collect(() => chain(groups));
  pushBlock(draft, node, label, body);

  function chain([group, ...others]: readonly Group[]): void {
    if (group === undefined) return;
    const write = (): void => {
      run(new Scope(scope), group.body, { name: undefined, breakTo: label, continueTo: undefined });
    };
    if (group.tests.length === 0) return write();
    const truths = group.tests.map((test) =>
      truthOf(draft, compare(draft, "===", value, evaluate(draft, scope, test), test)),
    );
    if (truths.includes(true)) return write();
    const [first, ...more] = truths.filter((truth) => typeof truth !== "boolean");
    if (first === undefined) return chain(others);
    const span = draft.spanOf(group.place);
    const condition = more.reduce<Expression>(
      (left, right) => ({ kind: "binary", operator: "||", left, right, span }),
      first,
    );
    const whenTrue: Statement[] = draft.collect(write);
    draft.push({ kind: "if", condition, whenTrue, whenFalse: draft.collect(() => chain(others)), span });
  }
}

/** The value that is compared again and again, computed once. */
function asked(draft: Draft, value: Value): Value {
  if (value.kind === "integer" && value.lookUp === undefined) return draft.freeze(value, "switch");
  if (value.kind === "text") return { ...value, value: draft.freezeExpression(value.value, "switch") };
  return value;
}

interface Group {
  /** None: the default. */
  readonly tests: readonly AnyNode[];
  readonly body: readonly AnyNode[];
  readonly place: SwitchCase;
}

/** Cases with one body together; the default last. */
function groupsOf(draft: Draft, { cases }: SwitchStatement): Group[] {
  const groups: Group[] = [];
  let tests: AnyNode[] = [];
  let isDefault = false;
  for (const [index, one] of cases.entries()) {
    if (!one.test) isDefault = true;
    else tests.push(one.test);
    const isLast = index === cases.length - 1;
    if (one.consequent.length === 0 && !isLast) continue;
    if (!isLast && !ends(one.consequent.at(-1))) {
      draft.report(
        one.consequent.at(-1) ?? one,
        "this case runs into the next one",
        "end it with break; or return;",
      );
    }
    groups.push({ tests: isDefault ? [] : tests, body: one.consequent, place: one });
    tests = [];
    isDefault = false;
  }
  return [
    ...groups.filter((group) => group.tests.length > 0),
    ...groups.filter((group) => group.tests.length === 0),
  ];
}

function ends(node: AnyNode | null | undefined): boolean {
  if (!node) return false;
  if (node.type === "BlockStatement") return ends(node.body.at(-1));
  if (node.type === "IfStatement") return ends(node.consequent) && ends(node.alternate);
  return ["BreakStatement", "ReturnStatement", "ContinueStatement"].includes(node.type);
}
