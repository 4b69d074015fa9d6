/**
 * Owns reading the last part of a C++ name: identifiers, operators, lambdas, unnamed types, structured bindings and
 * their ABI tags. Does not own scopes.
 */
import type { Cursor } from "./cursor.js";
import { findOperator, printOperatorName } from "./operators.js";
import { readTemplateArgs } from "./template-args.js";

/** Reads a name without scope, and leaves in the cursor what a constructor of it is called. */
export function readUnqualifiedName(cursor: Cursor): void {
  const { text } = cursor;
  const letter = cursor.peek();
  if (isDigit(letter)) {
    const start = text.length;
    readSourceName(cursor);
    cursor.ownStart = start;
    cursor.ownEnd = text.length;
    if (cursor.peek() === 0x42) readAbiTags(cursor);
    return;
  }
  const module = letter === 0x57 ? cutModule(cursor) : "";
  // Why: `F` marks a friend that belongs to its class since it is constrained.
  if (letter === 0x46) cursor.at++;
  const start = text.length;
  readBareName(cursor);
  cursor.plain();
  cursor.ownStart = start;
  cursor.ownEnd = text.length;
  readAbiTags(cursor);
  text.addWords(module);
}

/** Reads an identifier: its length in decimal, and so many letters. */
export function readSourceName(cursor: Cursor): void {
  const length = cursor.number();
  const { at: start, symbol, text } = cursor;
  if (length === 0 || start + length > cursor.end) return cursor.fail();
  cursor.at = start + length;
  // Why: compilers name anonymous namespaces `_GLOBAL__N_1`, with `.` or `$` where assemblers take them.
  if (length >= 10 && symbol[start] === 0x5f && symbol[start + 9] === 0x4e && beginsGlobal(symbol, start))
    text.addWords("(anonymous namespace)");
  else text.addBytes(symbol, start, start + length);
}

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
  const { text, pieces } = cursor;
  cursor.at += 2;
  text.addWords("operator ");
  const start = text.length;
  const sourceStart = cursor.at;
  const readsBefore = cursor.paramReads;
  const firstCandidate = cursor.candidateCount;
  const { inConversion, isUnresolved } = cursor;
  cursor.inConversion = true;
  cursor.isUnresolved = false;
  cursor.grammar.type(cursor);
  if (cursor.paramReads !== readsBefore && cursor.peek() === 0x49) {
    const { params } = cursor;
    const source = { sourceStart, sourceEnd: cursor.at, isPrefix: false };
    const lastCandidate = cursor.candidateCount;
    pieces.drop(start);
    cursor.frozen++;
    readTemplateArgs(cursor);
    pieces.drop(start);
    cursor.frozen--;
    cursor.params = cursor.nameArgs;
    cursor.inConversion = false;
    if (!cursor.failed) cursor.at = source.sourceEnd;
    for (let index = firstCandidate; index < lastCandidate && !cursor.failed; index++) {
      const candidate = cursor.candidate(index);
      if (candidate === undefined || candidate.sourceStart === 0) continue;
      cursor.readAgain(candidate);
      cursor.replaceCandidate(index, cursor.piece(start));
      pieces.drop(start);
    }
    cursor.readAgain(source);
    cursor.params = params;
  } else if (cursor.isUnresolved && !inConversion) cursor.fail();
  cursor.inConversion = inConversion;
  cursor.isUnresolved = isUnresolved;
}

/** Reads the number of a parameter, lambda ..., of which `_` is the first, and writes it as people count. */
export function addCount(cursor: Cursor): void {
  cursor.text.addWords(String(cursor.index(10) + 1));
}

function readBareName(cursor: Cursor): void {
  const letter = cursor.peek();
  if (isDigit(letter)) return readSourceName(cursor);
  if (letter >= 0x61 && letter <= 0x7a) return readOperatorName(cursor);
  const next = cursor.peekNext();
  if (letter === 0x4c) {
    cursor.at++;
    return readBareName(cursor);
  }
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
  const { text } = cursor;
  const letters = cursor.peekLetters();
  if (letters === "cv") return readConversion(cursor);
  cursor.at += 2;
  if (letters === "li") {
    text.addWords('operator"" ');
    return readSourceName(cursor);
  }
  if (letters.startsWith("v") && isDigit(letters.charCodeAt(1))) {
    text.addWords("operator ");
    return readSourceName(cursor);
  }
  const operator = findOperator(letters);
  if (operator === undefined) return cursor.fail();
  const name = printOperatorName(operator);
  text.addWords(name);
  // Why: `operator<<int>` would read as another operator.
  if (name.endsWith("<") && cursor.peek() === 0x49) text.add(0x20);
}

/** Reads `Ul <parameters> E [<number>] _`. */
function readLambda(cursor: Cursor): void {
  const { inLambda, text } = cursor;
  cursor.inLambda = true;
  text.addWords("{lambda");
  cursor.grammar.parameters(cursor);
  cursor.inLambda = inLambda;
  cursor.expect(0x45);
  text.add(0x23);
  addCount(cursor);
  text.add(0x7d);
}

/** Reads `DC <name>+ E`: a structured binding. */
function readBinding(cursor: Cursor): void {
  const { text } = cursor;
  text.add(0x5b);
  const listStart = text.length;
  do {
    cursor.separate(listStart);
    readSourceName(cursor);
  } while (!cursor.take(0x45) && !cursor.failed);
  text.add(0x5d);
}

/** Reads `W <name>` and `WP <name>`, the parts of a module's name. */
function cutModule(cursor: Cursor): string {
  const { text, pieces } = cursor;
  const start = text.length;
  const sourceStart = cursor.at;
  while (cursor.take(0x57)) {
    if (cursor.take(0x50)) text.add(0x3a);
    else if (text.length > start) text.add(0x2e);
    readSourceName(cursor);
    cursor.plain();
    cursor.remember(start, sourceStart, cursor.paramReads, true);
  }
  return `@${pieces.cut(start)}`;
}

function beginsGlobal(symbol: Uint8Array, start: number): boolean {
  const begin = "_GLOBAL_";
  for (let index = 0; index < begin.length; index++)
    if (symbol[start + index] !== begin.charCodeAt(index)) return false;
  return true;
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
