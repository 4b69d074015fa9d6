/**
 * Owns a whole one-liner: `SELECTOR[(SIGNATURE)] [(PREDICATE)] ["FORMAT"[,] [ARGUMENT, ...]]` as a tree and a template.
 * Does not own its parts, which have a file each.
 */
import { assert } from "../../base/assert.js";
import type { Span } from "../../base/errors.js";
import type { ParsedProbe } from "../probe.js";
import { Problems } from "../problems.js";
import type { Template, TemplatePart } from "../template.js";
import type { EmitField, Expression, FieldForm, Parameter, Statement } from "../tree.js";
import { onelinerAdvice } from "./advice.js";
import { seesType } from "./c-types.js";
import { Cursor } from "./cursor.js";
import type { Spelling } from "./cursor.js";
import { parseExpression } from "./expression.js";
import { parseFormat } from "./format.js";
import type { FormatPart, Taken } from "./format.js";
import { parseSelector } from "./selector.js";
import { parseSignature } from "./signature.js";
import { readTokens, skipSpace } from "./tokens.js";
import type { StringToken } from "./tokens.js";

/** Parses a one-liner. Throws a SourceError that holds every problem found. */
export function parse(source: string, spelling: Spelling = {}): ParsedProbe {
  const problems = new Problems();
  const { selector, end } = parseSelector(source, skipSpace(source, 0), problems);
  const cursor = new Cursor(readTokens(source, end, problems), problems, spelling);
  const parameters = source[end] === "(" ? readSignature(cursor, selector?.kind === "marker") : [];
  cursor.parameters = parameters;
  const condition = readPredicate(cursor);
  const action = readAction(source, cursor);
  problems.throwIfAny(source);
  const body: Statement[] = [];
  if (condition !== undefined) body.push({ kind: "require", condition, span: condition.span });
  body.push({ kind: "emit", shape: 0, strict: false, fields: action.fields, span: action.span });
  assert(selector !== undefined, "a selector that is missing without a problem");
  const tree = { selector, parameters, body };
  const isBare = selector.kind === "marker" && action.template === undefined;
  return {
    source,
    tree,
    template: action.template,
    ...(isBare ? { shown: "all arguments" } : {}),
    advice: onelinerAdvice,
  };
}

function readSignature(cursor: Cursor, ofMarker: boolean): readonly Parameter[] {
  const start = cursor.peek().span;
  const parameters = cursor.attempt(() => parseSignature(cursor), []) ?? [];
  if (ofMarker) {
    cursor.problems.report(
      cursor.from(start),
      "a marker's arguments have types of their own",
      "leave out the signature and write arg1, arg2 ...",
    );
  }
  return parameters;
}

function readPredicate(cursor: Cursor): Expression | undefined {
  if (!cursor.sees("(")) return undefined;
  return cursor.attempt(() => {
    const start = cursor.take().span;
    if (seesType(cursor)) {
      const what = "a signature stands right behind the function's name";
      cursor.fail(cursor.peek().span, what, "remove the space: c:write(int fd, void *buf) (fd == 2)");
    }
    const condition = parseExpression(cursor);
    cursor.require(")", "to close the predicate");
    return { ...condition, span: cursor.from(start) };
  }, []);
}

interface Action {
  readonly fields: readonly EmitField[];
  readonly template: Template | undefined;
  readonly span: Span;
}

function readAction(source: string, cursor: Cursor): Action {
  const token = cursor.peek();
  if (token.kind === "end")
    return { fields: [], template: undefined, span: { start: 0, end: source.length } };
  if (token.kind !== "string") {
    const fix =
      token.kind === "mark" && token.text === "(" ? "join both conditions with &&" : 'write "%d", arg1';
    cursor.problems.report(token.span, "a format in double quotes is expected here", fix);
    return { fields: [], template: undefined, span: token.span };
  }
  cursor.take();
  const before = cursor.problems.count;
  const parts = parseFormat(token, cursor.problems);
  const sound = token.closed && cursor.problems.count === before;
  const values = readArguments(cursor);
  if (sound) reportCounts(cursor, parts, values);
  return pair(source, cursor, token, parts, values);
}

/** Reads the arguments; one that cannot be read leaves a hole, so that the others still pair. */
function readArguments(cursor: Cursor): readonly (Expression | undefined)[] {
  const values: (Expression | undefined)[] = [];
  const comma = cursor.accept(",");
  if (cursor.peek().kind === "end" && comma === undefined) return values;
  do {
    const value = cursor.attempt(() => {
      const expression = parseExpression(cursor);
      const next = cursor.peek();
      if (next.kind !== "end" && !cursor.sees(",")) {
        cursor.fail(
          next.span,
          "nothing more is expected behind this argument",
          "separate arguments with commas",
        );
      }
      return expression;
    }, [","]);
    values.push(value);
  } while (cursor.accept(",") !== undefined);
  return values;
}

/** The wrong number of arguments; not asked where the format itself could not be read. */
function reportCounts(
  cursor: Cursor,
  parts: readonly FormatPart[],
  values: readonly (Expression | undefined)[],
): void {
  let wanted = 0;
  for (const part of parts) {
    if (part.kind === "literal") continue;
    const has = values.length - wanted;
    wanted += countTaken(part.taken);
    if (values.length >= wanted) continue;
    const what =
      has === 1
        ? "%.*s takes two arguments: the length, then the address"
        : "this conversion has no argument";
    cursor.problems.report(part.span, what, 'add it behind the format, as in "%d", arg1');
  }
  const surplus = values.slice(wanted).find((value) => value !== undefined);
  if (surplus === undefined) return;
  const takes = `${wanted === 0 ? "no arguments" : wanted === 1 ? "one argument" : `${wanted} arguments`}`;
  const what = `the format takes ${takes}, and there ${values.length === 1 ? "is one" : `are ${values.length}`}`;
  cursor.problems.report(surplus.span, what, "add a conversion to the format, or remove the argument");
}

function pair(
  source: string,
  cursor: Cursor,
  format: StringToken,
  parts: readonly FormatPart[],
  values: readonly (Expression | undefined)[],
): Action {
  const fields: EmitField[] = [];
  const template: TemplatePart[] = [];
  let next = 0;
  for (const part of parts) {
    if (part.kind === "literal") {
      template.push(part);
      continue;
    }
    const taken = values.slice(next, next + countTaken(part.taken));
    next += taken.length;
    template.push({ ...part.shown, field: fields.length });
    const value = taken.at(-1);
    if (value === undefined) continue;
    const name = nameOf(source, value, fields);
    fields.push({ name, value, form: formOf(part.taken, taken[0]), span: value.span });
  }
  return { fields, template, span: cursor.from(format.span) };
}

function countTaken(taken: Taken): number {
  return taken.kind === "text-of-length" ? 2 : 1;
}

function formOf(taken: Taken, first: Expression | undefined): FieldForm {
  switch (taken.kind) {
    case "integer":
      return { kind: "integer", type: taken.type };
    case "text":
      return { kind: "text", length: undefined };
    case "text-of-length":
      return { kind: "text", length: first };
    case "symbol":
      return { kind: "symbol", space: taken.space };
  }
}

/** What the author wrote, with a number behind it where it was written before. */
function nameOf(source: string, { span }: Expression, fields: readonly EmitField[]): string {
  const text = source.slice(span.start, span.end).replaceAll(/\s+/g, " ");
  const twins = fields.filter(({ name }) => name === text || name.startsWith(`${text}#`)).length;
  return twins === 0 ? text : `${text}#${twins + 1}`;
}
