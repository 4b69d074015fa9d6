/**
 * Owns the question what a symbol's name is to people: C++ and Rust names as they stand in the source text.
 * Does not own the encodings; knows how they begin and which suffixes compilers put behind them.
 */
import { ByteText, letters } from "../base/byte-text.js";
import { longestText } from "./cursor.js";
import { writeItanium } from "./itanium.js";
import { workingRoom } from "./pieces.js";
import { demangleRustLegacy } from "./rust-legacy.js";
import { demangleRustV0 } from "./rust-v0.js";

export { longestText, workingRoom };

/** Says at a glance whether a symbol can be a mangled one: true for every symbol that `demangle` can read. */
export function mayBeMangled(symbol: string): boolean {
  if (symbol.charCodeAt(0) !== 0x5f) return false;
  const second = symbol.charCodeAt(1);
  if (second === 0x5a || second === 0x52) return true;
  if (second === 0x5f) {
    const third = symbol.charCodeAt(2);
    return third === 0x5a || third === 0x52;
  }
  return false;
}

/**
 * Prints a mangled symbol as `c++filt --no-verbose` and `nm -C` do: `f(int) [clone .cold]`, without Rust's hashes.
 * Returns undefined when the symbol is not mangled, cannot be read in full, or is unreasonably long.
 */
export function demangle(symbol: string): string | undefined {
  if (!mayBeMangled(symbol) || symbol.length > longestText) return undefined;
  const { bytes, text } = (workplace ??= new Workplace());
  // Why UTF-8: lengths in symbols count bytes.
  const { written } = encoder.encodeInto(symbol, bytes);
  text.length = 0;
  if (!writeDemangled(bytes, 0, written, text)) return undefined;
  return decoder.decode(text.bytes.subarray(0, text.length));
}

/** Where `demangle` works, made when it is needed. */
class Workplace {
  /** Spec: UTF-8 takes at most three bytes for each UTF-16 code unit. */
  readonly bytes = new Uint8Array(3 * longestText);
  readonly text = new ByteText(workingRoom);
}

let workplace: Workplace | undefined;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes what `demangle` prints, from bytes to bytes, behind a text that has `workingRoom` left. Returns false, and
 * leaves the text as it was, for what it does not print.
 */
export function writeDemangled(symbol: Uint8Array, start: number, end: number, text: ByteText): boolean {
  if (symbol[start] !== 0x5f || end - start > longestText) return false;
  // Why: on some systems every symbol has one more underscore.
  const at = symbol[start + 1] === 0x5f ? start + 2 : start + 1;
  const { length } = text;
  const isCxx = symbol[at] === 0x5a;
  if (!isCxx && symbol[at] !== 0x52) return false;
  let nameEnd = isCxx ? writeItanium(symbol, at + 1, end, text) : 0;
  // Why: Rust's legacy symbols are such that C++ can read them too.
  if (nameEnd === 0 || (symbol[at + 1] === 0x4e && mayHaveHash(symbol, nameEnd))) {
    const written = text.length;
    const rustEnd = writeRust(symbol, start, at + 1, end, text);
    if (rustEnd > 0 && nameEnd > 0) {
      text.bytes.copyWithin(length, written, text.length);
      text.length -= written - length;
    }
    nameEnd = rustEnd || nameEnd;
  }
  if (nameEnd > 0 && writeSuffix(symbol, nameEnd, end, text) && text.length - length <= longestText)
    return true;
  text.length = length;
  return false;
}

/** Says whether a name ends as Rust's legacy symbols do: `17h`, sixteen digits of a hash, `E`. */
function mayHaveHash(symbol: Uint8Array, nameEnd: number): boolean {
  return symbol[nameEnd - 1] === 0x45 && symbol[nameEnd - 20] === 0x31 && symbol[nameEnd - 18] === 0x68;
}

/** Writes a Rust symbol; returns where its name ends, 0 when it is none. */
function writeRust(symbol: Uint8Array, start: number, at: number, end: number, text: ByteText): number {
  const words = letters(symbol, start, end);
  const isV0 = symbol[at - 1] === 0x52;
  const name = isV0 ? demangleRustV0(words, at - start) : demangleRustLegacy(words, at - start + 1);
  if (name === undefined) return 0;
  const bytes = isAscii(symbol, start, end)
    ? encoder.encode(name.text)
    : Uint8Array.from(name.text, (letter) => letter.charCodeAt(0));
  text.addBytes(bytes, 0, bytes.length);
  return start + skipLlvmSuffix(words, name.end);
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at]! > 0x7f) return false;
  return true;
}

/** Steps over `.llvm.1234`, which rustc gives to private functions to keep them apart. */
function skipLlvmSuffix(symbol: string, start: number): number {
  if (!symbol.startsWith(".llvm.", start)) return start;
  let end = start + 6;
  while (isDigit(symbol.charCodeAt(end)) || isUpperHex(symbol.charCodeAt(end))) end++;
  return end;
}

/**
 * Writes what stands behind a symbol: clones of functions as ` [clone .cold]`, a version or `@plt` as it is. Says whether
 * that is all there is.
 */
function writeSuffix(symbol: Uint8Array, start: number, end: number, text: ByteText): boolean {
  let at = start;
  while (at < end && symbol[at] === 0x2e) {
    const cloneEnd = findCloneEnd(symbol, at, end);
    if (cloneEnd === at) return false;
    text.addWords(" [clone ");
    text.addBytes(symbol, at, cloneEnd);
    text.add(0x5d);
    at = cloneEnd;
  }
  if (at < end && symbol[at] !== 0x40) return false;
  text.addBytes(symbol, at, end);
  return true;
}

/** Returns where `.part.0` or `.cold` ends: a word or number, then any more numbers; `at` itself when there is none. */
function findCloneEnd(symbol: Uint8Array, at: number, end: number): number {
  const letterAt = (place: number): number => (place < end ? symbol[place]! : 0);
  let cloneEnd = at + 1;
  while (isWordLetter(letterAt(cloneEnd)) || isDigit(letterAt(cloneEnd))) cloneEnd++;
  if (cloneEnd === at + 1) return at;
  while (letterAt(cloneEnd) === 0x2e && isDigit(letterAt(cloneEnd + 1))) {
    cloneEnd += 2;
    while (isDigit(letterAt(cloneEnd))) cloneEnd++;
  }
  return cloneEnd;
}

function isWordLetter(letter: number): boolean {
  return (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
}

function isDigit(letter: number): boolean {
  return letter >= 0x30 && letter <= 0x39;
}

function isUpperHex(letter: number): boolean {
  return letter >= 0x41 && letter <= 0x46;
}
