/**
 * Owns reading literals: numbers, enumerators, null pointers, strings, and the functions and objects that template
 * arguments name. Does not own other expressions.
 */
import { addDigits, addLiteral, findBuiltinType, hasLiteralForm, isFloating } from "./builtin-types";
import { Cursor } from "./cursor";
import { readEncoding } from "./encodings";
import { closeCompound } from "./expression-text";
import { readType } from "./types";

/** Reads `L <type> <value> E` or `L _Z <encoding> E`. */
export function readLiteral(cursor: Cursor): void {
  const text = cursor.text;
  cursor.at++;
  // Why: g++ before 4.5 left the underscore out.
  if (cursor.take(0x5f) || cursor.peek() === 0x5a) return readEntity(cursor);
  const letter = cursor.peek();
  const start = text.end;
  const isBuiltin = findBuiltinType(letter).length > 0;
  text.add(0x28);
  readType(cursor);
  closeCompound(cursor);
  if (cursor.take(0x45)) return cursor.pieces.remove(start, 1);
  text.add(0x29);
  const value = cursor.at;
  skipValue(cursor);
  if (cursor.failed) return;
  const valueEnd = cursor.at - 1;
  if (isBuiltin && isFloating(letter)) {
    text.add(0x5b);
    text.addBytes(value, valueEnd - value);
    text.add(0x5d);
  } else if (isBuiltin && hasLiteralForm(letter, value, valueEnd)) {
    text.end = start;
    addLiteral(text, letter, value, valueEnd);
  } else addDigits(text, value, valueEnd);
}

/** Reads `Z <encoding> E`. */
function readEntity(cursor: Cursor): void {
  cursor.expect(0x5a);
  const first = cursor.peek();
  const params = cursor.params;
  readEncoding(cursor);
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
  cursor.isCalleeScoped =
    (first === 0x4e || first === 0x53) && !isInstance && cursor.qualifiers === cursor.qualifiersEnd;
}

/** Steps over the digits of a number, a complex one's two, or a floating one's bytes, and the `E` behind. */
function skipValue(cursor: Cursor): void {
  for (let letter = cursor.peek(); letter !== 0x45; letter = cursor.peek()) {
    const isValue =
      (letter >= 0x30 && letter <= 0x39) || (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
    if (!isValue) return cursor.fail();
    cursor.at++;
  }
  cursor.at++;
}
