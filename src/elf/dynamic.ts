/**
 * Owns what a file tells the loader: its own short name, the libraries that it needs, its interpreter.
 * Does not own the symbols that the dynamic section leads to: see dynamic-symbols.ts.
 */
import { readRange, type VirtualAddress } from "../base/bytes.js";
import { fileRangeFrom } from "./address.js";
import type { ElfFile } from "./file.js";
import { damaged, dynamicTag, entryBytes, readWord64, sectionType, segmentType, viewOf } from "./layout.js";
import { segmentPlace } from "./segments.js";
import { StringTable } from "./strings.js";

export interface Dynamic {
  /** The name by which other files need this one (`libc.so.6`). */
  readonly soname: string | undefined;
  /** Sonames, in the order in which the loader looks for symbols. */
  readonly needed: readonly string[];
  /** Folders, colon-separated, that the loader searches first (DT_RUNPATH, or else DT_RPATH); `$ORIGIN` is not replaced. */
  readonly runpath: string | undefined;
  /** Says that a shared object is a program (DF_1_PIE). */
  readonly isPie: boolean;
}

/** The values of the dynamic section by tag, in file order. */
export type DynamicEntries = ReadonlyMap<number, readonly number[]>;

/** Reads the loader's part of a file; undefined for static programs and for debug files. */
export function readDynamic(elf: ElfFile): Dynamic | undefined {
  const entries = readDynamicEntries(elf);
  if (entries === undefined) return undefined;
  const nameAt = (offset: number | undefined): string | undefined =>
    offset === undefined ? undefined : readDynamicString(elf, entries, offset);
  return {
    soname: nameAt(entries.get(dynamicTag.soname)?.[0]),
    needed: (entries.get(dynamicTag.needed) ?? []).map((offset) => readDynamicString(elf, entries, offset)),
    runpath: nameAt((entries.get(dynamicTag.runpath) ?? entries.get(dynamicTag.rpath))?.[0]),
    isPie: ((entries.get(dynamicTag.flags1)?.[0] ?? 0) & pieFlag) !== 0,
  };
}

/** Reads the path of the loader that starts this program; undefined for static programs and most libraries. */
export function readInterpreter(elf: ElfFile): string | undefined {
  const segment = elf.segments.find((segment) => segment.type === segmentType.interpreter);
  if (segment === undefined || segment.fileBytes === 0 || isDebugFile(elf)) return undefined;
  const place = `${segmentPlace(segment)} (interpreter)`;
  // Kernel: load_elf_binary refuses an interpreter longer than PATH_MAX.
  if (segment.fileBytes > mostNameBytes)
    throw damaged(elf.source.path, place, "the interpreter's path is too long");
  return new StringTable(
    elf.source.path,
    place,
    readRange(elf.source, segment.offset, segment.fileBytes, place),
  ).at(0);
}

/** Reads the dynamic section by way of its program header, as the loader does. */
export function readDynamicEntries(elf: ElfFile): DynamicEntries | undefined {
  const segment = elf.segments.find((segment) => segment.type === segmentType.dynamic);
  if (segment === undefined || segment.fileBytes === 0 || isDebugFile(elf)) return undefined;
  const place = `${segmentPlace(segment)} (dynamic)`;
  const count = Math.floor(segment.fileBytes / entryBytes.dynamic);
  if (count > mostEntries)
    throw damaged(elf.source.path, place, `the dynamic section claims ${count} entries`);
  const view = viewOf(readRange(elf.source, segment.offset, count * entryBytes.dynamic, place));
  const entries = new Map<number, number[]>();
  for (let at = 0; at < view.byteLength; at += entryBytes.dynamic) {
    const tag = readWord64(view, at);
    if (tag === dynamicTag.end) break;
    const value = readWord64(view, at + 8);
    const values = entries.get(tag);
    if (values === undefined) entries.set(tag, [value]);
    else values.push(value);
  }
  return entries;
}

/** Reads one name of the dynamic string table without reading the table, which may be many megabytes. */
function readDynamicString(elf: ElfFile, entries: DynamicEntries, offset: number): string {
  const place = `dynamic section, name at ${offset}`;
  const table = entries.get(dynamicTag.stringTable)?.[0];
  const size = entries.get(dynamicTag.stringBytes)?.[0] ?? 0;
  const range = table === undefined ? undefined : fileRangeFrom(elf, (table + offset) as VirtualAddress);
  if (range === undefined || offset >= size)
    throw damaged(elf.source.path, place, "a name lies outside the file's segments");
  const bytes = readRange(
    elf.source,
    range.offset,
    Math.min(range.bytes, size - offset, mostNameBytes),
    place,
  );
  return new StringTable(elf.source.path, place, bytes).at(0);
}

/** Says whether the file only holds what was stripped from another: its program headers lead nowhere. */
function isDebugFile(elf: ElfFile): boolean {
  return elf.sections.some((section) => section.type === sectionType.nobits && emptied.has(section.name));
}

const emptied = new Set([".dynamic", ".interp"]);
const pieFlag = 0x0800_0000;
/** Linux PATH_MAX. */
const mostNameBytes = 4096;
/** Why: one entry per needed library and a few dozen more; larger sections are made to cost memory. */
const mostEntries = 0x1_0000;
