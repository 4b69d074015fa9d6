/**
 * Owns reading expressions, as they stand in template arguments, array sizes and decltype.
 * Does not own literals and names in expressions, nor the table of operators.
 */
import { Cursor, isDigit } from "./cursor";
import { closeCompound, closeWord, enclose, encloseOperand, keepCallee } from "./expression-text";
import { readLiteral } from "./literals";
import { countOperands, findOperator } from "./operators";
import { readCapturedPackSize, readExpansion, readPackSize } from "./packs";
import { readTemplateParam } from "./substitutions";
import { readArgument } from "./template-args";
import { readType } from "./types";
import { readUnqualifiedName } from "./unqualified-names";
import { readUnresolvedName } from "./unresolved-names";

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
    case 0x7372: // sr
    case 0x6f6e: // on
    case 0x646e: // dn
      return readUnresolvedName(cursor);
    case 0x6670: // fp
      return readFunctionParam(cursor);
    case 0x664c: // fL
      if (cursor.at + 2 < cursor.end && isDigit(load<u8>(cursor.at + 2))) return readFunctionParam(cursor);
      return readFold(cursor);
    case 0x666c: // fl
    case 0x6672: // fr
    case 0x6652: // fR
      return readFold(cursor);
  }
  cursor.at += 2;
  switch (letters) {
    case 0x636c: // cl
    case 0x6370: // cp
      return readCall(cursor);
    case 0x746c: // tl
      readType(cursor);
      return readBraces(cursor);
    case 0x696c: // il
      return readBraces(cursor);
    case 0x735a: // sZ
      return readPackSize(cursor);
    case 0x7350: // sP
      return readCapturedPackSize(cursor);
  }
  readCompound(cursor, letters);
  closeCompound(cursor);
}

/** Reads an expression that needs brackets as an operand, from behind its letters. */
function readCompound(cursor: Cursor, letters: i32): void {
  const text = cursor.text;
  switch (letters) {
    case 0x6773: // gs
      text.addWords("::");
      return readExpression(cursor);
    case 0x6376: // cv
      return readConversion(cursor);
    case 0x6e77: // nw
    case 0x6e61: // na
      return readNew(cursor);
    case 0x7363: // sc
      return readNamedCast(cursor, "static_cast<");
    case 0x6463: // dc
      return readNamedCast(cursor, "dynamic_cast<");
    case 0x6363: // cc
      return readNamedCast(cursor, "const_cast<");
    case 0x7263: // rc
      return readNamedCast(cursor, "reinterpret_cast<");
    case 0x7374: // st
      return readInBrackets(cursor, "sizeof (", readType, ")");
    case 0x6174: // at
      return readInBrackets(cursor, "alignof (", readType, ")");
    case 0x7469: // ti
      return readInBrackets(cursor, "typeid (", readType, ")");
    case 0x7465: // te
      return readInBrackets(cursor, "typeid (", readExpression, ")");
    case 0x6e78: // nx
      return readInBrackets(cursor, "noexcept (", readExpression, ")");
    case 0x7370: // sp
      return readExpansion(cursor, readExpression);
    case 0x7477: // tw
      text.addWords("throw ");
      return readOperand(cursor);
    case 0x7472: // tr
      return text.addWords("throw");
    case 0x6474: // dt
      return readPair(cursor, readOperand, ".");
    case 0x7074: // pt
      return readPair(cursor, readOperand, "->");
    case 0x6469: // di
      text.add(0x2e);
      return readPair(cursor, readExpression, "=");
    case 0x6478: // dx
      text.add(0x5b);
      return readPair(cursor, readExpression, "]=");
    case 0x6458: // dX
      text.add(0x5b);
      readExpression(cursor);
      text.addWords(" ... ");
      return readPair(cursor, readExpression, "]=");
    case 0x6978: // ix
      readOperand(cursor);
      return readInBrackets(cursor, "[", readExpression, "]");
    case 0x7175: // qu
      readOperand(cursor);
      text.add(0x3f);
      return readPair(cursor, readOperand, " : ");
    default:
      return letters >> 8 === 0x75 ? readVendorExpression(cursor) : readOperation(cursor, letters);
  }
}

/** Reads the operands of a unary or binary operator. */
function readOperation(cursor: Cursor, letters: i32): void {
  const text = cursor.text;
  const symbol = findOperator(letters);
  const operands = countOperands(letters);
  if (symbol.length === 0 || operands === 3) return cursor.fail();
  const start = text.end;
  const isStep = letters === 0x7070 || letters === 0x6d6d;
  const isPostfix = isStep && !cursor.take(0x5f);
  const isPrefix = operands === 1 && !isPostfix;
  if (isPrefix) text.addWords(symbol);
  // Why: c++filt leaves the parameters of a member out behind `&`, and of nothing else.
  if (letters === 0x6164) readAddressed(cursor);
  else readOperand(cursor);
  if (isPrefix) return;
  text.addWords(symbol);
  if (operands === 1) return;
  readOperand(cursor);
  if (letters === 0x6774) enclose(cursor, start);
}

