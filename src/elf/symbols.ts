/**
 * Owns the functions of a file: by exact name, all of them, and by address, over its symbol tables and those of its debug file.
 * Does not own demangled names, patterns, or symbols that are no functions. Nothing is read before the first question.
 */
import type { VirtualAddress } from "../base/bytes.js";
import { AddressOrder } from "./address-order.js";
import { listDistinct, markRepeats } from "./distinct.js";
import type { ElfFile } from "./file.js";
import { readSymbolTable, type FunctionSymbol, type SymbolTable, type TableKind } from "./symbol-table.js";

export { versionedName, type FunctionSymbol, type SymbolTable } from "./symbol-table.js";

/** Defined functions; the same name at the same address in a later table (.symtab after .dynsym) is one function, told once. */
export interface FunctionTable {
  /** How many functions all() gives. Several aliases of one address count each. */
  readonly count: number;
  /** Finds functions by their name as linked; `name@VERSION` asks for one version. Makes no text of other names. */
  find(exactName: string): FunctionSymbol[];
  /** Table by table, in the order of the file. */
  all(): Iterable<FunctionSymbol>;
  /** The same functions in rising order of address; of those that start together, exported ones before local ones. */
  inOrder(): Iterable<FunctionSymbol>;
  /** What they are read from, earlier ones before later ones: for who lists them without an object for each. */
  readonly tables: readonly SymbolTable[];
  /** The names that all() gives, in its order; a name may occur more than once. */
  names(): Iterable<string>;
  /**
   * Finds the function that holds an address: the nearest start before it whose size reaches it. A function of size 0
   * reaches to the next start or its section's end. Of aliases, plain functions come before ifuncs, sized before
   * unsized, exported before local ones, then fewer leading underscores, default versions, shorter and smaller names.
   */
  covering(address: VirtualAddress): FunctionSymbol | undefined;
  /** Finds all functions that start at an address. */
  at(address: VirtualAddress): FunctionSymbol[];
}

/** Makes the table of a file's functions, from .dynsym and .symtab or only one of them. */
export function readFunctionTable(
  elf: ElfFile,
  kinds: readonly TableKind[] = ["dynsym", "symtab"],
): FunctionTable {
  return new MergedTable(() =>
    kinds.map((kind) => readSymbolTable(elf, kind)).filter((table) => table !== undefined),
  );
}

/** Makes one table of several, such as a program's and its debug file's; addresses must mean the same in all. */
export function mergeFunctionTables(...tables: readonly FunctionTable[]): FunctionTable {
  return new MergedTable(() => tables.flatMap((table) => table.tables));
}

class MergedTable implements FunctionTable {
  readonly #read: () => SymbolTable[];
  #tables: SymbolTable[] | undefined;
  #order: AddressOrder | undefined;
  #distinct: Uint32Array[] | undefined;

  constructor(read: () => SymbolTable[]) {
    this.#read = read;
  }

  get tables(): SymbolTable[] {
    return (this.#tables ??= this.#read());
  }

  get count(): number {
    return this.#distinctFunctions().reduce((sum, functions) => sum + functions.length, 0);
  }

  find(exactName: string): FunctionSymbol[] {
    const found = this.#findName(exactName);
    const mark = exactName.indexOf("@", 1);
    if (found.length > 0 || mark === -1) return found;
    const mustBeDefault = exactName[mark + 1] === "@";
    const version = exactName.slice(mark + (mustBeDefault ? 2 : 1));
    return this.#findName(exactName.slice(0, mark)).filter(
      (symbol) => symbol.version === version && (symbol.isDefaultVersion === true || !mustBeDefault),
    );
  }

  *all(): Generator<FunctionSymbol> {
    for (const [index, functions] of this.#distinctFunctions().entries()) {
      const symbolOf = this.tables[index]!.symbols();
      for (let position = 0; position < functions.length; position++) yield symbolOf(functions[position]!);
    }
  }

