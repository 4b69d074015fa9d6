/**
 * Owns how C++ types are put together as text: what is written left and right of the place where a declared name would be.
 * Does not own reading them from symbols. Each function changes the type that was written last.
 */
import type { Cursor } from "./cursor.js";
import type { TypeKind } from "./pieces.js";

export function pointTo(cursor: Cursor): void {
  around(cursor, "*", "plain");
}

/** Makes a reference; references to references collapse as the language says. */
export function referTo(cursor: Cursor, kind: "lvalue" | "rvalue"): void {
  if (cursor.kind === "lvalue" || (cursor.kind === "rvalue" && kind === "rvalue")) return;
  if (cursor.kind === "rvalue") {
    const at = (cursor.hole === 0 ? cursor.text.length : cursor.hole) - 1;
    cursor.pieces.remove(at, 1);
    if (cursor.hole > 0) cursor.hole = at;
    cursor.kind = kind;
  } else around(cursor, kind === "lvalue" ? "&" : "&&", kind);
}

/** Makes a pointer to a member of a class. */
export function pointToMember(cursor: Cursor, owner: string): void {
  const mark = `${owner}::*`;
  around(cursor, cursor.kind === "function" || cursor.kind === "array" ? mark : ` ${mark}`, "plain");
}

/** Puts words behind a type: " const", " volatile", " restrict", or a vendor's. */
export function qualify(cursor: Cursor, words: string): void {
  if (cursor.kind === "function") return cursor.text.addWords(words);
  addLeft(cursor, words);
  cursor.kind = cursor.kind === "array" ? "array" : "plain";
  cursor.ownStart = cursor.ownEnd = 0;
}

export function makeArray(cursor: Cursor, size: string): void {
  const hole = cursor.hole === 0 ? cursor.text.length : cursor.hole;
  if (cursor.kind === "array") cursor.pieces.insert(hole + 1, `[${size}]`);
  else if (cursor.hole === 0) cursor.text.addWords(` [${size}]`);
  else cursor.pieces.insert(hole, ` [${size}]`);
  cursor.hole = hole;
  cursor.kind = "array";
  cursor.ownStart = cursor.ownEnd = 0;
}

/** Makes a function of its return type, which has that hole, and the signature that was written behind it. */
export function makeFunction(cursor: Cursor, hole: number, signature: number): void {
  if (hole > 0) cursor.pieces.rotate(hole, signature);
  cursor.hole = hole === 0 ? signature : hole;
  cursor.kind = "function";
  cursor.ownStart = cursor.ownEnd = 0;
}

function around(cursor: Cursor, mark: string, kind: TypeKind): void {
  if (cursor.kind === "function" || cursor.kind === "array") {
    const left = `${cursor.kind === "array" ? " (" : "("}${mark}`;
    cursor.pieces.insert(cursor.hole, `${left})`);
    cursor.hole += left.length;
  } else addLeft(cursor, mark);
  cursor.kind = kind;
  cursor.ownStart = cursor.ownEnd = 0;
}

function addLeft(cursor: Cursor, words: string): void {
  if (cursor.hole === 0) return cursor.text.addWords(words);
  cursor.pieces.insert(cursor.hole, words);
  cursor.hole += words.length;
}
