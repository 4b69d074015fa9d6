/**
 * Owns symbol tables as they lie in memory: a table's parts, its entries, and which of these are functions.
 * Does not own their names, nor which are listed.
 */
@unmanaged
export class Table {
  entries: usize;
  entryCount: u32;
  names: usize;
  namesEnd: usize;
  /** Linkers write `name@@version` into .symtab as it is. */
  namesHaveVersions: bool;
  /** Two bytes for each entry, whose lower 15 bits number a version; 0 where the file has none. */
  versionNumbers: usize;
  /** A byte for each of these numbers, 1 where it names a version. */
  isVersion: usize;
  /** How many bytes of names may still be looked at. */
  budget: i64;
}

export const sizeOfTable: usize = offsetof<Table>();

/** Why room for so few: a file has two, and its debug file one more. */
const mostTables: usize = 8;
export const tables = memory.data(8 * offsetof<Table>(), 8);
export let tablesEnd: usize = tables;

/** Adds a table behind those that there are; false when there is no room. Addresses are 0 for what it does not have. */
export function addTable(
  entries: usize,
  entryCount: u32,
  names: usize,
  namesLength: usize,
  namesHaveVersions: bool,
  versionNumbers: usize,
  isVersion: usize,
): bool {
  if (tablesEnd === tables + mostTables * sizeOfTable) return false;
  const table = changetype<Table>(tablesEnd);
  table.entries = entries;
  table.entryCount = entryCount;
  table.names = names;
  table.namesEnd = names + namesLength;
  table.namesHaveVersions = namesHaveVersions;
  table.versionNumbers = versionNumbers;
  table.isVersion = isVersion;
  // Why: linkers share the ends of names, but only a hostile file makes everything one long name.
  table.budget = 64 * <i64>namesLength + 0x10_0000;
  tablesEnd += sizeOfTable;
  return true;
}

// Spec: Elf64_Sym
@unmanaged
export class Entry {
  name: u32;
  /** Type, and binding << 4. */
  traits: u8;
  visibility: u8;
  section: u16;
  address: u64;
  size: u64;
}

export const sizeOfEntry: usize = offsetof<Entry>();

const functionType: i32 = 2;
export const ifuncType: i32 = 10;

/** Says whether an entry is a function that can be listed. Why 2^53: no program can have addresses beyond. */
export function isFunction(entry: Entry): bool {
  const type = entry.traits & 0xf;
  return (
    (type === functionType || type === ifuncType) &&
    entry.section !== 0 &&
    entry.name !== 0 &&
    entry.address < 0x20_0000_0000_0000
  );
}
