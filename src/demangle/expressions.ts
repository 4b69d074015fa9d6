/**
 * Owns reading expressions, as they stand in template arguments, array sizes and decltype.
 * Does not own literals and names in expressions, nor the table of operators.
 */
import type { Cursor } from "./cursor.js";
import { closeCompound, closeWord, enclose, encloseOperand, keepCallee } from "./expression-text.js";
import { readLiteral } from "./literals.js";
import { findOperator } from "./operators.js";
import { readCapturedPackSize, readExpansion, readPackSize } from "./packs.js";
import { readTemplateParam } from "./substitutions.js";
import { readUnresolvedName } from "./unresolved-names.js";

/** Reads one expression. */
export function readExpression(cursor: Cursor): void {
  cursor.enter();
  readAny(cursor);
  cursor.leave();
}

function readAny(cursor: Cursor): void {
  const letter = cursor.peek();
  if (letter === 0x4c) return readLiteral(cursor);
  // Why: as an expression a template parameter is no substitution candidate, as a type it is one.
  if (letter === 0x54) {
    readTemplateParam(cursor);
    return closeCompound(cursor);
  }
  if (isDigit(letter)) return readUnresolvedName(cursor);
  const letters = cursor.peekLetters();
  switch (letters) {
    case "sr":
    case "on":
    case "dn":
      return readUnresolvedName(cursor);
    case "fp":
      return readFunctionParam(cursor);
    case "fL":
      return isDigit(cursor.symbol[cursor.at + 2] ?? 0) ? readFunctionParam(cursor) : readFold(cursor);
    case "fl":
    case "fr":
    case "fR":
      return readFold(cursor);
  }
  cursor.at += 2;
  switch (letters) {
    case "cl":
    case "cp":
      return readCall(cursor);
    case "tl":
      cursor.grammar.type(cursor);
      return readBraces(cursor);
    case "il":
      return readBraces(cursor);
    case "sZ":
      return readPackSize(cursor, readExpression);
    case "sP":
      return readCapturedPackSize(cursor);
  }
  readCompound(cursor, letters);
  closeCompound(cursor);
}

/** Reads an expression that needs brackets as an operand, from behind its letters. */
function readCompound(cursor: Cursor, letters: string): void {
  const { text } = cursor;
  switch (letters) {
    case "gs":
      text.addWords("::");
      return readExpression(cursor);
    case "cv":
      return readConversion(cursor);
    case "nw":
    case "na":
      return readNew(cursor);
    case "sc":
      return readNamedCast(cursor, "static_cast<");
    case "dc":
      return readNamedCast(cursor, "dynamic_cast<");
    case "cc":
      return readNamedCast(cursor, "const_cast<");
    case "rc":
      return readNamedCast(cursor, "reinterpret_cast<");
    case "st":
      return readInBrackets(cursor, "sizeof (", cursor.grammar.type);
    case "at":
      return readInBrackets(cursor, "alignof (", cursor.grammar.type);
    case "ti":
      return readInBrackets(cursor, "typeid (", cursor.grammar.type);
    case "te":
      return readInBrackets(cursor, "typeid (", readExpression);
    case "nx":
      return readInBrackets(cursor, "noexcept (", readExpression);
    case "sp":
      return readExpansion(cursor, readExpression);
    case "tw":
      text.addWords("throw ");
      return readOperand(cursor);
    case "tr":
      return text.addWords("throw");
    case "dt":
      return readPair(cursor, readOperand, ".");
    case "pt":
      return readPair(cursor, readOperand, "->");
    case "di":
      text.add(0x2e);
      return readPair(cursor, readExpression, "=");
    case "dx":
      text.add(0x5b);
      return readPair(cursor, readExpression, "]=");
    case "dX":
      text.add(0x5b);
      readExpression(cursor);
      text.addWords(" ... ");
      return readPair(cursor, readExpression, "]=");
    case "ix":
      readOperand(cursor);
      return readInBrackets(cursor, "[", readExpression, "]");
    case "qu":
      readOperand(cursor);
      text.add(0x3f);
      return readPair(cursor, readOperand, " : ");
    default:
      return letters.startsWith("u") ? readVendorExpression(cursor) : readOperation(cursor, letters);
  }
}

/** Reads the operands of a unary or binary operator. */
function readOperation(cursor: Cursor, letters: string): void {
  const { text } = cursor;
  const operator = findOperator(letters);
  if (operator === undefined || operator.operands === 3) return cursor.fail();
  const { symbol, operands } = operator;
  const start = text.length;
  const isStep = letters === "pp" || letters === "mm";
  const isPostfix = isStep && !cursor.take(0x5f);
  const isPrefix = operands === 1 && !isPostfix;
  if (isPrefix) text.addWords(symbol);
  // Why: c++filt leaves the parameters of a member out behind `&`, and of nothing else.
  if (letters === "ad") readAddressed(cursor);
  else readOperand(cursor);
  if (isPrefix) return;
  text.addWords(symbol);
  if (operands === 1) return;
  readOperand(cursor);
  if (letters === "gt") enclose(cursor, start);
}

