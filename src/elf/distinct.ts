/**
 * Owns which functions of a later symbol table repeat those of an earlier one: same address, same name.
 * Does not own aliases, different names at one address: those are all kept.
 */
import type { SymbolTable } from "./symbol-table.js";

/** Returns per table the numbers of its functions without the repeated ones, in file order. */
export function selectDistinct(tables: readonly SymbolTable[]): Uint32Array[] {
  const seen = new SeenFunctions(tables);
  return tables.map((table, index) => {
    const kept = index === 0 ? table.functions : table.functions.filter((symbol) => !seen.has(table, symbol));
    // What the last table holds is never asked for.
    if (index < tables.length - 1) seen.add(index, kept);
    return kept;
  });
}

/** A hash table of functions by address, in flat arrays: a Map would cost more than all the rest of a listing. */
class SeenFunctions {
  readonly #tables: readonly SymbolTable[];
  /** By hash, one more than the position of the entry that was added last; 0 for none. */
  readonly #heads: Uint32Array;
  readonly #shift: number;
  /** By position: what to look at next, the number of the table, the number of the symbol in it. */
  readonly #next: Uint32Array;
  readonly #tableNumbers: Uint8Array;
  readonly #symbols: Uint32Array;
  #length = 0;
  /** All entries as text, made only when many share a slot: identical functions, folded by the linker, or a hostile file. */
  #texts: Set<string> | undefined;

  constructor(tables: readonly SymbolTable[]) {
    this.#tables = tables;
    const most = tables.slice(0, -1).reduce((sum, table) => sum + table.functions.length, 0);
    const bits = Math.max(1, 33 - Math.clz32(most));
    this.#heads = new Uint32Array(2 ** bits);
    this.#shift = 32 - bits;
    this.#next = new Uint32Array(most);
    this.#tableNumbers = new Uint8Array(most);
    this.#symbols = new Uint32Array(most);
  }

  add(tableNumber: number, symbols: Uint32Array): void {
    const table = this.#tables[tableNumber]!;
    this.#texts = undefined;
    for (let index = 0; index < symbols.length; index++) {
      const symbol = symbols[index]!;
      const slot = this.#slot(table.address(symbol));
      const position = this.#length++;
      this.#tableNumbers[position] = tableNumber;
      this.#symbols[position] = symbol;
      this.#next[position] = this.#heads[slot]!;
      this.#heads[slot] = position + 1;
    }
  }

  has(table: SymbolTable, symbol: number): boolean {
    const address = table.address(symbol);
    let steps = 0;
    for (let next = this.#heads[this.#slot(address)]!; next > 0; next = this.#next[next - 1]!) {
      const other = this.#tables[this.#tableNumbers[next - 1]!]!;
      const otherSymbol = this.#symbols[next - 1]!;
      if (other.address(otherSymbol) === address && table.hasNameOf(symbol, other, otherSymbol)) return true;
      if (++steps === 16) return (this.#texts ??= this.#makeTexts()).has(`${address} ${table.name(symbol)}`);
    }
    return false;
  }

  #makeTexts(): Set<string> {
    const texts = new Set<string>();
    const readers = this.#tables.map((table) => table.names());
    for (let position = 0; position < this.#length; position++) {
      const tableNumber = this.#tableNumbers[position]!;
      const symbol = this.#symbols[position]!;
      texts.add(`${this.#tables[tableNumber]!.address(symbol)} ${readers[tableNumber]!(symbol)}`);
    }
    return texts;
  }

  #slot(address: number): number {
    // Multiplicative hashing; the high half of an address says little, but must not be lost.
    return Math.imul(address ^ (address / 0x1_0000_0000), 0x9e37_79b1) >>> this.#shift;
  }
}
