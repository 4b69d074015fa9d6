/**
 * Owns reading names with their scopes: nested, local and unscoped ones, and whether they are instances of templates.
 * Does not own the last part of a name: that is read by unqualified-names.ts.
 */
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readSubstitution, readTemplateParam } from "./substitutions.js";
import { readTemplateArgs } from "./template-args.js";
import { addCount, readAbiTags, readConversion, readUnqualifiedName } from "./unqualified-names.js";

/**
 * Reads a name and writes it without the qualifiers of member functions; what else is known about it stands in
 * the cursor's fields `nameArgs`, `nameReturns`, `nameQualifiers`, `ownStart` and `ownEnd`.
 */
export function readName(cursor: Cursor): void {
  switch (cursor.peek()) {
    case 0x4e: // N
      return readNestedName(cursor);
    case 0x5a: // Z
      return readLocalName(cursor);
    default:
      return readUnscopedName(cursor);
  }
}

/** Reads `N [<qualifiers>] <prefix> E`. */
export function readNestedName(cursor: Cursor): void {
  cursor.enter();
  cursor.at++;
  const letter = cursor.peek();
  // Why: names begin with a digit or `S` almost always.
  const qualifiers = isDigit(letter) || letter === 0x53 ? "" : readQualifiers(cursor);
  readPrefix(cursor);
  cursor.expect(0x45);
  cursor.nameQualifiers = qualifiers;
  cursor.leave();
}

/** Reads the qualifiers of a member function. */
function readQualifiers(cursor: Cursor): string {
  let words = "";
  for (;;) {
    if (cursor.take(0x4b)) words = words === "" ? " const" : ` const${words}`;
    else if (cursor.take(0x56)) words = ` volatile${words}`;
    else if (cursor.take(0x72)) words = ` restrict${words}`;
    else break;
  }
  if (cursor.take(0x52)) return `${words} &`;
  return cursor.take(0x4f) ? `${words} &&` : words;
}

/** Reads the parts of a nested name up to its `E`; all but the whole become substitution candidates. */
export function readPrefix(cursor: Cursor): void {
  const { text } = cursor;
  const start = text.length;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  let ownStart = 0;
  let ownEnd = 0;
  let isTemplate = false;
  let isSpecial = false;
  let nameArgs: Cursor["nameArgs"];
  for (;;) {
    const letter = cursor.peek();
    let isCandidate = true;
    if (letter === 0x49) {
      if (text.length === start) cursor.fail();
      readTemplateArgs(cursor);
      nameArgs = cursor.nameArgs;
      isTemplate = true;
    } else if (letter === 0x4d) {
      // Why: `M` marks the member whose initializer holds a lambda; the member itself was the part before.
      cursor.at++;
      continue;
    } else if (isFirstPart(cursor, letter)) {
      if (text.length > start) cursor.fail();
      isCandidate = readFirstPart(cursor, letter);
      if (letter === 0x53) {
        ownStart = cursor.ownStart;
        ownEnd = cursor.ownEnd;
      }
    } else {
      isTemplate = false;
      if (text.length > start) {
        text.add(0x3a);
        text.add(0x3a);
      }
      isSpecial = !isDigit(letter) && isSpecialPart(letter, cursor.peekNext());
      if (!isSpecial) {
        readUnqualifiedName(cursor);
        ownStart = cursor.ownStart;
        ownEnd = cursor.ownEnd;
      } else if (letter === 0x63) readConversion(cursor);
      else readConstructor(cursor, ownStart, ownEnd);
    }
    const next = cursor.peek();
    cursor.plain();
    cursor.ownStart = ownStart;
    cursor.ownEnd = ownEnd;
    if (next === 0x45 || next === 0) break;
    if (isCandidate) cursor.remember(start, sourceStart, readsBefore, true);
  }
  cursor.nameArgs = nameArgs;
  cursor.nameReturns = isTemplate && !isSpecial;
  cursor.nameQualifiers = "";
}

/** A part that only the start of a name can be: a substitution, a template parameter, `decltype`. */
function isFirstPart(cursor: Cursor, letter: number): boolean {
  return letter === 0x53 || letter === 0x54 || (letter === 0x44 && isDecltype(cursor.peekNext()));
}

