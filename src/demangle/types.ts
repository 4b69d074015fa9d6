/**
 * Owns reading types: qualifiers, pointers, arrays, functions, decltype, and all that is written behind `D`.
 * Does not own names of classes, template arguments or expressions.
 */
import { findBuiltinType, findExtendedType } from "./builtin-types.js";
import type { Cursor } from "./cursor.js";
import type { ExpressionText } from "./expression-text.js";
import { readExpression } from "./expressions.js";
import { readName, readNestedName } from "./names.js";
import { readExpansion } from "./packs.js";
import { readSubstitution, readTemplateParam } from "./substitutions.js";
import { readTemplateArgs } from "./template-args.js";
import {
  type TypeText,
  arrayOf,
  functionOf,
  memberPointer,
  plainType,
  pointerTo,
  printType,
  qualifiedType,
  referenceTo,
} from "./type-text.js";
import { readAbiTags, readSourceName } from "./unqualified-names.js";

/** Reads a type; all but built-in ones and substitutions become substitution candidates. */
export function readType(cursor: Cursor): TypeText {
  const builtin = findBuiltinType(cursor.peek());
  if (builtin !== undefined) {
    cursor.at++;
    return builtin;
  }
  cursor.enter();
  const type = readCompoundType(cursor);
  cursor.leave();
  return type;
}

/** Reads the parameters of a function up to a letter that no type starts with, and prints them with brackets. */
export function readParameters(cursor: Cursor): string {
  if (cursor.take(0x76)) {
    if (isSignatureEnd(cursor)) return "()";
    cursor.fail();
  }
  let text = "";
  do {
    const printed = printType(readType(cursor));
    if (printed !== "") text += text === "" ? printed : `, ${printed}`;
  } while (!isSignatureEnd(cursor));
  return `(${text})`;
}

function readCompoundType(cursor: Cursor): TypeText {
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  let type: TypeText;
  switch (cursor.peek()) {
    case 0x50: // P
      cursor.at++;
      type = pointerTo(readType(cursor));
      break;
    case 0x52: // R
      cursor.at++;
      type = referenceTo(readType(cursor), "lvalue");
      break;
    case 0x4f: // O
      cursor.at++;
      type = referenceTo(readType(cursor), "rvalue");
      break;
    case 0x4b: // K
    case 0x56: // V
    case 0x72: // r
      type = readQualified(cursor);
      break;
    case 0x53: // S
      if (cursor.peekNext() !== 0x74) {
        type = readSubstitution(cursor);
        const next = cursor.peek();
        if (next === 0x42) type = plainType(type.left + readAbiTags(cursor), type.name);
        else if (next === 0x49) type = plainType(type.left + readTemplateArgs(cursor), type.name);
        else return type;
      } else type = readNamed(cursor);
      break;
    case 0x54: // T
      if (isElaborated(cursor.peekNext())) cursor.at += 2;
      if (cursor.at === start) return readParamType(cursor);
      type = readNamed(cursor);
      break;
    case 0x46: // F
      type = readFunction(cursor, "");
      break;
    case 0x41: // A
      type = readArray(cursor);
      break;
    case 0x4d: {
      // M
      cursor.at++;
      const owner = printType(readType(cursor));
      type = memberPointer(owner, readType(cursor));
      break;
    }
    case 0x44: // D
      if (!isFunctionQualifier(cursor.peekNext())) return readExtended(cursor);
      type = readQualified(cursor);
      break;
    case 0x43: // C
      cursor.at++;
      type = qualifiedType(readType(cursor), " _Complex");
      break;
    case 0x47: // G
      cursor.at++;
      type = qualifiedType(readType(cursor), " _Imaginary");
      break;
    case 0x55: {
      // U, a vendor's qualifier
      cursor.at++;
      let words = ` ${readSourceName(cursor)}`;
      if (cursor.peek() === 0x49) words += readTemplateArgs(cursor);
      type = qualifiedType(readType(cursor), words);
      break;
    }
    case 0x75: {
      // u, a vendor's type
      cursor.at++;
      const name = readSourceName(cursor);
      type = plainType(cursor.peek() === 0x49 ? name + readTemplateArgs(cursor) : name);
      break;
    }
    default:
      type = readNamed(cursor);
  }
  cursor.remember(type, start, readsBefore, false);
  return type;
}

