/**
 * Owns which names a file's dynamic symbols mention: what it imports, and what it offers.
 * Does not own functions as places (symbols.ts).
 */
import { readDynamicSymbols } from "./dynamic-symbols.js";
import type { ElfFile } from "./file.js";
import { entryBytes, sectionIndex, viewOf } from "./layout.js";
import { StringTable } from "./strings.js";

export interface DynamicNames {
  readonly imported: ReadonlySet<string>;
  readonly exported: ReadonlySet<string>;
}

/** Reads the names of all dynamic symbols; both sets are empty for a static file. */
export function readDynamicNames(elf: ElfFile): DynamicNames {
  const imported = new Set<string>();
  const exported = new Set<string>();
  const tables = readDynamicSymbols(elf);
  if (tables === undefined) return { imported, exported };
  const view = viewOf(tables.symbols);
  const nameAt = new StringTable(elf.source.path, "dynamic symbol names", tables.strings).bulk();
  // Spec: Elf64_Sym: 0 st_name, 4 st_info, 5 st_other, 6 st_shndx, 8 st_value, 16 st_size. Entry 0 is reserved.
  for (let at = entryBytes.symbol; at + entryBytes.symbol <= view.byteLength; at += entryBytes.symbol) {
    const isUndefined = view.getUint16(at + 6, true) === sectionIndex.undefined;
    (isUndefined ? imported : exported).add(nameAt(view.getUint32(at, true)));
  }
  return { imported, exported };
}