/** Reads such a part; says whether it is a candidate of its own as a prefix. */
function readFirstPart(cursor: Cursor, letter: number): boolean {
  if (letter === 0x54) {
    readTemplateParam(cursor);
    return true;
  }
  if (letter === 0x44) {
    cursor.at += 2;
    cursor.text.addWords("decltype (");
    readExpression(cursor);
    cursor.text.add(0x29);
    cursor.expect(0x45);
    return true;
  }
  if (cursor.peekNext() === 0x74) {
    cursor.at += 2;
    cursor.text.addWords("std");
    cursor.plain();
    return false;
  }
  readSubstitution(cursor);
  if (cursor.peek() !== 0x42) return false;
  readAbiTags(cursor);
  return true;
}

/** Reads a name outside of classes and namespaces, or in `std`, and its template arguments. */
function readUnscopedName(cursor: Cursor): void {
  const start = cursor.text.length;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  const letter = cursor.peek();
  const next = cursor.peekNext();
  const isSubstitution = letter === 0x53 && next !== 0x74;
  const isConversion = letter === 0x63 && next === 0x76;
  if (isSubstitution) {
    readSubstitution(cursor);
    if (cursor.peek() !== 0x49) cursor.fail();
  } else if (isConversion) {
    readConversion(cursor);
    cursor.plain();
  } else {
    if (letter === 0x53) {
      cursor.at += 2;
      cursor.text.addWords("std::");
    }
    readUnqualifiedName(cursor);
  }
  const { ownStart, ownEnd } = cursor;
  cursor.nameReturns = false;
  cursor.nameArgs = undefined;
  if (cursor.peek() === 0x49) {
    if (!isSubstitution) {
      cursor.kind = "plain";
      cursor.hole = 0;
      cursor.remember(start, sourceStart, readsBefore, true);
    }
    readTemplateArgs(cursor);
    cursor.nameReturns = !isConversion;
  }
  cursor.nameQualifiers = "";
  cursor.plain();
  cursor.ownStart = ownStart;
  cursor.ownEnd = ownEnd;
}

/** Reads `Z <encoding> E <entity>`: something inside a function. */
function readLocalName(cursor: Cursor): void {
  const { text } = cursor;
  cursor.enter();
  cursor.at++;
  cursor.grammar.scope(cursor);
  cursor.expect(0x45);
  text.addWords("::");
  if (cursor.take(0x73)) {
    text.addWords("string literal");
    forgetName(cursor);
  } else {
    if (cursor.take(0x64)) {
      text.addWords("{default arg#");
      addCount(cursor);
      text.addWords("}::");
    }
    readName(cursor);
  }
  skipDiscriminator(cursor);
  cursor.leave();
}

/** Reads `C1`, `D0` ..., or `CI1 <type>` for a constructor that is inherited from a base class. */
function readConstructor(cursor: Cursor, ownStart: number, ownEnd: number): void {
  const { text } = cursor;
  const isDestructor = cursor.take(0x44);
  if (!isDestructor) cursor.at++;
  const isInherited = !isDestructor && cursor.take(0x49);
  const variant = cursor.peek();
  cursor.at++;
  if (ownEnd === 0 || variant < 0x30 || variant > 0x39) cursor.fail();
  cursor.countCopied(ownEnd - ownStart);
  if (isDestructor) text.add(0x7e);
  const inherited = isInherited ? cutOwnName(cursor) : "";
  if (inherited === "") text.addBytes(text.bytes, ownStart, ownEnd);
  else text.addWords(inherited);
  readAbiTags(cursor);
}

/** Reads a type and returns what its constructors are called. */
function cutOwnName(cursor: Cursor): string {
  const start = cursor.text.length;
  cursor.isSpelled = cursor.peek() === 0x53;
  cursor.grammar.type(cursor);
  const { ownStart, ownEnd } = cursor;
  const written = cursor.pieces.cut(start);
  return ownEnd === 0 ? "" : written.slice(ownStart - start, ownEnd - start);
}

/** Steps over `_0`, `__10_`, which tell apart things of one name inside one function. */
function skipDiscriminator(cursor: Cursor): void {
  if (cursor.peek() !== 0x5f) return;
  const next = cursor.peekNext();
  if (isDigit(next)) cursor.at += 2;
  else if (next === 0x5f) {
    cursor.at += 2;
    cursor.number();
    cursor.expect(0x5f);
  }
}

function forgetName(cursor: Cursor): void {
  cursor.nameArgs = undefined;
  cursor.nameReturns = false;
  cursor.nameQualifiers = "";
  cursor.plain();
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}

function isDecltype(letter: number): boolean {
  return letter === 0x54 || letter === 0x74;
}

/** Constructors, destructors and conversions, but not the structured bindings behind `DC`. */
function isSpecialPart(letter: number, next: number): boolean {
  return letter === 0x43 || (letter === 0x44 && next !== 0x43) || (letter === 0x63 && next === 0x76);
}
