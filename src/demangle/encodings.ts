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
export function readEncoding(cursor: Cursor): void {
  readWith(cursor, "return type");
}

/** Reads a function as the scope of something local, whose return type nobody wants to read. */
export function readScope(cursor: Cursor): void {
  const { params, inLambda, packIndex } = cursor;
  cursor.inLambda = false;
  readWith(cursor, "scope");
  cursor.params = params;
  cursor.inLambda = inLambda;
  cursor.packIndex = packIndex;
}

function readWith(cursor: Cursor, wanted: "return type" | "scope"): void {
  cursor.enter();
  readFunctionOrObject(cursor, wanted);
  cursor.leave();
}

function readFunctionOrObject(cursor: Cursor, wanted: "return type" | "scope"): void {
  const { text } = cursor;
  const letter = cursor.peek();
  cursor.functionStart = cursor.functionEnd = 0;
  if (letter === 0x54 || letter === 0x47) return readSpecialName(cursor);
  let start = text.length;
  readName(cursor);
  let end = text.length;
  const { nameReturns, nameQualifiers } = cursor;
  if (isSignatureEnd(cursor.peek())) {
    cursor.functionStart = cursor.functionEnd = 0;
    return text.addWords(nameQualifiers);
  }
  cursor.params = cursor.nameArgs;
  let hole = 0;
  if (nameReturns || cursor.take(0x4a)) {
    readType(cursor);
    if (wanted === "scope") cursor.pieces.drop(end);
    else {
      hole = cursor.hole === 0 ? 0 : cursor.hole - (end - start);
      if (hole === 0) text.add(0x20);
      const distance = text.length - end;
      cursor.pieces.rotate(start, end);
      start += distance;
      end += distance;
    }
  }
  readParameters(cursor);
  text.addWords(nameQualifiers);
  readConstraint(cursor);
  if (hole > 0) {
    // Why: a function that returns a pointer to a function stands inside of that function's declarator.
    cursor.pieces.rotate(hole, start);
    end -= start - hole;
    start = hole;
  }
  cursor.functionStart = start;
  cursor.functionEnd = end;
  cursor.nameReturns = nameReturns;
  cursor.nameQualifiers = nameQualifiers;
}

/** Reads `Q <expression>`, the requires clause behind the parameters. */
function readConstraint(cursor: Cursor): void {
  if (!cursor.take(0x51)) return;
  cursor.text.addWords(" requires ");
  readExpression(cursor);
}

function isSignatureEnd(letter: number): boolean {
  return letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40;
}