function readAddressed(cursor: Cursor): void {
  const start = cursor.text.end;
  readExpression(cursor);
  if (cursor.calleeEnd > 0 && cursor.isCalleeScoped) keepCallee(cursor, start);
  else encloseOperand(cursor, start);
}

function readOperand(cursor: Cursor): void {
  const start = cursor.text.end;
  readExpression(cursor);
  encloseOperand(cursor, start);
}

/** Reads something, writes what stands behind it, and reads an operand. */
function readPair(cursor: Cursor, readFirst: (cursor: Cursor) => void, between: string): void {
  readFirst(cursor);
  cursor.text.addWords(between);
  readOperand(cursor);
}

function readInBrackets(cursor: Cursor, left: string, read: (cursor: Cursor) => void, right: string): void {
  cursor.text.addWords(left);
  read(cursor);
  cursor.text.addWords(right);
}

function readCall(cursor: Cursor): void {
  const start = cursor.text.end;
  readExpression(cursor);
  if (cursor.calleeEnd > 0) keepCallee(cursor, start);
  encloseOperand(cursor, start);
  readInBrackets(cursor, "(", readList, ")");
  closeCompound(cursor);
}

/** Reads `cv <type> <expression>` or `cv <type> _ <expression>* E`. */
function readConversion(cursor: Cursor): void {
  readInBrackets(cursor, "(", readType, ")");
  if (cursor.take(0x5f)) readInBrackets(cursor, "(", readList, ")");
  else readOperand(cursor);
}

function readNamedCast(cursor: Cursor, cast: string): void {
  readInBrackets(cursor, cast, readType, ">");
  readInBrackets(cursor, "(", readExpression, ")");
}

/** Reads `nw <placement>* _ <type> [pi <expression>* | il <expression>*] E`. */
function readNew(cursor: Cursor): void {
  const text = cursor.text;
  text.addWords("new ");
  const start = text.end;
  while (!cursor.take(0x5f) && !cursor.failed) {
    text.addWords(text.end === start ? "(" : ", ");
    readExpression(cursor);
  }
  if (text.end > start) text.addWords(") ");
  readType(cursor);
  if (cursor.take(0x45)) return;
  const letters = cursor.peekLetters();
  cursor.at += 2;
  if (letters === 0x7069) return readInBrackets(cursor, "(", readList, ")");
  if (letters !== 0x696c) cursor.fail();
  readBraces(cursor);
}

/** Reads `fp <qualifiers> [<number>] _`, `fL <level> p ...` or `fpT`. */
function readFunctionParam(cursor: Cursor): void {
  const text = cursor.text;
  const hasLevel = cursor.peekNext() === 0x4c;
  cursor.at += 2;
  closeWord(cursor);
  if (hasLevel) {
    cursor.number();
    cursor.expect(0x70);
  } else if (cursor.take(0x54)) return text.addWords("this");
  while (cursor.take(0x72) || cursor.take(0x56) || cursor.take(0x4b));
  text.addWords("{parm#");
  text.addNumber(cursor.index(10) + 1);
  text.add(0x7d);
}

/** Reads `fl`, `fr` with one operand or `fL`, `fR` with two. */
function readFold(cursor: Cursor): void {
  const text = cursor.text;
  const direction = cursor.peekNext();
  cursor.at += 2;
  const letters = cursor.peekLetters();
  const symbol = findOperator(letters);
  cursor.at += 2;
  if (symbol.length === 0 || countOperands(letters) === 1) cursor.fail();
  const isLeft = direction === 0x6c;
  const isRight = direction === 0x72;
  text.add(0x28);
  if (isLeft) {
    text.addWords("...");
    text.addWords(symbol);
  }
  readOperand(cursor);
  if (!isLeft) {
    text.addWords(symbol);
    text.addWords("...");
  }
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
  readUnqualifiedName(cursor);
  readInBrackets(cursor, "(", readArguments, ")");
}

function readBraces(cursor: Cursor): void {
  readInBrackets(cursor, "{", readList, "}");
  closeWord(cursor);
}

/** Reads expressions up to `E`. */
function readList(cursor: Cursor): void {
  const listStart = cursor.text.end;
  while (!cursor.take(0x45) && !cursor.failed) {
    const mark = cursor.separate(listStart);
    readExpression(cursor);
    cursor.closeItem(mark, listStart);
  }
}

/** Reads template arguments up to `E`. */
function readArguments(cursor: Cursor): void {
  const listStart = cursor.text.end;
  while (!cursor.take(0x45) && !cursor.failed) {
    cursor.separate(listStart);
    readArgument(cursor);
  }
}
