/**
 * Owns reading names in expressions that depend on template parameters: `sr T_ 5value`, `on pl`, `4make I i E`.
 * Does not own names that are known.
 */
import { Cursor, isDigit } from "./cursor";
import { closeCompound, closeWord } from "./expression-text";
import { readTemplateArgs } from "./template-args";
import { readType } from "./types";
import { readUnqualifiedName } from "./unqualified-names";

/** Reads a name, behind `sr` with the type that is its scope. */
export function readUnresolvedName(cursor: Cursor): void {
  if (cursor.peek() !== 0x73) return readBase(cursor, false);
  cursor.at += 2;
  if (!isDigit(cursor.peek()) || !readQualifiers(cursor)) {
    readType(cursor);
    cursor.text.addWords("::");
  }
  readBase(cursor, true);
}

/**
 * Reads `<name> [<template-args>] ... E` with a name behind it, as clang writes scopes. Old versions of g++ write one
 * type without `E`: then the cursor stays where it was.
 */
function readQualifiers(cursor: Cursor): bool {
  const at = cursor.at;
  const candidateCount = cursor.candidateCount;
  const start = cursor.text.end;
  while (isDigit(cursor.peek())) {
    readUnqualifiedName(cursor);
    if (cursor.peek() === 0x49) readTemplateArgs(cursor);
    cursor.text.addWords("::");
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
function readBase(cursor: Cursor, isScoped: bool): void {
  const letter = cursor.peek();
  if (letter === 0x64) {
    cursor.at += 2;
    cursor.text.add(0x7e);
    readType(cursor);
    return isScoped ? closeWord(cursor) : closeCompound(cursor);
  }
  const isOperator = letter === 0x6f;
  if (isOperator) cursor.at += 2;
  readUnqualifiedName(cursor);
  const isTemplate = cursor.peek() === 0x49;
  if (isTemplate) readTemplateArgs(cursor);
  if (isTemplate || (isOperator && !isScoped)) closeCompound(cursor);
  else closeWord(cursor);
}
