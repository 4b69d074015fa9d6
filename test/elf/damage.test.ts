import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource, type ByteSource, type FileOffset, type VirtualAddress } from "../../src/base/bytes.js";
import { FormatError, UnsupportedError } from "../../src/base/errors.js";
import { fileOffsetOf, isExecutable, virtualAddressOf } from "../../src/elf/address.js";
import { readDebugLink } from "../../src/elf/debuglink.js";
import { readDynamic, readInterpreter } from "../../src/elf/dynamic.js";
import { readElf, type ElfFile } from "../../src/elf/file.js";
import { readBuildId, readNotes } from "../../src/elf/notes.js";
import { mergeFunctionTables, readFunctionTable } from "../../src/elf/symbols.js";
import { StringTable } from "../../src/elf/strings.js";
import { readVersions } from "../../src/elf/versions.js";
import { fileBytes } from "../support/elf.js";
import { shapes, withoutSections } from "./fixtures.js";

/** Everything that can be asked of a file. */
const questions: readonly ((elf: ElfFile) => unknown)[] = [
  (elf) => [...readFunctionTable(elf).all()],
  (elf) => [...readFunctionTable(elf, ["dynsym"]).names()].length,
  (elf) => readFunctionTable(elf, ["symtab"]).count,
  (elf) => readFunctionTable(elf).find("helper"),
  (elf) => readFunctionTable(elf).find("answer@USCOPE_1"),
  (elf) => [0, 0x1000, 0x401000].map((address) => readFunctionTable(elf).covering(address as VirtualAddress)),
  (elf) => readFunctionTable(elf).at(elf.entry),
  (elf) => mergeFunctionTables(readFunctionTable(elf), readFunctionTable(elf)).count,
  (elf) => readNotes(elf),
  (elf) => readBuildId(elf),
  (elf) => readDebugLink(elf),
  (elf) => readDynamic(elf),
  (elf) => readInterpreter(elf),
  (elf) => [
    fileOffsetOf(elf, elf.entry),
    virtualAddressOf(elf, 0 as FileOffset),
    isExecutable(elf, elf.entry),
  ],
];

/** Asks everything; returns the refusals. Any error that is no refusal, and any read beyond reason, is thrown. */
function interrogate(bytes: Uint8Array): (FormatError | UnsupportedError)[] {
  const refusals: (FormatError | UnsupportedError)[] = [];
  const ask = <Answer>(question: () => Answer): Answer | undefined => {
    try {
      return question();
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
      refusals.push(error);
      return undefined;
    }
  };
  const elf = ask(() => readElf(bounded(bytes)));
  if (elf !== undefined)
    for (const question of questions) ask(() => question({ ...elf, source: bounded(bytes) }));
  return refusals;
}

/** A source that answers only for what lies inside, and at most ten times over. */
function bounded(bytes: Uint8Array): ByteSource {
  const source = bytesSource("damaged", bytes);
  let left = 10 * bytes.length + 65_536;
  return {
    ...source,
    read(offset, length) {
      left -= length;
      if (offset < 0 || length < 0 || offset + length > bytes.length || left < 0)
        throw new Error(`read of ${length} bytes at ${offset}`);
      return source.read(offset, length);
    },
  };
}

const fixtures = {
  "a library": () => fileBytes(shapes.tinyLibrary()),
  "a library with versions": () => fileBytes(shapes.tinyVersions()),
  "a static program": () => fileBytes(shapes.tinyProgram()),
  "a library without section headers, GNU hash": () => withoutSections(fileBytes(shapes.tinyLibrary("gnu"))),
  "a library without section headers, versions": () => withoutSections(fileBytes(shapes.tinyVersions())),
};

