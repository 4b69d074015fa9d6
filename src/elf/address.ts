/**
 * Owns the way between virtual addresses and file offsets, by the PT_LOAD segments of one file.
 * Does not own where a process mapped the file: see target/.
 */
import type { FileOffset, VirtualAddress } from "../base/bytes.js";
import type { ElfFile } from "./file.js";
import { segmentFlag, segmentType } from "./layout.js";
import type { Segment } from "./segments.js";

/** Returns where the byte at an address stands in the file, or undefined for addresses that the file does not fill. */
export function fileOffsetOf(elf: ElfFile, address: VirtualAddress): FileOffset | undefined {
  const segment = findLoaded(elf, address);
  if (segment === undefined) return undefined;
  const offset = segment.offset + (address - segment.address);
  return offset < elf.source.size ? (offset as FileOffset) : undefined;
}

/** Returns the address of a byte of the file; where two segments map it, the executable one's. */
export function virtualAddressOf(elf: ElfFile, offset: FileOffset): VirtualAddress | undefined {
  const holds = (segment: Segment): boolean =>
    segment.type === segmentType.load &&
    offset >= segment.offset &&
    offset < segment.offset + filledBytes(segment);
  const segment =
    elf.segments.find((segment) => holds(segment) && executes(segment)) ?? elf.segments.find(holds);
  return segment === undefined || offset >= elf.source.size
    ? undefined
    : ((segment.address + (offset - segment.offset)) as VirtualAddress);
}

/** Says whether the file has code at an address: bytes of an executable segment. */
export function isExecutable(elf: ElfFile, address: VirtualAddress): boolean {
  const segment = findLoaded(elf, address);
  return segment !== undefined && executes(segment);
}

/** Returns the bytes of the file from an address to the end of what its segment fills, as a place; undefined when there are none. */
export function fileRangeFrom(
  elf: ElfFile,
  address: VirtualAddress,
): { offset: FileOffset; bytes: number } | undefined {
  const segment = findLoaded(elf, address);
  const offset = fileOffsetOf(elf, address);
  if (segment === undefined || offset === undefined) return undefined;
  const bytes = segment.address + filledBytes(segment) - address;
  return { offset, bytes: Math.min(bytes, elf.source.size - offset) };
}

/** Kernel: segments are mapped in the order of their headers, a later one over an earlier one. */
function findLoaded(elf: ElfFile, address: VirtualAddress): Segment | undefined {
  return elf.segments.findLast(
    (segment) =>
      segment.type === segmentType.load &&
      address >= segment.address &&
      address < segment.address + filledBytes(segment),
  );
}

function filledBytes(segment: Segment): number {
  return Math.min(segment.fileBytes, segment.memoryBytes);
}

function executes(segment: Segment): boolean {
  return (segment.flags & segmentFlag.execute) !== 0;
}
