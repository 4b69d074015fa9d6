/**
 * Owns the section headers: their names, kinds and places, and the bytes of one section.
 * Does not own what the sections hold. A stripped file may have no section headers at all.
 */
import { readRange, type ByteSource, type VirtualAddress } from "../base/bytes.js";
import type { Header } from "./header.js";
import { damaged, entryBytes, readWord64, sectionType, viewOf } from "./layout.js";
import { StringTable } from "./strings.js";

export interface Section {
  readonly index: number;
  readonly name: string;
  /** As in layout.ts `sectionType`, or any other number. */
  readonly type: number;
  /** Bits of layout.ts `sectionFlag`. */
  readonly flags: number;
  readonly address: VirtualAddress;
  /** Not checked before the section is read; sections of type nobits have no bytes in the file. */
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entryBytes: number;
}

/** Why: linked files have hundreds; a quarter of a million still takes less than 100 MB, a lying header could ask for millions. */
const mostSections = 0x4_0000;

// Spec: Elf64_Shdr
//   0 name u32 | 4 type u32 | 8 flags u64 | 16 addr u64 | 24 offset u64 | 32 size u64 | 40 link u32 | 44 info u32
//   48 addralign u64 | 56 entsize u64
export function readSections(source: ByteSource, header: Header): Section[] {
  const { offset, count } = header.sectionTable;
  if (count > mostSections)
    throw damaged(source.path, "section headers", `the file claims ${count} sections`);
  const view = viewOf(readRange(source, offset, count * entryBytes.section, "section headers"));
  const nameAt = readNames(source, header, view, count);
  return Array.from({ length: count }, (_, index): Section => {
    const at = index * entryBytes.section;
    return {
      index,
      name: nameAt(view.getUint32(at, true)),
      type: view.getUint32(at + 4, true),
      flags: view.getUint32(at + 8, true),
      address: readWord64(view, at + 16) as VirtualAddress,
      offset: readWord64(view, at + 24),
      size: readWord64(view, at + 32),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
      align: readWord64(view, at + 48),
      entryBytes: readWord64(view, at + 56),
    };
  });
}

/** Reads all bytes of a section; none for sections that are only in memory (and for those whose bytes a debug file left out). */
export function readSection(source: ByteSource, section: Section): Uint8Array {
  if (section.type === sectionType.nobits) return new Uint8Array(0);
  return readRange(source, section.offset, section.size, sectionPlace(section));
}

/** The words for a section in errors. */
export function sectionPlace(section: Section): string {
  return `section ${section.index} (${section.name})`;
}

function readNames(
  source: ByteSource,
  header: Header,
  view: DataView,
  count: number,
): (offset: number) => string {
  const index = header.sectionNames;
  if (index === 0) return () => "";
  const place = `section ${index} (the names of sections)`;
  if (index >= count)
    throw damaged(source.path, "ELF header", `the names of sections are in section ${index} of ${count}`);
  const at = index * entryBytes.section;
  const bytes = readRange(source, readWord64(view, at + 24), readWord64(view, at + 32), place);
  return new StringTable(source.path, place, bytes).bulk();
}