describe.each(Object.entries(fixtures))("%s", (_, load) => {
  const bytes = load();

  test("whole, it answers every question", () => {
    expect(interrogate(bytes)).toEqual([]);
  });

  test("every shorter part of it answers or is refused", () => {
    for (let length = 0; length < bytes.length; length++) interrogate(bytes.subarray(0, length));
    for (let length = 0; length < 64; length++)
      expect(interrogate(bytes.subarray(0, length))).toHaveLength(1);
  });

  test("with lies in any word of its tables it answers or is refused, at once", () => {
    const lies = [
      0n,
      1n,
      0x7fff_ffffn,
      0xffff_ffffn,
      0x1_0000_0000n,
      1n << 40n,
      1n << 53n,
      (1n << 64n) - 1n,
      BigInt(bytes.length),
    ];
    let slowest = 0;
    for (const at of tableWords(bytes)) {
      for (const lie of lies) {
        const changed = bytes.slice();
        const view = new DataView(changed.buffer);
        if (at % 8 === 0 && at + 8 <= bytes.length) view.setBigUint64(at, lie, true);
        else view.setUint32(at, Number(lie & 0xffff_ffffn), true);
        const started = performance.now();
        interrogate(changed);
        slowest = Math.max(slowest, performance.now() - started);
      }
    }
    expect(slowest).toBeLessThan(1000);
  });

  test("with random bytes changed it answers or is refused, at once", () => {
    const words = tableWords(bytes);
    const place = fc.oneof(
      fc.nat({ max: bytes.length - 1 }),
      fc
        .tuple(fc.constantFrom(...words), fc.nat({ max: 3 }))
        .map(([word, byte]) => Math.min(word + byte, bytes.length - 1)),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          const started = performance.now();
          interrogate(changed);
          expect(performance.now() - started).toBeLessThan(1000);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

/** The places of all 32-bit words of the header, the program headers, the section headers and the dynamic tables. */
function tableWords(bytes: Uint8Array): number[] {
  const elf = readElf(bytesSource("whole", bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ranges: [number, number][] = [
    [0, 64],
    [Number(view.getBigUint64(32, true)), elf.segments.length * 56],
    [Number(view.getBigUint64(40, true)), elf.sections.length * 64],
  ];
  const tables = /^\.(dynamic|gnu\.hash|hash|gnu\.version.*|note.*|dynsym|symtab)$/;
  for (const section of elf.sections)
    if (tables.test(section.name)) ranges.push([section.offset, Math.min(section.size, 400)]);
  for (const segment of elf.segments)
    if (segment.type === 2 || segment.type === 4) ranges.push([segment.offset, segment.fileBytes]);
  return ranges.flatMap(([start, length]) =>
    Array.from({ length: Math.floor(length / 4) }, (_, index) => (start & ~3) + index * 4),
  );
}

describe("the error names the inner place", () => {
  const library = fileBytes(shapes.tinyLibrary());
  const elf = readElf(bytesSource("library", library));
  const sectionTable = Number(new DataView(library.buffer).getBigUint64(40, true));

  test.each([
    [
      "a symbol table of too many bytes",
      ".dynsym",
      32,
      24n * 1_000_000_000n,
      /section \d+ \(\.dynsym\): bytes \d+ to \d+ of \d+/,
    ],
    ["a symbol table that is no multiple of its entries", ".symtab", 32, 25n, /section \d+ \(\.symtab\)/],
    ["names at gigabytes", ".strtab", 24, 1n << 62n, /section \d+ \(\.strtab\)/],
    ["symbols that name a section that is not there", ".symtab", 40, 0x7777n, /section \d+ \(\.symtab\)/],
  ])("%s", (_, name, field, value, place) => {
    const changed = library.slice();
    const at = sectionTable + elf.sections.findIndex((section) => section.name === name) * 64 + field;
    const view = new DataView(changed.buffer);
    if (field === 40) view.setUint32(at, Number(value), true);
    else view.setBigUint64(at, value, true);
    const refusal = interrogate(changed)[0];
    expect(refusal).toBeInstanceOf(FormatError);
    expect(refusal?.at).toMatch(place);
  });

  test("a name outside its table, a name without an end, and millions of sections", () => {
    const changed = library.slice();
    const view = new DataView(changed.buffer);
    const symtab = elf.sections.find((section) => section.name === ".symtab")!;
    const last = symtab.offset + symtab.size - 24;
    view.setUint32(last, 0x7fff_ffff, true);
    const outside = interrogate(changed).find((refusal) => refusal.what === "a name lies outside the table");
    expect(outside?.at).toMatch(/section \d+ \(\.strtab\), offset 2147483647/);

    const unending = library.slice();
    const strtab = elf.sections.find((section) => section.name === ".strtab")!;
    unending.fill(0x61, strtab.offset, strtab.offset + strtab.size);
    expect(interrogate(unending).map((refusal) => refusal.what)).toContain("a name has no end");

    const many = library.slice();
    new DataView(many.buffer).setUint16(60, 0, true);
    new DataView(many.buffer).setBigUint64(sectionTable + 32, 1n << 33n, true);
    expect(interrogate(many)).toMatchObject([
      { kind: "FormatError", what: "the file claims 8589934592 sections" },
    ]);
  });
});

function expectRefusal(work: () => unknown, message: RegExp): void {
  const started = performance.now();
  expect(work).toThrowError(message);
  expect(performance.now() - started).toBeLessThan(1000);
}

describe("hostile tables are refused before they fill time or memory", () => {
  const tiny = fileBytes(shapes.tinyLibrary());
  const elf = readElf(bytesSource("library", tiny));
  const sectionTable = Number(new DataView(tiny.buffer).getBigUint64(40, true));

  /** The library with bytes behind it, and named sections that lie there. */
  function withTail(
    tail: Uint8Array,
    sections: readonly { name: string; type?: number; offset: number; size: number }[],
  ): Uint8Array {
    const bytes = new Uint8Array(tiny.length + tail.length);
    bytes.set(tiny);
    bytes.set(tail, tiny.length);
    const view = new DataView(bytes.buffer);
    for (const { name, type, offset, size } of sections) {
      const at = sectionTable + elf.sections.findIndex((section) => section.name === name) * 64;
      if (type !== undefined) view.setUint32(at + 4, type, true);
      view.setBigUint64(at + 24, BigInt(tiny.length + offset), true);
      view.setBigUint64(at + 32, BigInt(size), true);
    }
    return bytes;
  }

  test.each([
    ["at one address", 0],
    ["at an address each", 1],
  ])("names that all overlap, %s", (_, step) => {
    const count = 16_000;
    const tail = new Uint8Array(count * 25 + 2).fill(0x61);
    tail[tail.length - 1] = 0;
    const view = new DataView(tail.buffer);
    for (let index = 0; index < count; index++) {
      view.setUint32(index * 24, index + 1, true);
      view.setUint32(index * 24 + 4, 0x0001_0012, true);
      view.setBigUint64(index * 24 + 8, BigInt(0x1000 + index * step), true);
    }
    const bytes = withTail(tail, [
      { name: ".symtab", offset: 0, size: count * 24 },
      { name: ".strtab", offset: count * 24, size: count + 2 },
    ]);
    const table = readFunctionTable(readElf(bytesSource("overlapping", bytes)), ["symtab"]);
    expect(table.count).toBe(count);
    expectRefusal(() => [...table.all()], /names overlap/);
    expectRefusal(
      () => mergeFunctionTables(table, readFunctionTable(readElf(bytesSource("copy", bytes)))).count,
      /names overlap/,
    );
  });

  test("notes that are all in one place, notes without number, and a note that is too long", () => {
    const empty = new Uint8Array(5_000_000);
    const names = [".hash", ".gnu.hash", ".dynsym"];
    const twice = withTail(
      empty.subarray(0, 12_000),
      names.map((name) => ({ name, type: 7, offset: 0, size: 12_000 })),
    );
    expectRefusal(
      () => readNotes(readElf(bytesSource("notes", twice))),
      /notes claim more bytes than the file has/,
    );
    const countless = withTail(empty, [{ name: ".hash", type: 7, offset: 0, size: empty.length }]);
    expectRefusal(() => readNotes(readElf(bytesSource("notes", countless))), /far too many notes/);
    const long = withTail(new Uint8Array([4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 71, 78, 85, 0]), [
      { name: ".hash", type: 7, offset: 0, size: 16 },
    ]);
    expectRefusal(
      () => readNotes(readElf(bytesSource("notes", long))),
      /a note of 4 \+ 1 bytes reaches beyond its 16\n {2}at: notes, section \d+ \(\.hash\), note at 0/,
    );
  });

  test("version records that lead through all others each", () => {
    // Each 16 bytes are a Verneed and a Vernaux at once: the next of both is the following one.
    const records = new Uint8Array(16 * 60_000);
    const view = new DataView(records.buffer);
    for (let at = 0; at < records.length; at += 16) {
      view.setUint16(at + 2, 0xffff, true);
      view.setUint32(at + 12, at + 16 < records.length ? 16 : 0, true);
    }
    const versions = {
      indexes: new Uint8Array(2),
      definitions: undefined,
      needs: { bytes: records, count: 60_000 },
    };
    const strings = new StringTable("hostile", "names", new Uint8Array(1));
    expectRefusal(() => readVersions("hostile", "versions", versions, strings, 1), /the records overlap/);
  });
});
