/**
 * Owns the place in a Rust v0 symbol, its numbers and identifiers, the text made so far, and the bounds on work.
 * Does not own paths, types and constants.
 */
import { decodePunycode } from "./punycode.js";

/** The longest symbol that is looked at, and the longest text that is returned, in bytes; as in assembly/demangle/cursor.ts. */
export const longestText = 65_536;

const deepest = 256;

/** After `fail` every peek answers "end of text", so that all loops end; the starter looks at `failed`. */
export class RustCursor {
  readonly symbol: string;
  /** Where back references count from. */
  readonly base: number;
  at: number;
  end: number;
  failed = false;
  text = "";
  /** Above zero while something is read that nobody wants to see. */
  silent = 0;
  /** Lifetimes that the binders around this place have introduced. */
  lifetimes = 0;

  private depth = 0;
  private work: number;

  constructor(symbol: string, start: number) {
    this.symbol = symbol;
    this.base = start;
    this.at = start;
    this.end = symbol.length;
    // Why: back references can nest so that a short symbol has an endless text.
    this.work = 2_000 + 64 * symbol.length;
  }

  peek(): number {
    return this.at < this.end ? this.symbol.charCodeAt(this.at) : 0;
  }

  /** Steps over a letter and returns it as a string; "" at the end. */
  next(): string {
    return this.at < this.end ? this.symbol.charAt(this.at++) : "";
  }

  take(letter: number): boolean {
    if (this.peek() !== letter) return false;
    this.at++;
    return true;
  }

  fail(): void {
    this.failed = true;
    this.at = 0;
    this.end = 0;
  }

  enter(): void {
    if (++this.depth > deepest || --this.work < 0) this.fail();
  }

  leave(): void {
    this.depth--;
  }

  print(text: string): void {
    if (this.silent > 0) return;
    this.text += text;
    if (this.text.length > longestText) this.fail();
  }

  /** Reads `_` as 0, `0_` as 1, `a_` as 11 ...: base 62 with digits, lower-case and upper-case letters. */
  number(): number {
    if (this.take(0x5f)) return 0;
    let value = 0;
    while (!this.take(0x5f)) {
      const digit = base62Digit(this.peek());
      // Why: a crate's disambiguator has 64 bits; it is read and not printed, so that the loss of bits is none.
      if (digit < 0 || value > 2 ** 64) {
        this.fail();
        return 0;
      }
      value = value * 62 + digit;
      this.at++;
    }
    return value + 1;
  }

  /** Reads a number behind its letter; 0 when the letter is not here, one more than the number when it is. */
  optionalNumber(letter: number): number {
    return this.take(letter) ? this.number() + 1 : 0;
  }

  /** Reads `[u] <length> [_] <letters>`. */
  identifier(): string {
    const isPunycode = this.take(0x75);
    let length = 0;
    const start = this.at;
    for (let digit = this.peek() - 0x30; digit >= 0 && digit <= 9; digit = this.peek() - 0x30) {
      length = length * 10 + digit;
      this.at++;
      // Why: a number never starts with 0, so that behind `0` the next identifier's length may stand.
      if (length === 0 || length > longestText) break;
    }
    if (this.at === start) this.fail();
    this.take(0x5f);
    if (this.at + length > this.end) {
      this.fail();
      return "";
    }
    const letters = this.symbol.slice(this.at, this.at + length);
    this.at += length;
    if (!isPunycode) return letters;
    const decoded = decodePunycode(letters);
    if (decoded === undefined) this.fail();
    return decoded ?? "";
  }

  /** Reads `B <number>` and what it refers to, which stands before it. */
  follow(read: () => void): void {
    const start = this.at;
    this.at++;
    const target = this.base + this.number();
    if (target >= start) {
      this.fail();
      return;
    }
    // Why: what is not printed need not be read a second time.
    if (this.silent > 0) return;
    const { at } = this;
    this.at = target;
    this.enter();
    read();
    this.leave();
    if (!this.failed) this.at = at;
  }
}

function base62Digit(letter: number): number {
  if (letter >= 0x30 && letter <= 0x39) return letter - 0x30;
  if (letter >= 0x61 && letter <= 0x7a) return letter - 0x61 + 10;
  return letter >= 0x41 && letter <= 0x5a ? letter - 0x41 + 36 : -1;
}
