/**
 * Owns the signature behind a function's name: `(int fd, const char *buf, size_t n)` names arg1, arg2, arg3.
 * Does not own C's types (c-types.ts) nor where arguments lie (the target).
 */
import type { Parameter } from "../tree.js";
import { countStars, parseBase, pointTo } from "./c-types.js";
import type { Cursor } from "./cursor.js";

/**
 * Parses a signature, its parentheses included. A parameter that cannot be read is reported and left out; `fix` says where what is
 * no parameter belongs.
 */
export function parseSignature(cursor: Cursor, fix?: string): Parameter[] {
  cursor.require("(", "before the signature");
  const parameters: Parameter[] = [];
  if (cursor.sees("void") && cursor.sees(")", 1)) cursor.take();
  while (!cursor.sees(")") && cursor.peek().kind !== "end") {
    if (cursor.accept("...") === undefined) {
      const parameter = cursor.attempt(() => parseParameter(cursor, fix), [",", ")"]);
      if (parameter !== undefined) parameters.push(parameter);
    }
    if (cursor.accept(",") === undefined) break;
  }
  cursor.require(")", "behind the signature");
  reportTwins(cursor, parameters);
  return parameters;
}

function parseParameter(cursor: Cursor, fix: string | undefined): Parameter {
  const first = cursor.peek();
  const start = first.span;
  if (first.kind !== "word" || /^(arg\d+|retval|STRCMP|ctx|reg|comm|[pt]id|\$.*)$/.test(first.text)) {
    cursor.fail(
      start,
      "a parenthesis right behind the name holds a signature: types and names",
      fix ?? "write a space before a predicate: c:malloc (arg1 > 3)",
    );
  }
  const base = parseBase(cursor);
  const stars = countStars(cursor);
  if (cursor.sees("(")) {
    return cursor.fail(
      cursor.peek().span,
      "a function type cannot be written in a signature",
      "write void * for a pointer to a function",
    );
  }
  const name = cursor.peek().kind === "word" ? cursor.take() : undefined;
  const arrays = countArrays(cursor);
  const span = cursor.from(start);
  if (!cursor.sees(",") && !cursor.sees(")")) {
    const found = cursor.peek().span;
    if (cursor.sees("&") || cursor.sees("&&")) {
      const what = "to the machine a reference is a pointer";
      return cursor.fail(found, what, "write it as one, const int *n, and read *n");
    }
    return cursor.fail(
      found,
      "a signature lists types and names",
      fix ?? "write (int fd, char *path); a predicate needs a space before its parenthesis",
    );
  }
  return {
    name: name?.kind === "word" ? name.text : "",
    type: pointTo(cursor, base, stars + arrays, span),
    span,
  };
}

/** Spec: C17 6.7.6.3: a parameter that is an array is a pointer. */
function countArrays(cursor: Cursor): number {
  let arrays = 0;
  while (cursor.accept("[") !== undefined) {
    arrays++;
    if (cursor.peek().kind === "number") cursor.take();
    cursor.require("]", "behind the size of an array");
  }
  return Math.min(arrays, 1);
}

function reportTwins(cursor: Cursor, parameters: readonly Parameter[]): void {
  parameters.forEach(({ name, span }, index) => {
    const first = parameters.findIndex((other) => other.name === name);
    if (name !== "" && first !== index) {
      cursor.problems.report(span, `there are two parameters named "${name}"`, "give each its own name");
    }
  });
}
