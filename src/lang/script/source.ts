/**
 * Owns finding the function in the text that `toString` gives: arrows, functions, methods, with what transforms put around them.
 * Does not own what is in it (statements.ts).
 */
import { parse } from "acorn";
import type { AnyNode, ArrowFunctionExpression, FunctionExpression, Program } from "acorn";
import { SourceError } from "../../base/errors.js";
import type { Span } from "../../base/errors.js";

export interface ProbeSource {
  readonly text: string;
  readonly function: ArrowFunctionExpression | FunctionExpression;
  /** Where a node stands in the text. */
  spanOf(node: { readonly start: number; readonly end: number }): Span;
  /** Says whether something is assigned inside a node, or a variable of this name or of another one of the same spelling. */
  assigns(node: AnyNode, name?: string): boolean;
}

/** Parses the text of a function. Throws a SourceError when there is none, or one that cannot be a probe. */
export function parseSource(text: string): ProbeSource {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(text)) {
    const fix = "write the function where the probe is made, without bind()";
    throw refusal(text, { start: 0, end: text.length }, "the text of this function is not to be had", fix);
  }
  // Why: a method's text is no expression of its own, only inside an object.
  const plain = tryParse(text, "(", ")");
  const parsed = "program" in plain ? plain : tryParse(text, "({", "})");
  if (!("program" in parsed)) {
    const { at, message } = plain as Failed;
    const start = Math.max(0, Math.min(at, text.length));
    const fix = "hand over one function: (p) => ({ pid: p.pid })";
    throw refusal(text, { start, end: start + 1 }, `this is no JavaScript function: ${message}`, fix);
  }
  const { program, shift } = parsed;
  const spanOf = (node: { readonly start: number; readonly end: number }): Span => ({
    start: Math.max(0, node.start - shift),
    end: Math.min(text.length, node.end - shift),
  });
  const found = findFunction(program);
  if (found.kind === "refused") {
    throw refusal(
      text,
      found.node === undefined ? { start: 0, end: text.length } : spanOf(found.node),
      found.what,
      found.fix,
    );
  }
  const { node } = found;
  if (node.async || node.generator === true) {
    const [start, end] = [0, text.search(/[({=]/)];
    const kind = node.async ? "an async function" : "a generator";
    const fix = node.async
      ? "remove async: nothing waits in the kernel"
      : "write a plain function, and return one event";
    throw refusal(
      text,
      { start, end: Math.max(1, end) },
      `a probe function runs to its end at once, and this is ${kind}`,
      fix,
    );
  }
  const places = assignmentsOf(node);
  const assigns = ({ start, end }: AnyNode, name?: string): boolean =>
    places.some(
      (place) => start <= place.start && place.start < end && (name === undefined || name === place.name),
    );
  return { text, function: node, spanOf, assigns };
}

interface Assignment {
  readonly start: number;
  readonly name: string | undefined;
}

/** Why once for all: each declaration and each list of values asks, and walks are what costs time in a program that just started. */
function assignmentsOf(root: AnyNode): readonly Assignment[] {
  const found: Assignment[] = [];
  const visit = (node: AnyNode): void => {
    const target =
      node.type === "UpdateExpression"
        ? node.argument
        : node.type === "AssignmentExpression"
          ? node.left
          : undefined;
    if (target !== undefined)
      found.push({ start: node.start, name: target.type === "Identifier" ? target.name : undefined });
    for (const key in node) {
      const part: unknown = node[key as keyof AnyNode];
      if (typeof part !== "object" || part === null) continue;
      if (Array.isArray(part)) {
        for (const one of part as (AnyNode | null)[]) if (one !== null) visit(one);
      } else if ("type" in part) visit(part as AnyNode);
    }
  };
  visit(root);
  return found;
}

const tooDeep = "it is nested too deeply";

interface Failed {
  readonly at: number;
  readonly message: string;
}

function tryParse(text: string, before: string, after: string): { program: Program; shift: number } | Failed {
  const shift = before.length;
  try {
    return {
      program: parse(`${before}${text}\n${after}`, { ecmaVersion: "latest", sourceType: "script" }),
      shift,
    };
  } catch (error) {
    if (error instanceof RangeError) return { at: 0, message: tooDeep };
    // Why: acorn says so of its own where JavaScript's stack ends.
    const { pos = 0, message } = error as SyntaxError & { pos?: number };
    return {
      at: pos - shift,
      message: /stack space/.test(message) ? tooDeep : message.replace(/ \(\d+:\d+\)$/, ""),
    };
  }
}

type Found =
  | { readonly kind: "function"; readonly node: ArrowFunctionExpression | FunctionExpression }
  | {
      readonly kind: "refused";
      readonly node: AnyNode | undefined;
      readonly what: string;
      readonly fix: string;
    };

function findFunction({ body: [statement] }: Program): Found {
  let node: AnyNode | undefined =
    statement?.type === "ExpressionStatement" ? statement.expression : statement;
  while (node !== undefined) {
    if (node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression")
      return { kind: "function", node };
    if (node.type === "ParenthesizedExpression") node = node.expression;
    // Why: esbuild and tsx keep names with __name(function, "name").
    else if (node.type === "CallExpression" && isNaming(node)) node = node.arguments[0];
    else if (node.type === "ObjectExpression" && node.properties.length === 1) {
      const property: AnyNode | undefined = node.properties[0];
      if (property?.type !== "Property" || property.kind !== "init") break;
      node = property.value;
    } else break;
  }
  const what = node?.type === "ClassExpression" ? "a class is no probe function" : "a probe is one function";
  return { kind: "refused", node, what, fix: "hand over one function: (p) => ({ pid: p.pid })" };
}

/** Says whether this only gives a function its name, as tsx and esbuild do. */
export function isNaming(node: AnyNode): boolean {
  return (
    node.type === "CallExpression" &&
    node.callee.type === "Identifier" &&
    /^__name\d*$/.test(node.callee.name)
  );
}

function refusal(source: string, span: Span, what: string, fix: string): SourceError {
  return new SourceError(source, [{ what, span, fix }]);
}
