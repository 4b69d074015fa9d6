/**
 * Owns a walk over functions by address that makes no object and no text of any of them: for lists of 80,000.
 * Does not own their order, nor how they are printed.
 */
import type { VirtualAddress } from "../base/bytes.js";
import { assert } from "../base/assert.js";
import type { AddressOrder } from "./address-order.js";
import { listDistinct } from "./distinct.js";
import type { FunctionSymbol, SymbolTable } from "./symbol-table.js";

/** The function that the walk stands at, after each `next` that returned true. */
export class FunctionWalk {
  address = 0 as VirtualAddress;
  size = 0;
  binding: FunctionSymbol["binding"] = "local";
  kind: FunctionSymbol["kind"] = "function";
  /** Its name without version, as a range of bytes; the end is 0 unless all of it is printable ASCII. */
  nameBytes: Uint8Array = new Uint8Array(0);
  nameStart = 0;
  nameEnd = 0;

  readonly #order: AddressOrder;
  readonly #tables: readonly SymbolTable[];
  /** The functions that start together here, where in them the walk stands, and what comes behind them. */
  #group: readonly number[] = [];
  #position = 0;
  #end = 0;
  #table: SymbolTable | undefined;
  #symbol = 0;

  constructor(order: AddressOrder, tables: readonly SymbolTable[]) {
    this.#order = order;
    this.#tables = tables;
    for (const table of tables) table.beginNames();
  }

  /** Steps to the next function; false behind the last one. */
  next(): boolean {
    const order = this.#order;
    if (++this.#position >= this.#group.length) {
      const first = this.#end;
      if (first >= order.starts.length) return false;
      this.#end = order.endOfGroup(first);
      this.#group = listDistinct(order, this.#tables, first, this.#end);
      this.#position = 0;
    }
    const index = this.#group[this.#position]!;
    const table = this.#tables[order.tables[index]!]!;
    const symbol = order.symbols[index]!;
    this.#table = table;
    this.#symbol = symbol;
    this.address = order.starts[index]! as VirtualAddress;
    this.size = table.size(symbol);
    this.binding = table.binding(symbol);
    this.kind = table.functionKind(symbol);
    this.nameBytes = table.nameBytes;
    this.nameStart = table.nameStart(symbol);
    this.nameEnd = table.plainNameEnd(symbol);
    return true;
  }

  get hasVersion(): boolean {
    return this.#table?.hasVersion(this.#symbol) ?? false;
  }

  /** Makes an object of the function. */
  symbol(): FunctionSymbol {
    assert(this.#table !== undefined, "a walk begins with next()");
    return this.#table.symbol(this.#symbol);
  }
}
