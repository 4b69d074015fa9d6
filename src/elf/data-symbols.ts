/**
 * Owns the lookup of a file's variables by name: where its data symbols lie, local ones among them.
 * Does not own functions: see symbols.ts.
 */
import type { VirtualAddress } from "../base/bytes.js";
import type { ElfFile } from "./file.js";
import { readSymbolTable, type SymbolTable } from "./symbol-table.js";

export interface DataSymbol {
  /** Of a thread-local variable: how far into the block of each thread it lies. */
  readonly address: VirtualAddress;
  readonly isThreadLocal: boolean;
}

export class DataSymbols {
  readonly #elfs: () => readonly ElfFile[];
  #byName: Map<string, DataSymbol[]> | undefined;

  /** `elfs`: a file, and perhaps its debug file; asked for with the first name. */
  constructor(elfs: () => readonly ElfFile[]) {
    this.#elfs = elfs;
  }

  /** Finds the variables of a name, given with or without its version; two when there are several, such as a static one in each of many units. */
  find(name: string): readonly DataSymbol[] {
    // Why a map: a file with many markers can ask for as many names as it has symbols.
    this.#byName ??= readByName(this.#elfs());
    return this.#byName.get(name) ?? this.#byName.get(name.replace(/(?<=.)@.*$/s, "")) ?? [];
  }
}

function readByName(elfs: readonly ElfFile[]): Map<string, DataSymbol[]> {
  const byName = new Map<string, DataSymbol[]>();
  for (const elf of elfs) {
    for (const kind of ["dynsym", "symtab"] as const) {
      const table = readSymbolTable(elf, kind);
      if (table !== undefined) addVariables(table, byName);
    }
  }
  return byName;
}

function addVariables(table: SymbolTable, byName: Map<string, DataSymbol[]>): void {
  const nameOf = table.names();
  for (const symbol of table.variables()) {
    const name = nameOf(symbol);
    const address = table.address(symbol) as VirtualAddress;
    const known = byName.get(name);
    // Why no third: two already do not tell which is meant.
    if (known === undefined) byName.set(name, [{ address, isThreadLocal: table.isThreadLocal(symbol) }]);
    else if (known.length < 2 && known[0]!.address !== address)
      known.push({ address, isThreadLocal: table.isThreadLocal(symbol) });
  }
}
