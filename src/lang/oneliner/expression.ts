/**
 * Owns C's expressions in predicates and arguments: operators by precedence, casts, reads through pointers.
 * Does not own meaning: names, types and widths are the business of passes/.
 */
import type { Span } from "../../base/errors.js";
import { i32, u64 } from "../types.js";
import type { BinaryOperator, Expression, UnaryOperator } from "../tree.js";
import { parseType, seesType } from "./c-types.js";
import type { Cursor } from "./cursor.js";
import { readField } from "./structs.js";
import type { StringToken } from "./tokens.js";

/** Parses one expression, up to a comma or a closing parenthesis. Gives up by throwing Unreadable. */
export function parseExpression(cursor: Cursor): Expression {
  return cursor.nested(() => {
    const expression = parseConditional(cursor);
    const next = cursor.peek();
    if (next.kind === "mark" && /^([-+*/%&|^]|<<|>>)?=$/.test(next.text)) {
      cursor.fail(next.span, "a probe only watches: nothing can be assigned", 'write "==" to compare');
    }
    return expression;
  });
}

// Spec: C17 6.5.5 to 6.5.14, loosest first.
const levels: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

function parseConditional(cursor: Cursor): Expression {
  const start = cursor.peek().span;
  const condition = parseBinary(cursor, 0);
  if (cursor.accept("?") === undefined) return condition;
  const whenTrue = parseExpression(cursor);
  cursor.require(":", "between the two values of ?:");
  const whenFalse = cursor.nested(() => parseConditional(cursor));
  return { kind: "conditional", condition, whenTrue, whenFalse, span: cursor.from(start) };
}

function parseBinary(cursor: Cursor, level: number): Expression {
  const operators = levels[level];
  if (operators === undefined) return parseUnary(cursor);
  const start = cursor.peek().span;
  let left = parseBinary(cursor, level + 1);
  for (;;) {
    const operator = operators.find((candidate) => cursor.sees(candidate));
    if (operator === undefined) return left;
    cursor.operator();
    cursor.take();
    const right = parseBinary(cursor, level + 1);
    left = { kind: "binary", operator, left, right, span: cursor.from(start) };
  }
}

function parseUnary(cursor: Cursor): Expression {
  return cursor.nested(() => {
    const start = cursor.peek().span;
    const operator = (["-", "+", "~", "!"] as const satisfies UnaryOperator[]).find((mark) =>
      cursor.sees(mark),
    );
    if (operator !== undefined) {
      cursor.take();
      const operand = parseUnary(cursor);
      return { kind: "unary", operator, operand, span: cursor.from(start) };
    }
    if (cursor.accept("*") !== undefined) {
      const operand = parseUnary(cursor);
      return { kind: "dereference", operand, span: cursor.from(start) };
    }
    if (cursor.sees("(") && seesType(cursor, 1)) return parseCast(cursor, start);
    refuseUnary(cursor);
    return parsePostfix(cursor, start);
  });
}

function parseCast(cursor: Cursor, start: Span): Expression {
  cursor.take();
  const type = parseType(cursor);
  cursor.require(")", "behind the type of a cast");
  const operand = parseUnary(cursor);
  return { kind: "cast", type, operand, span: cursor.from(start) };
}

function refuseUnary(cursor: Cursor): void {
  const { span } = cursor.peek();
  if (cursor.sees("&")) {
    cursor.fail(
      span,
      "arguments lie in registers and have no address",
      "write the pointer itself, as arg1 or (char *)arg1 + 8",
    );
  }
  if (cursor.sees("++") || cursor.sees("--")) {
    cursor.fail(span, "a probe only watches: nothing can be changed", "write + 1 or - 1");
  }
}

