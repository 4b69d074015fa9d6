/**
 * Owns bounded reading of little-endian bytes: a source that can be read in parts, and a reader that knows its path.
 * Does not own any format; opening files is the business of target/.
 */
import { FormatError } from "./errors.js";

/** A place in a file, in bytes from its start. The kernel's uprobes take these. */
export type FileOffset = number & { readonly __fileOffset: unique symbol };
/** An address as the ELF file's symbols and segments give it, before the loader moves it. */
export type VirtualAddress = number & { readonly __virtualAddress: unique symbol };

/** Bytes that can be read in parts without loading the whole. */
export interface ByteSource {
  /** The name to show in errors. */
  readonly path: string;
  /** Bytes in all. */
  readonly size: number;
  /** Returns exactly `length` bytes from `offset`; the caller has checked that they lie inside. */
  read(offset: number, length: number): Uint8Array;
}

/** Reads `length` bytes of `what`, or throws a FormatError when they do not lie inside the source. */
export function readRange(source: ByteSource, offset: number, length: number, what: string): Uint8Array {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > source.size
  ) {
    throw new FormatError({
      what: `the file is too short for its ${what}`,
      at: `${source.path}, ${what}: bytes ${offset} to ${offset + length} of ${source.size}`,
      fix: "the file is truncated or damaged: install it again, or name another file",
    });
  }
  return length === 0 ? new Uint8Array(0) : source.read(offset, length);
}

/** A source over bytes that are in memory already. */
export function bytesSource(path: string, bytes: Uint8Array): ByteSource {
  return { path, size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