function readAddressed(cursor: Cursor): void {
  const start = cursor.text.length;
  readExpression(cursor);
  if (cursor.calleeEnd > 0 && cursor.isCalleeScoped) keepCallee(cursor, start);
  else encloseOperand(cursor, start);
}

function readOperand(cursor: Cursor): void {
  const start = cursor.text.length;
  readExpression(cursor);
  encloseOperand(cursor, start);
}

/** Reads something, writes what stands behind it, and reads an operand. */
function readPair(cursor: Cursor, readFirst: (cursor: Cursor) => void, between: string): void {
  readFirst(cursor);
  cursor.text.addWords(between);
  readOperand(cursor);
}

function readInBrackets(cursor: Cursor, left: string, read: (cursor: Cursor) => void, right = ")"): void {
  cursor.text.addWords(left);
  read(cursor);
  cursor.text.addWords(right);
}

function readCall(cursor: Cursor): void {
  const start = cursor.text.length;
  readExpression(cursor);
  if (cursor.calleeEnd > 0) keepCallee(cursor, start);
  encloseOperand(cursor, start);
  readInBrackets(cursor, "(", readList);
  closeCompound(cursor);
}

/** Reads `cv <type> <expression>` or `cv <type> _ <expression>* E`. */
function readConversion(cursor: Cursor): void {
  readInBrackets(cursor, "(", cursor.grammar.type);
  if (cursor.take(0x5f)) readInBrackets(cursor, "(", readList);
  else readOperand(cursor);
}

function readNamedCast(cursor: Cursor, cast: string): void {
  readInBrackets(cursor, cast, cursor.grammar.type, ">");
  readInBrackets(cursor, "(", readExpression);
}

/** Reads `nw <placement>* _ <type> [pi <expression>* | il <expression>*] E`. */
function readNew(cursor: Cursor): void {
  const { text } = cursor;
  text.addWords("new ");
  const start = text.length;
  while (!cursor.take(0x5f) && !cursor.failed) {
    text.addWords(text.length === start ? "(" : ", ");
    readExpression(cursor);
  }
  if (text.length > start) text.addWords(") ");
  cursor.grammar.type(cursor);
  if (cursor.take(0x45)) return;
  const letters = cursor.peekLetters();
  cursor.at += 2;
  if (letters === "pi") return readInBrackets(cursor, "(", readList);
  if (letters !== "il") cursor.fail();
  readBraces(cursor);
}

/** Reads `fp <qualifiers> [<number>] _`, `fL <level> p ...` or `fpT`. */
function readFunctionParam(cursor: Cursor): void {
  const { text } = cursor;
  cursor.at += 2;
  closeWord(cursor);
  if (cursor.symbol[cursor.at - 1] === 0x4c) {
    cursor.number();
    cursor.expect(0x70);
  } else if (cursor.take(0x54)) return text.addWords("this");
  while (cursor.take(0x72) || cursor.take(0x56) || cursor.take(0x4b));
  text.addWords(`{parm#${cursor.index(10) + 1}}`);
}

/** Reads `fl`, `fr` with one operand or `fL`, `fR` with two. */
function readFold(cursor: Cursor): void {
  const { text } = cursor;
  const direction = cursor.peekNext();
  cursor.at += 2;
  const operator = findOperator(cursor.peekLetters());
  cursor.at += 2;
  if (operator === undefined || operator.operands === 1) cursor.fail();
  const symbol = operator?.symbol ?? "";
  const isLeft = direction === 0x6c;
  const isRight = direction === 0x72;
  text.addWords(isLeft ? `(...${symbol}` : "(");
  readOperand(cursor);
  if (!isLeft) text.addWords(`${symbol}...`);
  if (!isLeft && !isRight) {
    text.addWords(symbol);
    readOperand(cursor);
  }
  text.add(0x29);
  closeCompound(cursor);
}

/** Reads `u <name> <template-arg>* E`. */
function readVendorExpression(cursor: Cursor): void {
  cursor.at--;
  cursor.grammar.unqualifiedName(cursor);
  readInBrackets(cursor, "(", readArguments);
}

function readBraces(cursor: Cursor): void {
  readInBrackets(cursor, "{", readList, "}");
  closeWord(cursor);
}

/** Reads expressions up to `E`. */
function readList(cursor: Cursor): void {
  const listStart = cursor.text.length;
  while (!cursor.take(0x45) && !cursor.failed) {
    const mark = cursor.separate(listStart);
    readExpression(cursor);
    cursor.closeItem(mark, listStart);
  }
}

/** Reads template arguments up to `E`. */
function readArguments(cursor: Cursor): void {
  const listStart = cursor.text.length;
  while (!cursor.take(0x45) && !cursor.failed) {
    cursor.separate(listStart);
    cursor.grammar.argument(cursor);
  }
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
