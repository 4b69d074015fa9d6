/**
 * Owns reading what stands behind `_Z`: functions with their signatures, objects, and the special names that compilers
 * make (virtual tables, thunks, guards ...). Does not own the names and types in them.
 */
import { Cursor } from "./cursor";
import { readExpression } from "./expressions";
import { addQualifiers, readName } from "./names";
import { readSpecialName } from "./special-names";
import { readParameters, readType } from "./types";

/** Reads a function, object or special name with all that is known about it. */
export function readEncoding(cursor: Cursor): void {
  cursor.enter();
  readFunctionOrObject(cursor, false);
  cursor.leave();
}

/** Reads a function as the scope of something local, whose return type nobody wants to read. */
export function readScope(cursor: Cursor): void {
  const params = cursor.params;
  const inLambda = cursor.inLambda;
  const packIndex = cursor.packIndex;
  cursor.inLambda = false;
  cursor.enter();
  readFunctionOrObject(cursor, true);
  cursor.leave();
  cursor.params = params;
  cursor.inLambda = inLambda;
  cursor.packIndex = packIndex;
}

function readFunctionOrObject(cursor: Cursor, isScope: bool): void {
  const text = cursor.text;
  const pieces = cursor.pieces;
  const letter = cursor.peek();
  cursor.functionStart = cursor.functionEnd = 0;
  if (letter === 0x54 || letter === 0x47) return readSpecialName(cursor);
  let start = text.end;
  readName(cursor);
  let end = text.end;
  const nameReturns = cursor.nameReturns;
  const qualifiers = cursor.qualifiers;
  const qualifiersEnd = cursor.qualifiersEnd;
  if (isSignatureEnd(cursor.peek())) {
    cursor.functionStart = cursor.functionEnd = 0;
    return addQualifiers(cursor, qualifiers, qualifiersEnd);
  }
  cursor.params = cursor.nameArgs;
  let hole: usize = 0;
  if (nameReturns || cursor.take(0x4a)) {
    readType(cursor);
    if (isScope) pieces.drop(end);
    else {
      hole = cursor.hole === 0 ? 0 : cursor.hole - (end - start);
      if (hole === 0) text.add(0x20);
      const distance = text.end - end;
      pieces.rotate(start, end);
      start += distance;
      end += distance;
    }
  }
  readParameters(cursor);
  addQualifiers(cursor, qualifiers, qualifiersEnd);
  readConstraint(cursor);
  if (hole > 0) {
    // Why: a function that returns a pointer to a function stands inside of that function's declarator.
    pieces.rotate(hole, start);
    end -= start - hole;
    start = hole;
  }
  cursor.functionStart = start;
  cursor.functionEnd = end;
  cursor.nameReturns = nameReturns;
  cursor.qualifiers = qualifiers;
  cursor.qualifiersEnd = qualifiersEnd;
}

/** Reads `Q <expression>`, the requires clause behind the parameters. */
function readConstraint(cursor: Cursor): void {
  if (!cursor.take(0x51)) return;
  cursor.text.addWords(" requires ");
  readExpression(cursor);
}

function isSignatureEnd(letter: i32): bool {
  return letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40;
}
