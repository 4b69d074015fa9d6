/**
 * Owns reading the types that are written behind `D`: expansions of packs, decltype, vectors, and numbers of odd sizes.
 * Does not own the types and expressions in them.
 */
import { findExtendedType } from "./builtin-types";
import { Cursor, isDigit } from "./cursor";
import { readExpression } from "./expressions";
import { readExpansion } from "./packs";
import { qualify } from "./type-text";
import { readType } from "./types";

/** Reads such a type; says whether the whole of it becomes a candidate. */
export function readExtended(cursor: Cursor): bool {
  const letter = cursor.peekNext();
  cursor.at += 2;
  cursor.plain();
  const extended = findExtendedType(letter);
  if (extended.length > 0) {
    cursor.text.addWords(extended);
    return false;
  }
  switch (letter) {
    case 0x70: // p
      readExpansion(cursor, readPattern);
      cursor.plain();
      return true;
    case 0x54: // T
    case 0x74: // t
      cursor.text.addWords("decltype (");
      readExpression(cursor);
      cursor.text.add(0x29);
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
      readBitInt(cursor, letter === 0x55 ? "unsigned _BitInt(" : "_BitInt(");
      return false;
    default:
      cursor.fail();
      return false;
  }
}

function readPattern(cursor: Cursor): void {
  const letter = cursor.peek();
  readType(cursor);
  const isName = isDigit(letter) || letter === 0x4e;
  cursor.isBare = isName && load<u8>(cursor.text.end - 1) !== 0x3e;
}

function readVector(cursor: Cursor): void {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  pieces.setAside(")");
  if (cursor.take(0x5f)) setExpressionAside(cursor);
  else pieces.setNumberAside(cursor.number());
  pieces.setAside(" __vector(");
  cursor.expect(0x5f);
  readType(cursor);
  qualify(cursor, pieces.aside, top - pieces.aside);
  pieces.aside = top;
}

/** Reads `DF16_`, `DF32x`, `DF16b`. */
function readFloat(cursor: Cursor): void {
  const text = cursor.text;
  const bits = cursor.number();
  cursor.plain();
  if (cursor.take(0x62)) return text.addWords("std::bfloat16_t");
  text.addWords("_Float");
  text.addNumber(bits);
  if (cursor.take(0x78)) text.add(0x78);
  else cursor.expect(0x5f);
}

function readBitInt(cursor: Cursor, name: string): void {
  const text = cursor.text;
  text.addWords(name);
  if (isDigit(cursor.peek())) text.addNumber(cursor.number());
  else readExpression(cursor);
  cursor.expect(0x5f);
  text.add(0x29);
  cursor.plain();
}

/** Reads an expression that stands in the symbol before what it is written behind. */
export function setExpressionAside(cursor: Cursor): void {
  const start = cursor.text.end;
  readExpression(cursor);
  cursor.pieces.cut(start);
}
