/**
 * Owns how a stripped file names its debug file, where such files may lie, and the check that one belongs to the other.
 * Does not open any of them: see target/.
 */
import { readRange, type ByteSource } from "../base/bytes.js";
import { findSection, type ElfFile } from "./file.js";
import { damaged, viewOf } from "./layout.js";
import { sectionPlace } from "./sections.js";

export interface DebugLink {
  /** A file name without a folder. */
  readonly name: string;
  /** CRC-32 of the whole debug file. */
  readonly crc: number;
}

// Spec: .gnu_debuglink: name, NUL, padding to 4 bytes | CRC-32 u32
export function readDebugLink(elf: ElfFile): DebugLink | undefined {
  const section = findSection(elf, ".gnu_debuglink");
  if (section === undefined) return undefined;
  const place = sectionPlace(section);
  if (section.size > mostLinkBytes)
    throw damaged(elf.source.path, place, `a debug link of ${section.size} bytes`);
  const bytes = readRange(elf.source, section.offset, section.size, place);
  const nameBytes = bytes.indexOf(0);
  const crcAt = (nameBytes + 4) & ~3;
  const name = new TextDecoder().decode(bytes.subarray(0, Math.max(0, nameBytes)));
  // A name with a folder in it would lead out of the folders that are searched.
  if (nameBytes < 1 || crcAt + 4 > bytes.length || name.includes("/") || name === "." || name === "..") {
    throw damaged(elf.source.path, place, "the debug link is no file name with a checksum");
  }
  return { name, crc: viewOf(bytes).getUint32(crcAt, true) };
}

/**
 * Lists where a file's debug file may lie, best first and without the file itself. What is found by build-id must have
 * the same build-id, what is found by the link must have its CRC. `binaryPath` is absolute, with symbolic links resolved.
 */
export function debugFilePaths(
  buildId: string | undefined,
  link: DebugLink | undefined,
  binaryPath: string,
): string[] {
  const paths: string[] = [];
  if (buildId !== undefined && buildId.length > 2) {
    paths.push(`${debugRoot}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`);
  }
  if (link !== undefined) {
    const folder = binaryPath.slice(0, binaryPath.lastIndexOf("/"));
    paths.push(
      `${debugRoot}${folder}/${link.name}`,
      `${folder}/${link.name}`,
      `${folder}/.debug/${link.name}`,
    );
  }
  return paths.filter((path) => path !== binaryPath);
}

/** Computes the CRC-32 (as zlib's) of a whole file, in parts. */
export function crc32(source: ByteSource): number {
  const table = crcTable();
  let crc = 0xffff_ffff;
  for (let offset = 0; offset < source.size; offset += partBytes) {
    const part = readRange(source, offset, Math.min(partBytes, source.size - offset), "debug file");
    for (let index = 0; index < part.length; index++) crc = table[(crc ^ part[index]!) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

const debugRoot = "/usr/lib/debug";
const partBytes = 0x10_0000;
/** Linux PATH_MAX and the checksum. */
const mostLinkBytes = 4096 + 8;

function crcTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
    return value;
  });
}
