/**
 * Owns a whole distribution: `{p|r}:LIB:FUNCTION(SIGNATURE)[:TYPE[,TYPE...]:EXPR[,EXPR...][:FILTER]][#LABEL]`, which counts how
 * often values occur, or sorts one value into a histogram; as trees, and what the kernel gathers. Does not own its words
 * (dollar-words.ts) nor what is done with each value (gathered.ts).
 */
import { assert } from "../../base/assert.js";
import type { AggregateSpec } from "../aggregates.js";
import type { ParsedProbe } from "../probe.js";
import { Problems } from "../problems.js";
import type { Expression, Parameter, ProbeTree, Selector, Statement } from "../tree.js";
import { distributionAdvice } from "./advice.js";
import { parseType } from "./c-types.js";
import { Cursor } from "./cursor.js";
import { DollarWords } from "./dollar-words.js";
import type { EntryValue } from "./dollar-words.js";
import { parseExpression } from "./expression.js";
import { gather, gatherCalls } from "./gathered.js";
import type { Gathered, Gathering, ShownValue, TypedExpression } from "./gathered.js";
import { findLabel } from "./label.js";
import { parseSelector } from "./selector.js";
import { parseSignature } from "./signature.js";
import { readTokens, skipSpace } from "./tokens.js";

export interface ParsedDistribution {
  readonly gathering: Gathering;
  /** What stands behind `#`. */
  readonly label: string | undefined;
  /** What the parts of the key are called, or the one value of a histogram; none where calls are counted. */
  readonly values: readonly ShownValue[];
  readonly aggregate: AggregateSpec;
  /** Fills the aggregate, which is its only one. */
  readonly main: ParsedProbe;
  /** Where `$entry` or `$latency` are used: what runs at the entry. */
  readonly entry: ParsedProbe | undefined;
}

/** Parses a distribution; texts in keys have `textLimit` bytes at most. Throws a SourceError that holds every problem found. */
export function parseDistribution(
  source: string,
  gathering: Gathering,
  { textLimit }: { readonly textLimit: number },
): ParsedDistribution {
  const problems = new Problems();
  const { selector, end } = parseSelector(source, skipSpace(source, 0), problems);
  const { label, bodyEnd } = findLabel(source, end);
  const words = new DollarWords(placeOf(source, selector));
  const cursor = new Cursor(readTokens(source.slice(0, bodyEnd), end, problems), problems, words);
  cursor.parameters = readSignature(cursor, selector);
  const body = readBody(cursor);
  const gathered =
    body.values === undefined
      ? gatherCalls(gathering, isReturn(selector), selector?.span ?? cursor.peek().span, problems)
      : gather(source, gathering, body.values, textLimit, problems);
  problems.throwIfAny(source);
  assert(selector !== undefined && gathered !== undefined, "a part that is missing without a problem");
  const update = updateOf(gathering, gathered, body.filter);
  const probe = (tree: ProbeTree): ParsedProbe => ({
    source,
    tree,
    template: undefined,
    advice: distributionAdvice,
  });
  const { parameters } = cursor;
  return {
    gathering,
    label,
    values: gathered.values,
    aggregate: gathered.aggregate,
    main: probe({ selector, parameters, body: update }),
    entry: words.needsEntry
      ? probe({ selector: entryOf(selector), parameters, body: [keep(words.kept, selector)] })
      : undefined,
  };
}

function isReturn(selector: Selector | undefined): boolean {
  return selector?.kind === "function" && selector.at === "return";
}

function placeOf(source: string, selector: Selector | undefined): "entry" | "return" | "marker" {
  const [, kind] = /^\s*([ru]):/.exec(source) ?? [];
  if (selector?.kind === "marker" || kind === "u") return "marker";
  return isReturn(selector) || kind === "r" ? "return" : "entry";
}

function entryOf(selector: Selector): Selector {
  return selector.kind === "function" ? { ...selector, at: "entry" } : selector;
}

function readSignature(cursor: Cursor, selector: Selector | undefined): readonly Parameter[] {
  const token = cursor.peek();
  if (!cursor.sees("(")) {
    if (selector !== undefined) {
      const [what, fix] =
        selector.kind === "marker"
          ? [
              "() is expected behind the marker's name",
              "write u:LIBRARY:MARKER():TYPE:arg1 or u:LIBRARY:PROVIDER:MARKER():TYPE:arg1",
            ]
          : [
              "the function's parameters are expected behind its name",
              "write them as in C: p:c:malloc(size_t size); or () for none",
            ];
      cursor.problems.report(token.span, what, fix);
    }
    return [];
  }
  const fix = "write types and names: p:c:write(int fd, char *buf); a filter stands behind the values";
  const parameters = cursor.attempt(() => parseSignature(cursor, fix), [":"]) ?? [];
  if (selector?.kind === "marker" && parameters.length > 0) {
    const what = "a marker's arguments have types of their own";
    cursor.problems.report(
      cursor.from(token.span),
      what,
      "leave the parentheses empty and write arg1, arg2 ...",
    );
  }
  return parameters;
}

