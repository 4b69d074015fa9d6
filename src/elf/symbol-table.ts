/**
 * Owns one symbol table of a file as it stands there: its entries, names and versions, and which of them are functions.
 * Does not own the view over several tables: see symbols.ts.
 */
import type { VirtualAddress } from "../base/bytes.js";
import { readDynamicSymbols } from "./dynamic-symbols.js";
import type { ElfFile } from "./file.js";
import { damaged, entryBytes, sectionIndex, sectionType, wordsOf } from "./layout.js";
import { readSection, sectionPlace } from "./sections.js";
import { StringTable } from "./strings.js";
import { readSectionVersions, readVersions, type SymbolVersion, type SymbolVersions } from "./versions.js";

export type TableKind = "symtab" | "dynsym";

export interface FunctionSymbol {
  /** As linked (mangled), without its version. */
  readonly name: string;
  /** The symbol's version, such as `GLIBC_2.14`. */
  readonly version?: string;
  /** With a version: true for `name@@version`, to which linkers bind; false for `name@version`. */
  readonly isDefaultVersion?: boolean;
  readonly address: VirtualAddress;
  /** In bytes; 0 where the file does not say. */
  readonly size: number;
  readonly binding: "local" | "global" | "weak" | "unique";
  /** The address of an ifunc is that of the resolver, which runs once and returns the address of the function. */
  readonly kind: "function" | "ifunc";
  readonly table: TableKind;
  readonly visibility: "default" | "internal" | "hidden" | "protected";
}

/** Returns a symbol's name as `nm -D` prints it: `memcpy@@GLIBC_2.14`. */
export function versionedName(symbol: FunctionSymbol): string {
  return symbol.version === undefined
    ? symbol.name
    : `${symbol.name}${symbol.isDefaultVersion ? "@@" : "@"}${symbol.version}`;
}

// Spec: Elf64_Sym, and its six 32-bit words as they are used here
//   0 name u32 | 4 info u8 | 5 other u8 | 6 section u16 | 8 value u64 | 16 size u64
//   word 0     | word 1: info, other << 8, section << 16 | words 2, 3  | words 4, 5
const words = entryBytes.symbol / 4;

export class SymbolTable {
  readonly elf: ElfFile;
  readonly kind: TableKind;
  /** Its entries as they stand in the file. */
  readonly entryBytes: Uint8Array;
  readonly versions: SymbolVersions | undefined;
  /** Linkers write `name@@version` into .symtab as it is; in .dynsym an `@` would be part of the name. */
  readonly namesHaveVersions: boolean;
  readonly #entries: Uint32Array;
  readonly #strings: StringTable;
  #functions: Uint32Array | undefined;

  constructor(
    elf: ElfFile,
    kind: TableKind,
    entryBytes: Uint8Array,
    strings: StringTable,
    versions: SymbolVersions | undefined,
  ) {
    this.elf = elf;
    this.kind = kind;
    this.entryBytes = entryBytes;
    this.versions = versions;
    this.namesHaveVersions = kind === "symtab" && strings.bytes.includes(atSign);
    this.#entries = wordsOf(entryBytes);
    this.#strings = strings;
  }