function readNamed(cursor: Cursor): TypeText {
  if (cursor.peek() === 0x4e) {
    const text = readNestedName(cursor);
    return plainType(text + cursor.nameQualifiers, cursor.ownName);
  }
  const text = readName(cursor);
  return plainType(text, cursor.ownName);
}

/** Reads a template parameter as a type, and its own arguments if it is a template. */
function readParamType(cursor: Cursor): TypeText {
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  const param = readTemplateParam(cursor);
  cursor.remember(param, start, readsBefore, false);
  if (cursor.peek() !== 0x49) return param;
  // Why: in `cvT_IiE` the arguments belong to the operator, in `cvT_IiEIcE` the first ones to the parameter.
  if (cursor.inConversion && !hasTwoArgumentLists(cursor)) return param;
  const type = plainType(param.left + readTemplateArgs(cursor));
  cursor.remember(type, start, readsBefore, false);
  return type;
}

/** Reads qualifiers and exception specifications with what they qualify, which is one candidate together. */
function readQualified(cursor: Cursor): TypeText {
  let words = readQualifier(cursor);
  while (isQualifier(cursor)) words = readQualifier(cursor) + words;
  if (cursor.peek() === 0x46) return readFunction(cursor, words);
  const letter = cursor.peek();
  const type = readType(cursor);
  // Why: an argument that is const already does not get a second const from `T const`, and a function none at all.
  if ((letter === 0x54 || letter === 0x53) && type.kind === "function") return type;
  if (letter === 0x54 && type.left.endsWith(words)) return type;
  return qualifiedType(type, words);
}

/** Reads one qualifier, which must be here. */
function readQualifier(cursor: Cursor): string {
  if (cursor.take(0x4b)) return " const";
  if (cursor.take(0x56)) return " volatile";
  if (cursor.take(0x72)) return " restrict";
  const letter = cursor.peekNext();
  cursor.at += 2;
  if (letter === 0x6f) return " noexcept";
  if (letter === 0x78) return " transaction_safe";
  if (letter === 0x4f) {
    const condition = readExpression(cursor).text;
    cursor.expect(0x45);
    return ` noexcept(${condition})`;
  }
  let thrown = "";
  while (!cursor.take(0x45) && !cursor.failed)
    thrown += (thrown === "" ? "" : ", ") + printType(readType(cursor));
  return ` throw(${thrown})`;
}

/** Reads `F [Y] <return type> <parameters> [<ref-qualifier>] E`. */
function readFunction(cursor: Cursor, words: string): TypeText {
  cursor.expect(0x46);
  cursor.take(0x59);
  const result = readType(cursor);
  let signature = readParameters(cursor) + words;
  if (cursor.take(0x52)) signature += " &";
  else if (cursor.take(0x4f)) signature += " &&";
  cursor.expect(0x45);
  return functionOf(result, signature);
}

/** Reads `A [<number> | <expression>] _ <element type>`. */
function readArray(cursor: Cursor): TypeText {
  cursor.at++;
  let size = "";
  const letter = cursor.peek();
  if (letter >= 0x30 && letter <= 0x39) size = String(cursor.number());
  else if (letter !== 0x5f) size = readExpression(cursor).text;
  cursor.expect(0x5f);
  return arrayOf(readType(cursor), size);
}

