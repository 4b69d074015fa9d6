/**
 * Owns reading literals: numbers, enumerators, null pointers, strings, and the functions and objects that template
 * arguments name. Does not own other expressions.
 */
import { findBuiltinType, isFloating, printBuiltinLiteral } from "./builtin-types.js";
import type { Cursor } from "./cursor.js";
import { type ExpressionText, compound } from "./expression-text.js";
import { printType } from "./type-text.js";

/** Reads `L <type> <value> E` or `L _Z <encoding> E`. */
export function readLiteral(cursor: Cursor): ExpressionText {
  cursor.at++;
  if (cursor.peek() === 0x5f) {
    cursor.at++;
    return readEntity(cursor);
  }
  // Why: g++ before 4.5 left the underscore out.
  if (cursor.peek() === 0x5a) return readEntity(cursor);
  const letter = cursor.peek();
  const type = printType(cursor.grammar.type(cursor));
  const start = cursor.at;
  if (cursor.take(0x45)) return compound(type);
  const value = readValue(cursor);
  const isBuiltin = cursor.text.charCodeAt(start - 1) === letter && findBuiltinType(letter) !== undefined;
  if (isBuiltin && isFloating(letter)) return compound(`(${type})[${value}]`);
  const digits = value.startsWith("n") ? `-${value.slice(1)}` : value;
  return compound((isBuiltin ? printBuiltinLiteral(letter, digits) : undefined) ?? `(${type})${digits}`);
}

/** Reads `Z <encoding> E`. */
function readEntity(cursor: Cursor): ExpressionText {
  cursor.expect(0x5a);
  const first = cursor.peek();
  const { params } = cursor;
  const text = cursor.grammar.encoding(cursor);
  const name = cursor.functionName;
  cursor.params = params;
  cursor.expect(0x45);
  const isInstance = cursor.nameReturns;
  if (name === "") return { text, isBare: !isInstance };
  const isScoped = (first === 0x4e || first === 0x53) && !isInstance && cursor.nameQualifiers === "";
  return { text, isBare: false, callee: { text: name, isBare: !isInstance, isScoped } };
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
  return cursor.text.slice(start, cursor.at++);
}
