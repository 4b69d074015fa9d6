/**
 * Owns reading names with their scopes: nested, local and unscoped ones, and whether they are instances of templates.
 * Does not own the last part of a name: that is read by unqualified-names.ts.
 */
import { Cursor, isDigit } from "./cursor";
import { readScope } from "./encodings";
import { readExpression } from "./expressions";
import { Piece, TypeKind } from "./pieces";
import { readSubstitution, readTemplateParam } from "./substitutions";
import { readTemplateArgs } from "./template-args";
import { readType } from "./types";
import { addCount, readAbiTags, readConversion, readUnqualifiedName } from "./unqualified-names";

/**
 * Reads a name and writes it without the qualifiers of member functions; what else is known about it stands in
 * the cursor's fields `nameArgs`, `nameReturns`, `qualifiers`, `qualifiersEnd`, `ownStart` and `ownEnd`.
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
  const start = cursor.at;
  while (cursor.take(0x4b) || cursor.take(0x56) || cursor.take(0x72));
  if (!cursor.take(0x52)) cursor.take(0x4f);
  const end = cursor.at;
  readPrefix(cursor);
  cursor.expect(0x45);
  cursor.qualifiers = start;
  cursor.qualifiersEnd = end;
  cursor.leave();
}

/** Writes the qualifiers of a member function, of which the last one in the symbol comes first, but `&` and `&&`. */
export function addQualifiers(cursor: Cursor, start: usize, end: usize): void {
  const text = cursor.text;
  const last = end > start ? <i32>load<u8>(end - 1) : 0;
  const isReference = last === 0x52 || last === 0x4f;
  for (let at = isReference ? end - 1 : end; at > start; at--) {
    const letter = load<u8>(at - 1);
    text.addWords(letter === 0x4b ? " const" : letter === 0x56 ? " volatile" : " restrict");
  }
  if (isReference) text.addWords(last === 0x52 ? " &" : " &&");
}

/** Reads the parts of a nested name up to its `E`; all but the whole become substitution candidates. */
export function readPrefix(cursor: Cursor): void {
  const text = cursor.text;
  const start = text.end;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  let ownStart: usize = 0;
  let ownEnd: usize = 0;
  let isTemplate = false;
  let isSpecial = false;
  let nameArgs: Piece | null = null;
  while (true) {
    const letter = cursor.peek();
    let isCandidate = true;
    if (letter === 0x49) {
      if (text.end === start) cursor.fail();
      readTemplateArgs(cursor);
      nameArgs = cursor.nameArgs;
      isTemplate = true;
    } else if (letter === 0x4d) {
      // Why: `M` marks the member whose initializer holds a lambda; the member itself was the part before.
      cursor.at++;
      continue;
    } else if (isFirstPart(cursor, letter)) {
      if (text.end > start) cursor.fail();
      isCandidate = readFirstPart(cursor, letter);
      if (letter === 0x53) {
        ownStart = cursor.ownStart;
        ownEnd = cursor.ownEnd;
      }
    } else {
      isTemplate = false;
      if (text.end > start) {
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
  cursor.qualifiers = cursor.qualifiersEnd = 0;
}

/** A part that only the start of a name can be: a substitution, a template parameter, `decltype`. */
function isFirstPart(cursor: Cursor, letter: i32): bool {
  return letter === 0x53 || letter === 0x54 || (letter === 0x44 && isDecltype(cursor.peekNext()));
}

/** Reads such a part; says whether it is a candidate of its own as a prefix. */
function readFirstPart(cursor: Cursor, letter: i32): bool {
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
  const start = cursor.text.end;
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
  const ownStart = cursor.ownStart;
  const ownEnd = cursor.ownEnd;
  cursor.nameReturns = false;
  cursor.nameArgs = null;
  if (cursor.peek() === 0x49) {
    if (!isSubstitution) {
      cursor.kind = TypeKind.plain;
      cursor.hole = 0;
      cursor.remember(start, sourceStart, readsBefore, true);
    }
    readTemplateArgs(cursor);
    cursor.nameReturns = !isConversion;
  }
  cursor.qualifiers = cursor.qualifiersEnd = 0;
  cursor.plain();
  cursor.ownStart = ownStart;
  cursor.ownEnd = ownEnd;
}

/** Reads `Z <encoding> E <entity>`: something inside a function. */
function readLocalName(cursor: Cursor): void {
  const text = cursor.text;
  cursor.enter();
  cursor.at++;
  readScope(cursor);
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
function readConstructor(cursor: Cursor, ownStart: usize, ownEnd: usize): void {
  const text = cursor.text;
  const isDestructor = cursor.take(0x44);
  if (!isDestructor) cursor.at++;
  const isInherited = !isDestructor && cursor.take(0x49);
  const variant = cursor.peek();
  cursor.at++;
  if (ownEnd === 0 || !isDigit(variant)) cursor.fail();
  cursor.countCopied(ownEnd - ownStart);
  if (isDestructor) text.add(0x7e);
  if (!isInherited || !readInherited(cursor)) text.addBytes(ownStart, ownEnd - ownStart);
  readAbiTags(cursor);
}

/** Reads a type and writes what its constructors are called; false when they have no name. */
function readInherited(cursor: Cursor): bool {
  const pieces = cursor.pieces;
  const top = pieces.aside;
  const start = cursor.text.end;
  cursor.isSpelled = cursor.peek() === 0x53;
  readType(cursor);
  const ownStart = cursor.ownStart;
  const ownEnd = cursor.ownEnd;
  pieces.cut(start);
  const isNamed = ownEnd > ownStart && ownStart >= start;
  if (isNamed) cursor.text.addBytes(pieces.aside + (ownStart - start), ownEnd - ownStart);
  pieces.aside = top;
  return isNamed;
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
  cursor.nameArgs = null;
  cursor.nameReturns = false;
  cursor.qualifiers = cursor.qualifiersEnd = 0;
  cursor.plain();
}

function isDecltype(letter: i32): bool {
  return letter === 0x54 || letter === 0x74;
}

/** Constructors, destructors and conversions, but not the structured bindings behind `DC`. */
function isSpecialPart(letter: i32, next: i32): bool {
  return letter === 0x43 || (letter === 0x44 && next !== 0x43) || (letter === 0x63 && next === 0x76);
}
