/**
 * Owns what depends on how many elements a pack has: its size, and expansions, whose pattern is read once for every element.
 * Does not own the patterns, nor what the packs hold.
 */
import { Cursor } from "./cursor";
import { closeCompound, encloseOperand } from "./expression-text";
import { readExpression } from "./expressions";
import { readTemplateParam } from "./substitutions";
import { readType } from "./types";

/** Reads a pattern and writes it for all elements; as `(pattern)...` when the pack in it is not known. */
export function readExpansion(cursor: Cursor, readPattern: (cursor: Cursor) => void): void {
  const text = cursor.text;
  const packIndex = cursor.packIndex;
  const packLength = cursor.packLength;
  const sourceStart = cursor.at;
  const start = text.end;
  cursor.packIndex = 0;
  cursor.packLength = -1;
  readPattern(cursor);
  const length = cursor.packLength;
  const sourceEnd = cursor.at;
  if (length < 0) {
    encloseOperand(cursor, start);
    text.addWords("...");
  } else if (length === 0) cursor.pieces.drop(start);
  cursor.frozen++;
  for (let index = 1; index < length && !cursor.failed; index++) {
    cursor.at = sourceStart;
    cursor.packIndex = index;
    text.addWords(", ");
    readPattern(cursor);
    if (cursor.at !== sourceEnd || text.isFull) cursor.fail();
  }
  cursor.frozen--;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
}

/** Reads `sZ` with a template parameter, whose count is known, or a function parameter, whose count is not. */
export function readPackSize(cursor: Cursor): void {
  const pieces = cursor.pieces;
  const start = cursor.text.end;
  let length = -1;
  if (cursor.peek() === 0x54) length = readCounted(cursor, readTemplateParam);
  else readExpression(cursor);
  if (length < 0) {
    const top = pieces.aside;
    pieces.setAside("sizeof...(");
    pieces.insert(start, pieces.aside, top - pieces.aside);
    pieces.aside = top;
    cursor.text.add(0x29);
  } else {
    pieces.drop(start);
    cursor.text.addNumber(length);
  }
  closeCompound(cursor);
}

/** Reads `sP <template-arg>* E`. */
export function readCapturedPackSize(cursor: Cursor): void {
  const start = cursor.text.end;
  let count = 0;
  while (!cursor.take(0x45) && !cursor.failed) {
    const isExpansion = cursor.peek() === 0x44 && cursor.peekNext() === 0x70;
    if (isExpansion) cursor.at += 2;
    const length = readCounted(cursor, readType);
    count += isExpansion && length >= 0 ? length : 1;
  }
  cursor.pieces.drop(start);
  cursor.text.addNumber(count);
  closeCompound(cursor);
}

/** Reads a type, and returns how many elements the pack in it has; -1 when there is none. */
function readCounted(cursor: Cursor, readPattern: (cursor: Cursor) => void): i32 {
  const packIndex = cursor.packIndex;
  const packLength = cursor.packLength;
  cursor.packIndex = 0;
  cursor.packLength = -1;
  readPattern(cursor);
  const length = cursor.packLength;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
  return length;
}
