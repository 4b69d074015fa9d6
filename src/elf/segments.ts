/**
 * Owns the program headers: what the kernel and the loader map, and with which rights.
 * Does not own conversions between addresses and file offsets: see address.ts.
 */
import { readRange, type ByteSource, type FileOffset, type VirtualAddress } from "../base/bytes.js";
import { UnsupportedError } from "../base/errors.js";
import type { Header } from "./header.js";
import { damaged, entryBytes, readWord64, segmentType, viewOf } from "./layout.js";

export interface Segment {
  readonly index: number;
  /** As in layout.ts `segmentType`, or any other number. */
  readonly type: number;
  /** Bits of layout.ts `segmentFlag`. */
  readonly flags: number;
  /** Separate debug files keep headers whose bytes are elsewhere: check the place when reading. */
  readonly offset: FileOffset;
  readonly address: VirtualAddress;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

/** Kernel: load_elf_phdrs refuses tables above 64 KiB, 1,170 entries; a library's loader is not stricter than this. */
const mostSegments = 0x1_0000;

// Spec: Elf64_Phdr
//   0 type u32 | 4 flags u32 | 8 offset u64 | 16 vaddr u64 | 24 paddr u64 | 32 filesz u64 | 40 memsz u64 | 48 align u64
export function readSegments(source: ByteSource, header: Header): Segment[] {
  const { offset, count } = header.segmentTable;
  if (count > mostSegments)
    throw damaged(source.path, "program headers", `the file claims ${count} program headers`);
  const view = viewOf(readRange(source, offset, count * entryBytes.segment, "program headers"));
  return Array.from({ length: count }, (_, index): Segment => {
    const at = index * entryBytes.segment;
    const segment: Segment = {
      index,
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: readWord64(view, at + 8) as FileOffset,
      address: readWord64(view, at + 16) as VirtualAddress,
      fileBytes: readWord64(view, at + 32),
      memoryBytes: readWord64(view, at + 40),
      align: readWord64(view, at + 48),
    };
    if (segment.type === segmentType.load) requireUserAddress(source, segment);
    return segment;
  });
}

/** The words for a segment in errors. */
export function segmentPlace(segment: Segment): string {
  return `program header ${segment.index}`;
}

function requireUserAddress(source: ByteSource, segment: Segment): void {
  if (Number.isSafeInteger(segment.address + segment.memoryBytes)) return;
  throw new UnsupportedError({
    what: "this file is linked to addresses that no program can have",
    at: `${source.path}, ${segmentPlace(segment)}: address 0x${segment.address.toString(16)}`,
    fix: "uscope looks at user space: for a kernel image use bpftrace or perf",
  });
}
