/**
 * Owns the versions of dynamic symbols (`GLIBC_2.14`): which version a symbol has, and whether it is the default one.
 * Does not own the symbols.
 */
import type { DynamicVersions, CountedChain } from "./dynamic-symbols.js";
import type { ElfFile } from "./file.js";
import { damaged, halvesOf, sectionType, viewOf } from "./layout.js";
import { readSection, sectionPlace, type Section } from "./sections.js";
import type { StringTable } from "./strings.js";

export interface SymbolVersion {
  readonly name: string;
  /** True for `name@@version`, to which a linker binds; false for `name@version`, kept for older programs. */
  readonly isDefault: boolean;
}

/** The versions of the symbols in a dynamic table. */
export interface SymbolVersions {
  /** Which version a symbol has, by the symbol's number. */
  readonly of: (symbol: number) => SymbolVersion | undefined;
  /** The same as it stands in the file: two bytes for each symbol, whose lower 15 bits number a version ... */
  readonly numbers: Uint8Array;
  /** ... and by this number, 1 where it stands for one that has a name. */
  readonly isNamed: () => Uint8Array;
}

/** Reads the version sections of a file; undefined when its symbols have none. */
export function readSectionVersions(
  elf: ElfFile,
  strings: StringTable,
  symbolCount: number,
): SymbolVersions | undefined {
  const find = (type: number): Section | undefined => elf.sections.find((section) => section.type === type);
  const chain = (section: Section | undefined): CountedChain | undefined =>
    section && { bytes: readSection(elf.source, section), count: section.info };
  const indexes = find(sectionType.versionIndexes);
  if (indexes === undefined) return undefined;
  const versions = {
    indexes: readSection(elf.source, indexes),
    definitions: chain(find(sectionType.versionDefinitions)),
    needs: chain(find(sectionType.versionNeeds)),
  };
  return readVersions(elf.source.path, sectionPlace(indexes), versions, strings, symbolCount);
}

/** Makes sense of the version tables, wherever they were found; `place` names the table of indexes in errors. */
export function readVersions(
  path: string,
  place: string,
  versions: DynamicVersions,
  strings: StringTable,
  symbolCount: number,
): SymbolVersions {
  const indexes = halvesOf(versions.indexes);
  if (indexes.length < symbolCount)
    throw damaged(path, place, `versions for ${indexes.length} of ${symbolCount} symbols`);
  const defined = new Map<number, SymbolVersion>();
  const needed = new Map<number, SymbolVersion>();
  if (versions.needs !== undefined) readNeeds(path, versions.needs, strings, needed);
  if (versions.definitions !== undefined) readDefinitions(path, versions.definitions, strings, defined);
  const older = new Map([...defined].map(([index, version]) => [index, { ...version, isDefault: false }]));
  return {
    of: (symbol) => {
      const entry = indexes[symbol] ?? 0;
      // Spec: bit 15 hides a version from linkers. 0 is local, 1 is the file's own base version: neither has a name.
      const index = entry & 0x7fff;
      return (entry & 0x8000 ? older : defined).get(index) ?? needed.get(index);
    },
    numbers: versions.indexes,
    isNamed: () => {
      const named = new Uint8Array(0x8000);
      for (const index of [...defined.keys(), ...needed.keys()]) named[index] = 1;
      return named;
    },
  };
}

// Spec: Elf64_Verdef
//   0 version u16 | 2 flags u16 | 4 index u16 | 6 names u16 | 8 hash u32 | 12 offset of Verdaux u32 | 16 next u32
//   Verdaux: 0 name u32 | 4 next u32. The first is the version's own name, others are those that it replaces.
function readDefinitions(
  path: string,
  chain: CountedChain,
  strings: StringTable,
  into: Map<number, SymbolVersion>,
): void {
  const view = viewOf(chain.bytes);
  let at = 0;
  for (const step of steps(path, "version definitions", chain, 20)) {
    requireInside(path, "version definitions", view, at, 20);
    const name = at + view.getUint32(at + 12, true);
    requireInside(path, "version definitions", view, name, 8);
    const isBase = (view.getUint16(at + 2, true) & 1) === 1;
    const index = view.getUint16(at + 4, true) & 0x7fff;
    if (!isBase) into.set(index, { name: strings.at(view.getUint32(name, true)), isDefault: true });
    const next = view.getUint32(at + 16, true);
    if (next === 0 || step === chain.count) return;
    at += next;
  }
}

// Spec: Elf64_Verneed
//   0 version u16 | 2 names u16 | 4 file u32 | 8 offset of Vernaux u32 | 12 next u32
//   Vernaux: 0 hash u32 | 4 flags u16 | 6 index u16 | 8 name u32 | 12 next u32
function readNeeds(
  path: string,
  chain: CountedChain,
  strings: StringTable,
  into: Map<number, SymbolVersion>,
): void {
  const view = viewOf(chain.bytes);
  // Why: the lists of hostile records can overlap; honest ones have 16 bytes of their own each.
  let budget = Math.ceil(view.byteLength / 16);
  let at = 0;
  for (const step of steps(path, "version needs", chain, 16)) {
    requireInside(path, "version needs", view, at, 16);
    let name = at + view.getUint32(at + 8, true);
    for (let left = view.getUint16(at + 2, true); left > 0; left--) {
      requireInside(path, "version needs", view, name, 16);
      if (budget-- === 0) throw damaged(path, "version needs", "the records overlap");
      into.set(view.getUint16(name + 6, true) & 0x7fff, {
        name: strings.at(view.getUint32(name + 8, true)),
        isDefault: false,
      });
      const next = view.getUint32(name + 12, true);
      if (next === 0) break;
      name += next;
    }
    const next = view.getUint32(at + 12, true);
    if (next === 0 || step === chain.count) return;
    at += next;
  }
}

/** Counts a chain's records from 1, no further than its bytes have room for. */
function* steps(path: string, place: string, chain: CountedChain, recordBytes: number): Generator<number> {
  const room = Math.floor(chain.bytes.length / recordBytes);
  for (let step = 1; step <= Math.min(chain.count, room); step++) yield step;
  if (chain.count > room) throw damaged(path, place, `${chain.count} records in ${chain.bytes.length} bytes`);
}

function requireInside(path: string, place: string, view: DataView, at: number, bytes: number): void {
  if (at + bytes > view.byteLength)
    throw damaged(path, place, `a record at ${at} lies outside its ${view.byteLength} bytes`);
}
