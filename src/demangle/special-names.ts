/**
 * Owns the names of what C++ compilers make on their own: virtual tables, type information, thunks, guards, wrappers.
 * Does not own the types and functions that they are made for.
 */
import type { Cursor } from "./cursor.js";
import { readName } from "./names.js";
import { readArgument } from "./template-args.js";
import { readType } from "./types.js";

// Spec: Itanium C++ ABI 5.1.4; the words are those of GNU binutils.
const ofTypes: Readonly<Record<string, string>> = {
  TV: "vtable for ",
  TT: "VTT for ",
  TI: "typeinfo for ",
  TS: "typeinfo name for ",
  TF: "typeinfo fn for ",
  TJ: "java Class for ",
};
const ofNames: Readonly<Record<string, string>> = {
  TH: "TLS init function for ",
  TW: "TLS wrapper function for ",
  GV: "guard variable for ",
  GI: "initializer for module ",
};

/** Reads a special name, from `T` or `G` on. */
export function readSpecialName(cursor: Cursor): void {
  const letters = cursor.peekLetters();
  cursor.at += 2;
  const ofType = ofTypes[letters];
  if (ofType !== undefined) {
    cursor.text.addWords(ofType);
    return readType(cursor);
  }
  const ofName = ofNames[letters];
  if (ofName !== undefined) return readQualifiedName(cursor, ofName);
  switch (letters) {
    case "Th":
      skipOffset(cursor, 0x68);
      return readTarget(cursor, "non-virtual thunk to ");
    case "Tv":
      skipOffset(cursor, 0x76);
      return readTarget(cursor, "virtual thunk to ");
    case "Tc":
      skipOffset(cursor, readOffsetKind(cursor));
      skipOffset(cursor, readOffsetKind(cursor));
      return readTarget(cursor, "covariant return thunk to ");
    case "TC":
      return readConstructionTable(cursor);
    case "TA":
      cursor.text.addWords("template parameter object for ");
      return void readArgument(cursor);
    case "GR":
      return readTemporary(cursor);
    case "GA":
      return readTarget(cursor, "hidden alias for ");
    case "GT": {
      const kind = cursor.take(0x6e) ? "non-transaction" : "transaction";
      if (kind === "transaction") cursor.expect(0x74);
      return readTarget(cursor, `${kind} clone for `);
    }
    default:
      cursor.fail();
  }
}

function readTarget(cursor: Cursor, words: string): void {
  cursor.text.addWords(words);
  cursor.grammar.encoding(cursor);
}

function readQualifiedName(cursor: Cursor, words: string): void {
  cursor.text.addWords(words);
  readName(cursor);
  cursor.text.addWords(cursor.nameQualifiers);
}

/** Reads `TC <derived type> <offset> _ <base type>`. */
function readConstructionTable(cursor: Cursor): void {
  const { text, pieces } = cursor;
  const start = text.length;
  readType(cursor);
  const derived = pieces.cut(start);
  readNumber(cursor);
  cursor.expect(0x5f);
  text.addWords("construction vtable for ");
  readType(cursor);
  text.addWords(`-in-${derived}`);
}

/** Reads `GR <name> [<number>] _`: the object that a reference of long life is bound to. */
function readTemporary(cursor: Cursor): void {
  const start = cursor.text.length;
  readQualifiedName(cursor, "");
  const number = cursor.peek() === 0 ? 0 : cursor.index(36);
  cursor.pieces.insert(start, `reference temporary #${number} for `);
}

function readOffsetKind(cursor: Cursor): number {
  const letter = cursor.peek();
  cursor.at++;
  return letter;
}

/** Steps over `h <number> _` or `v <number> _ <number> _`, from behind the letter. */
function skipOffset(cursor: Cursor, kind: number): void {
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
