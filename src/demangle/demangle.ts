/**
 * Owns the question what a symbol's name is to people: C++ and Rust names as they stand in the source text.
 * Does not own the encodings; knows how they begin and which suffixes compilers put behind them.
 */
import { longestText } from "./cursor.js";
import { demangleItanium } from "./itanium.js";
import { type RustName, demangleRustLegacy } from "./rust-legacy.js";
import { demangleRustV0 } from "./rust-v0.js";

const beyondAscii = /[^\u0000-\u007f]/;

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
  if (!beyondAscii.test(symbol)) return demangleBytes(symbol);
  const text = demangleBytes(spreadBytes(symbol));
  return text === undefined ? undefined : joinBytes(text);
}

/** Demangles a symbol that has one letter for each of its bytes. */
function demangleBytes(symbol: string): string | undefined {
  // Why: on some systems every symbol has one more underscore.
  const start = symbol.charCodeAt(1) === 0x5f ? 3 : 2;
  const isRust = symbol.charCodeAt(start - 1) === 0x52;
  const rust = isRust ? demangleRustV0(symbol, start) : findRustLegacy(symbol, start);
  const name = isRust ? rust : (rust ?? demangleItanium(symbol, start));
  if (name === undefined) return undefined;
  if (name.end === symbol.length) return withinBounds(name.text);
  const end = rust === undefined ? name.end : skipLlvmSuffix(symbol, name.end);
  const suffix = printSuffix(symbol, end);
  return suffix === undefined ? undefined : withinBounds(name.text + suffix);
}

/** Makes one letter of every byte. Why: lengths in symbols count bytes, and compilers write identifiers as UTF-8. */
function spreadBytes(symbol: string): string {
  let text = "";
  for (const byte of new TextEncoder().encode(symbol)) text += String.fromCharCode(byte);
  return text;
}

/** Puts the bytes of identifiers together again. */
function joinBytes(text: string): string {
  return new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

function withinBounds(text: string): string | undefined {
  if (text.length > longestText) return undefined;
  // Why: V8 keeps a concatenated text as a tree that holds all its parts, until a letter of it is read. For the
  // functions of node that is 13 MB instead of 44.
  return Number.isNaN(text.charCodeAt(0)) ? undefined : text;
}

function findRustLegacy(symbol: string, start: number): RustName | undefined {
  return symbol.charCodeAt(start) === 0x4e ? demangleRustLegacy(symbol, start + 1) : undefined;
}

/** Steps over `.llvm.1234`, which rustc gives to private functions to keep them apart. */
function skipLlvmSuffix(symbol: string, start: number): number {
  if (!symbol.startsWith(".llvm.", start)) return start;
  let end = start + 6;
  while (isDigit(symbol.charCodeAt(end)) || isUpperHex(symbol.charCodeAt(end))) end++;
  return end;
}

/** Prints what stands behind a symbol: clones of functions as ` [clone .cold]`, a version or `@plt` as it is. */
function printSuffix(symbol: string, start: number): string | undefined {
  let text = "";
  let at = start;
  while (symbol.charCodeAt(at) === 0x2e) {
    const end = findCloneEnd(symbol, at);
    if (end === at) return undefined;
    text += ` [clone ${symbol.slice(at, end)}]`;
    at = end;
  }
  if (at < symbol.length && symbol.charCodeAt(at) !== 0x40) return undefined;
  return text + symbol.slice(at);
}

/** Returns where `.part.0` or `.cold` ends: a word or number, then any more numbers; `at` itself when there is none. */
function findCloneEnd(symbol: string, at: number): number {
  let end = at + 1;
  while (isWordLetter(symbol.charCodeAt(end)) || isDigit(symbol.charCodeAt(end))) end++;
  if (end === at + 1) return at;
  while (symbol.charCodeAt(end) === 0x2e && isDigit(symbol.charCodeAt(end + 1))) {
    end += 2;
    while (isDigit(symbol.charCodeAt(end))) end++;
  }
  return end;
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
