/**
 * Owns reading the last part of a C++ name: identifiers, operators, lambdas, unnamed types, structured bindings and
 * their ABI tags. Does not own scopes.
 */
import { Cursor, isDigit } from "./cursor";
import { addOperatorName, findOperator } from "./operators";
import { readTemplateArgs } from "./template-args";
import { readParameters, readType } from "./types";

/** Reads a name without scope, and leaves in the cursor what a constructor of it is called. */
export function readUnqualifiedName(cursor: Cursor): void {
  const text = cursor.text;
  const letter = cursor.peek();
  if (isDigit(letter)) {
    const start = text.end;
    readSourceName(cursor);
    cursor.ownStart = start;
    cursor.ownEnd = text.end;
    if (cursor.peek() === 0x42) readAbiTags(cursor);
    return;
  }
  const pieces = cursor.pieces;
  const top = pieces.aside;
  if (letter === 0x57) setModuleAside(cursor);
  // Why: `F` marks a friend that belongs to its class since it is constrained.
  if (letter === 0x46) cursor.at++;
  const start = text.end;
  readBareName(cursor);
  cursor.plain();
  cursor.ownStart = start;
  cursor.ownEnd = text.end;
  readAbiTags(cursor);
  text.addBytes(pieces.aside, top - pieces.aside);
  pieces.aside = top;
}

/** Reads an identifier: its length in decimal, and so many letters. */
export function readSourceName(cursor: Cursor): void {
  const length = <usize>cursor.number();
  const start = cursor.at;
  if (length === 0 || cursor.failed || length > cursor.end - start) return cursor.fail();
  cursor.at = start + length;
  // Why: compilers name anonymous namespaces `_GLOBAL__N_1`, with `.` or `$` where assemblers take them.
  if (length >= 10 && load<u64>(start) === beginOfAnonymous && load<u8>(start + 9) === 0x4e)
    cursor.text.addWords("(anonymous namespace)");
  else cursor.text.addBytes(start, length);
}

/** `_GLOBAL_`, as eight bytes of memory. */
const beginOfAnonymous: u64 = 0x5f4c_4142_4f4c_475f;

/** Reads `B <tag>` any number of times. */
export function readAbiTags(cursor: Cursor): void {
  while (cursor.take(0x42)) {
    cursor.text.addWords("[abi:");
    readSourceName(cursor);
    cursor.text.add(0x5d);
  }
}

/** Reads `cv <type>`: an operator whose template arguments, if it has them, come behind the type that they occur in. */
export function readConversion(cursor: Cursor): void {
  const text = cursor.text;
  const pieces = cursor.pieces;
  cursor.at += 2;
  text.addWords("operator ");
  const start = text.end;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  const firstCandidate = cursor.candidateCount;
  const inConversion = cursor.inConversion;
  const isUnresolved = cursor.isUnresolved;
  cursor.inConversion = true;
  cursor.isUnresolved = false;
  readType(cursor);
  if (cursor.paramReads !== readsBefore && cursor.peek() === 0x49) {
    const params = cursor.params;
    const sourceEnd = cursor.at;
    const lastCandidate = cursor.candidateCount;
    pieces.drop(start);
    cursor.frozen++;
    readTemplateArgs(cursor);
    pieces.drop(start);
    cursor.frozen--;
    cursor.params = cursor.nameArgs;
    cursor.inConversion = false;
    if (!cursor.failed) cursor.at = sourceEnd;
    for (let index = firstCandidate; index < lastCandidate && !cursor.failed; index++) {
      const candidate = cursor.candidate(index);
      if (candidate === null || candidate.sourceStart === 0) continue;
      cursor.readAgain(candidate.sourceStart, candidate.sourceEnd, candidate.isPrefix);
      cursor.replaceCandidate(index, candidate, cursor.piece(start));
      pieces.drop(start);
    }
    cursor.readAgain(sourceStart, sourceEnd, false);
    cursor.params = params;
  } else if (cursor.isUnresolved && !inConversion) cursor.fail();
  cursor.inConversion = inConversion;
  cursor.isUnresolved = isUnresolved;
}

/** Reads the number of a parameter, lambda ..., of which `_` is the first, and writes it as people count. */
export function addCount(cursor: Cursor): void {
  cursor.text.addNumber(cursor.index(10) + 1);
}

function readBareName(cursor: Cursor): void {
  while (cursor.take(0x4c));
  const letter = cursor.peek();
  if (isDigit(letter)) return readSourceName(cursor);
  if (letter >= 0x61 && letter <= 0x7a) return readOperatorName(cursor);
  const next = cursor.peekNext();
  cursor.at += 2;
  if (letter === 0x55 && next === 0x6c) return readLambda(cursor);
  if (letter === 0x55 && next === 0x74) {
    cursor.text.addWords("{unnamed type#");
    addCount(cursor);
    return cursor.text.add(0x7d);
  }
  if (letter === 0x44 && next === 0x43) return readBinding(cursor);
  cursor.fail();
}

function readOperatorName(cursor: Cursor): void {
  const text = cursor.text;
  const letters = cursor.peekLetters();
  if (letters === 0x6376) return readConversion(cursor);
  cursor.at += 2;
  if (letters === 0x6c69) {
    text.addWords('operator"" ');
    return readSourceName(cursor);
  }
  if (letters >> 8 === 0x76 && isDigit(letters & 0xff)) {
    text.addWords("operator ");
    return readSourceName(cursor);
  }
  const operator = findOperator(letters);
  if (operator.length === 0) return cursor.fail();
  addOperatorName(text, operator);
  // Why: `operator<<int>` would read as another operator.
  if (load<u8>(text.end - 1) === 0x3c && cursor.peek() === 0x49) text.add(0x20);
}

/** Reads `Ul <parameters> E [<number>] _`. */
function readLambda(cursor: Cursor): void {
  const text = cursor.text;
  const inLambda = cursor.inLambda;
  cursor.inLambda = true;
  text.addWords("{lambda");
  readParameters(cursor);
  cursor.inLambda = inLambda;
  cursor.expect(0x45);
  text.add(0x23);
  addCount(cursor);
  text.add(0x7d);
}

/** Reads `DC <name>+ E`: a structured binding. */
function readBinding(cursor: Cursor): void {
  const text = cursor.text;
  text.add(0x5b);
  const listStart = text.end;
  do {
    cursor.separate(listStart);
    readSourceName(cursor);
  } while (!cursor.take(0x45) && !cursor.failed);
  text.add(0x5d);
}

/** Reads `W <name>` and `WP <name>`, the parts of a module's name, and sets `@` and the name aside. */
function setModuleAside(cursor: Cursor): void {
  const text = cursor.text;
  const start = text.end;
  const sourceStart = cursor.at;
  while (cursor.take(0x57)) {
    if (cursor.take(0x50)) text.add(0x3a);
    else if (text.end > start) text.add(0x2e);
    readSourceName(cursor);
    cursor.plain();
    cursor.remember(start, sourceStart, cursor.paramReads, true);
  }
  cursor.pieces.cut(start);
  cursor.pieces.setAside("@");
}
