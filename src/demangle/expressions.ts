/**
 * Owns reading expressions, as they stand in template arguments, array sizes and decltype.
 * Does not own literals and names in expressions, nor the table of operators.
 */
import type { Cursor } from "./cursor.js";
import { type ExpressionText, compound, printOperand, word } from "./expression-text.js";
import { readLiteral } from "./literals.js";
import { findOperator } from "./operators.js";
import { readExpansion } from "./packs.js";
import { readTemplateParam } from "./substitutions.js";
import { type TypeText, printType } from "./type-text.js";
import { readUnresolvedName } from "./unresolved-names.js";

/** Reads one expression. */
export function readExpression(cursor: Cursor): ExpressionText {
  cursor.enter();
  const expression = readAny(cursor);
  cursor.leave();
  return expression;
}

function readAny(cursor: Cursor): ExpressionText {
  const letter = cursor.peek();
  if (letter === 0x4c) return readLiteral(cursor);
  // Why: as an expression a template parameter is no substitution candidate, as a type it is one.
  if (letter === 0x54) return compound(printType(readTemplateParam(cursor)));
  if (letter >= 0x30 && letter <= 0x39) return readUnresolvedName(cursor);
  const letters = cursor.text.slice(cursor.at, Math.min(cursor.at + 2, cursor.end));
  switch (letters) {
    case "sr":
    case "on":
    case "dn":
      return readUnresolvedName(cursor);
    case "gs":
      return readGlobal(cursor);
    case "fp":
      return readFunctionParam(cursor);
    case "fL":
      return isDigit(cursor.text.charCodeAt(cursor.at + 2)) ? readFunctionParam(cursor) : readFold(cursor);
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
    case "cv":
      return readConversion(cursor);
    case "tl":
      return word(readTypeText(cursor) + readBraces(cursor));
    case "il":
      return word(readBraces(cursor));
    case "nw":
    case "na":
      return readNew(cursor);
    case "sc":
      return readNamedCast(cursor, "static_cast");
    case "dc":
      return readNamedCast(cursor, "dynamic_cast");
    case "cc":
      return readNamedCast(cursor, "const_cast");
    case "rc":
      return readNamedCast(cursor, "reinterpret_cast");
    case "st":
      return compound(`sizeof (${readTypeText(cursor)})`);
    case "at":
      return compound(`alignof (${readTypeText(cursor)})`);
    case "ti":
      return compound(`typeid (${readTypeText(cursor)})`);
    case "te":
      return compound(`typeid (${readExpression(cursor).text})`);
    case "nx":
      return compound(`noexcept (${readExpression(cursor).text})`);
    case "sZ":
      return readPackSize(cursor);
    case "sP":
      return readCapturedPackSize(cursor);
    case "sp":
      return compound(readExpansion(cursor, readExpression));
    case "tw":
      return compound(`throw ${printOperand(readExpression(cursor))}`);
    case "tr":
      return compound("throw");
    case "dt":
      return readMember(cursor, ".");
    case "pt":
      return readMember(cursor, "->");
    case "di":
      return compound(`.${readExpression(cursor).text}=${printOperand(readExpression(cursor))}`);
    case "dx":
      return compound(`[${readExpression(cursor).text}]=${printOperand(readExpression(cursor))}`);
    case "dX":
      return readRange(cursor);
    case "ix": {
      const array = printOperand(readExpression(cursor));
      return compound(`${array}[${readExpression(cursor).text}]`);
    }
    case "qu": {
      const condition = printOperand(readExpression(cursor));
      const yes = printOperand(readExpression(cursor));
      return compound(`${condition}?${yes} : ${printOperand(readExpression(cursor))}`);
    }
    default:
      return letter === 0x75 ? readVendorExpression(cursor) : readOperation(cursor, letters);
  }
}

/** Reads the operands of a unary or binary operator. */
function readOperation(cursor: Cursor, letters: string): ExpressionText {
  const operator = findOperator(letters);
  if (operator === undefined || operator.operands === 3) {
    cursor.fail();
    return word("");
  }
  const { symbol } = operator;
  const isStep = letters === "pp" || letters === "mm";
  const isPostfix = isStep && !cursor.take(0x5f);
  const first = readExpression(cursor);
  if (operator.operands === 1) {
    if (isPostfix) return compound(printOperand(first) + symbol);
    // Why: c++filt leaves the parameters of a member out behind `&`, and of nothing else.
    const member = letters === "ad" && first.callee?.isScoped === true ? first.callee.text : undefined;
    return compound(symbol + (member ?? printOperand(first)));
  }
  const text = printOperand(first) + symbol + printOperand(readExpression(cursor));
  return compound(letters === "gt" ? `(${text})` : text);
}

function readMember(cursor: Cursor, separator: string): ExpressionText {
  const object = printOperand(readExpression(cursor));
  return compound(object + separator + printOperand(readExpression(cursor)));
}

function readCall(cursor: Cursor): ExpressionText {
  const called = readExpression(cursor);
  const callee = printOperand(called.callee ?? called);
  return compound(`${callee}(${readList(cursor)})`);
}

/** Reads `cv <type> <expression>` or `cv <type> _ <expression>* E`. */
function readConversion(cursor: Cursor): ExpressionText {
  const type = readTypeText(cursor);
  if (cursor.take(0x5f)) return compound(`(${type})(${readList(cursor)})`);
  return compound(`(${type})${printOperand(readExpression(cursor))}`);
}

