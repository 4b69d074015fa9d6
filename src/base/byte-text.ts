/**
 * Owns text that grows as bytes in one buffer: what prints 80,000 names cannot afford a string for each of their parts.
 * Does not own what is written, nor where it goes.
 */

export class ByteText {
  /** As many as were asked for; bytes beyond are lost, so that whoever writes checks for room now and then. */
  readonly bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  add(letter: number): void {
    this.bytes[this.length++] = letter;
  }

  /** Adds text of ASCII letters. */
  addWords(words: string): void {
    const { bytes, length } = this;
    for (let index = 0; index < words.length; index++) bytes[length + index] = words.charCodeAt(index);
    this.length = length + words.length;
  }

  addBytes(from: Uint8Array, start: number, end: number): void {
    const { bytes } = this;
    let { length } = this;
    for (let at = start; at < end; at++) bytes[length++] = from[at]!;
    this.length = length;
  }
}

/** Makes text of bytes, one letter of each. */
export function letters(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= mostArguments) return String.fromCharCode(...bytes.subarray(start, end));
  return letters(bytes, start, start + mostArguments) + letters(bytes, start + mostArguments, end);
}

/** Why: all arguments of a call lie on the stack. */
const mostArguments = 0x1000;
