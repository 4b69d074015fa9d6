/**
 * Owns the expansion of packs: a pattern is read once for every element of the pack in it.
 * Does not own the patterns, nor what the packs hold.
 */
import type { Cursor } from "./cursor.js";
import { type ExpressionText, printOperand } from "./expression-text.js";

/** Reads a pattern and prints it for all elements; as `(pattern)...` when the pack in it is not known. */
export function readExpansion(cursor: Cursor, readPattern: (cursor: Cursor) => ExpressionText): string {
  const { packIndex, packLength, at: start } = cursor;
  cursor.packIndex = 0;
  cursor.packLength = -1;
  const first = readPattern(cursor);
  const length = cursor.packLength;
  const end = cursor.at;
  let text = first.text;
  if (length < 0) text = `${printOperand(first)}...`;
  else if (length === 0) text = "";
  cursor.frozen++;
  for (let index = 1; index < length && !cursor.failed; index++) {
    cursor.at = start;
    cursor.packIndex = index;
    text += `, ${readPattern(cursor).text}`;
    if (cursor.at !== end) cursor.fail();
  }
  cursor.frozen--;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
  return text;
}