/** Reads a type that starts with `D`. */
function readExtended(cursor: Cursor): TypeText {
  const extended = findExtendedType(cursor.peekNext());
  if (extended !== undefined) {
    cursor.at += 2;
    return extended;
  }
  const start = cursor.at;
  const readsBefore = cursor.paramReads;
  cursor.at++;
  const letter = cursor.peek();
  cursor.at++;
  let type: TypeText;
  switch (letter) {
    case 0x70: // p
      type = plainType(readExpansion(cursor, readPattern));
      break;
    case 0x54: // T
    case 0x74: // t
      type = plainType(`decltype (${readExpression(cursor).text})`);
      cursor.expect(0x45);
      break;
    case 0x76: // v
      type = readVector(cursor);
      break;
    case 0x46: // F
      return readFloat(cursor);
    case 0x42: // B
    case 0x55: // U
      return readBitInt(cursor, letter === 0x55 ? "unsigned _BitInt" : "_BitInt");
    default:
      cursor.fail();
      return plainType("");
  }
  cursor.remember(type, start, readsBefore, false);
  return type;
}

function readPattern(cursor: Cursor): ExpressionText {
  const letter = cursor.peek();
  const text = printType(readType(cursor));
  const isName = (letter >= 0x30 && letter <= 0x39) || letter === 0x4e;
  return { text, isBare: isName && !text.endsWith(">") };
}

function readVector(cursor: Cursor): TypeText {
  let size: string;
  if (cursor.take(0x5f)) size = readExpression(cursor).text;
  else size = String(cursor.number());
  cursor.expect(0x5f);
  return qualifiedType(readType(cursor), ` __vector(${size})`);
}

/** Reads `DF16_`, `DF32x`, `DF16b`. */
function readFloat(cursor: Cursor): TypeText {
  const bits = cursor.number();
  if (cursor.take(0x62)) return plainType("std::bfloat16_t");
  if (cursor.take(0x78)) return plainType(`_Float${bits}x`);
  cursor.expect(0x5f);
  return plainType(`_Float${bits}`);
}

function readBitInt(cursor: Cursor, name: string): TypeText {
  const letter = cursor.peek();
  const bits = letter >= 0x30 && letter <= 0x39 ? String(cursor.number()) : readExpression(cursor).text;
  cursor.expect(0x5f);
  return plainType(`${name}(${bits})`);
}

/** Looks ahead over one list of arguments for a second one; leaves the cursor where it was. */
function hasTwoArgumentLists(cursor: Cursor): boolean {
  const { at, nameArgs } = cursor;
  cursor.frozen++;
  readTemplateArgs(cursor);
  cursor.frozen--;
  const hasSecond = cursor.peek() === 0x49;
  cursor.nameArgs = nameArgs;
  if (!cursor.failed) cursor.at = at;
  return hasSecond;
}

/** `Ts`, `Tu` and `Te` stand for the words struct, union and enum before a name. */
function isElaborated(letter: number): boolean {
  return letter === 0x73 || letter === 0x75 || letter === 0x65;
}

/**
 * The end of the symbol, `E`, a clone's suffix, a version behind `@`, a constraint `Q`, or a ref-qualifier `R` or `O`
 * with the `E` behind it.
 */
function isSignatureEnd(cursor: Cursor): boolean {
  const letter = cursor.peek();
  if (letter === 0 || letter === 0x45 || letter === 0x2e || letter === 0x40 || letter === 0x51) return true;
  return (letter === 0x52 || letter === 0x4f) && cursor.peekNext() === 0x45;
}

function isQualifier(cursor: Cursor): boolean {
  const letter = cursor.peek();
  if (letter === 0x4b || letter === 0x56 || letter === 0x72) return true;
  return letter === 0x44 && isFunctionQualifier(cursor.peekNext());
}

/** `Do`, `DO`, `Dw` and `Dx` belong to the function type behind them. */
function isFunctionQualifier(letter: number): boolean {
  return letter === 0x6f || letter === 0x4f || letter === 0x77 || letter === 0x78;
}