function parsePostfix(cursor: Cursor, start: Span): Expression {
  let expression = parsePrimary(cursor);
  for (;;) {
    cursor.operator();
    if (cursor.accept("[") !== undefined) {
      const index = parseExpression(cursor);
      cursor.require("]", "behind an index");
      expression = { kind: "index", base: expression, index, span: cursor.from(start) };
    } else if (cursor.sees("->") || cursor.sees(".")) {
      const mark = cursor.take();
      const field = cursor.take();
      const known =
        field.kind === "word" && mark.kind === "mark" && mark.text === "->"
          ? readField(expression, field.text, cursor.parameters, cursor.from(start))
          : undefined;
      if (known !== undefined) {
        expression = known;
        continue;
      }
      cursor.fail(
        { start: mark.span.start, end: field.span.end },
        "the fields of structs are not known here",
        "read the field by its offset: *(int *)((char *)p + 16)",
      );
    } else if (cursor.sees("++") || cursor.sees("--")) {
      refuseUnary(cursor);
    } else {
      return expression;
    }
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  switch (token.kind) {
    case "number":
      cursor.take();
      return { kind: "integer", value: token.value, type: token.type, span: token.span };
    case "string":
      cursor.take();
      return { kind: "text", value: token.text, span: token.span };
    case "word":
      return parseWord(cursor, token.text);
    case "mark":
      if (cursor.accept("(") === undefined) break;
      return parseParenthesised(cursor, token.span);
    case "end":
      break;
  }
  const shown = token.kind === "end" ? ", but the text ends" : `, not "${token.text}"`;
  return cursor.fail(
    token.span,
    `a value is expected here${shown}`,
    "write arg1, retval, a number or an expression of these",
  );
}

function parseParenthesised(cursor: Cursor, start: Span): Expression {
  const inner = parseExpression(cursor);
  if (cursor.sees(",")) {
    cursor.fail(
      cursor.peek().span,
      "a comma inside parentheses computes a value for nothing",
      "write each value as its own argument",
    );
  }
  cursor.require(")", "to close the parenthesis");
  return { ...inner, span: cursor.from(start) };
}

function parseWord(cursor: Cursor, word: string): Expression {
  const { span } = cursor.take();
  const own = cursor.spelling.word?.(cursor, word, span);
  if (own !== undefined) return own;
  if (word === "ctx") return parseContext(cursor, span);
  if (word === "args" && cursor.sees("->")) {
    cursor.fail(
      span,
      "args holds the fields of a kernel tracepoint",
      "write arg1, arg2 ... for the arguments of a function",
    );
  }
  if (word === "$task") {
    cursor.fail(
      span,
      "$task is a struct of the kernel, which is not traced here",
      "write pid, tid, uid or comm",
    );
  }
  if (word === "sizeof") return parseSizeof(cursor, span);
  const constant = constants.get(word);
  if (constant !== undefined)
    return { kind: "integer", value: constant, type: word === "NULL" ? u64 : i32, span };
  if (!cursor.sees("(")) return { kind: "name", name: word, span };
  if (word === "STRCMP") return parseComparison(cursor, span);
  if (word === "reg") return parseRegister(cursor, span);
  return cursor.fail(
    span,
    `"${word}" cannot be called: a probe cannot run the traced program's code`,
    'known are STRCMP("text", pointer), reg("di") and sizeof(type)',
  );
}

const constants: ReadonlyMap<string, bigint> = new Map([
  ["NULL", 0n],
  ["false", 0n],
  ["true", 1n],
]);

function parseContext(cursor: Cursor, start: Span): Expression {
  cursor.require("->", 'behind "ctx"');
  const name = cursor.take();
  if (name.kind !== "word") cursor.fail(name.span, "the name of a register is expected", "write ctx->di");
  return { kind: "register", name: name.text, span: cursor.from(start) };
}

function parseRegister(cursor: Cursor, start: Span): Expression {
  cursor.require("(", 'behind "reg"');
  const name = cursor.take();
  if (name.kind !== "string")
    cursor.fail(name.span, "the name of a register is expected in quotes", 'write reg("di")');
  cursor.require(")", "behind the register's name");
  return { kind: "register", name: name.text, span: cursor.from(start) };
}

function parseComparison(cursor: Cursor, start: Span): Expression {
  cursor.require("(", 'behind "STRCMP"');
  const literal = cursor.take();
  if (literal.kind !== "string") {
    cursor.fail(literal.span, "STRCMP takes a text in quotes first", 'write STRCMP("text", pointer)');
  }
  cursor.require(",", "between the text and the pointer");
  const operand = parseExpression(cursor);
  cursor.require(")", "to close STRCMP");
  const bytes = cursor.spelling.byteLists === true ? readByteList(literal, cursor) : undefined;
  return {
    kind: "same-text",
    literal: bytes ?? literal.bytes,
    compared: bytes === undefined ? "text" : "bytes",
    operand,
    span: cursor.from(start),
  };
}

/** Reads `{0x6c, 0x00}`, as BCC's -B has it; undefined for a text without braces. */
function readByteList({ text, span }: StringToken, cursor: Cursor): Uint8Array | undefined {
  const inside = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inside === undefined) return undefined;
  const bytes = inside.split(",").map((byte) => (byte.trim() === "" ? Number.NaN : Number(byte)));
  if (bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255))
    return Uint8Array.from(bytes);
  return cursor.fail(span, "a list of bytes from 0 to 255 is expected in the braces", "write {0x6c, 0x00}");
}

function parseSizeof(cursor: Cursor, start: Span): Expression {
  cursor.require("(", 'behind "sizeof"');
  if (!seesType(cursor)) cursor.fail(cursor.peek().span, "sizeof takes a type", "write sizeof(int)");
  const type = parseType(cursor);
  cursor.require(")", "behind the type");
  const bytes = type.kind === "pointer" ? 8 : type.bytes;
  return { kind: "integer", value: BigInt(bytes), type: u64, span: cursor.from(start) };
}