  *inOrder(): Generator<FunctionSymbol> {
    const order = this.#addressOrder();
    const readers = this.tables.map((table) => table.symbols());
    for (let first = 0; first < order.starts.length;) {
      const end = order.endOfGroup(first);
      for (const index of listDistinct(order, this.tables, first, end))
        yield readers[order.tables[index]!]!(order.symbols[index]!);
      first = end;
    }
  }

  *names(): Generator<string> {
    for (const [index, functions] of this.#distinctFunctions().entries()) {
      const nameOf = this.tables[index]!.names();
      for (let position = 0; position < functions.length; position++) yield nameOf(functions[position]!);
    }
  }

  covering(address: VirtualAddress): FunctionSymbol | undefined {
    return this.#addressOrder()
      .covering(address)
      .slice(0, mostAliases)
      .map((index) => this.#place(index).symbol)
      .sort(compareRank)[0];
  }

  at(address: VirtualAddress): FunctionSymbol[] {
    const order = this.#addressOrder();
    const first = order.firstFrom(address);
    if (order.starts[first] !== address) return [];
    const places = Array.from({ length: order.endOfGroup(first) - first }, (_, offset) =>
      this.#place(first + offset),
    );
    return withoutRepeats(places, (place) => place.symbol.name);
  }

  #findName(name: string): FunctionSymbol[] {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length === 0) return [];
    const places = this.tables.flatMap((table) =>
      table.find(bytes).map((symbol): Place => ({ table, symbol: table.symbol(symbol) })),
    );
    return withoutRepeats(places, (place) => place.symbol.address);
  }

  #place(index: number): Place {
    const order = this.#addressOrder();
    const table = this.tables[order.tables[index]!]!;
    return { table, symbol: table.symbol(order.symbols[index]!) };
  }

  #addressOrder(): AddressOrder {
    return (this.#order ??= new AddressOrder(this.tables));
  }

  /** Per table, the functions that no earlier table has, in the order of the file. */
  #distinctFunctions(): Uint32Array[] {
    if (this.tables.length < 2) return this.tables.map((table) => table.functions);
    return (this.#distinct ??= this.#selectDistinct());
  }

  #selectDistinct(): Uint32Array[] {
    const order = this.#addressOrder();
    const marks = markRepeats(order, this.tables);
    const repeated = this.tables.map(({ functions }) => new Uint8Array((functions.at(-1) ?? -1) + 1));
    for (let index = 0; index < marks.length; index++)
      if (marks[index] === 1) repeated[order.tables[index]!]![order.symbols[index]!] = 1;
    return this.tables.map(({ functions }, table) =>
      functions.filter((symbol) => repeated[table]![symbol] === 0),
    );
  }
}

/** Why: a linker that folds functions puts thousands of names at one address; the first of them are the exported ones. */
const mostAliases = 64;

interface Place {
  readonly table: SymbolTable;
  readonly symbol: FunctionSymbol;
}

/** Leaves out what repeats a place of an earlier table; the places come in the order of their tables. */
function withoutRepeats(
  places: readonly Place[],
  keyOf: (place: Place) => string | number,
): FunctionSymbol[] {
  const tables = new Map<string | number, SymbolTable>();
  const kept = places.filter((place) => {
    const earlier = tables.get(keyOf(place)) ?? place.table;
    tables.set(keyOf(place), earlier);
    return earlier === place.table;
  });
  return kept.map((place) => place.symbol);
}

function compareRank(left: FunctionSymbol, right: FunctionSymbol): number {
  return (
    Number(left.kind === "ifunc") - Number(right.kind === "ifunc") ||
    Number(left.size === 0) - Number(right.size === 0) ||
    Number(left.binding === "local") - Number(right.binding === "local") ||
    leadingUnderscores(left) - leadingUnderscores(right) ||
    Number(left.isDefaultVersion === false) - Number(right.isDefaultVersion === false) ||
    left.name.length - right.name.length ||
    (left.name < right.name ? -1 : left.name > right.name ? 1 : 0)
  );
}

function leadingUnderscores(symbol: FunctionSymbol): number {
  return /^_*/.exec(symbol.name)![0].length;
}
