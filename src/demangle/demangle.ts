/**
 * Owns the question what a symbol's name is to people: C++ and Rust names as they stand in the source text.
 * Does not own the encodings: C++'s is read by assembly/demangle/, Rust's two by the files named after them.
 */
import { demangled, instantiate, isTrap, type WasmExports } from "../wasm/module.js";
import { longestText } from "./rust-cursor.js";
import { demangleRustLegacy, type RustName } from "./rust-legacy.js";
import { demangleRustV0 } from "./rust-v0.js";

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
  try {
    return (workplace ??= new Workplace()).demangle(symbol);
  } catch (error) {
    if (!isTrap(error)) throw error;
    workplace = undefined;
    return undefined;
  }
}

let workplace: Workplace | undefined;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** An instance of the module, and the symbol that it reads: made for the first of them. */
class Workplace {
  readonly #module: WasmExports = instantiate();
  /** Spec: UTF-8 takes at most three bytes for each UTF-16 code unit. */
  readonly #symbol = this.#module.reserve(3 * longestText);
  readonly #text = this.#module.reserve(this.#module.workingRoom.value);

  demangle(symbol: string): string | undefined {
    // Why UTF-8: lengths in symbols count bytes.
    const { written } = encoder.encodeInto(symbol, this.#bytes(this.#symbol, 3 * longestText));
    const end = this.#symbol + written;
    const outcome = this.#module.demangle(this.#symbol, end, this.#text, false);
    if (outcome !== demangled.mayBeRust) return this.#written(outcome);
    const words = letters(this.#bytes(this.#symbol, written));
    const name = readRust(words);
    if (name === undefined) return this.#written(this.#module.demangle(this.#symbol, end, this.#text, true));
    const nameEnd = this.#symbol + skipLlvmSuffix(words, name.end);
    const suffix = this.#written(this.#module.demangleSuffix(nameEnd, end, this.#text));
    if (suffix === undefined) return undefined;
    const text = decodeLetters(name.text, words.length === symbol.length) + suffix;
    return encoder.encode(text).length > longestText ? undefined : text;
  }

  #written(outcome: number): string | undefined {
    if (outcome !== demangled.isWritten) return undefined;
    return decoder.decode(this.#bytes(this.#text, this.#module.writtenEnd() - this.#text));
  }

  /** Why a new view each time: memory that grows leaves the old ones empty. */
  #bytes(start: number, length: number): Uint8Array {
    return new Uint8Array(this.#module.memory.buffer, start, length);
  }
}

function readRust(words: string): RustName | undefined {
  const at = words.charCodeAt(1) === 0x5f ? 3 : 2;
  return words.charCodeAt(at - 1) === 0x52 ? demangleRustV0(words, at) : demangleRustLegacy(words, at + 1);
}

/** Makes text of bytes, one letter of each. */
function letters(bytes: Uint8Array): string {
  const parts: string[] = [];
  // Why in parts: all arguments of a call lie on the stack.
  for (let at = 0; at < bytes.length; at += 0x1000)
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 0x1000)));
  return parts.join("");
}

/** A name of a symbol that is all ASCII is text already; of others, each letter is a byte. */
function decodeLetters(text: string, isAscii: boolean): string {
  return isAscii ? text : decoder.decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

/** Steps over `.llvm.1234`, which rustc gives to private functions to keep them apart. */
function skipLlvmSuffix(symbol: string, start: number): number {
  return start + (/^\.llvm\.[0-9A-F]*/.exec(symbol.slice(start))?.[0].length ?? 0);
}
