/**
 * Owns reading the qualifiers of types, and the exception specifications of function types, with what they qualify.
 * Does not own those types, nor the qualifiers of member functions (names.ts).
 */
import { Cursor } from "./cursor";
import { readExpression } from "./expressions";
import { TypeKind } from "./pieces";
import { qualify } from "./type-text";
import { readFunction, readType } from "./types";

/** Reads qualifiers and exception specifications with what they qualify, which is one candidate together. */
export function readQualified(cursor: Cursor): bool {
  const pieces = cursor.pieces;
  const start = cursor.text.end;
  const top = pieces.aside;
  // What is set aside last comes first.
  do setQualifierAside(cursor);
  while (isQualifier(cursor));
  const letter = cursor.peek();
  if (letter === 0x46) readFunction(cursor, top);
  else {
    readType(cursor);
    // Why: an argument that is const already does not get a second const from `T const`, and a function none at all.
    const isFunction = (letter === 0x54 || letter === 0x53) && cursor.kind === TypeKind.callable;
    const length = top - pieces.aside;
    if (!isFunction && (letter !== 0x54 || !endsWith(cursor, start, pieces.aside, length)))
      qualify(cursor, pieces.aside, length);
  }
  pieces.aside = top;
  return true;
}

/** Says whether the type written since `start`, up to its hole, ends so. */
function endsWith(cursor: Cursor, start: usize, words: usize, length: usize): bool {
  const end = cursor.hole === 0 ? cursor.text.end : cursor.hole;
  return end >= start && end - start >= length && memory.compare(end - length, words, length) === 0;
}

/** Reads one qualifier, which must be here. */
function setQualifierAside(cursor: Cursor): void {
  const pieces = cursor.pieces;
  const text = cursor.text;
  if (cursor.take(0x4b)) return pieces.setAside(" const");
  if (cursor.take(0x56)) return pieces.setAside(" volatile");
  if (cursor.take(0x72)) return pieces.setAside(" restrict");
  const letter = cursor.peekNext();
  cursor.at += 2;
  if (letter === 0x6f) return pieces.setAside(" noexcept");
  if (letter === 0x78) return pieces.setAside(" transaction_safe");
  const start = text.end;
  if (letter === 0x4f) {
    text.addWords(" noexcept(");
    readExpression(cursor);
    cursor.expect(0x45);
  } else {
    text.addWords(" throw(");
    const listStart = text.end;
    while (!cursor.take(0x45) && !cursor.failed) {
      if (text.end > listStart) text.addWords(", ");
      readType(cursor);
    }
  }
  text.add(0x29);
  pieces.cut(start);
}

function isQualifier(cursor: Cursor): bool {
  const letter = cursor.peek();
  if (letter === 0x4b || letter === 0x56 || letter === 0x72) return true;
  return letter === 0x44 && isFunctionQualifier(cursor.peekNext());
}

/** `Do`, `DO`, `Dw` and `Dx` belong to the function type behind them. */
export function isFunctionQualifier(letter: i32): bool {
  return letter === 0x6f || letter === 0x4f || letter === 0x77 || letter === 0x78;
}
