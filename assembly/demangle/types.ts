/**
 * Owns reading types: qualifiers, pointers, arrays, functions, parameters of templates.
 * Does not own names of classes, template arguments, expressions, nor what is written behind `D`.
 */
import { findBuiltinType } from "./builtin-types";
import { Cursor, isDigit } from "./cursor";
import { readExtended, setExpressionAside } from "./extended-types";
import { addQualifiers, readName, readNestedName } from "./names";
import { TypeKind } from "./pieces";
import { isFunctionQualifier, readQualified } from "./qualifiers";
import { readSubstitution, readTemplateParam } from "./substitutions";
import { readTemplateArgs } from "./template-args";
import { makeArray, makeFunction, pointTo, pointToMember, qualify, referTo } from "./type-text";
import { readAbiTags, readSourceName } from "./unqualified-names";

/** Reads a type; all but built-in ones and substitutions become substitution candidates. */
export function readType(cursor: Cursor): void {
  const builtin = findBuiltinType(cursor.peek());
  if (builtin.length > 0) {
    cursor.at++;
    cursor.text.addWords(builtin);
    return cursor.plain();
  }
  const start = cursor.text.end;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  cursor.enter();
  if (readComposed(cursor)) cursor.remember(start, sourceStart, readsBefore, false);
  cursor.leave();
}

/** Reads a type of several letters; says whether the whole of it becomes a candidate. */
function readComposed(cursor: Cursor): bool {
  switch (cursor.peek()) {
    case 0x50: // P
      cursor.at++;
      readType(cursor);
      pointTo(cursor);
      return true;
    case 0x52: // R
      cursor.at++;
      readType(cursor);
      referTo(cursor, TypeKind.lvalue);
      return true;
    case 0x4f: // O
      cursor.at++;
      readType(cursor);
      referTo(cursor, TypeKind.rvalue);
      return true;
    case 0x4b: // K
    case 0x56: // V
    case 0x72: // r
      return readQualified(cursor);
    case 0x53: // S
      return readAbbreviated(cursor);
    case 0x54: // T
      return readParamType(cursor);
    case 0x46: // F
      return readFunction(cursor, cursor.pieces.aside);
    case 0x41: // A
      return readArray(cursor);
    case 0x4d: // M
      return readMemberPointer(cursor);
    case 0x44: // D
      return isFunctionQualifier(cursor.peekNext()) ? readQualified(cursor) : readExtended(cursor);
    case 0x43: // C
      return readSuffixed(cursor, " _Complex");
    case 0x47: // G
      return readSuffixed(cursor, " _Imaginary");
    case 0x55: // U
      return readVendorQualified(cursor);
    case 0x75: // u
      return readVendorType(cursor);
    default:
      return readNamed(cursor);
  }
}

/** Reads the parameters of a function up to a letter that no type starts with, and writes them with brackets. */
export function readParameters(cursor: Cursor): void {
  const text = cursor.text;
  text.add(0x28);
  if (cursor.take(0x76)) {
    if (isSignatureEnd(cursor)) return text.add(0x29);
    cursor.fail();
  }
  const listStart = text.end;
  do {
    const mark = cursor.separate(listStart);
    readType(cursor);
    cursor.closeItem(mark, listStart);
  } while (!isSignatureEnd(cursor));
  text.add(0x29);
}

function readNamed(cursor: Cursor): bool {
  if (cursor.peek() !== 0x4e) readName(cursor);
  else {
    readNestedName(cursor);
    addQualifiers(cursor, cursor.qualifiers, cursor.qualifiersEnd);
  }
  return true;
}

/** Reads a substitution, which is a type of its own where tags or template arguments stand behind it. */
function readAbbreviated(cursor: Cursor): bool {
  if (cursor.peekNext() === 0x74) return readNamed(cursor);
  readSubstitution(cursor);
  const next = cursor.peek();
  if (next !== 0x42 && next !== 0x49) return false;
  const ownStart = cursor.ownStart;
  const ownEnd = cursor.ownEnd;
  if (next === 0x42) readAbiTags(cursor);
  else readTemplateArgs(cursor);
  cursor.plain();
  cursor.ownStart = ownStart;
  cursor.ownEnd = ownEnd;
  return true;
}

