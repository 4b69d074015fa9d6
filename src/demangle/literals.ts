/**
 * Owns reading literals: numbers, enumerators, null pointers, strings, and the functions and objects that template
 * arguments name. Does not own other expressions.
 */
import { findBuiltinType, isFloating, printBuiltinLiteral } from "./builtin-types.js";
import { letters } from "../base/byte-text.js";
import type { Cursor } from "./cursor.js";
import { closeCompound } from "./expression-text.js";

/** Reads `L <type> <value> E` or `L _Z <encoding> E`. */
export function readLiteral(cursor: Cursor): void {
  const { text } = cursor;
  cursor.at++;
  // Why: g++ before 4.5 left the underscore out.
  if (cursor.take(0x5f) || cursor.peek() === 0x5a) return readEntity(cursor);
  const letter = cursor.peek();
  const start = text.length;
  const isBuiltin = findBuiltinType(letter) !== undefined;
  text.add(0x28);
  cursor.grammar.type(cursor);
  closeCompound(cursor);
  if (cursor.take(0x45)) return cursor.pieces.remove(start, 1);
  text.add(0x29);
  const value = readValue(cursor);
  if (isBuiltin && isFloating(letter)) return text.addWords(`[${value}]`);
  const digits = value.startsWith("n") ? `-${value.slice(1)}` : value;
  const printed = isBuiltin ? printBuiltinLiteral(letter, digits) : undefined;
  if (printed !== undefined) text.length = start;
  text.addWords(printed ?? digits);
}

/** Reads `Z <encoding> E`. */
function readEntity(cursor: Cursor): void {
  cursor.expect(0x5a);
  const first = cursor.peek();
  const { params } = cursor;
  cursor.grammar.encoding(cursor);
  cursor.params = params;
  cursor.expect(0x45);
  const isInstance = cursor.nameReturns;
  closeCompound(cursor);
  if (cursor.functionEnd === 0) {
    cursor.isBare = !isInstance;
    return;
  }
  cursor.calleeStart = cursor.functionStart;
  cursor.calleeEnd = cursor.functionEnd;
  cursor.isCalleeBare = !isInstance;
  cursor.isCalleeScoped = (first === 0x4e || first === 0x53) && !isInstance && cursor.nameQualifiers === "";
}

/** Reads the digits of a number, a complex one's two, or a floating one's bytes, and the `E` behind. */
function readValue(cursor: Cursor): string {
  const start = cursor.at;
  for (let letter = cursor.peek(); letter !== 0x45; letter = cursor.peek()) {
    const isValue =
      (letter >= 0x30 && letter <= 0x39) || (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
    if (!isValue) {
      cursor.fail();
      return "";
    }
    cursor.at++;
  }
  return letters(cursor.symbol, start, cursor.at++);
}
