/**
 * Owns where the counter of a marker lies for the kernel: as an offset into the file, where a process can have it written.
 * Does not own raising it: the kernel does that while the marker is armed (ref_ctr_offset).
 */
import type { FileOffset, VirtualAddress } from "../base/bytes.js";
import { fileOffsetOf } from "../elf/address.js";
import type { ElfFile } from "../elf/file.js";
import { segmentFlag, segmentType } from "../elf/layout.js";

export type FoundSemaphore =
  | { readonly kind: "found"; readonly offset: FileOffset }
  /** Why there is none that can be raised, a sentence without a full stop. */
  | { readonly kind: "unusable"; readonly reason: string };

/**
 * Finds the semaphore at an address. Kernel: valid_ref_ctr_vma takes a private, writable mapping of the file's own bytes, and
 * uprobe_register an even offset; elsewhere nothing would be raised, and the program would not pass the marker.
 */
export function findSemaphore(elf: ElfFile, address: VirtualAddress): FoundSemaphore {
  const at = `its semaphore (0x${address.toString(16)})`;
  const unusable = (reason: string): FoundSemaphore => ({ kind: "unusable", reason: `${at} ${reason}` });
  const last = (address + semaphoreBytes - 1) as VirtualAddress;
  const segment = elf.segments.findLast(
    (segment) =>
      segment.type === segmentType.load &&
      address >= segment.address &&
      last < segment.address + segment.memoryBytes,
  );
  if (segment === undefined) return unusable("lies outside of what the program loads");
  if ((segment.flags & segmentFlag.write) === 0) return unusable("lies in read-only memory");
  if (address % semaphoreBytes !== 0) return unusable("has an odd address");
  const offset = fileOffsetOf(elf, address);
  if (offset === undefined || fileOffsetOf(elf, last) === undefined)
    return unusable("has no bytes in the file");
  if (isProtectedLater(elf, address)) return unusable("becomes read-only when the program is loaded (RELRO)");
  return { kind: "found", offset };
}

/** Spec: the loader makes whole pages read-only: from the page of the segment's start to the last one that it fills. */
function isProtectedLater(elf: ElfFile, address: VirtualAddress): boolean {
  return elf.segments.some(({ type, address: start, memoryBytes }) => {
    const end = start + memoryBytes;
    return (
      type === relroSegment && address >= start - (start % pageBytes) && address < end - (end % pageBytes)
    );
  });
}

const semaphoreBytes = 2;
const pageBytes = 4096;
/** PT_GNU_RELRO. */
const relroSegment = 0x6474_e552;
