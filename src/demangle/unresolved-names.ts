/**
 * Owns reading names in expressions that depend on template parameters: `sr T_ 5value`, `on pl`, `4make I i E`.
 * Does not own names that are known.
 */
import type { Cursor } from "./cursor.js";
import { type ExpressionText, word } from "./expression-text.js";
import { printType } from "./type-text.js";

/** Reads a name, behind `sr` with the type that is its scope. */
export function readUnresolvedName(cursor: Cursor): ExpressionText {
  if (cursor.peek() !== 0x73) return readBase(cursor, "");
  cursor.at += 2;
  const letter = cursor.peek();
  const scope = letter >= 0x30 && letter <= 0x39 ? findQualifiers(cursor) : undefined;
  return readBase(cursor, scope ?? `${printType(cursor.grammar.type(cursor))}::`);
}

/**
 * Reads `<name> [<template-args>] ... E` with a name behind it, as clang writes scopes. Old versions of g++ write one
 * type without `E`: then the cursor stays where it was.
 */
function findQualifiers(cursor: Cursor): string | undefined {
  const start = cursor.at;
  const candidates = cursor.substitutions.length;
  let text = "";
  while (isDigit(cursor.peek())) {
    text += cursor.grammar.unqualifiedName(cursor);
    if (cursor.peek() === 0x49) text += cursor.grammar.templateArgs(cursor);
    text += "::";
  }
  const next = cursor.peekNext();
  if (cursor.peek() === 0x45 && (isDigit(next) || next === 0x6f || next === 0x64)) {
    cursor.at++;
    return text;
  }
  if (cursor.failed) return text;
  cursor.at = start;
  cursor.forget(candidates);
  return undefined;
}

/** Reads an identifier, `on <operator>` or `dn <destroyed type>`, and template arguments. */
function readBase(cursor: Cursor, scope: string): ExpressionText {
  const letter = cursor.peek();
  if (letter === 0x64) {
    cursor.at += 2;
    return { text: `${scope}~${printType(cursor.grammar.type(cursor))}`, isBare: scope !== "" };
  }
  const isOperator = letter === 0x6f;
  if (isOperator) cursor.at += 2;
  const name = scope + cursor.grammar.unqualifiedName(cursor);
  if (cursor.peek() !== 0x49) return isOperator && scope === "" ? { text: name, isBare: false } : word(name);
  return { text: name + cursor.grammar.templateArgs(cursor), isBare: false };
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
