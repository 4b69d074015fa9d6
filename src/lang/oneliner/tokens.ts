/**
 * Owns cutting the C part of a one-liner (signature, predicate, format, arguments) into tokens.
 * Does not own the selector before it, whose names follow other rules (selector.ts).
 */
import type { Span } from "../../base/errors.js";
import type { Problems } from "../problems.js";
import { i32, i64, u32, u64 } from "../types.js";
import type { IntegerType } from "../types.js";
import { readEscape } from "./escapes.js";

export type Token =
  | { readonly kind: "word"; readonly text: string; readonly span: Span }
  /** An integer or a character, with C's type for it. */
  | { readonly kind: "number"; readonly value: bigint; readonly type: IntegerType; readonly span: Span }
  | StringToken
  | { readonly kind: "mark"; readonly text: string; readonly span: Span }
  | { readonly kind: "end"; readonly span: Span };

export interface StringToken {
  readonly kind: "string";
  /** Escapes replaced; a byte written as `\xff` is the character of that number. */
  readonly text: string;
  /** Where each UTF-16 unit of `text` comes from, and one more for its end. */
  readonly offsets: readonly number[];
  /** As C would store it: UTF-8, and escapes as the bytes that they are. Without a closing zero. */
  readonly bytes: Uint8Array;
  readonly closed: boolean;
  readonly span: Span;
}

/** Cuts the text from `start` to its end. What is no token is reported and left out. */
export function readTokens(source: string, start: number, problems: Problems): Token[] {
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    at = skipSpace(source, at);
    if (at >= source.length) break;
    const token = readToken(source, at, problems);
    if (token !== undefined) tokens.push(token);
    at = token?.span.end ?? at + lengthOfStray(source, at);
  }
  tokens.push({ kind: "end", span: { start: source.length, end: source.length } });
  return tokens;
}

/** Returns the first place that is no white space. */
export function skipSpace(source: string, start: number): number {
  let at = start;
  while (at < source.length && " \t\r\n".includes(source[at]!)) at++;
  return at;
}

// Longest first, so that `<<` is not two `<`.
const marks = [
  ..."<<= >>= ... -> ++ -- << >> <= >= == != && || += -= *= /= %= &= |= ^=".split(" "),
  ..."+ - * / % < > = ! ~ & | ^ ? : , ( ) [ ] { } . ;".split(" "),
];

function readToken(source: string, start: number, problems: Problems): Token | undefined {
  const character = source[start]!;
  if (character === '"') return readString(source, start, problems);
  if (character === "'") return readCharacter(source, start, problems);
  const word = matchAt(/[A-Za-z_$][\w$]*/y, source, start);
  if (word !== undefined) {
    const end = start + word.length;
    return { kind: "word", text: word, span: { start, end } };
  }
  const number = matchAt(/\.?\d[\w.]*/y, source, start);
  if (number !== undefined) return readNumber(number, { start, end: start + number.length }, problems);
  const mark = marks.find((candidate) => source.startsWith(candidate, start));
  if (mark !== undefined) return { kind: "mark", text: mark, span: { start, end: start + mark.length } };
  const end = start + lengthOfStray(source, start);
  const shown = source.slice(start, end);
  return problems.report(
    { start, end },
    `"${shown}" means nothing here`,
    shown === "@user" ? "leave it out: all memory that uscope reads is user memory" : "remove it",
  );
}

function matchAt(pattern: RegExp, source: string, start: number): string | undefined {
  pattern.lastIndex = start;
  return pattern.exec(source)?.[0];
}

/** The length of what is no token, in UTF-16 units. */
function lengthOfStray(source: string, start: number): number {
  if (source.startsWith("@user", start)) return "@user".length;
  return source.codePointAt(start)! > 0xffff ? 2 : 1;
}

