/**
 * Owns reading the types that are written behind `D`: expansions of packs, decltype, vectors, and numbers of odd sizes.
 * Does not own the types and expressions in them.
 */
import { findExtendedType } from "./builtin-types.js";
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readExpansion } from "./packs.js";
import { qualify } from "./type-text.js";

/** Reads such a type; says whether the whole of it becomes a candidate. */
export function readExtended(cursor: Cursor): boolean {
  const { text } = cursor;
  const letter = cursor.peekNext();
  cursor.at += 2;
  cursor.plain();
  const extended = findExtendedType(letter);
  if (extended !== undefined) {
    text.addWords(extended);
    return false;
  }
  switch (letter) {
    case 0x70: // p
      readExpansion(cursor, readPattern);
      cursor.plain();
      return true;
    case 0x54: // T
    case 0x74: // t
      text.addWords("decltype (");
      readExpression(cursor);
      text.add(0x29);
      cursor.plain();
      cursor.expect(0x45);
      return true;
    case 0x76: // v
      readVector(cursor);
      return true;
    case 0x46: // F
      readFloat(cursor);
      return false;
    case 0x42: // B
    case 0x55: // U
      readBitInt(cursor, letter === 0x55 ? "unsigned _BitInt" : "_BitInt");
      return false;
    default:
      cursor.fail();
      return false;
  }
}

function readPattern(cursor: Cursor): void {
  const letter = cursor.peek();
  cursor.grammar.type(cursor);
  const isName = (letter >= 0x30 && letter <= 0x39) || letter === 0x4e;
  cursor.isBare = isName && cursor.text.bytes[cursor.text.length - 1] !== 0x3e;
}

function readVector(cursor: Cursor): void {
  const size = cursor.take(0x5f) ? cutExpression(cursor) : String(cursor.number());
  cursor.expect(0x5f);
  cursor.grammar.type(cursor);
  qualify(cursor, ` __vector(${size})`);
}

/** Reads `DF16_`, `DF32x`, `DF16b`. */
function readFloat(cursor: Cursor): void {
  const { text } = cursor;
  const bits = cursor.number();
  cursor.plain();
  if (cursor.take(0x62)) return text.addWords("std::bfloat16_t");
  if (cursor.take(0x78)) return text.addWords(`_Float${bits}x`);
  cursor.expect(0x5f);
  text.addWords(`_Float${bits}`);
}

function readBitInt(cursor: Cursor, name: string): void {
  const letter = cursor.peek();
  const bits = letter >= 0x30 && letter <= 0x39 ? String(cursor.number()) : cutExpression(cursor);
  cursor.expect(0x5f);
  cursor.text.addWords(`${name}(${bits})`);
  cursor.plain();
}

/** Reads an expression that stands in the symbol before what it is written behind. */
export function cutExpression(cursor: Cursor): string {
  const start = cursor.text.length;
  readExpression(cursor);
  return cursor.pieces.cut(start);
}
