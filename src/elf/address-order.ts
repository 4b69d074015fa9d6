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

  /** Orders all functions of the tables, or per table only those whose numbers are given. */
  constructor(from: readonly SymbolTable[], selected = from.map((table) => table.functions)) {
    this.#from = from;
    const total = selected.reduce((sum, functions) => sum + functions.length, 0);
    const addresses = new Float64Array(total);
    const symbols = new Uint32Array(total);
    const tables = new Uint8Array(total);
    let number = 0;
    for (const [index, functions] of selected.entries()) {
      const table = from[index]!;
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
    const start = this.starts[index];
    while (this.starts[index] === start && index < this.starts.length) index++;
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
    least = Math.min(least, addresses[number]!);
    most = Math.max(most, addresses[number]!);
  }
  if ((most - least + 1) * total > Number.MAX_SAFE_INTEGER) {
    return Uint32Array.from(addresses, (_, number) => number).sort(
      (left, right) => addresses[left]! - addresses[right]! || left - right,
    );
  }
  // Why: sorting plain numbers is native code, ten times as fast as with a comparison. Address and number share one.
  // Proof: key < 2^53, so the rounding of key / total cannot carry into the next integer.
  const keys = new Float64Array(total);
  for (let number = 0; number < total; number++) keys[number] = (addresses[number]! - least) * total + number;
  keys.sort();
  const numbers = new Uint32Array(total);
  for (let index = 0; index < total; index++)
    numbers[index] = keys[index]! - Math.floor(keys[index]! / total) * total;
  return numbers;
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
