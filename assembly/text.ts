/**
 * Owns text that grows as bytes, up to a limit: what does not fit is left out, and the text knows that it is not whole.
 * Does not own what is written.
 */
import { copyOver, slack } from "./memory";

@unmanaged
export class Text {
  /** The address behind the last byte. */
  end: usize;
  /** Nothing is written here or behind it, but for the slack of a copy. */
  limit: usize;
  isFull: bool;

  begin(start: usize, limit: usize): void {
    this.end = start;
    this.limit = limit - slack;
    this.isFull = false;
  }

  add(letter: i32): void {
    const end = this.end;
    if (end >= this.limit) {
      this.isFull = true;
      return;
    }
    store<u8>(end, letter);
    this.end = end + 1;
  }

  /** Adds text of ASCII letters. */
  addWords(words: string): void {
    const length = <usize>words.length;
    if (!this.hasRoom(length)) return;
    const from = changetype<usize>(words);
    const end = this.end;
    for (let index: usize = 0; index < length; index++)
      store<u8>(end + index, load<u16>(from + (index << 1)));
    this.end = end + length;
  }

  addBytes(start: usize, length: usize): void {
    if (!this.hasRoom(length)) return;
    copyOver(this.end, start, length);
    this.end += length;
  }

  addNumber(number: u64): void {
    if (number > 9) this.addNumber(number / 10);
    this.add(0x30 + <i32>(number % 10));
  }

  hasRoom(length: usize): bool {
    if (this.end <= this.limit && length <= this.limit - this.end) return true;
    this.isFull = true;
    return false;
  }
}
