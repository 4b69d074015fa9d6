/**
 * Owns the view of one ELF file as a whole: header, segments and sections, read at once and small.
 * Does not own symbols, notes and the dynamic section: those are read from an ElfFile where they are asked for.
 */
import type { ByteSource, VirtualAddress } from "../base/bytes.js";
import { readHeader, type ElfType, type Machine } from "./header.js";
import { sectionType } from "./layout.js";
import { readSections, type Section } from "./sections.js";
import { readSegments, type Segment } from "./segments.js";

export interface ElfFile {
  readonly source: ByteSource;
  readonly machine: Machine;
  readonly type: ElfType;
  readonly entry: VirtualAddress;
  readonly segments: readonly Segment[];
  /** Empty where the section headers were stripped. */
  readonly sections: readonly Section[];
}

/**
 * Reads the header and both tables of a 64-bit little-endian program or library.
 * Throws an UnsupportedError for other machines and kinds, a FormatError for what is no ELF file or a damaged one.
 */
export function readElf(source: ByteSource): ElfFile {
  const header = readHeader(source);
  return {
    source,
    machine: header.machine,
    type: header.type,
    entry: header.entry,
    segments: readSegments(source, header),
    sections: readSections(source, header),
  };
}

/** Returns the first section of a name that has bytes in this file. */
export function findSection(elf: ElfFile, name: string): Section | undefined {
  return elf.sections.find((section) => section.name === name && section.type !== sectionType.nobits);
}
