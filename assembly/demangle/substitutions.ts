/**
 * Owns what a C++ symbol abbreviates: `S_`, `S0_` ... for earlier parts, `Sa`, `Ss` ... for names of the standard
 * library, `T_`, `T0_` ... for template parameters. Does not own the parts that they stand for.
 */
import { Cursor } from "./cursor";
import { Piece, TypeKind } from "./pieces";

/** Reads a substitution, from `S` on; `St` is a scope, not a type, and is read by names. */
export function readSubstitution(cursor: Cursor): void {
  cursor.at++;
  const letter = cursor.peek();
  const isSpelled = cursor.isSpelled;
  cursor.isSpelled = false;
  if (letter >= 0x61 && letter <= 0x7a) return readStandard(cursor, letter, isSpelled);
  const candidate = cursor.candidate(cursor.index(36));
  if (candidate === null) return cursor.fail();
  if (candidate.sourceStart === 0) return cursor.copy(candidate);
  cursor.paramReads++;
  // Why: `S_` for `T` means the `T` of the place where it stands: that of another template, `auto` in a lambda's
  // parameters, one element inside a pack's expansion.
  const isBound = candidate.params === cursor.params && !cursor.inLambda && cursor.packIndex < 0;
  if (isBound) return cursor.copy(candidate);
  cursor.enter();
  cursor.readAgain(candidate.sourceStart, candidate.sourceEnd, candidate.isPrefix);
  cursor.leave();
}

// Spec: Itanium C++ ABI 5.1.8.
function readStandard(cursor: Cursor, letter: i32, isSpelled: bool): void {
  switch (letter) {
    case 0x61: // a
      return addStandard(cursor, isSpelled, "allocator", "allocator", "");
    case 0x62: // b
      return addStandard(cursor, isSpelled, "basic_string", "basic_string", "");
    case 0x73: // s
      return addStandard(
        cursor,
        isSpelled,
        "string",
        "basic_string",
        "<char, std::char_traits<char>, std::allocator<char> >",
      );
    case 0x69: // i
      return addStandard(cursor, isSpelled, "istream", "basic_istream", "<char, std::char_traits<char> >");
    case 0x6f: // o
      return addStandard(cursor, isSpelled, "ostream", "basic_ostream", "<char, std::char_traits<char> >");
    case 0x64: // d
      return addStandard(cursor, isSpelled, "iostream", "basic_iostream", "<char, std::char_traits<char> >");
    default:
      cursor.fail();
  }
}

/** Writes a name of the standard library, long and with its arguments where a constructor or destructor follows. */
function addStandard(cursor: Cursor, isWantedSpelled: bool, short: string, name: string, args: string): void {
  const text = cursor.text;
  cursor.at++;
  const next = cursor.peek();
  const after = cursor.peekNext();
  const isConstructor = next === 0x43 || (next === 0x44 && after >= 0x30 && after <= 0x39);
  const isSpelled = isConstructor || isWantedSpelled;
  text.addWords("std::");
  cursor.plain();
  const start = text.end;
  text.addWords(isSpelled ? name : short);
  if (isSpelled || args.length === 0) {
    cursor.ownStart = start;
    cursor.ownEnd = text.end;
  }
  if (isSpelled) text.addWords(args);
}

/** Reads a template parameter, from `T` on. */
export function readTemplateParam(cursor: Cursor): void {
  cursor.at++;
  const index = cursor.index(10);
  cursor.paramReads++;
  if (cursor.inLambda) {
    cursor.text.addWords("auto:");
    cursor.text.addNumber(index + 1);
    return cursor.plain();
  }
  const argument = elementOf(cursor.params, index);
  if (argument === null) {
    // Why: the arguments of a conversion operator come behind its type, which is then read again.
    cursor.isUnresolved = true;
    if (!cursor.inConversion) cursor.fail();
    return cursor.plain();
  }
  if (argument.kind !== TypeKind.pack) return cursor.copy(argument);
  if (cursor.packLength < 0) cursor.packLength = lengthOf(argument);
  const element = elementOf(argument, max(0, cursor.packIndex));
  if (element !== null) return cursor.copy(element);
  if (cursor.packIndex !== 0 || cursor.packLength > 0) cursor.fail();
  cursor.plain();
}

function elementOf(pack: Piece | null, index: u32): Piece | null {
  if (pack === null) return null;
  let element = pack.first;
  for (let left = index; left > 0 && element !== null; left--) element = element.next;
  return element;
}

function lengthOf(pack: Piece): i32 {
  let length = 0;
  let element = pack.first;
  while (element !== null) {
    length++;
    element = element.next;
  }
  return length;
}
