/**
 * Owns the numbers of the ELF specification and the first steps from bytes to numbers, all little-endian.
 * Does not own the meaning of any table: sections, segments, symbols and notes stand in their own files.
 */
import { FormatError } from "../base/errors.js";

/** Spec: gABI chapter 4 and 5, and the GNU extensions of the Linux Standard Base. */
export const segmentType = { load: 1, dynamic: 2, interpreter: 3, note: 4 } as const;
export const segmentFlag = { execute: 1, write: 2, read: 4 } as const;
export const sectionType = {
  symtab: 2,
  note: 7,
  nobits: 8,
  dynsym: 11,
  versionDefinitions: 0x6ffffffd,
  versionNeeds: 0x6ffffffe,
  versionIndexes: 0x6fffffff,
} as const;
export const sectionFlag = { alloc: 2, execute: 4, compressed: 0x800 } as const;
export const sectionIndex = {
  undefined: 0,
  firstReserved: 0xff00,
  absolute: 0xfff1,
  extended: 0xffff,
} as const;
export const dynamicTag = {
  end: 0,
  needed: 1,
  hash: 4,
  stringTable: 5,
  symbolTable: 6,
  stringBytes: 10,
  symbolBytes: 11,
  soname: 14,
  rpath: 15,
  runpath: 29,
  gnuHash: 0x6ffffef5,
  versionIndexes: 0x6ffffff0,
  flags1: 0x6ffffffb,
  versionDefinitions: 0x6ffffffc,
  versionDefinitionCount: 0x6ffffffd,
  versionNeeds: 0x6ffffffe,
  versionNeedCount: 0x6fffffff,
} as const;

/** Bytes of one entry in each table of a 64-bit file. */
export const entryBytes = { header: 64, segment: 56, section: 64, symbol: 24, dynamic: 16 } as const;

/** Makes the error for a file that breaks its own promises; `place` is the inner place, such as `section 5 (.symtab)`. */
export function damaged(path: string, place: string, what: string): FormatError {
  return new FormatError({
    what,
    at: `${path}, ${place}`,
    fix: "the file is truncated or damaged: install it again, or name another file",
  });
}

/**
 * Returns the 64-bit number at an offset. Above 2^53 it is rounded, never to below 2^53: such a number passes no
 * check against a file's size.
 */
export function readWord64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Shows little-endian bytes as 32-bit words, without a copy where the host's order and the alignment allow it. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  const count = bytes.length >>> 2;
  if (hostIsLittleEndian() && bytes.byteOffset % 4 === 0)
    return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
  const view = viewOf(bytes);
  return Uint32Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

/** Shows little-endian bytes as 16-bit numbers, without a copy where the host's order and the alignment allow it. */
export function halvesOf(bytes: Uint8Array): Uint16Array {
  const count = bytes.length >>> 1;
  if (hostIsLittleEndian() && bytes.byteOffset % 2 === 0)
    return new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  const view = viewOf(bytes);
  return Uint16Array.from({ length: count }, (_, index) => view.getUint16(index * 2, true));
}

function hostIsLittleEndian(): boolean {
  return new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
}
