/**
 * Owns what a C++ symbol abbreviates: `S_`, `S0_` ... for earlier parts, `Sa`, `Ss` ... for names of the standard
 * library, `T_`, `T0_` ... for template parameters. Does not own the parts that they stand for.
 */
import type { Cursor } from "./cursor.js";
import type { Piece } from "./pieces.js";

interface Standard {
  readonly short: string;
  readonly name: string;
  /** Behind the name when a constructor or destructor follows, which the short name does not have. */
  readonly templateArgs: string;
}

// Spec: Itanium C++ ABI 5.1.8.
const standard: Readonly<Record<number, Standard>> = {
  [0x61]: { short: "allocator", name: "allocator", templateArgs: "" },
  [0x62]: { short: "basic_string", name: "basic_string", templateArgs: "" },
  [0x73]: {
    short: "string",
    name: "basic_string",
    templateArgs: "<char, std::char_traits<char>, std::allocator<char> >",
  },
  [0x69]: { short: "istream", name: "basic_istream", templateArgs: "<char, std::char_traits<char> >" },
  [0x6f]: { short: "ostream", name: "basic_ostream", templateArgs: "<char, std::char_traits<char> >" },
  [0x64]: { short: "iostream", name: "basic_iostream", templateArgs: "<char, std::char_traits<char> >" },
};

/** Reads a substitution, from `S` on; `St` is a scope, not a type, and is read by names. */
export function readSubstitution(cursor: Cursor): void {
  cursor.at++;
  const letter = cursor.peek();
  const { isSpelled } = cursor;
  cursor.isSpelled = false;
  if (letter >= 0x61 && letter <= 0x7a) return readStandard(cursor, letter, isSpelled);
  const candidate = cursor.candidate(cursor.index(36));
  if (candidate === undefined) return cursor.fail();
  if (candidate.sourceStart === 0) return cursor.copy(candidate);
  cursor.paramReads++;
  // Why: `S_` for `T` means the `T` of the place where it stands: that of another template, `auto` in a lambda's
  // parameters, one element inside a pack's expansion.
  const isBound = candidate.params === cursor.params && !cursor.inLambda && cursor.packIndex < 0;
  if (isBound) return cursor.copy(candidate);
  cursor.enter();
  cursor.readAgain(candidate);
  cursor.leave();
}

function readStandard(cursor: Cursor, letter: number, isWantedSpelled: boolean): void {
  const { text } = cursor;
  cursor.at++;
  const found = standard[letter];
  if (found === undefined) return cursor.fail();
  const next = cursor.peek();
  const after = cursor.peekNext();
  const isConstructor = next === 0x43 || (next === 0x44 && after >= 0x30 && after <= 0x39);
  const isSpelled = isConstructor || isWantedSpelled;
  text.addWords("std::");
  cursor.plain();
  const start = text.length;
  text.addWords(isSpelled ? found.name : found.short);
  if (isSpelled || found.short === found.name) {
    cursor.ownStart = start;
    cursor.ownEnd = text.length;
  }
  if (isSpelled) text.addWords(found.templateArgs);
}

/** Reads a template parameter, from `T` on. */
export function readTemplateParam(cursor: Cursor): void {
  cursor.at++;
  const index = cursor.index(10);
  cursor.paramReads++;
  if (cursor.inLambda) {
    cursor.text.addWords(`auto:${index + 1}`);
    return cursor.plain();
  }
  const argument = elementOf(cursor.params, index);
  if (argument === undefined) {
    // Why: the arguments of a conversion operator come behind its type, which is then read again.
    cursor.isUnresolved = true;
    if (!cursor.inConversion) cursor.fail();
    return cursor.plain();
  }
  if (argument.kind !== "pack") return cursor.copy(argument);
  if (cursor.packLength < 0) cursor.packLength = lengthOf(argument);
  const element = elementOf(argument, Math.max(0, cursor.packIndex));
  if (element !== undefined) return cursor.copy(element);
  if (cursor.packIndex !== 0 || cursor.packLength > 0) cursor.fail();
  cursor.plain();
}

function elementOf(pack: Piece | undefined, index: number): Piece | undefined {
  let element = pack?.first;
  for (let left = index; left > 0 && element !== undefined; left--) element = element.next;
  return element;
}

function lengthOf(pack: Piece): number {
  let length = 0;
  for (let element = pack.first; element !== undefined; element = element.next) length++;
  return length;
}
