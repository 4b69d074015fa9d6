/**
 * Owns reading names with their scopes: nested, local and unscoped ones, and whether they are instances of templates.
 * Does not own the last part of a name: that is read by unqualified-names.ts.
 */
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readSubstitution, readTemplateParam } from "./substitutions.js";
import { readTemplateArgs } from "./template-args.js";
import { type TypeText, plainType, printType } from "./type-text.js";
import { readAbiTags, readConversion, readUnqualifiedName } from "./unqualified-names.js";

/**
 * Reads a name and returns its text without the qualifiers of member functions; what else is known about it stands in
 * the cursor's fields `nameArgs`, `nameReturns`, `nameQualifiers` and `ownName`.
 */
export function readName(cursor: Cursor): string {
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
export function readNestedName(cursor: Cursor): string {
  cursor.enter();
  cursor.at++;
  const letter = cursor.peek();
  // Why: names begin with a digit or `S` almost always.
  const qualifiers = isDigit(letter) || letter === 0x53 ? "" : readQualifiers(cursor);
  const { left } = readPrefix(cursor);
  cursor.expect(0x45);
  cursor.nameQualifiers = qualifiers;
  cursor.leave();
  return left;
}

/** Reads the qualifiers of a member function. */
function readQualifiers(cursor: Cursor): string {
  let words = "";
  for (;;) {
    if (cursor.take(0x4b)) words = ` const${words}`;
    else if (cursor.take(0x56)) words = ` volatile${words}`;
    else if (cursor.take(0x72)) words = ` restrict${words}`;
    else break;
  }
  if (cursor.take(0x52)) return `${words} &`;
  return cursor.take(0x4f) ? `${words} &&` : words;
}

/** Reads the parts of a nested name up to its `E`; all but the whole become substitution candidates. */
export function readPrefix(cursor: Cursor): TypeText {
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  let text = "";
  let own = "";
  let isTemplate = false;
  let isSpecial = false;
  let nameArgs: Cursor["nameArgs"];
  for (;;) {
    const letter = cursor.peek();
    let isCandidate = true;
    if (letter === 0x53) {
      isCandidate = false;
      if (cursor.peekNext() === 0x74) {
        cursor.at += 2;
        text = "std";
      } else {
        const type = readSubstitution(cursor);
        text = printType(type);
        own = type.name;
        if (cursor.peek() === 0x42) {
          text += readAbiTags(cursor);
          isCandidate = true;
        }
      }
    } else if (letter === 0x49) {
      if (text === "") cursor.fail();
      text += readTemplateArgs(cursor);
      nameArgs = cursor.nameArgs;
      isTemplate = true;
    } else if (letter === 0x54) text = printType(readTemplateParam(cursor));
    else if (letter === 0x44 && isDecltype(cursor.peekNext())) {
      cursor.at += 2;
      text = `decltype (${readExpression(cursor).text})`;
      cursor.expect(0x45);
    } else if (letter === 0x4d) {
      // Why: `M` marks the member whose initializer holds a lambda; the member itself was the part before.
      cursor.at++;
      continue;
    } else {
      isTemplate = false;
      let name: string;
      if (isDigit(letter)) {
        isSpecial = false;
        name = readUnqualifiedName(cursor);
        own = cursor.ownName;
      } else if (letter === 0x43 || (letter === 0x44 && cursor.peekNext() !== 0x43)) {
        isSpecial = true;
        name = readConstructor(cursor, own);
      } else if (letter === 0x63 && cursor.peekNext() === 0x76) {
        isSpecial = true;
        name = readConversion(cursor);
      } else {
        isSpecial = false;
        name = readUnqualifiedName(cursor);
        own = cursor.ownName;
      }
      text = text === "" ? name : `${text}::${name}`;
    }
    const next = cursor.peek();
    if (next === 0x45 || next === 0) break;
    if (isCandidate) cursor.remember(plainType(text, own), start, readsBefore, true);
  }
  cursor.nameArgs = nameArgs;
  cursor.nameReturns = isTemplate && !isSpecial;
  cursor.nameQualifiers = "";
  cursor.ownName = own;
  return plainType(text, own);
}

/** Reads a name outside of classes and namespaces, or in `std`, and its template arguments. */
function readUnscopedName(cursor: Cursor): string {
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  let text: string;
  let own: string;
  let isCandidate = true;
  let isConversion = false;
  if (cursor.peek() === 0x53) {
    if (cursor.peekNext() === 0x74) {
      cursor.at += 2;
      text = `std::${readUnqualifiedName(cursor)}`;
      own = cursor.ownName;
    } else {
      const type = readSubstitution(cursor);
      text = printType(type);
      own = type.name;
      isCandidate = false;
      if (cursor.peek() !== 0x49) cursor.fail();
    }
  } else if (cursor.peek() === 0x63 && cursor.peekNext() === 0x76) {
    isConversion = true;
    text = readConversion(cursor);
    own = "";
  } else {
    text = readUnqualifiedName(cursor);
    own = cursor.ownName;
  }
  cursor.nameReturns = false;
  cursor.nameArgs = undefined;
  if (cursor.peek() === 0x49) {
    if (isCandidate) cursor.remember(plainType(text, own), start, readsBefore, true);
    text += readTemplateArgs(cursor);
    cursor.nameReturns = !isConversion;
  }
  cursor.nameQualifiers = "";
  cursor.ownName = own;
  return text;
}

/** Reads `Z <encoding> E <entity>`: something inside a function. */
function readLocalName(cursor: Cursor): string {
  cursor.enter();
  cursor.at++;
  const scope = cursor.grammar.scope(cursor);
  cursor.expect(0x45);
  let text: string;
  if (cursor.take(0x73)) {
    text = `${scope}::string literal`;
    forgetName(cursor);
  } else {
    let inArgument = "";
    if (cursor.peek() === 0x64) {
      cursor.at++;
      inArgument = `{default arg#${cursor.index(10) + 1}}::`;
    }
    text = `${scope}::${inArgument}${readName(cursor)}`;
  }
  skipDiscriminator(cursor);
  cursor.leave();
  return text;
}

/** Reads `C1`, `D0` ..., or `CI1 <type>` for a constructor that is inherited from a base class. */
function readConstructor(cursor: Cursor, own: string): string {
  const isDestructor = cursor.peek() === 0x44;
  cursor.at++;
  const isInherited = !isDestructor && cursor.take(0x49);
  const variant = cursor.peek();
  cursor.at++;
  if (own === "" || variant < 0x30 || variant > 0x39) cursor.fail();
  cursor.countCopied(own.length);
  const name = isInherited ? cursor.grammar.type(cursor).name || own : own;
  return (isDestructor ? `~${name}` : name) + readAbiTags(cursor);
}

/** Steps over `_0`, `__10_`, which tell apart things of one name inside one function. */
function skipDiscriminator(cursor: Cursor): void {
  if (cursor.peek() !== 0x5f) return;
  const next = cursor.peekNext();
  if (next >= 0x30 && next <= 0x39) cursor.at += 2;
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
  cursor.ownName = "";
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}

function isDecltype(letter: number): boolean {
  return letter === 0x54 || letter === 0x74;
}
