/**
 * Owns constants in Rust v0 symbols: numbers, characters, strings, and values made of them.
 * Does not own the paths of the types that such values have.
 */
import type { RustCursor } from "./rust-cursor.js";

/** Reads the path of a type or variant. */
type ReadPath = (cursor: RustCursor) => void;

/** Reads a constant as a generic argument or array length: what is no literal stands in braces there. */
export function readConst(cursor: RustCursor, readPath: ReadPath): void {
  readValue(cursor, readPath, "argument");
}

function readValue(cursor: RustCursor, readPath: ReadPath, place: "argument" | "inside"): void {
  cursor.enter();
  const letter = cursor.next();
  const isLiteral = "pbchtmyojaslxni".includes(letter) && letter !== "";
  if (isLiteral) readLiteral(cursor, letter);
  else if (letter === "B") {
    cursor.at--;
    cursor.follow(() => readValue(cursor, readPath, place));
  } else if (letter === "R" && cursor.take(0x65)) cursor.print(readString(cursor));
  else {
    if (place === "argument") cursor.print("{");
    readCompound(cursor, readPath, letter);
    if (place === "argument") cursor.print("}");
  }
  cursor.leave();
}

function readLiteral(cursor: RustCursor, letter: string): void {
  switch (letter) {
    case "p":
      cursor.print("_");
      return;
    case "b": {
      const digits = readHex(cursor);
      if (digits !== "0" && digits !== "1") cursor.fail();
      cursor.print(digits === "1" ? "true" : "false");
      return;
    }
    case "c":
      cursor.print(printCharacter(cursor, readHex(cursor)));
      return;
    default: {
      const isNegative = "aslxni".includes(letter) && cursor.take(0x6e);
      const digits = readHex(cursor);
      const value = digits.length > 16 ? `0x${digits}` : BigInt(`0x${digits || "0"}`).toString();
      cursor.print(isNegative ? `-${value}` : value);
    }
  }
}

function readCompound(cursor: RustCursor, readPath: ReadPath, letter: string): void {
  switch (letter) {
    case "e":
      cursor.print(`*${readString(cursor)}`);
      return;
    case "R":
    case "Q":
      cursor.print(letter === "R" ? "&" : "&mut ");
      readValue(cursor, readPath, "inside");
      return;
    case "A":
      cursor.print("[");
      readValues(cursor, readPath);
      cursor.print("]");
      return;
    case "T":
      cursor.print("(");
      cursor.print(readValues(cursor, readPath) === 1 ? ",)" : ")");
      return;
    case "V":
      readVariant(cursor, readPath);
      return;
    default:
      cursor.fail();
  }
}

/** Reads `<kind> <path> <fields>`: kind `U` has none, `T` a list, `S` names and values. */
function readVariant(cursor: RustCursor, readPath: ReadPath): void {
  const kind = cursor.next();
  readPath(cursor);
  if (kind === "U") return;
  if (kind === "T") {
    cursor.print("(");
    readValues(cursor, readPath);
    cursor.print(")");
    return;
  }
  if (kind !== "S") cursor.fail();
  cursor.print(" { ");
  for (let count = 0; !cursor.take(0x45) && !cursor.failed; count++) {
    if (count > 0) cursor.print(", ");
    cursor.optionalNumber(0x73);
    cursor.print(`${cursor.identifier()}: `);
    readValue(cursor, readPath, "inside");
  }
  cursor.print(" }");
}

function readValues(cursor: RustCursor, readPath: ReadPath): number {
  let count = 0;
  while (!cursor.take(0x45) && !cursor.failed) {
    if (count++ > 0) cursor.print(", ");
    readValue(cursor, readPath, "inside");
  }
  return count;
}

/** Reads hexadecimal digits up to `_`. */
function readHex(cursor: RustCursor): string {
  const end = cursor.symbol.indexOf("_", cursor.at);
  const digits = cursor.failed || end < 0 ? "" : cursor.symbol.slice(cursor.at, end);
  if (!/^[0-9a-f]+$/.test(digits)) {
    cursor.fail();
    return "";
  }
  cursor.at = end + 1;
  return digits;
}

/** Reads a string as the hexadecimal digits of its UTF-8 bytes. */
function readString(cursor: RustCursor): string {
  if (cursor.take(0x5f)) return '""';
  const digits = readHex(cursor);
  if (digits.length % 2 !== 0) cursor.fail();
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  try {
    return JSON.stringify(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    cursor.fail();
    return "";
  }
}

function printCharacter(cursor: RustCursor, digits: string): string {
  const code = Number.parseInt(digits, 16);
  if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) {
    cursor.fail();
    return "";
  }
  const escaped = new Map([
    [0x09, "\\t"],
    [0x0a, "\\n"],
    [0x0d, "\\r"],
    [0x27, "\\'"],
    [0x5c, "\\\\"],
  ]).get(code);
  if (escaped !== undefined) return `'${escaped}'`;
  return code >= 0x20 && code < 0x7f ? `'${String.fromCharCode(code)}'` : `'\\u{${code.toString(16)}}'`;
}
