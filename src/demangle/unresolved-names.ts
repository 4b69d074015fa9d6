/**
 * Owns reading names in expressions that depend on template parameters: `sr T_ 5value`, `on pl`, `4make I i E`.
 * Does not own names that are known.
 */
import type { Cursor } from "./cursor.js";
import { closeCompound, closeWord } from "./expression-text.js";

/** Reads a name, behind `sr` with the type that is its scope. */
export function readUnresolvedName(cursor: Cursor): void {
  if (cursor.peek() !== 0x73) return readBase(cursor, "bare");
  cursor.at += 2;
  if (!isDigit(cursor.peek()) || !readQualifiers(cursor)) {
    cursor.grammar.type(cursor);
    cursor.text.addWords("::");
  }
  readBase(cursor, "scoped");
}

/**
 * Reads `<name> [<template-args>] ... E` with a name behind it, as clang writes scopes. Old versions of g++ write one
 * type without `E`: then the cursor stays where it was.
 */
function readQualifiers(cursor: Cursor): boolean {
  const { at, candidateCount, text } = cursor;
  const start = text.length;
  while (isDigit(cursor.peek())) {
    cursor.grammar.unqualifiedName(cursor);
    if (cursor.peek() === 0x49) cursor.grammar.templateArgs(cursor);
    text.addWords("::");
  }
  const next = cursor.peekNext();
  if (cursor.peek() === 0x45 && (isDigit(next) || next === 0x6f || next === 0x64)) {
    cursor.at++;
    return true;
  }
  if (cursor.failed) return true;
  cursor.at = at;
  cursor.candidateCount = candidateCount;
  cursor.pieces.drop(start);
  return false;
}

/** Reads an identifier, `on <operator>` or `dn <destroyed type>`, and template arguments. */
function readBase(cursor: Cursor, scope: "bare" | "scoped"): void {
  const letter = cursor.peek();
  if (letter === 0x64) {
    cursor.at += 2;
    cursor.text.add(0x7e);
    cursor.grammar.type(cursor);
    return scope === "scoped" ? closeWord(cursor) : closeCompound(cursor);
  }
  const isOperator = letter === 0x6f;
  if (isOperator) cursor.at += 2;
  cursor.grammar.unqualifiedName(cursor);
  const isTemplate = cursor.peek() === 0x49;
  if (isTemplate) cursor.grammar.templateArgs(cursor);
  if (isTemplate || (isOperator && scope === "bare")) closeCompound(cursor);
  else closeWord(cursor);
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
