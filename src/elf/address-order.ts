/**
 * Owns the functions of several symbol tables in the order of their addresses, as flat arrays: search and coverage.
 * Does not own names and their ranks: see symbols.ts.
 */
import type { ElfFile } from "./file.js";
import { segmentType } from "./layout.js";
import type { SymbolTable } from "./symbol-table.js";

export class AddressOrder {
  /** Start addresses, rising; functions that start together follow the order of tables and of symbols in them. */
  readonly starts: Float64Array;
  /** Per function in this order, the number of its table ... */
  readonly tables: Uint8Array;
  /** ... and its own number in that table. */
  readonly symbols: Uint32Array;
  readonly #from: readonly SymbolTable[];
  #coverage: Coverage | undefined;

  constructor(from: readonly SymbolTable[]) {
    this.#from = from;
    const total = from.reduce((sum, { functions }) => sum + functions.length, 0);
    const addresses = new Float64Array(total);
    const symbols = new Uint32Array(total);
    const tables = new Uint8Array(total);
    let number = 0;
    for (const [index, table] of from.entries()) {
      const { functions } = table;
      symbols.set(functions, number);
      tables.fill(index, number, number + functions.length);
      for (let position = 0; position < functions.length; position++)
        addresses[number++] = table.address(functions[position]!);
    }
    const numbers = sortedNumbers(addresses);
    this.starts = new Float64Array(total);
    this.tables = new Uint8Array(total);
    this.symbols = new Uint32Array(total);
    for (let index = 0; index < total; index++) {
      const number = numbers[index]!;
      this.starts[index] = addresses[number]!;
      this.tables[index] = tables[number]!;
      this.symbols[index] = symbols[number]!;
    }
  }

  /** Returns the first index of the functions that start at or after an address; the length when none does. */
  firstFrom(address: number): number {
    let [low, high] = [0, this.starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.starts[middle]! < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Returns the index behind the functions that start together with the one at an index. */
  endOfGroup(index: number): number {
    const { starts } = this;
    const start = starts[index];
    do index++;
    while (index < starts.length && starts[index] === start);
    return index;
  }

  /** Returns the indexes of those functions that cover an address and start nearest before it; none when none covers it. */
  covering(address: number): number[] {
    const { ends, furthest } = (this.#coverage ??= this.#measure());
    let index = this.firstFrom(address);
    if (this.starts[index] === address) index = this.endOfGroup(index);
    const found: number[] = [];
    for (index--; index >= 0 && furthest[index]! > address; index--) {
      if (found.length > 0 && this.starts[index] !== this.starts[found[0]!]) break;
      if (ends[index]! > address) found.unshift(index);
    }
    return found;
  }

  #measure(): Coverage {
    const ends = new Float64Array(this.starts.length);
    const furthest = new Float64Array(this.starts.length);
    let reach = 0;
    for (let index = 0; index < ends.length;) {
      const groupEnd = this.endOfGroup(index);
      const start = this.starts[index]!;
      let longest = 0;
      for (let member = index; member < groupEnd; member++) {
        const size = this.#from[this.tables[member]!]!.size(this.symbols[member]!);
        ends[member] = start + size;
        longest = Math.max(longest, size);
      }
      for (; index < groupEnd; index++) {
        if (ends[index] === start) {
          ends[index] =
            longest > 0 ? start + longest : Math.min(this.starts[groupEnd] ?? Infinity, this.#limit(index));
        }
        reach = Math.max(reach, ends[index]!);
        furthest[index] = reach;
      }
    }
    return { ends, furthest };
  }

  /** The end of the section, or else of the segment, that holds a function of unknown size: it does not reach into the next. */
  #limit(index: number): number {
    const table = this.#from[this.tables[index]!]!;
    const { elf } = table;
    const start = this.starts[index]!;
    const section = elf.sections[table.section(this.symbols[index]!) ?? elf.sections.length];
    if (section !== undefined && start >= section.address && start < section.address + section.size) {
      return section.address + section.size;
    }
    return segmentEnd(elf, start) ?? start + 1;
  }
}

interface Coverage {
  /** Per function, the address behind its last byte. */
  readonly ends: Float64Array;
  /** Per function, the largest end of all functions up to it: below that nothing earlier reaches. */
  readonly furthest: Float64Array;
}

/** Returns the numbers of addresses in rising order of address; equal addresses keep their order. */
function sortedNumbers(addresses: Float64Array): Uint32Array {
  const total = addresses.length;
  let [least, most] = [Infinity, 0];
  for (let number = 0; number < total; number++) {
    const address = addresses[number]!;
    if (address < least) least = address;
    if (address > most) most = address;
  }
  if (most - least > 0xffff_ffff) {
    return new Uint32Array(total)
      .map((_, number) => number)
      .sort((left, right) => addresses[left]! - addresses[right]! || left - right);
  }
  // Why: a radix sort takes half the time of the engine's sort of plain numbers, and a tenth of one with a comparison.
  const first = { keys: new Uint32Array(total), numbers: new Uint32Array(total) };
  const second = { keys: new Uint32Array(total), numbers: new Uint32Array(total) };
  for (let number = 0; number < total; number++) {
    first.keys[number] = addresses[number]! - least;
    first.numbers[number] = number;
  }
  sortByDigit(first, second, 0);
  sortByDigit(second, first, digitBits);
  sortByDigit(first, second, 2 * digitBits);
  return second.numbers;
}

interface KeyedNumbers {
  readonly keys: Uint32Array;
  readonly numbers: Uint32Array;
}

/** Proof: three digits hold a key of 32 bits. */
const digitBits = 11;

/** Puts numbers in the order of one digit of their keys; equal digits keep their order. */
function sortByDigit(from: KeyedNumbers, to: KeyedNumbers, shift: number): void {
  const mask = 2 ** digitBits - 1;
  const places = new Uint32Array(mask + 2);
  const total = from.keys.length;
  for (let index = 0; index < total; index++) places[((from.keys[index]! >>> shift) & mask) + 1]!++;
  for (let digit = 0; digit < mask; digit++) places[digit + 1]! += places[digit]!;
  for (let index = 0; index < total; index++) {
    const key = from.keys[index]!;
    const place = places[(key >>> shift) & mask]!++;
    to.keys[place] = key;
    to.numbers[place] = from.numbers[index]!;
  }
}

function segmentEnd(elf: ElfFile, address: number): number | undefined {
  const segment = elf.segments.find(
    (segment) =>
      segment.type === segmentType.load &&
      address >= segment.address &&
      address < segment.address + segment.memoryBytes,
  );
  return segment && segment.address + segment.memoryBytes;
}
