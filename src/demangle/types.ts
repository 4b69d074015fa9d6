/**
 * Owns reading types: qualifiers, pointers, arrays, functions, parameters of templates.
 * Does not own names of classes, template arguments, expressions, nor what is written behind `D`.
 */
import { findBuiltinType } from "./builtin-types.js";
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { cutExpression, readExtended } from "./extended-types.js";
import { readName, readNestedName } from "./names.js";
import { readSubstitution, readTemplateParam } from "./substitutions.js";
import { readTemplateArgs } from "./template-args.js";
import { makeArray, makeFunction, pointTo, pointToMember, qualify, referTo } from "./type-text.js";
import { readAbiTags, readSourceName } from "./unqualified-names.js";

/** Reads a type; all but built-in ones and substitutions become substitution candidates. */
export function readType(cursor: Cursor): void {
  const letter = cursor.peek();
  const builtin = findBuiltinType(letter);
  if (builtin !== undefined) {
    cursor.at++;
    cursor.text.addWords(builtin);
    return cursor.plain();
  }
  const start = cursor.text.length;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  cursor.enter();
  const isCandidate = (readers[letter] ?? readNamed)(cursor);
  if (isCandidate) cursor.remember(start, sourceStart, readsBefore, false);
  cursor.leave();
}

/** Reads a type that begins with a certain letter; says whether the whole of it becomes a candidate. */
type Reader = (cursor: Cursor) => boolean;

/**
 * By letter; all others begin names. Why a table: V8 does not compile what it cannot see through into its callers, and the
 * whole grammar in each of its rules takes longer to compile than all symbols of a program take to read.
 */
const readers: readonly (Reader | undefined)[] = byLetter({
  P: (cursor) => {
    cursor.at++;
    readType(cursor);
    pointTo(cursor);
    return true;
  },
  R: (cursor) => {
    cursor.at++;
    readType(cursor);
    referTo(cursor, "lvalue");
    return true;
  },
  O: (cursor) => {
    cursor.at++;
    readType(cursor);
    referTo(cursor, "rvalue");
    return true;
  },
  K: readQualified,
  V: readQualified,
  r: readQualified,
  S: readAbbreviated,
  T: readParamType,
  F: (cursor) => readFunction(cursor, ""),
  A: readArray,
  M: readMemberPointer,
  D: (cursor) => (isFunctionQualifier(cursor.peekNext()) ? readQualified(cursor) : readExtended(cursor)),
  C: (cursor) => readSuffixed(cursor, " _Complex"),
  G: (cursor) => readSuffixed(cursor, " _Imaginary"),
  U: readVendorQualified,
  u: readVendorType,
});

/** Reads the parameters of a function up to a letter that no type starts with, and writes them with brackets. */
export function readParameters(cursor: Cursor): void {
  const { text } = cursor;
  text.add(0x28);
  if (cursor.take(0x76)) {
    if (isSignatureEnd(cursor)) return text.add(0x29);
    cursor.fail();
  }
  const listStart = text.length;
  do {
    const mark = cursor.separate(listStart);
    readType(cursor);
    cursor.closeItem(mark, listStart);
  } while (!isSignatureEnd(cursor));
  text.add(0x29);
}

function readNamed(cursor: Cursor): boolean {
  if (cursor.peek() !== 0x4e) readName(cursor);
  else {
    readNestedName(cursor);
    cursor.text.addWords(cursor.nameQualifiers);
  }
  return true;
}

/** Reads a substitution, which is a type of its own where tags or template arguments stand behind it. */
function readAbbreviated(cursor: Cursor): boolean {
  if (cursor.peekNext() === 0x74) return readNamed(cursor);
  readSubstitution(cursor);
  const next = cursor.peek();
  if (next !== 0x42 && next !== 0x49) return false;
  const { ownStart, ownEnd } = cursor;
  if (next === 0x42) readAbiTags(cursor);
  else readTemplateArgs(cursor);
  cursor.plain();
  cursor.ownStart = ownStart;
  cursor.ownEnd = ownEnd;
  return true;
}

/** Reads a template parameter as a type, and its own arguments if it is a template. */
function readParamType(cursor: Cursor): boolean {
  if (isElaborated(cursor.peekNext())) {
    cursor.at += 2;
    return readNamed(cursor);
  }
  const start = cursor.text.length;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  readTemplateParam(cursor);
  cursor.remember(start, sourceStart, readsBefore, false);
  if (cursor.peek() !== 0x49) return false;
  // Why: in `cvT_IiE` the arguments belong to the operator, in `cvT_IiEIcE` the first ones to the parameter.
  if (cursor.inConversion && !hasTwoArgumentLists(cursor)) return false;
  readTemplateArgs(cursor);
  cursor.plain();
  return true;
}

/** Reads qualifiers and exception specifications with what they qualify, which is one candidate together. */
function readQualified(cursor: Cursor): boolean {
  const start = cursor.text.length;
  let words = readQualifier(cursor);
  while (isQualifier(cursor)) words = readQualifier(cursor) + words;
  const letter = cursor.peek();
  if (letter === 0x46) return readFunction(cursor, words);
  readType(cursor);
  // Why: an argument that is const already does not get a second const from `T const`, and a function none at all.
  if ((letter === 0x54 || letter === 0x53) && cursor.kind === "function") return true;
  if (letter !== 0x54 || !endsWith(cursor, start, words)) qualify(cursor, words);
  return true;
}

