/**
 * Owns the 64 bytes at a file's start: whether this is an ELF file that uscope can work on, and where its tables lie.
 * Does not own what stands in those tables.
 */
import { readRange, type ByteSource, type VirtualAddress } from "../base/bytes.js";
import { FormatError, UnsupportedError } from "../base/errors.js";
import { damaged, entryBytes, readWord64, sectionIndex, viewOf } from "./layout.js";

export type Machine = "x86-64" | "arm64";

/** What runs: a program at fixed addresses, or one (or a library) that the loader places. A PIE is a shared object. */
export type ElfType = "executable" | "shared-object";

export interface Header {
  readonly machine: Machine;
  readonly type: ElfType;
  readonly entry: VirtualAddress;
  readonly segmentTable: TablePlace;
  readonly sectionTable: TablePlace;
  /** The number of the section that holds the sections' names; 0 for none. */
  readonly sectionNames: number;
}

/** Where a table of the header starts in the file and how many entries it claims; nothing is checked yet. */
export interface TablePlace {
  readonly offset: number;
  readonly count: number;
}

// Spec: e_ident and Elf64_Ehdr
//   0  7f 'E' 'L' 'F' | 4 class | 5 byte order | 6 version | 7 OS ABI | 8 padding
//   16 type u16 | 18 machine u16 | 20 version u32 | 24 entry u64 | 32 phoff u64 | 40 shoff u64
//   48 flags u32 | 52 ehsize | 54 phentsize | 56 phnum | 58 shentsize | 60 shnum | 62 shstrndx (all u16)
export function readHeader(source: ByteSource): Header {
  const ident = readRange(source, 0, Math.min(source.size, 20), "ELF header");
  requireMagic(source, ident);
  if (ident.length < 20) throw damaged(source.path, "ELF header", "the ELF header is cut off");
  const code = viewOf(ident).getUint16(18, true);
  requireLittle64(source, ident, code);
  const machine = requireMachine(source, code);
  const view = viewOf(readRange(source, 0, entryBytes.header, "ELF header"));
  const type = requireLinked(source, view.getUint16(16, true));

  let segments = view.getUint16(56, true);
  let sections = view.getUint16(60, true);
  let sectionNames = view.getUint16(62, true);
  const sectionOffset = readWord64(view, 40);
  if (sectionOffset !== 0) {
    requireEntryBytes(source, "section headers", view.getUint16(58, true), entryBytes.section);
    if (sections === 0 || sectionNames === sectionIndex.extended || segments === 0xffff) {
      // Spec: numbers too large for 16 bits stand in section header 0: sh_size, sh_link and sh_info.
      const first = viewOf(readRange(source, sectionOffset, entryBytes.section, "section header 0"));
      if (sections === 0) sections = readWord64(first, 32);
      if (sectionNames === sectionIndex.extended) sectionNames = first.getUint32(40, true);
      if (segments === 0xffff) segments = first.getUint32(44, true);
    }
  } else {
    sections = 0;
    sectionNames = 0;
  }
  if (segments > 0)
    requireEntryBytes(source, "program headers", view.getUint16(54, true), entryBytes.segment);
  return {
    machine,
    type,
    entry: readWord64(view, 24) as VirtualAddress,
    segmentTable: { offset: readWord64(view, 32), count: segments },
    sectionTable: { offset: sectionOffset, count: sections },
    sectionNames,
  };
}

function requireMagic(source: ByteSource, bytes: Uint8Array): void {
  if (bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46)
    return;
  const isScript = bytes[0] === 0x23 && bytes[1] === 0x21;
  throw new FormatError({
    what:
      source.size === 0
        ? "the file is empty"
        : isScript
          ? "this is a script, not an ELF file"
          : "this is not an ELF file",
    at: `${source.path}, first bytes: ${[...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ") || "none"}`,
    fix: isScript ? "name the interpreter of its first line instead" : "name a program or a shared library",
  });
}

function requireLittle64(source: ByteSource, ident: Uint8Array, machine: number): void {
  const [bits, order] = [ident[4], ident[5]];
  if ((bits !== 1 && bits !== 2) || (order !== 1 && order !== 2)) {
    throw damaged(
      source.path,
      "ELF header, bytes 4 and 5",
      `the ELF header names no known class and byte order (${bits}, ${order})`,
    );
  }
  if (order === 2) throw unsupported(source, "this is a big-endian file");
  if (bits === 1) {
    const name = machineNames[machine];
    throw unsupported(source, `this is a 32-bit ${name === undefined ? "file" : `file for ${name}`}`);
  }
}

function requireMachine(source: ByteSource, code: number): Machine {
  if (code === 62) return "x86-64";
  if (code === 183) return "arm64";
  throw unsupported(
    source,
    `this file is for another machine: ${machineNames[code] ?? `ELF machine ${code}`}`,
  );
}

function requireLinked(source: ByteSource, type: number): ElfType {
  if (type === 2) return "executable";
  if (type === 3) return "shared-object";
  if (type === 1 || type === 4) {
    throw new UnsupportedError({
      what:
        type === 1
          ? "this is an object file that is not linked yet (or a kernel module)"
          : "this is a core dump",
      at: source.path,
      fix:
        type === 1
          ? "name the program or library that it is linked into"
          : "name the program that left it: file FILE says which one",
    });
  }
  throw damaged(
    source.path,
    "ELF header, bytes 16 and 17",
    `the ELF header names no known type of file (${type})`,
  );
}

function requireEntryBytes(source: ByteSource, place: string, found: number, expected: number): void {
  if (found !== expected)
    throw damaged(source.path, place, `${place} of ${found} bytes each, where a 64-bit file has ${expected}`);
}

function unsupported(source: ByteSource, what: string): UnsupportedError {
  return new UnsupportedError({
    what,
    at: source.path,
    fix: "uscope works on 64-bit x86-64 and arm64 programs and libraries",
  });
}

/** Spec: e_machine, those that a Linux system may well meet. */
const machineNames: Readonly<Record<number, string>> = {
  2: "SPARC",
  3: "i386",
  8: "MIPS",
  20: "PowerPC",
  21: "64-bit PowerPC",
  22: "S/390",
  40: "32-bit ARM",
  43: "64-bit SPARC",
  62: "x86-64",
  183: "arm64",
  243: "RISC-V",
  247: "BPF",
  258: "LoongArch",
};
