/**
 * Owns what depends on how many elements a pack has: its size, and expansions, whose pattern is read once for every element.
 * Does not own the patterns, nor what the packs hold.
 */
import type { Cursor } from "./cursor.js";
import { closeCompound, encloseOperand } from "./expression-text.js";
import { readTemplateParam } from "./substitutions.js";

/** Reads a pattern and writes it for all elements; as `(pattern)...` when the pack in it is not known. */
export function readExpansion(cursor: Cursor, readPattern: (cursor: Cursor) => void): void {
  const { text } = cursor;
  const { packIndex, packLength, at: sourceStart } = cursor;
  const start = text.length;
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
    if (cursor.at !== sourceEnd || cursor.pieces.isFull) cursor.fail();
  }
  cursor.frozen--;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
}

/** Reads `sZ` with a template parameter, whose count is known, or a function parameter, whose count is not. */
export function readPackSize(cursor: Cursor, readParam: (cursor: Cursor) => void): void {
  const { text, pieces } = cursor;
  const start = text.length;
  let length = -1;
  if (cursor.peek() === 0x54) length = readCounted(cursor, readTemplateParam);
  else readParam(cursor);
  if (length < 0) {
    pieces.insert(start, "sizeof...(");
    text.add(0x29);
  } else {
    pieces.drop(start);
    text.addWords(String(length));
  }
  closeCompound(cursor);
}

/** Reads `sP <template-arg>* E`. */
export function readCapturedPackSize(cursor: Cursor): void {
  const { text, pieces } = cursor;
  const start = text.length;
  let count = 0;
  while (!cursor.take(0x45) && !cursor.failed) {
    const isExpansion = cursor.peek() === 0x44 && cursor.peekNext() === 0x70;
    if (isExpansion) cursor.at += 2;
    const length = readCounted(cursor, cursor.grammar.type);
    count += isExpansion && length >= 0 ? length : 1;
  }
  pieces.drop(start);
  text.addWords(String(count));
  closeCompound(cursor);
}

/** Reads a type, and returns how many elements the pack in it has; -1 when there is none. */
function readCounted(cursor: Cursor, readPattern: (cursor: Cursor) => void): number {
  const { packIndex, packLength } = cursor;
  cursor.packIndex = 0;
  cursor.packLength = -1;
  readPattern(cursor);
  const length = cursor.packLength;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
  return length;
}