/** Says whether the type written since `start`, up to its hole, ends so. */
function endsWith({ text, hole }: Cursor, start: number, words: string): boolean {
  const end = hole === 0 ? text.length : hole;
  if (end - start < words.length) return false;
  for (let index = 1; index <= words.length; index++)
    if (text.bytes[end - index] !== words.charCodeAt(words.length - index)) return false;
  return true;
}

/** Reads one qualifier, which must be here. */
function readQualifier(cursor: Cursor): string {
  if (cursor.take(0x4b)) return " const";
  if (cursor.take(0x56)) return " volatile";
  if (cursor.take(0x72)) return " restrict";
  const { text, pieces } = cursor;
  const letter = cursor.peekNext();
  cursor.at += 2;
  if (letter === 0x6f) return " noexcept";
  if (letter === 0x78) return " transaction_safe";
  const start = text.length;
  if (letter === 0x4f) {
    readExpression(cursor);
    cursor.expect(0x45);
    return ` noexcept(${pieces.cut(start)})`;
  }
  while (!cursor.take(0x45) && !cursor.failed) {
    if (text.length > start) text.addWords(", ");
    readType(cursor);
  }
  return ` throw(${pieces.cut(start)})`;
}

/** Reads `F [Y] <return type> <parameters> [<ref-qualifier>] E`. */
function readFunction(cursor: Cursor, words: string): boolean {
  const { text } = cursor;
  cursor.expect(0x46);
  cursor.take(0x59);
  readType(cursor);
  const { hole } = cursor;
  if (hole === 0) text.add(0x20);
  const signature = text.length;
  readParameters(cursor);
  text.addWords(words);
  if (cursor.take(0x52)) text.addWords(" &");
  else if (cursor.take(0x4f)) text.addWords(" &&");
  cursor.expect(0x45);
  makeFunction(cursor, hole, signature);
  return true;
}

/** Reads `A [<number> | <expression>] _ <element type>`. */
function readArray(cursor: Cursor): boolean {
  cursor.at++;
  let size = "";
  const letter = cursor.peek();
  if (letter >= 0x30 && letter <= 0x39) size = String(cursor.number());
  else if (letter !== 0x5f) size = cutExpression(cursor);
  cursor.expect(0x5f);
  readType(cursor);
  makeArray(cursor, size);
  return true;
}

function readMemberPointer(cursor: Cursor): boolean {
  cursor.at++;
  const owner = cutType(cursor);
  readType(cursor);
  pointToMember(cursor, owner);
  return true;
}

function readSuffixed(cursor: Cursor, words: string): boolean {
  cursor.at++;
  readType(cursor);
  qualify(cursor, words);
  return true;
}

/** Reads `U <name> [<template-args>] <type>`: a vendor's qualifier. */
function readVendorQualified(cursor: Cursor): boolean {
  const { text, pieces } = cursor;
  cursor.at++;
  const start = text.length;
  readSourceName(cursor);
  if (cursor.peek() === 0x49) readTemplateArgs(cursor);
  const words = ` ${pieces.cut(start)}`;
  readType(cursor);
  qualify(cursor, words);
  return true;
}

function readVendorType(cursor: Cursor): boolean {
  cursor.at++;
  readSourceName(cursor);
  if (cursor.peek() === 0x49) readTemplateArgs(cursor);
  cursor.plain();
  return true;
}

/** Reads a type that stands in the symbol before what it is written behind. */
function cutType(cursor: Cursor): string {
  const start = cursor.text.length;
  readType(cursor);
  return cursor.pieces.cut(start);
}

/** Looks ahead over one list of arguments for a second one; leaves the cursor where it was. */
function hasTwoArgumentLists(cursor: Cursor): boolean {
  const { at, text, nameArgs, kind, hole, ownStart, ownEnd } = cursor;
  const start = text.length;
  cursor.frozen++;
  readTemplateArgs(cursor);
  cursor.pieces.drop(start);
  cursor.frozen--;
  const hasSecond = cursor.peek() === 0x49;
  Object.assign(cursor, { nameArgs, kind, hole, ownStart, ownEnd });
  if (!cursor.failed) cursor.at = at;
  return hasSecond;
}

/** `Ts`, `Tu` and `Te` stand for the words struct, union and enum before a name. */
function isElaborated(letter: number): boolean {
  return letter === 0x73 || letter === 0x75 || letter === 0x65;
}

/**
 * The end of the symbol, `E`, a clone's suffix, a version behind `@`, a constraint `Q`, or a ref-qualifier `R` or `O`
 * with the `E` behind it.
 */
function isSignatureEnd(cursor: Cursor): boolean {
  const letter = cursor.peek();
  if (letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40 || letter === 0x51) return true;
  return (letter === 0x52 || letter === 0x4f) && cursor.peekNext() === 0x45;
}

function isQualifier(cursor: Cursor): boolean {
  const letter = cursor.peek();
  if (letter === 0x4b || letter === 0x56 || letter === 0x72) return true;
  return letter === 0x44 && isFunctionQualifier(cursor.peekNext());
}

/** `Do`, `DO`, `Dw` and `Dx` belong to the function type behind them. */
function isFunctionQualifier(letter: number): boolean {
  return letter === 0x6f || letter === 0x4f || letter === 0x77 || letter === 0x78;
}

function byLetter(rules: Readonly<Record<string, Reader>>): (Reader | undefined)[] {
  const table: (Reader | undefined)[] = Array.from({ length: 256 });
  for (const [letter, read] of Object.entries(rules)) table[letter.charCodeAt(0)] = read;
  return table;
}