  /** The numbers of the defined functions, ifuncs among them, in file order. */
  get functions(): Uint32Array {
    return (this.#functions ??= selectFunctions(this.#entries));
  }

  /** The numbers of the defined variables, local and thread-local ones among them, in file order. */
  *variables(): Iterable<number> {
    const entries = this.#entries;
    for (let symbol = 0, at = 0; at + words <= entries.length; symbol++, at += words) {
      const flags = entries[at + 1]!;
      if (
        variableTypes.has(flags & 0xf) &&
        isNamedPlace(entries, at) &&
        flags >>> 16 !== sectionIndex.absolute
      )
        yield symbol;
    }
  }

  isThreadLocal(symbol: number): boolean {
    return (this.#entries[symbol * words + 1]! & 0xf) === threadLocalType;
  }

  address(symbol: number): number {
    return readPair(this.#entries, symbol * words + 2);
  }

  /** Bytes; a size that no address space holds is cut to the largest safe number. */
  size(symbol: number): number {
    return Math.min(readPair(this.#entries, symbol * words + 4), Number.MAX_SAFE_INTEGER);
  }

  /** The number of the section that holds the symbol; undefined for absolute symbols and where the number did not fit. */
  section(symbol: number): number | undefined {
    const index = this.#entries[symbol * words + 1]! >>> 16;
    return index < sectionIndex.firstReserved ? index : undefined;
  }

  binding(symbol: number): FunctionSymbol["binding"] {
    return bindings[(this.#entries[symbol * words + 1]! >>> 4) & 0xf]!;
  }

  functionKind(symbol: number): FunctionSymbol["kind"] {
    return (this.#entries[symbol * words + 1]! & 0xf) === functionType ? "function" : "ifunc";
  }

  /** The table's names as they stand in the file. */
  get nameBytes(): Uint8Array {
    return this.#strings.bytes;
  }

  /** Throws the FormatError for names that overlap too much: for who counts with bytes what StringTable.spend() counts. */
  failOverlapping(): never {
    return this.#strings.failOverlapping();
  }

  /** Returns a way to names, without versions, for reading many of them. */
  names(): (symbol: number) => string {
    const nameAt = this.#strings.bulk();
    const entries = this.#entries;
    if (!this.namesHaveVersions) return (symbol) => nameAt(entries[symbol * words]!);
    return (symbol) => splitVersion(nameAt(entries[symbol * words]!)).name;
  }

  /** Returns a way to whole symbols for reading many of them. */
  symbols(): (symbol: number) => FunctionSymbol {
    const nameAt = this.#strings.bulk();
    const entries = this.#entries;
    return (symbol) => this.#functionSymbol(symbol, nameAt(entries[symbol * words]!));
  }

  symbol(symbol: number): FunctionSymbol {
    return this.#functionSymbol(symbol, this.#strings.at(this.#entries[symbol * words]!));
  }

  /** Returns a function's name without its version, one of many: see StringTable.spend(). */
  name(symbol: number): string {
    const written = this.#strings.at(this.#entries[symbol * words]!);
    this.#strings.spend(written.length);
    return this.namesHaveVersions ? splitVersion(written).name : written;
  }

  /** Finds the functions of a name, given as UTF-8, without making text of any name. */
  find(name: Uint8Array): number[] {
    const found: number[] = [];
    for (let position = 0; position < this.functions.length; position++) {
      const symbol = this.functions[position]!;
      if (this.#strings.holds(name, this.#entries[symbol * words]!, this.namesHaveVersions))
        found.push(symbol);
    }
    return found;
  }

  /** Says whether two functions have the same name, versions aside, without making text of either. */
  hasNameOf(symbol: number, other: SymbolTable, otherSymbol: number): boolean {
    const left = this.#strings.bytes;
    const right = other.#strings.bytes;
    const leftStart = this.#entries[symbol * words]!;
    const rightStart = other.#entries[otherSymbol * words]!;
    for (let count = 0; ; count++) {
      count = countShared(left, leftStart, right, rightStart, count);
      const leftByte = left[leftStart + count];
      const rightByte = right[rightStart + count];
      const leftEnds = leftByte === 0 || (leftByte === atSign && this.namesHaveVersions);
      const rightEnds = rightByte === 0 || (rightByte === atSign && other.namesHaveVersions);
      // What is the same here is an `@` that is part of both names.
      if (!leftEnds && !rightEnds && leftByte === atSign && rightByte === atSign) continue;
      this.#strings.spend(count);
      return leftEnds && rightEnds;
    }
  }

  #functionSymbol(symbol: number, written: string): FunctionSymbol {
    const { name, version } = this.namesHaveVersions
      ? splitVersion(written)
      : { name: written, version: this.versions?.of(symbol) };
    const flags = this.#entries[symbol * words + 1]!;
    const common = {
      name,
      address: this.address(symbol) as VirtualAddress,
      size: this.size(symbol),
      binding: this.binding(symbol),
      kind: this.functionKind(symbol),
      table: this.kind,
      visibility: visibilities[(flags >>> 8) & 3]!,
    } as const;
    return version === undefined
      ? common
      : { ...common, version: version.name, isDefaultVersion: version.isDefault };
  }
}

/** Reads one of a file's two symbol tables; undefined when it is not there or a debug file left its bytes out. */
export function readSymbolTable(elf: ElfFile, kind: TableKind): SymbolTable | undefined {
  const path = elf.source.path;
  const section = elf.sections.find((section) => section.type === sectionType[kind]);
  if (section !== undefined) {
    const place = sectionPlace(section);
    if (section.entryBytes !== entryBytes.symbol || section.size % entryBytes.symbol !== 0) {
      throw damaged(path, place, `${section.size} bytes of symbols of ${section.entryBytes} bytes each`);
    }
    const names = elf.sections[section.link];
    if (names === undefined)
      throw damaged(path, place, `its names are in section ${section.link} of ${elf.sections.length}`);
    const entries = readSection(elf.source, section);
    const strings = new StringTable(path, sectionPlace(names), readSection(elf.source, names));
    const count = entries.length / entryBytes.symbol;
    const versions = kind === "dynsym" ? readSectionVersions(elf, strings, count) : undefined;
    return new SymbolTable(elf, kind, entries, strings, versions);
  }
  if (kind === "symtab" || elf.sections.length > 1) return undefined;
  const found = readDynamicSymbols(elf);
  if (found === undefined) return undefined;
  const strings = new StringTable(path, "dynamic section, names of symbols", found.strings);
  const place = "dynamic section, versions of symbols";
  const count = found.symbols.length / entryBytes.symbol;
  const versions = found.versions && readVersions(path, place, found.versions, strings, count);
  return new SymbolTable(elf, kind, found.symbols, strings, versions);
}

function selectFunctions(entries: Uint32Array): Uint32Array {
  const count = Math.floor(entries.length / words);
  const selected = new Uint32Array(count);
  let length = 0;
  for (let symbol = 0, at = 0; symbol < count; symbol++, at += words) {
    const flags = entries[at + 1]!;
    const type = flags & 0xf;
    if (type !== functionType && type !== ifuncType) continue;
    if (isNamedPlace(entries, at)) selected[length++] = symbol;
  }
  return selected.slice(0, length);
}

/** Undefined symbols are what the file needs, nameless ones nobody can ask for; no program can have addresses from 2^53 on. */
function isNamedPlace(entries: Uint32Array, at: number): boolean {
  return (
    entries[at + 1]! >>> 16 !== sectionIndex.undefined && entries[at] !== 0 && entries[at + 3]! < 0x20_0000
  );
}

function splitVersion(written: string): { name: string; version: SymbolVersion | undefined } {
  const mark = written.indexOf("@", 1);
  if (mark === -1) return { name: written, version: undefined };
  const isDefault = written[mark + 1] === "@";
  return {
    name: written.slice(0, mark),
    version: { name: written.slice(mark + (isDefault ? 2 : 1)), isDefault },
  };
}

/** Counts on from `count` how many bytes are the same from two places on, up to the end of a name or an `@`. */
function countShared(
  left: Uint8Array,
  leftStart: number,
  right: Uint8Array,
  rightStart: number,
  count: number,
): number {
  const most = Math.min(left.length - leftStart, right.length - rightStart);
  for (; count < most; count++) {
    const byte = left[leftStart + count];
    if (byte !== right[rightStart + count] || byte === 0 || byte === atSign) break;
  }
  return count;
}

/** Reads a 64-bit number from two words. */
function readPair(entries: Uint32Array, at: number): number {
  return entries[at + 1]! * 0x1_0000_0000 + entries[at]!;
}

const atSign = 0x40;
const functionType = 2;
const ifuncType = 10;
const threadLocalType = 6;
/** Spec: STT_NOTYPE, which assembly leaves on its labels, STT_OBJECT, STT_COMMON, STT_TLS. */
const variableTypes: ReadonlySet<number> = new Set([0, 1, 5, threadLocalType]);
const visibilities = ["default", "internal", "hidden", "protected"] as const;
/** Spec: STB_*, GNU's unique among them; the numbers that nobody uses are taken for local. */
const bindings: readonly FunctionSymbol["binding"][] = Array.from(
  { length: 16 },
  (_, binding) => ({ 1: "global", 2: "weak", 10: "unique" } as const)[binding] ?? "local",
);