interface Body {
  /** None: calls are counted, or what they return. */
  readonly values: readonly TypedExpression[] | undefined;
  readonly filter: Expression | undefined;
}

/** Reads all behind the signature. */
function readBody(cursor: Cursor): Body {
  if (cursor.peek().kind === "end") return { values: undefined, filter: undefined };
  const unreadable = { values: [], filter: undefined };
  const types = readList(cursor, () => parseType(cursor), {
    missing: "a type is expected here",
    fix: "write a type for each value, then the values: p:c:write(int fd):int:fd",
    between: "separate types with commas; the values stand behind the next colon",
  });
  if (types === undefined) return unreadable;
  const values = readList(cursor, () => parseExpression(cursor), {
    missing: "values are expected behind their types",
    fix: "write one for each type: p:c:write(int fd):int:fd",
    between: "separate values with commas; a filter stands behind the next colon, a label behind #",
  });
  if (values === undefined) return unreadable;
  reportCounts(cursor, types, values);
  const filter = readFilter(cursor);
  return {
    values: values.map(({ part }, index) => ({ value: part, type: types[index]?.part })),
    filter,
  };
}

interface Item<Part> {
  /** Undefined where it was reported. */
  readonly part: Part | undefined;
  readonly start: number;
  readonly end: number;
}

/** Reads a colon and what stands behind it, up to the next; undefined where there is nothing. */
function readList<Part>(
  cursor: Cursor,
  read: () => Part | undefined,
  words: { readonly missing: string; readonly fix: string; readonly between: string },
): readonly Item<Part>[] | undefined {
  const colon = cursor.peek().span;
  if (cursor.accept(":") === undefined) {
    const isEnd = cursor.peek().kind === "end";
    cursor.problems.report(colon, isEnd ? words.missing : '":" is expected here', words.fix);
    return undefined;
  }
  if (cursor.sees(":") || cursor.peek().kind === "end") {
    cursor.problems.report(cursor.peek().span, words.missing, words.fix);
    return undefined;
  }
  const items: Item<Part>[] = [];
  do {
    const { start } = cursor.peek().span;
    const part = cursor.attempt(() => {
      const found = read();
      const { span, kind } = cursor.peek();
      if (kind !== "end" && !cursor.sees(",") && !cursor.sees(":"))
        cursor.fail(span, "nothing more is expected here", words.between);
      return found;
    }, [",", ":"]);
    items.push({ part, start, end: Math.max(start, cursor.from({ start, end: start }).end) });
  } while (cursor.accept(",") !== undefined);
  return items;
}

function reportCounts(
  { problems }: Cursor,
  types: readonly Item<unknown>[],
  values: readonly Item<unknown>[],
): void {
  const surplus = types[values.length] ?? values[types.length];
  if (surplus === undefined) return;
  const what = types.length > values.length ? "this type has no value" : "this value has no type";
  const fix =
    types.length > values.length
      ? "write as many values as types, or leave it out"
      : "write a type for each value, in the same order";
  problems.report(surplus, what, fix);
}

function readFilter(cursor: Cursor): Expression | undefined {
  if (cursor.accept(":") === undefined || cursor.peek().kind === "end") return undefined;
  return cursor.attempt(() => {
    const filter = parseExpression(cursor);
    const { kind, span } = cursor.peek();
    if (kind !== "end")
      cursor.fail(
        span,
        "nothing more is expected behind the filter",
        "join conditions with &&; a label begins with #",
      );
    return filter;
  }, []);
}

function updateOf(
  gathering: Gathering,
  { key, value }: Gathered,
  filter: Expression | undefined,
): Statement[] {
  const span = value?.span ?? key.at(-1)?.span ?? { start: 0, end: 0 };
  const update: Statement = { kind: "update", aggregate: 0, operation: "add", key, value, span };
  assert((gathering === "histogram") === (value !== undefined), "a value where calls are counted");
  return filter === undefined
    ? [update]
    : [{ kind: "require", condition: filter, span: filter.span }, update];
}

function keep(values: readonly EntryValue[], { span }: Selector): Statement {
  return {
    kind: "keep",
    fields: values.map(({ name, value }) => ({
      name,
      value,
      form: { kind: "integer", type: undefined },
      span: value.span,
    })),
    span,
  };
}
