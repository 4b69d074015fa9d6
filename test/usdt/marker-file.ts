/** Owns ELF files with markers that a test lays out byte by byte: any machine, any lie. Does not own what they should be read as. */
import { bytesSource } from "../../src/base/bytes.js";
import { readElf, type ElfFile } from "../../src/elf/file.js";

export interface FileParts {
  readonly machine?: "x86-64" | "arm64";
  readonly type?: "executable" | "shared-object";
  readonly notes: Uint8Array;
  /** Bytes of code, in whole pages; behind the headers all are nops. */
  readonly codeBytes?: number;
  /** Where .stapsdt.base lies; undefined for a file without. */
  readonly base?: number;
  readonly variables?: readonly Variable[];
  /** Leave the section headers out: the notes are found by a program header. */
  readonly isStripped?: boolean;
}

export interface Variable {
  readonly name: string;
  readonly address: number;
  /** STT_OBJECT where nothing is said. */
  readonly type?: number;
}

export interface NoteParts {
  readonly provider?: string;
  readonly name?: string;
  readonly address?: number;
  readonly base?: number;
  readonly semaphore?: number;
  readonly arguments?: string;
  readonly owner?: string;
  readonly type?: number;
}

/** Where the code of the files starts, and their data. */
export const codeAddress = 0x1000;
export const dataAddress = 0x20_0000;

/** One note as sys/sdt.h has the assembler write it. */
export function noteBytes(parts: NoteParts = {}): Uint8Array {
  const { provider = "test", name = "mark", address = codeAddress, base = 0, semaphore = 0 } = parts;
  const texts = encoder.encode(`${provider}\0${name}\0${parts.arguments ?? ""}\0`);
  const descriptor = join([words64(address, base, semaphore), texts]);
  const owner = encoder.encode(`${parts.owner ?? "stapsdt"}\0`);
  return join([words32(owner.length, descriptor.length, parts.type ?? 3), padded(owner), padded(descriptor)]);
}

export function join(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

// Header, program headers, the rest of the code, then the pieces that sections describe, then the section headers.
export function markerFileBytes(parts: FileParts): Uint8Array {
  const { machine = "x86-64", type = "shared-object", notes, base, variables = [], isStripped } = parts;
  const bodyAt = parts.codeBytes ?? 4096;
  const names = ["", ...variables.map(({ name }) => name)];
  const symbols = names.map((_, index) => symbolBytes(names, index, variables[index - 1]));
  const strings = textTable(names);
  const sectionNames = ["", ".note.stapsdt", ".symtab", ".strtab", ".shstrtab", ".stapsdt.base"];
  const namesTable = textTable(sectionNames);
  const pieces = [notes, join(symbols), strings, namesTable].map(padded);
  const offsets = pieces.map(
    (_, index) => bodyAt + pieces.slice(0, index).reduce((sum, piece) => sum + piece.length, 0),
  );
  const sectionsAt = bodyAt + pieces.reduce((sum, piece) => sum + piece.length, 0);
  const section = (
    index: number,
    kind: number,
    address: number,
    piece: number,
    size: number,
    [link, entry] = [0, 0],
  ) =>
    join([
      words32(offsetOf(sectionNames, index), kind),
      words64(0, address, offsets[piece] ?? 0, size),
      words32(link, 1),
      words64(4, entry),
    ]);
  const sections = [
    new Uint8Array(64),
    section(1, 7, 0, 0, notes.length),
    section(2, 2, 0, 1, symbols.length * 24, [3, 24]),
    section(3, 3, 0, 2, strings.length),
    section(4, 3, 0, 3, namesTable.length),
    ...(base === undefined ? [] : [section(5, 1, base, 0, 1)]),
  ];
  const segment = (kind: number, flags: number, [offset, address, size]: readonly [number, number, number]) =>
    join([words32(kind, flags), words64(offset, address, address, size, size, 4)]);
  const header = new Uint8Array(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  const view = new DataView(header.buffer);
  view.setUint16(16, type === "executable" ? 2 : 3, true);
  view.setUint16(18, machine === "x86-64" ? 62 : 183, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 3, true);
  if (!isStripped) {
    view.setBigUint64(40, BigInt(sectionsAt), true);
    view.setUint16(58, 64, true);
    view.setUint16(60, sections.length, true);
    view.setUint16(62, 4, true);
  }
  const head = join([
    header,
    segment(1, 5, [0, codeAddress, bodyAt]),
    segment(1, 6, [0, dataAddress, bodyAt]),
    segment(4, 4, [offsets[0]!, 0, notes.length]),
  ]);
  return join([
    head,
    new Uint8Array(bodyAt - head.length).fill(0x90),
    ...pieces,
    ...(isStripped ? [] : sections),
  ]);
}

export function markerFile(parts: FileParts): ElfFile {
  return readElf(bytesSource("made", markerFileBytes(parts)));
}

const encoder = new TextEncoder();

function symbolBytes(names: readonly string[], index: number, variable: Variable | undefined): Uint8Array {
  if (variable === undefined) return new Uint8Array(24);
  const type = variable.type ?? 1;
  return join([words32(offsetOf(names, index), type | (1 << 16)), words64(variable.address, 8)]);
}

function textTable(names: readonly string[]): Uint8Array {
  return encoder.encode(names.map((name) => `${name}\0`).join(""));
}

function offsetOf(names: readonly string[], index: number): number {
  return textTable(names.slice(0, index)).length;
}

function padded(bytes: Uint8Array): Uint8Array {
  return join([bytes, new Uint8Array(-bytes.length & 3)]);
}

function words32(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function words64(...values: readonly number[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values.map((value) => BigInt(value))).buffer);
}