function readNumber(text: string, span: Span, problems: Problems): Token {
  const parts = /^(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uU]?(?:ll|LL|l|L)?|(?:ll|LL|l|L)[uU])$/.exec(text);
  const digits = parts?.[1] ?? "0";
  const octal = /^0\d/.test(digits);
  const fits = !octal || /^[0-7]+$/.test(digits);
  const value = fits ? BigInt(octal ? `0o${digits.slice(1)}` : digits) : 0n;
  const type = typeOf(value, /^[1-9]|^0$/.test(digits), (parts?.[2] ?? "").toLowerCase());
  if (parts === null && /^[\d.]+([eE][+-]?\d+)?[fFlL]?$/.test(text)) {
    problems.report(span, `"${text}" is a floating-point number`, "use whole numbers: eBPF has no others");
  } else if (parts === null || !fits) {
    problems.report(
      span,
      `"${text}" is no number`,
      "write it as 42, 0x2a, 052 or 0b101010, with u, l, ll behind it if need be",
    );
  } else if (type === undefined) {
    problems.report(
      span,
      `${text} does not fit into 64 bits`,
      "write a number of at most 0xffffffffffffffff",
    );
  }
  return { kind: "number", value, type: type ?? u64, span };
}

/** Spec: C17 6.4.4.1: the first type of the list that holds the value; decimal ones without `u` skip unsigned types. */
function typeOf(value: bigint, decimal: boolean, suffix: string): IntegerType | undefined {
  const types = [i32, u32, i64, u64].filter(
    (type) =>
      (type.bytes === 8 || !suffix.includes("l")) &&
      (suffix.includes("u") ? !type.signed : type.signed || !decimal),
  );
  const found = types.find((type) => value < 1n << BigInt(type.bytes * 8 - (type.signed ? 1 : 0)));
  // Why: compilers take decimal numbers between 2^63 and 2^64 as unsigned, with a warning; people write such addresses.
  return found ?? (value < 1n << 64n ? u64 : undefined);
}

function readString(source: string, start: number, problems: Problems): StringToken {
  const encoder = new TextEncoder();
  const offsets: number[] = [];
  const bytes: number[] = [];
  let text = "";
  let at = start + 1;
  while (at < source.length && source[at] !== '"') {
    const escape = source[at] === "\\" ? readEscape(source, at, problems) : undefined;
    const piece = escape?.text ?? String.fromCodePoint(source.codePointAt(at)!);
    for (let unit = 0; unit < piece.length; unit++) offsets.push(at);
    bytes.push(...(escape?.bytes ?? encoder.encode(piece)));
    text += piece;
    at += escape?.length ?? piece.length;
  }
  offsets.push(at);
  const closed = at < source.length;
  if (!closed) {
    problems.report({ start, end: start + 1 }, "this text has no closing quote", 'close it with "');
  }
  return {
    kind: "string",
    text,
    offsets,
    bytes: Uint8Array.from(bytes),
    closed,
    span: { start, end: at + (closed ? 1 : 0) },
  };
}

function readCharacter(source: string, start: number, problems: Problems): Token {
  const escape = source[start + 1] === "\\" ? readEscape(source, start + 1, problems) : undefined;
  const first = source[start + 1] === "'" ? undefined : source.codePointAt(start + 1);
  const value = escape?.bytes[0] ?? first ?? 0;
  const length = escape?.length ?? (first === undefined ? 0 : String.fromCodePoint(first).length);
  const close = start + 1 + length;
  const closed = source[close] === "'";
  const next = source.indexOf("'", close);
  const end = closed ? close + 1 : next === -1 ? close : next + 1;
  if (!closed || length === 0 || value > 0x7f + (escape === undefined ? 0 : 0x80)) {
    problems.report(
      { start, end },
      "a character literal holds exactly one byte",
      "write one character as 'a', '\\n' or '\\x1b'; compare text with STRCMP(\"text\", pointer)",
    );
  }
  // Spec: C17 6.4.4.4: its type is int, its value that of a char, which is signed here as it is in BCC.
  return { kind: "number", value: BigInt.asIntN(8, BigInt(value)), type: i32, span: { start, end } };
}
