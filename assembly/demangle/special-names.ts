/**
 * Owns the names of what C++ compilers make on their own: virtual tables, type information, thunks, guards, wrappers.
 * Does not own the types and functions that they are made for.
 */
import { Cursor } from "./cursor";
import { readEncoding } from "./encodings";
import { addQualifiers, readName } from "./names";
import { readArgument } from "./template-args";
import { readType } from "./types";

/** Reads a special name, from `T` or `G` on. Spec: Itanium C++ ABI 5.1.4; the words are those of GNU binutils. */
export function readSpecialName(cursor: Cursor): void {
  const letters = cursor.peekLetters();
  cursor.at += 2;
  switch (letters) {
    case 0x5456: // TV
      return readOwner(cursor, "vtable for ");
    case 0x5454: // TT
      return readOwner(cursor, "VTT for ");
    case 0x5449: // TI
      return readOwner(cursor, "typeinfo for ");
    case 0x5453: // TS
      return readOwner(cursor, "typeinfo name for ");
    case 0x5446: // TF
      return readOwner(cursor, "typeinfo fn for ");
    case 0x544a: // TJ
      return readOwner(cursor, "java Class for ");
    case 0x5448: // TH
      return readQualifiedName(cursor, "TLS init function for ");
    case 0x5457: // TW
      return readQualifiedName(cursor, "TLS wrapper function for ");
    case 0x4756: // GV
      return readQualifiedName(cursor, "guard variable for ");
    case 0x4749: // GI
      return readQualifiedName(cursor, "initializer for module ");
    case 0x5468: // Th
      skipOffset(cursor, 0x68);
      return readTarget(cursor, "non-virtual thunk to ");
    case 0x5476: // Tv
      skipOffset(cursor, 0x76);
      return readTarget(cursor, "virtual thunk to ");
    case 0x5463: // Tc
      skipOffset(cursor, readOffsetKind(cursor));
      skipOffset(cursor, readOffsetKind(cursor));
      return readTarget(cursor, "covariant return thunk to ");
    case 0x5443: // TC
      return readConstructionTable(cursor);
    case 0x5441: // TA
      cursor.text.addWords("template parameter object for ");
      readArgument(cursor);
      return;
    case 0x4752: // GR
      return readTemporary(cursor);
    case 0x4741: // GA
      return readTarget(cursor, "hidden alias for ");
    case 0x4754: // GT
      if (cursor.take(0x6e)) return readTarget(cursor, "non-transaction clone for ");
      cursor.expect(0x74);
      return readTarget(cursor, "transaction clone for ");
    default:
      cursor.fail();
  }
}

function readOwner(cursor: Cursor, words: string): void {
  cursor.text.addWords(words);
  readType(cursor);
}

function readTarget(cursor: Cursor, words: string): void {
  cursor.text.addWords(words);
  readEncoding(cursor);
}

function readQualifiedName(cursor: Cursor, words: string): void {
  cursor.text.addWords(words);
  readName(cursor);
  addQualifiers(cursor, cursor.qualifiers, cursor.qualifiersEnd);
}

/** Reads `TC <derived type> <offset> _ <base type>`. */
function readConstructionTable(cursor: Cursor): void {
  const text = cursor.text;
  const pieces = cursor.pieces;
  const top = pieces.aside;
  const start = text.end;
  readType(cursor);
  pieces.cut(start);
  readNumber(cursor);
  cursor.expect(0x5f);
  text.addWords("construction vtable for ");
  readType(cursor);
  text.addWords("-in-");
  text.addBytes(pieces.aside, top - pieces.aside);
  pieces.aside = top;
}

/** Reads `GR <name> [<number>] _`: the object that a reference of long life is bound to. */
function readTemporary(cursor: Cursor): void {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  const start = cursor.text.end;
  readQualifiedName(cursor, "");
  pieces.setAside(" for ");
  pieces.setNumberAside(cursor.peek() === 0 ? 0 : cursor.index(36));
  pieces.setAside("reference temporary #");
  pieces.insert(start, pieces.aside, top - pieces.aside);
  pieces.aside = top;
}

function readOffsetKind(cursor: Cursor): i32 {
  const letter = cursor.peek();
  cursor.at++;
  return letter;
}

/** Steps over `h <number> _` or `v <number> _ <number> _`, from behind the letter. */
function skipOffset(cursor: Cursor, kind: i32): void {
  if (kind !== 0x68 && kind !== 0x76) cursor.fail();
  readNumber(cursor);
  cursor.expect(0x5f);
  if (kind === 0x68) return;
  readNumber(cursor);
  cursor.expect(0x5f);
}

function readNumber(cursor: Cursor): void {
  cursor.take(0x6e);
  cursor.number();
}
