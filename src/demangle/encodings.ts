/**
 * Owns reading what stands behind `_Z`: functions with their signatures, objects, and the special names that compilers
 * make (virtual tables, thunks, guards ...). Does not own the names and types in them.
 */
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readName } from "./names.js";
import { readSpecialName } from "./special-names.js";
import { readParameters, readType } from "./types.js";

/** Reads a function, object or special name with all that is known about it. */
export function readEncoding(cursor: Cursor): string {
  return readWith(cursor, "return type");
}

/** Reads a function as the scope of something local, whose return type nobody wants to read. */
export function readScope(cursor: Cursor): string {
  const { params, inLambda, packIndex } = cursor;
  cursor.inLambda = false;
  const text = readWith(cursor, "scope");
  cursor.params = params;
  cursor.inLambda = inLambda;
  cursor.packIndex = packIndex;
  return text;
}

function readWith(cursor: Cursor, wanted: "return type" | "scope"): string {
  cursor.enter();
  const text = readFunctionOrObject(cursor, wanted);
  cursor.leave();
  return text;
}

function readFunctionOrObject(cursor: Cursor, wanted: "return type" | "scope"): string {
  const letter = cursor.peek();
  if (letter === 0x54 || letter === 0x47) {
    cursor.functionName = "";
    return readSpecialName(cursor);
  }
  const name = readName(cursor);
  const { nameReturns, nameQualifiers } = cursor;
  if (isSignatureEnd(cursor.peek())) {
    cursor.functionName = "";
    return name + nameQualifiers;
  }
  cursor.params = cursor.nameArgs;
  const returned = nameReturns || cursor.take(0x4a) ? readType(cursor) : undefined;
  const signature = name + readParameters(cursor) + nameQualifiers + readConstraint(cursor);
  cursor.functionName = name;
  cursor.nameReturns = nameReturns;
  cursor.nameQualifiers = nameQualifiers;
  if (returned === undefined || wanted === "scope") return signature;
  // Why: a function that returns a pointer to a function stands inside of that function's declarator.
  if (returned.right !== "") return returned.left + signature + returned.right;
  return `${returned.left} ${signature}`;
}

/** Reads `Q <expression>`, the requires clause behind the parameters. */
function readConstraint(cursor: Cursor): string {
  return cursor.take(0x51) ? ` requires ${readExpression(cursor).text}` : "";
}

function isSignatureEnd(letter: number): boolean {
  return letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40;
}
