/**
 * Owns reading the last part of a C++ name: identifiers, operators, lambdas, unnamed types, structured bindings and
 * their ABI tags. Does not own scopes.
 */
import type { Cursor } from "./cursor.js";
import { findOperator, printOperatorName } from "./operators.js";
import { readTemplateArgs } from "./template-args.js";
import { plainType, printType } from "./type-text.js";

/** Reads a name without scope, and leaves in `cursor.ownName` what a constructor of it is called. */
export function readUnqualifiedName(cursor: Cursor): string {
  const letter = cursor.peek();
  const module = letter === 0x57 ? readModule(cursor) : "";
  // Why: `F` marks a friend that belongs to its class since it is constrained.
  if (letter === 0x46) cursor.at++;
  const name = isDigit(letter) ? readSourceName(cursor) : readBareName(cursor);
  cursor.ownName = name;
  const text = cursor.peek() === 0x42 ? name + readAbiTags(cursor) : name;
  return module === "" ? text : text + module;
}

/** Reads an identifier: its length in decimal, and so many letters. */
export function readSourceName(cursor: Cursor): string {
  const length = cursor.number();
  const start = cursor.at;
  if (length === 0 || start + length > cursor.end) {
    cursor.fail();
    return "";
  }
  cursor.at = start + length;
  const { text } = cursor;
  // Why: compilers name anonymous namespaces `_GLOBAL__N_1`, with `.` or `$` where assemblers take them.
  if (
    length >= 10 &&
    text.charCodeAt(start) === 0x5f &&
    text.startsWith("_GLOBAL_", start) &&
    text.charCodeAt(start + 9) === 0x4e
  ) {
    return "(anonymous namespace)";
  }
  return text.slice(start, start + length);
}

/** Reads `B <tag>` any number of times. */
export function readAbiTags(cursor: Cursor): string {
  let tags = "";
  while (cursor.take(0x42)) tags += `[abi:${readSourceName(cursor)}]`;
  return tags;
}

/** Reads `cv <type>`: an operator whose template arguments, if it has them, come behind the type that they occur in. */
export function readConversion(cursor: Cursor): string {
  cursor.at += 2;
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  const firstCandidate = cursor.substitutions.length;
  const { inConversion, isUnresolved } = cursor;
  cursor.inConversion = true;
  cursor.isUnresolved = false;
  let type = cursor.grammar.type(cursor);
  if (cursor.paramReads !== readsBefore && cursor.peek() === 0x49) {
    const { params } = cursor;
    const source = { index: firstCandidate, start, end: cursor.at, isPrefix: false, params };
    const lastCandidate = cursor.substitutions.length;
    cursor.frozen++;
    readTemplateArgs(cursor);
    cursor.frozen--;
    cursor.params = cursor.nameArgs;
    cursor.inConversion = false;
    if (!cursor.failed) cursor.at = source.end;
    type = cursor.readAgain(source);
    for (let index = firstCandidate; index < lastCandidate && !cursor.failed; index++) {
      const candidate = cursor.findSource(index);
      if (candidate !== undefined) cursor.substitutions[index] = cursor.readAgain(candidate);
    }
    cursor.params = params;
  } else if (cursor.isUnresolved && !inConversion) cursor.fail();
  cursor.inConversion = inConversion;
  cursor.isUnresolved = isUnresolved;
  return `operator ${printType(type)}`;
}

function readBareName(cursor: Cursor): string {
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
  if (letter === 0x55 && next === 0x74) return `{unnamed type#${cursor.index(10) + 1}}`;
  if (letter === 0x44 && next === 0x43) return readBinding(cursor);
  cursor.fail();
  return "";
}

function readOperatorName(cursor: Cursor): string {
  const letters = cursor.text.slice(cursor.at, cursor.at + 2);
  if (letters === "cv") return readConversion(cursor);
  cursor.at += 2;
  if (letters === "li") return `operator"" ${readSourceName(cursor)}`;
  const digit = letters.charCodeAt(1);
  if (letters.startsWith("v") && isDigit(digit)) return `operator ${readSourceName(cursor)}`;
  const operator = findOperator(letters);
  if (operator === undefined || cursor.at > cursor.end) {
    cursor.fail();
    return "";
  }
  const name = printOperatorName(operator);
  // Why: `operator<<int>` would read as another operator.
  return name.endsWith("<") && cursor.peek() === 0x49 ? `${name} ` : name;
}

/** Reads `Ul <parameters> E [<number>] _`. */
function readLambda(cursor: Cursor): string {
  const { inLambda } = cursor;
  cursor.inLambda = true;
  const parameters = cursor.grammar.parameters(cursor);
  cursor.inLambda = inLambda;
  cursor.expect(0x45);
  return `{lambda${parameters}#${cursor.index(10) + 1}}`;
}

/** Reads `DC <name>+ E`: a structured binding. */
function readBinding(cursor: Cursor): string {
  let names = "";
  do names += (names === "" ? "" : ", ") + readSourceName(cursor);
  while (!cursor.take(0x45) && !cursor.failed);
  return `[${names}]`;
}

/** Reads `W <name>` and `WP <name>`, the parts of a module's name. */
function readModule(cursor: Cursor): string {
  let text = "";
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  while (cursor.take(0x57)) {
    const separator = cursor.take(0x50) ? ":" : text === "" ? "" : ".";
    text += separator + readSourceName(cursor);
    cursor.remember(plainType(text), start, readsBefore, true);
  }
  return `@${text}`;
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