/** Reads a template parameter as a type, and its own arguments if it is a template. */
function readParamType(cursor: Cursor): bool {
  if (isElaborated(cursor.peekNext())) {
    cursor.at += 2;
    return readNamed(cursor);
  }
  const start = cursor.text.end;
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

/** Reads `F [Y] <return type> <parameters> [<ref-qualifier>] E`, whose qualifiers are set aside up to `top`. */
export function readFunction(cursor: Cursor, top: usize): bool {
  const text = cursor.text;
  const aside = cursor.pieces.aside;
  cursor.expect(0x46);
  cursor.take(0x59);
  readType(cursor);
  const hole = cursor.hole;
  if (hole === 0) text.add(0x20);
  const signature = text.end;
  readParameters(cursor);
  text.addBytes(aside, top - aside);
  if (cursor.take(0x52)) text.addWords(" &");
  else if (cursor.take(0x4f)) text.addWords(" &&");
  cursor.expect(0x45);
  makeFunction(cursor, hole, signature);
  return true;
}

/** Reads `A [<number> | <expression>] _ <element type>`. */
function readArray(cursor: Cursor): bool {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  cursor.at++;
  pieces.setAside("]");
  const letter = cursor.peek();
  if (isDigit(letter)) pieces.setNumberAside(cursor.number());
  else if (letter !== 0x5f) setExpressionAside(cursor);
  pieces.setAside(" [");
  cursor.expect(0x5f);
  readType(cursor);
  makeArray(cursor, pieces.aside, top - pieces.aside);
  pieces.aside = top;
  return true;
}

function readMemberPointer(cursor: Cursor): bool {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  const start = cursor.text.end;
  cursor.at++;
  pieces.setAside("::*");
  readType(cursor);
  pieces.cut(start);
  pieces.setAside(" ");
  readType(cursor);
  pointToMember(cursor, pieces.aside, top - pieces.aside);
  pieces.aside = top;
  return true;
}

function readSuffixed(cursor: Cursor, words: string): bool {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  cursor.at++;
  readType(cursor);
  pieces.setAside(words);
  qualify(cursor, pieces.aside, top - pieces.aside);
  pieces.aside = top;
  return true;
}

/** Reads `U <name> [<template-args>] <type>`: a vendor's qualifier. */
function readVendorQualified(cursor: Cursor): bool {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  const start = cursor.text.end;
  cursor.at++;
  readSourceName(cursor);
  if (cursor.peek() === 0x49) readTemplateArgs(cursor);
  pieces.cut(start);
  pieces.setAside(" ");
  readType(cursor);
  qualify(cursor, pieces.aside, top - pieces.aside);
  pieces.aside = top;
  return true;
}

function readVendorType(cursor: Cursor): bool {
  cursor.at++;
  readSourceName(cursor);
  if (cursor.peek() === 0x49) readTemplateArgs(cursor);
  cursor.plain();
  return true;
}

/** Looks ahead over one list of arguments for a second one; leaves the cursor where it was. */
function hasTwoArgumentLists(cursor: Cursor): bool {
  const at = cursor.at;
  const start = cursor.text.end;
  const nameArgs = cursor.nameArgs;
  const kind = cursor.kind;
  const hole = cursor.hole;
  const ownStart = cursor.ownStart;
  const ownEnd = cursor.ownEnd;
  cursor.frozen++;
  readTemplateArgs(cursor);
  cursor.pieces.drop(start);
  cursor.frozen--;
  const hasSecond = cursor.peek() === 0x49;
  cursor.nameArgs = nameArgs;
  cursor.kind = kind;
  cursor.hole = hole;
  cursor.ownStart = ownStart;
  cursor.ownEnd = ownEnd;
  if (!cursor.failed) cursor.at = at;
  return hasSecond;
}

/** `Ts`, `Tu` and `Te` stand for the words struct, union and enum before a name. */
function isElaborated(letter: i32): bool {
  return letter === 0x73 || letter === 0x75 || letter === 0x65;
}

/**
 * The end of the symbol, `E`, a clone's suffix, a version behind `@`, a constraint `Q`, or a ref-qualifier `R` or `O`
 * with the `E` behind it.
 */
function isSignatureEnd(cursor: Cursor): bool {
  const letter = cursor.peek();
  if (letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40 || letter === 0x51) return true;
  return (letter === 0x52 || letter === 0x4f) && cursor.peekNext() === 0x45;
}
