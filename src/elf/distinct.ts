/**
 * Owns which functions of a later symbol table repeat those of an earlier one: same address, same name.
 * Does not own aliases, different names at one address: those are all kept.
 */
import type { AddressOrder } from "./address-order.js";
import type { SymbolTable } from "./symbol-table.js";

/** Says per function, in the order of addresses, 1 where an earlier table has it too. */
export function markRepeats(order: AddressOrder, tables: readonly SymbolTable[]): Uint8Array {
  const marks = new Uint8Array(order.starts.length);
  for (let first = 0; first < marks.length;) {
    const end = order.endOfGroup(first);
    if (end - first > 1) {
      marks.fill(1, first, end);
      for (const index of selectDistinct(order, tables, first, end)) marks[index] = 0;
    }
    first = end;
  }
  return marks;
}

/**
 * Returns which of the functions that start together, from `first` to `end` in the order of addresses, are told: those that
 * no earlier table has, exported ones before local ones.
 */
export function listDistinct(
  order: AddressOrder,
  tables: readonly SymbolTable[],
  first: number,
  end: number,
): number[] {
  const selected = selectDistinct(order, tables, first, end);
  if (selected.length === 1) return selected;
  const isLocal = (index: number): boolean =>
    tables[order.tables[index]!]!.binding(order.symbols[index]!) === "local";
  return [...selected.filter((index) => !isLocal(index)), ...selected.filter(isLocal)];
}

function selectDistinct(
  order: AddressOrder,
  tables: readonly SymbolTable[],
  first: number,
  end: number,
): number[] {
  if (end - first > mostCompared) return selectByText(order, tables, first, end);
  const selected = [first];
  for (let index = first + 1; index < end; index++)
    if (!isRepeated(order, tables, first, index)) selected.push(index);
  return selected;
}

/** Why: of more functions at one address, folded by the linker or from a hostile file, not each is compared with each. */
const mostCompared = 16;

/** The functions of one address follow the order of their tables. */
function isRepeated(
  order: AddressOrder,
  tables: readonly SymbolTable[],
  first: number,
  index: number,
): boolean {
  const table = tables[order.tables[index]!]!;
  const symbol = order.symbols[index]!;
  for (let earlier = first; earlier < index; earlier++) {
    const other = tables[order.tables[earlier]!]!;
    if (other === table) return false;
    if (table.hasNameOf(symbol, other, order.symbols[earlier]!)) return true;
  }
  return false;
}

function selectByText(
  order: AddressOrder,
  tables: readonly SymbolTable[],
  first: number,
  end: number,
): number[] {
  const firstTables = new Map<string, number>();
  const selected: number[] = [];
  for (let index = first; index < end; index++) {
    const table = order.tables[index]!;
    const name = tables[table]!.name(order.symbols[index]!);
    const firstTable = firstTables.get(name) ?? table;
    if (firstTable !== table) continue;
    firstTables.set(name, table);
    selected.push(index);
  }
  return selected;
}
