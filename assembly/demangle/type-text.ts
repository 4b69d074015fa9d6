/**
 * Owns how C++ types are put together as text: what is written left and right of the place where a declared name would be.
 * Does not own reading them from symbols. Each function changes the type that was written last; words are given by their
 * place in memory, outside of the text.
 */
import { Cursor } from "./cursor";
import { TypeKind } from "./pieces";

const star = memory.data<u8>([0x2a]);
const ampersands = memory.data<u8>([0x26, 0x26]);

export function pointTo(cursor: Cursor): void {
  around(cursor, star, 1, TypeKind.plain);
}

/** Makes a reference; references to references collapse as the language says. */
export function referTo(cursor: Cursor, kind: TypeKind): void {
  if (cursor.kind === TypeKind.lvalue || (cursor.kind === TypeKind.rvalue && kind === TypeKind.rvalue))
    return;
  if (cursor.kind === TypeKind.rvalue) {
    const at = (cursor.hole === 0 ? cursor.text.end : cursor.hole) - 1;
    cursor.pieces.remove(at, 1);
    if (cursor.hole > 0) cursor.hole = at;
    cursor.kind = kind;
  } else around(cursor, ampersands, kind === TypeKind.lvalue ? 1 : 2, kind);
}

/** Makes a pointer to a member of a class, from ` Class::*`. */
export function pointToMember(cursor: Cursor, words: usize, length: usize): void {
  if (hasRightPart(cursor)) around(cursor, words + 1, length - 1, TypeKind.plain);
  else around(cursor, words, length, TypeKind.plain);
}

/** Puts words behind a type: " const", " volatile", " restrict", or a vendor's. */
export function qualify(cursor: Cursor, words: usize, length: usize): void {
  if (cursor.kind === TypeKind.callable) return cursor.text.addBytes(words, length);
  addLeft(cursor, words, length);
  cursor.kind = cursor.kind === TypeKind.array ? TypeKind.array : TypeKind.plain;
  cursor.ownStart = cursor.ownEnd = 0;
}

/** Makes an array, from ` [size]`. */
export function makeArray(cursor: Cursor, words: usize, length: usize): void {
  const hole = cursor.hole === 0 ? cursor.text.end : cursor.hole;
  if (cursor.kind === TypeKind.array) cursor.pieces.insert(hole + 1, words + 1, length - 1);
  else if (cursor.hole === 0) cursor.text.addBytes(words, length);
  else cursor.pieces.insert(hole, words, length);
  cursor.hole = hole;
  cursor.kind = TypeKind.array;
  cursor.ownStart = cursor.ownEnd = 0;
}

/** Makes a function of its return type, which has that hole, and the signature that was written behind it. */
export function makeFunction(cursor: Cursor, hole: usize, signature: usize): void {
  if (hole > 0) cursor.pieces.rotate(hole, signature);
  cursor.hole = hole === 0 ? signature : hole;
  cursor.kind = TypeKind.callable;
  cursor.ownStart = cursor.ownEnd = 0;
}

function hasRightPart(cursor: Cursor): bool {
  return cursor.kind === TypeKind.callable || cursor.kind === TypeKind.array;
}

function around(cursor: Cursor, mark: usize, length: usize, kind: TypeKind): void {
  if (hasRightPart(cursor)) {
    const pieces = cursor.pieces;
    const top = pieces.aside;
    pieces.setAside(")");
    pieces.setBytesAside(mark, length);
    pieces.setAside(cursor.kind === TypeKind.array ? " (" : "(");
    pieces.insert(cursor.hole, pieces.aside, top - pieces.aside);
    cursor.hole += top - pieces.aside - 1;
    pieces.aside = top;
  } else addLeft(cursor, mark, length);
  cursor.kind = kind;
  cursor.ownStart = cursor.ownEnd = 0;
}

function addLeft(cursor: Cursor, words: usize, length: usize): void {
  if (cursor.hole === 0) return cursor.text.addBytes(words, length);
  cursor.pieces.insert(cursor.hole, words, length);
  cursor.hole += length;
}
