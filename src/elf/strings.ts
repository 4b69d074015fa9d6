/**
 * Owns tables of NUL-terminated names: one name at an offset, many names quickly, and whether a name stands at an offset.
 * Does not own what the names stand for.
 */
import { damaged } from "./layout.js";

export class StringTable {
  readonly bytes: Uint8Array;
  readonly #path: string;
  readonly #place: string;
  /** The whole table as text: undefined before it was tried, false where it is not ASCII or too large. */
  #text: string | false | undefined;
  #left: number;

  constructor(path: string, place: string, bytes: Uint8Array) {
    this.#path = path;
    this.#place = place;
    this.bytes = bytes;
    this.#left = this.#budget();
  }

  /** Returns the name that starts at an offset. */
  at(offset: number): string {
    if (offset >= this.bytes.length) throw this.#damaged(offset, "lies outside the table");
    const length = this.bytes.subarray(offset, offset + mostNameBytes).indexOf(0);
    if (length === -1) throw this.#damaged(offset, "has no end");
    return decoder.decode(this.bytes.subarray(offset, offset + length));
  }

  /** Returns a reader for many names of this table, quicker than at() and bounded in the sum of their lengths. */
  bulk(): (offset: number) => string {
    const text = (this.#text ??= decodeAscii(this.bytes));
    this.#left = this.#budget();
    return (offset) => {
      const end = text === false || offset >= text.length ? -1 : text.indexOf("\0", offset);
      const name = text === false || end === -1 ? this.at(offset) : text.slice(offset, end);
      this.spend(name.length);
      return name;
    };
  }

  /**
   * Counts bytes of names that were looked at since the last bulk(). Linkers share the ends of names, but only a hostile
   * file makes everything one long name: throws a FormatError when the names together are far longer than the table.
   */
  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) this.failOverlapping();
  }

  failOverlapping(): never {
    throw damaged(this.#path, this.#place, "names overlap with too many others");
  }

  #budget(): number {
    return 64 * this.bytes.length + 0x10_0000;
  }

  /** Says whether these bytes stand at an offset, followed by the end of a name, or by `@` where that starts a version. */
  holds(name: Uint8Array, offset: number, withVersions: boolean): boolean {
    const bytes = this.bytes;
    const after = bytes[offset + name.length];
    if (after !== 0 && !(withVersions && after === atSign)) return false;
    for (let index = 0; index < name.length; index++) if (bytes[offset + index] !== name[index]) return false;
    return true;
  }

  #damaged(offset: number, what: string): Error {
    return damaged(this.#path, `${this.#place}, offset ${offset}`, `a name ${what}`);
  }
}

const atSign = 0x40;
/** Why: the longest C++ names have tens of thousands of characters. */
const mostNameBytes = 0x10_0000;
/** Why: one text of the whole table and slices of it cost a tenth of a decoder call per name; above this it would only cost memory. */
const mostTextBytes = 0x1000_0000;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decodes a table in one go where byte offsets are text offsets: in practice, when all of it is ASCII. */
function decodeAscii(bytes: Uint8Array): string | false {
  if (bytes.length > mostTextBytes) return false;
  const text = decoder.decode(bytes);
  // Proof: no sequence of bytes becomes more characters than it has bytes; so with equal lengths each byte is one character.
  return text.length === bytes.length ? text : false;
}