function readNamedCast(cursor: Cursor, cast: string): ExpressionText {
  const type = readTypeText(cursor);
  return compound(`${cast}<${type}>(${readExpression(cursor).text})`);
}

/** Reads `nw <placement>* _ <type> [pi <expression>* | il <expression>*] E`. */
function readNew(cursor: Cursor): ExpressionText {
  let placement = "";
  while (!cursor.take(0x5f) && !cursor.failed) {
    placement += (placement === "" ? "" : ", ") + readExpression(cursor).text;
  }
  const text = `new ${placement === "" ? "" : `(${placement}) `}${readTypeText(cursor)}`;
  if (cursor.take(0x45)) return compound(text);
  const letter = cursor.peek();
  const next = cursor.peekNext();
  cursor.at += 2;
  if (letter === 0x70 && next === 0x69) return compound(`${text}(${readList(cursor)})`);
  if (letter !== 0x69 || next !== 0x6c) cursor.fail();
  return compound(text + readBraces(cursor));
}

/** Reads `gs` before `new`, `delete` or a name. */
function readGlobal(cursor: Cursor): ExpressionText {
  cursor.at += 2;
  const { text } = readExpression(cursor);
  return compound(`::${text}`);
}

/** Reads `fp <qualifiers> [<number>] _`, `fL <level> p ...` or `fpT`. */
function readFunctionParam(cursor: Cursor): ExpressionText {
  cursor.at += 2;
  if (cursor.text.charCodeAt(cursor.at - 1) === 0x4c) {
    cursor.number();
    cursor.expect(0x70);
  } else if (cursor.take(0x54)) return word("this");
  while (cursor.take(0x72) || cursor.take(0x56) || cursor.take(0x4b));
  return word(`{parm#${cursor.index(10) + 1}}`);
}

/** Reads `fl`, `fr` with one operand or `fL`, `fR` with two. */
function readFold(cursor: Cursor): ExpressionText {
  const direction = cursor.text.charAt(cursor.at + 1);
  const operator = findOperator(cursor.text.slice(cursor.at + 2, Math.min(cursor.at + 4, cursor.end)));
  cursor.at += 4;
  if (operator === undefined || operator.operands === 1) cursor.fail();
  const symbol = operator?.symbol ?? "";
  const first = printOperand(readExpression(cursor));
  switch (direction) {
    case "l":
      return compound(`(...${symbol}${first})`);
    case "r":
      return compound(`(${first}${symbol}...)`);
    default:
      return compound(`(${first}${symbol}...${symbol}${printOperand(readExpression(cursor))})`);
  }
}

/** Reads `sZ` with a template parameter, whose count is known, or a function parameter, whose count is not. */
function readPackSize(cursor: Cursor): ExpressionText {
  if (cursor.peek() !== 0x54) return compound(`sizeof...(${readExpression(cursor).text})`);
  const { length, text } = readCounted(cursor, readTemplateParam);
  return compound(length < 0 ? `sizeof...(${text})` : String(length));
}

/** Reads `sP <template-arg>* E`. */
function readCapturedPackSize(cursor: Cursor): ExpressionText {
  let count = 0;
  while (!cursor.take(0x45) && !cursor.failed) {
    const isExpansion = cursor.peek() === 0x44 && cursor.peekNext() === 0x70;
    if (isExpansion) cursor.at += 2;
    const { length } = readCounted(cursor, cursor.grammar.type);
    count += isExpansion && length >= 0 ? length : 1;
  }
  return compound(String(count));
}

/** Reads a type and how many elements the pack in it has; -1 when there is none. */
function readCounted(
  cursor: Cursor,
  readPattern: (cursor: Cursor) => TypeText,
): { readonly text: string; readonly length: number } {
  const { packIndex, packLength } = cursor;
  cursor.packIndex = 0;
  cursor.packLength = -1;
  const text = printType(readPattern(cursor));
  const length = cursor.packLength;
  cursor.packIndex = packIndex;
  cursor.packLength = packLength;
  return { text, length };
}

function readRange(cursor: Cursor): ExpressionText {
  const first = readExpression(cursor).text;
  const last = readExpression(cursor).text;
  return compound(`[${first} ... ${last}]=${printOperand(readExpression(cursor))}`);
}

/** Reads `u <name> <template-arg>* E`. */
function readVendorExpression(cursor: Cursor): ExpressionText {
  cursor.at--;
  const name = cursor.grammar.unqualifiedName(cursor);
  let text = "";
  while (!cursor.take(0x45) && !cursor.failed)
    text += (text === "" ? "" : ", ") + cursor.grammar.argument(cursor);
  return compound(`${name}(${text})`);
}

function readBraces(cursor: Cursor): string {
  return `{${readList(cursor)}}`;
}

/** Reads expressions up to `E`. */
function readList(cursor: Cursor): string {
  let text = "";
  while (!cursor.take(0x45) && !cursor.failed) {
    const item = readExpression(cursor).text;
    if (item !== "") text += text === "" ? item : `, ${item}`;
  }
  return text;
}

function readTypeText(cursor: Cursor): string {
  return printType(cursor.grammar.type(cursor));
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}
