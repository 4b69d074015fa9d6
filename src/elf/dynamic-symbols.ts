/**
 * Owns the way to the dynamic symbols when the section headers were stripped: PT_DYNAMIC, and the count out of a hash table.
 * Does not own the reading of the symbols themselves.
 */
import { readRange, type VirtualAddress } from "../base/bytes.js";
import { fileRangeFrom } from "./address.js";
import { readDynamicEntries } from "./dynamic.js";
import type { ElfFile } from "./file.js";
import { damaged, dynamicTag, entryBytes, viewOf, wordsOf } from "./layout.js";

/** The tables that belong together, as bytes. */
export interface DynamicSymbols {
  readonly symbols: Uint8Array;
  readonly strings: Uint8Array;
  readonly versions: DynamicVersions | undefined;
}

export interface DynamicVersions {
  /** Two bytes per symbol. */
  readonly indexes: Uint8Array;
  readonly definitions: CountedChain | undefined;
  readonly needs: CountedChain | undefined;
}

/** A chain of records with the number that it claims; the bytes may reach beyond its end. */
export interface CountedChain {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** Reads the tables that the dynamic section names; undefined when it names no symbols. */
export function readDynamicSymbols(elf: ElfFile): DynamicSymbols | undefined {
  const entries = readDynamicEntries(elf);
  const valueOf = (tag: number): number | undefined => entries?.get(tag)?.[0];
  const symbols = valueOf(dynamicTag.symbolTable);
  const strings = valueOf(dynamicTag.stringTable);
  if (symbols === undefined || strings === undefined) return undefined;
  const symbolBytes = valueOf(dynamicTag.symbolBytes) ?? entryBytes.symbol;
  if (symbolBytes !== entryBytes.symbol) {
    throw damaged(
      elf.source.path,
      place,
      `symbols of ${symbolBytes} bytes each, where a 64-bit file has ${entryBytes.symbol}`,
    );
  }
  const count = countSymbols(elf, valueOf, symbols, strings);
  return {
    symbols: readAt(elf, symbols, count * entryBytes.symbol, "symbols"),
    strings: readAt(elf, strings, valueOf(dynamicTag.stringBytes) ?? 0, "names of symbols"),
    versions: readVersions(elf, valueOf, count),
  };
}

const place = "dynamic section";

function countSymbols(
  elf: ElfFile,
  valueOf: (tag: number) => number | undefined,
  symbols: number,
  strings: number,
): number {
  const hash = valueOf(dynamicTag.hash);
  // Spec: the second word of a hash table, nchain, is the number of symbols.
  if (hash !== undefined) return viewOf(readAt(elf, hash, 8, "hash table")).getUint32(4, true);
  const gnuHash = valueOf(dynamicTag.gnuHash);
  if (gnuHash !== undefined) return countByGnuHash(elf, gnuHash);
  // Why: every linker in use puts the names right behind the symbols; without a hash table nothing else tells the count.
  return strings > symbols ? Math.floor((strings - symbols) / entryBytes.symbol) : 0;
}

// Spec: GNU hash table
//   nbuckets u32 | symoffset u32 | bloom words u32 | shift u32 | bloom u64[] | buckets u32[nbuckets] | chain u32[], one per
//   symbol from symoffset on, its lowest bit set at the end of each bucket's chain. Unhashed symbols come before symoffset.
function countByGnuHash(elf: ElfFile, address: number): number {
  const head = viewOf(readAt(elf, address, 16, "GNU hash table"));
  const [bucketCount, first] = [head.getUint32(0, true), head.getUint32(4, true)];
  const bucketsAt = address + 16 + head.getUint32(8, true) * 8;
  let last = 0;
  for (const bucket of wordsOf(readAt(elf, bucketsAt, bucketCount * 4, "GNU hash table")))
    if (bucket > last) last = bucket;
  if (last === 0) return first;
  if (last < first)
    throw damaged(
      elf.source.path,
      `${place}, GNU hash table`,
      "a bucket begins before the first hashed symbol",
    );
  const chainAt = bucketsAt + bucketCount * 4;
  for (const step = 1024; ; last += step) {
    const at = chainAt + (last - first) * 4;
    const available = fileRangeFrom(elf, at as VirtualAddress)?.bytes ?? 0;
    const words = wordsOf(readAt(elf, at, Math.max(4, Math.min(available & ~3, step * 4)), "GNU hash table"));
    const end = words.findIndex((word) => (word & 1) === 1);
    if (end !== -1) return last + end + 1;
  }
}

function readVersions(
  elf: ElfFile,
  valueOf: (tag: number) => number | undefined,
  count: number,
): DynamicVersions | undefined {
  const indexes = valueOf(dynamicTag.versionIndexes);
  if (indexes === undefined) return undefined;
  return {
    indexes: readAt(elf, indexes, count * 2, "versions of symbols"),
    definitions: readChain(
      elf,
      valueOf(dynamicTag.versionDefinitions),
      valueOf(dynamicTag.versionDefinitionCount),
    ),
    needs: readChain(elf, valueOf(dynamicTag.versionNeeds), valueOf(dynamicTag.versionNeedCount)),
  };
}

/** Why: nothing tells how long the chain is; a libstdc++ has 1.7 KB of it, so this is plenty. */
const mostChainBytes = 0x10_0000;

function readChain(
  elf: ElfFile,
  address: number | undefined,
  count: number | undefined,
): CountedChain | undefined {
  if (address === undefined || count === undefined) return undefined;
  const available = fileRangeFrom(elf, address as VirtualAddress)?.bytes ?? 0;
  return { bytes: readAt(elf, address, Math.min(available, mostChainBytes), "version records"), count };
}

function readAt(elf: ElfFile, address: number, bytes: number, what: string): Uint8Array {
  const range = fileRangeFrom(elf, address as VirtualAddress);
  if (bytes === 0) return new Uint8Array(0);
  if (range === undefined || bytes > range.bytes) {
    throw damaged(
      elf.source.path,
      `${place}, ${what} at address 0x${address.toString(16)}`,
      `${what} lie outside the file's segments`,
    );
  }
  return readRange(elf.source, range.offset, bytes, what);
}
