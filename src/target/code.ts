/**
 * Owns reading machine code of a binary by address: small parts in rising order cost few reads of the file.
 * Does not own what the bytes mean (isa/).
 */
import { readRange, type VirtualAddress } from "../base/bytes.js";
import { fileRangeFrom } from "../elf/address.js";
import type { Binary } from "./binary.js";

export class CodeReader {
  readonly #binary: Binary;
  #start = 0;
  #block: Uint8Array = new Uint8Array(0);

  constructor(binary: Binary) {
    this.#binary = binary;
  }

  /** Returns up to `length` bytes from an address; fewer at the end of its segment, none where the file has none. */
  read(address: VirtualAddress, length: number): Uint8Array {
    const from = address - this.#start;
    if (from >= 0 && from + length <= this.#block.length) return this.#block.subarray(from, from + length);
    const range = fileRangeFrom(this.#binary.elf, address);
    if (range === undefined) return new Uint8Array(0);
    const count = Math.min(range.bytes, Math.max(length, blockBytes));
    this.#block = readRange(this.#binary.source, range.offset, count, "code");
    this.#start = address;
    return this.#block.subarray(0, length);
  }
}

/** Why: text segments are dense with functions; a single probe should not read more than it must. */
const blockBytes = 0x1_0000;
