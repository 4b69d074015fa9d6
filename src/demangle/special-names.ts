/**
 * Owns the names of what C++ compilers make on their own: virtual tables, type information, thunks, guards, wrappers.
 * Does not own the types and functions that they are made for.
 */
import type { Cursor } from "./cursor.js";
import { readName } from "./names.js";
import { readPrintedArgument } from "./template-args.js";
import { printType } from "./type-text.js";
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
export function readSpecialName(cursor: Cursor): string {
  const letters = cursor.text.slice(cursor.at, Math.min(cursor.at + 2, cursor.end));
  cursor.at += 2;
  const ofType = ofTypes[letters];
  if (ofType !== undefined) return ofType + printType(readType(cursor));
  const ofName = ofNames[letters];
  if (ofName !== undefined) return ofName + readQualifiedName(cursor);
  switch (letters) {
    case "Th":
      skipOffset(cursor, 0x68);
      return `non-virtual thunk to ${cursor.grammar.encoding(cursor)}`;
    case "Tv":
      skipOffset(cursor, 0x76);
      return `virtual thunk to ${cursor.grammar.encoding(cursor)}`;
    case "Tc":
      skipOffset(cursor, readOffsetKind(cursor));
      skipOffset(cursor, readOffsetKind(cursor));
      return `covariant return thunk to ${cursor.grammar.encoding(cursor)}`;
    case "TC":
      return readConstructionTable(cursor);
    case "TA":
      return `template parameter object for ${readPrintedArgument(cursor)}`;
    case "GR":
      return readTemporary(cursor);
    case "GA":
      return `hidden alias for ${cursor.grammar.encoding(cursor)}`;
    case "GT": {
      const kind = cursor.take(0x6e) ? "non-transaction" : "transaction";
      if (kind === "transaction") cursor.expect(0x74);
      return `${kind} clone for ${cursor.grammar.encoding(cursor)}`;
    }
    default:
      cursor.fail();
      return "";
  }
}

function readQualifiedName(cursor: Cursor): string {
  const name = readName(cursor);
  return name + cursor.nameQualifiers;
}

/** Reads `TC <derived type> <offset> _ <base type>`. */
function readConstructionTable(cursor: Cursor): string {
  const derived = printType(readType(cursor));
  readNumber(cursor);
  cursor.expect(0x5f);
  return `construction vtable for ${printType(readType(cursor))}-in-${derived}`;
}

/** Reads `GR <name> [<number>] _`: the object that a reference of long life is bound to. */
function readTemporary(cursor: Cursor): string {
  const name = readQualifiedName(cursor);
  const number = cursor.peek() === 0 ? 0 : cursor.index(36);
  return `reference temporary #${number} for ${name}`;
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
