/** Compares the markers of real and made files with readelf -n; breaks notes in every way. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { FormatError, UnsupportedError } from "../../src/base/errors.js";
import { readElf, type ElfFile } from "../../src/elf/file.js";
import type { MarkerArgument, MarkerTable } from "../../src/usdt/marker.js";
import { readMarkers } from "../../src/usdt/notes.js";
import { executablePath, fileBytes, fileSource, jvmLibraries, libraryPath, openElf } from "../support/elf.js";
import { requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { withoutSections } from "../elf/fixtures.js";
import {
  codeAddress,
  dataAddress,
  join,
  markerFile,
  markerFileBytes,
  noteBytes,
  type FileParts,
} from "./marker-file.js";
import { run } from "../elf/oracle.js";
import { readelfMarkers, readLines } from "./oracle.js";

const python = "/usr/bin/python3.11";
const postgres = "/usr/lib/postgresql/15/bin/postgres";

describe("markers are those that readelf -n lists", () => {
  test.runIf(requires(python))("of python", () => expectSame(python, 8));
  test.runIf(requires("php"))("of php", () => expectSame(executablePath("php"), 11));
  test.runIf(requires("ruby"))("of ruby", () => expectSame(libraryPath(/^libruby-[\d.]+\.so/), 40));
  test.runIf(requires(postgres))("of postgres", () => expectSame(postgres, 71));
  test.runIf(requires("java"))("of every JVM", () => {
    expect(jvmLibraries().length).toBeGreaterThan(0);
    for (const path of jvmLibraries()) expectSame(path, 500);
  });
  test("of libstdc++", () => expectSame(libraryPath("libstdc++.so.6"), 3));

  test.each([["-O0"], ["-O2"], ["-O2", "-no-pie"], ["-O2", "-static"], ["-O2", "-s"]])(
    "of a program of our own, %s %s",
    (...flags) => {
      const path = compile("markers.c", flags);
      expectSame(path, 11);
      const { markers } = readMarkers(openElf(path));
      expect(
        markers.map(({ provider, name, sites }) => `${provider}:${name} ${sites.length}`).toSorted(),
      ).toEqual(
        expect.arrayContaining([
          "other_shapes:widths 1",
          "shapes:constants 1",
          "shapes:inlined 3",
          "shapes:memory 1",
          "shapes:real 1",
          "shapes:twelve 1",
          "shapes:two__words 1",
          "shapes:variables 1",
          "shapes:widths 1",
        ]),
      );
    },
  );

  test("of a made file for arm64", () => {
    const notes = [
      noteBytes({ name: "first", arguments: "-4@[sp, 12] 8@x0" }),
      noteBytes({ name: "second", semaphore: dataAddress }),
    ];
    const parts: FileParts = { machine: "arm64", notes: join(notes) };
    expect(readLines(readMarkers(markerFile(parts)))).toEqual(
      withFile(markerFileBytes(parts), (path) => readelfMarkers(path)),
    );
  });
});

function expectSame(path: string, least: number): void {
  const expected = readelfMarkers(path);
  expect(expected.length).toBeGreaterThanOrEqual(least);
  const table = readMarkers(openElf(path));
  expect(table.damaged).toEqual([]);
  expect(readLines(table).toSorted()).toEqual(expected.toSorted());
  // The markers in the order of their first sites, and each one's sites in the order of the file.
  expect(table.markers.map(({ provider, name }) => `${provider}:${name}`)).toEqual([
    ...new Set(expected.map(keyOf)),
  ]);
  for (const { provider, name, sites } of table.markers) {
    const addresses = expected
      .filter((line) => keyOf(line) === `${provider}:${name}`)
      .map((line) => line.split(" | ")[2]);
    expect(sites.map(({ address }) => address.toString(16))).toEqual(addresses);
  }
}

function keyOf(line: string): string {
  return line.split(" | ", 2).join(":");
}

function withFile<Result>(bytes: Uint8Array, work: (path: string) => Result): Result {
  const folder = mkdtempSync(joinPath(tmpdir(), "uscope-usdt-"));
  try {
    const path = joinPath(folder, "made");
    writeFileSync(path, bytes);
    return work(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("arguments of real programs", () => {
  test.runIf(requires(postgres, "java", "ruby", "php", python))("all have places, though stripped", () => {
    const paths = [postgres, ...jvmLibraries(), libraryPath(/^libruby-[\d.]+\.so/), executablePath("php")];
    const all = [...paths, libraryPath("libstdc++.so.6"), python].flatMap(everyArgument);
    expect(all.length).toBeGreaterThan(2000);
    expect(all.filter(({ place }) => place.kind === "unreadable")).toEqual([]);
  });

  test("of a compiled program: all but the thread's own variable", () => {
    for (const flags of [["-O2"], ["-O2", "-no-pie"]]) {
      const unread = everyArgument(compile("markers.c", flags)).filter(
        ({ place }) => place.kind === "unreadable",
      );
      expect(unread.map(({ raw }) => raw)).toEqual(["-4@%fs:per_thread@tpoff"]);
    }
  });

  test("variables of a program lie where nm says, also those of a stripped one that are exported", () => {
    for (const [path, least, ...flags] of [
      [compile("markers.c", ["-O2"]), 3],
      [postgres, 6, "-D"],
    ] as const) {
      if (!requires(path)) continue;
      const addresses = new Map(
        run("nm", ...flags, path)
          .split("\n")
          .map((line) => [line.slice(19), line.slice(0, 16)]),
      );
      const found = everyArgument(path).flatMap(({ raw, place }) =>
        place.kind === "static" ? [{ raw, place }] : [],
      );
      expect(found.length).toBeGreaterThanOrEqual(least);
      for (const { raw, place } of found) {
        const [, offset = "0", name] = /@(?:(\d+)\+)?(\w+)\(%rip\)$/.exec(raw)!;
        expect(place.address, raw).toBe(Number.parseInt(addresses.get(name!)!, 16) + Number(offset));
      }
    }
  });

  test("variables of a stripped program are found in its debug file", () => {
    const stripped = openElf(compile("markers.c", ["-O2", "-s"]));
    const whole = openElf(compile("markers.c", ["-O2"]));
    expect(kindsOf(readMarkers(stripped))).toEqual(["unreadable", "register"]);
    expect(kindsOf(readMarkers(stripped, () => whole))).toEqual(["static", "register"]);
  });
});

function everyArgument(path: string): MarkerArgument[] {
  return readMarkers(openElf(path)).markers.flatMap(({ sites }) => sites.flatMap((site) => site.arguments));
}

/** What the arguments of shapes:real are. */
function kindsOf({ markers }: MarkerTable): string[] {
  return markers.find(({ name }) => name === "real")!.sites[0]!.arguments.map(({ place }) => place.kind);
}

describe("prelink", () => {
  const place = { address: codeAddress + 0x10, semaphore: dataAddress + 2 };
  const siteOf = (base: number, linkedBase?: number) =>
    readMarkers(
      markerFile({
        notes: noteBytes({ ...place, base }),
        ...(linkedBase === undefined ? {} : { base: linkedBase }),
      }),
    ).markers[0]!.sites[0]!;

  test.each([
    ["nothing moved", 0x1800, 0x1800, 0],
    ["moved up", 0x1800, 0x1900, 0x100],
    ["moved down", 0x1800, 0x17f8, -8],
    ["no base in the note", 0, 0x1800, 0],
    ["no base in the file", 0x1800, undefined, 0],
  ])("%s", (_, base, linkedBase, moved) => {
    const { address, semaphore } = siteOf(base, linkedBase);
    expect([address, semaphore]).toEqual([place.address + moved, place.semaphore + moved]);
  });

  test("a missing semaphore stays missing", () => {
    const notes = noteBytes({ base: 0x1800 });
    expect(readMarkers(markerFile({ notes, base: 0x1900 })).markers[0]!.sites[0]!.semaphore).toBeUndefined();
  });
});

test("one marker has all its sites, each with its own arguments and semaphore; providers keep apart", () => {
  const notes = [
    { name: "same", arguments: "8@%rax", semaphore: dataAddress },
    { provider: "other", name: "same" },
    { name: "same", address: codeAddress + 1, arguments: "-4@$5 8@%rbx", semaphore: dataAddress + 2 },
  ];
  const { markers } = readMarkers(markerFile({ notes: join(notes.map(noteBytes)) }));
  expect(
    markers.map(({ provider, sites }) => [
      provider,
      sites.map((site) => [site.semaphore, site.arguments.length]),
    ]),
  ).toEqual([
    [
      "test",
      [
        [dataAddress, 1],
        [dataAddress + 2, 2],
      ],
    ],
    ["other", [[undefined, 0]]],
  ]);
});

test("without section headers the notes are found by their segment", () => {
  const parts = { notes: join([noteBytes({ name: "a" }), noteBytes({ name: "b" })]), isStripped: true };
  expect(readMarkers(markerFile(parts)).markers.map(({ name }) => name)).toEqual(["a", "b"]);
  const real = readElf(bytesSource("real", withoutSections(fileBytes(compile("markers.c", ["-O2"])))));
  expect(readMarkers(real)).toEqual({ markers: [], damaged: [] });
});

test("a file without markers costs no more than to read its build-id", () => {
  using source = fileSource(process.execPath);
  const elf = readElf(source);
  const before = source.bytesRead;
  const started = performance.now();
  expect(readMarkers(elf)).toEqual({ markers: [], damaged: [] });
  expect(source.bytesRead - before).toBeLessThan(1000);
  expect(performance.now() - started).toBeLessThan(10);
});

describe("damaged notes are left out and named, the others are read", () => {
  const good = noteBytes({ name: "good" });

  test.each<[string, Uint8Array, RegExp]>([
    ["too short for addresses", rawNote(new Uint8Array(20)), /20 bytes has no room/],
    ["texts without an end", rawNote(new Uint8Array(40).fill(0x61, 24)), /no end/],
    ["two texts of three", rawNote(Uint8Array.from([...new Uint8Array(24), 0x61, 0, 0x62, 0])), /no end/],
    ["no name", noteBytes({ name: "" }), /no name/],
    ["an unknown type", noteBytes({ type: 7 }), /unknown type 7/],
    ["another owner", noteBytes({ owner: "staxsdt" }), /note of "staxsdt"/],
    ["an address beyond all", noteBytes({ address: 2 ** 60 }), /no program can have/],
    ["a length that takes the next note in", joined(noteBytes(), good), /bytes behind its texts/],
  ])("%s", (_, bad, reason) => {
    const table = readMarkers(markerFile({ notes: join([good, bad, noteBytes({ name: "after" })]) }));
    expect(names(table)).toEqual(["good", "after"]);
    expect(table.damaged).toEqual([
      { at: `section 1 (.note.stapsdt), note at ${good.length}`, reason: expect.stringMatching(reason) },
    ]);
  });

  test("lengths beyond the section end the reading", () => {
    const bad = noteBytes();
    new DataView(bad.buffer).setUint32(4, 0xffff_fff0, true);
    const table = readMarkers(markerFile({ notes: join([good, bad, good]) }));
    expect(names(table)).toEqual(["good"]);
    expect(table.damaged).toEqual([
      {
        at: `section 1 (.note.stapsdt), note at ${good.length}`,
        reason: expect.stringMatching(/reaches beyond/),
      },
    ]);
  });

  test("a section beyond the file's end is damage, no refusal", () => {
    const bytes = markerFileBytes({ notes: good });
    const view = new DataView(bytes.buffer);
    view.setBigUint64(Number(view.getBigUint64(40, true)) + 64 + 24, BigInt(bytes.length), true);
    expect(readMarkers(readElf(bytesSource("made", bytes)))).toEqual({
      markers: [],
      damaged: [{ at: "section 1 (.note.stapsdt)", reason: expect.stringMatching(/too short/) }],
    });
  });

  test("padding that a length counts in is no damage", () => {
    const note = noteBytes({ name: "odd", arguments: "x" });
    new DataView(note.buffer).setUint32(4, note.length - 20, true);
    expect(readMarkers(markerFile({ notes: join([note, good]) }))).toMatchObject({ damaged: [] });
  });

  test("damaged symbols are the error of the arguments that need them", () => {
    const bytes = markerFileBytes({
      notes: noteBytes({ arguments: "8@counter(%rip) 8@%rdi 4@other(%rip)" }),
    });
    const symbols = readElf(bytesSource("made", bytes)).sections.find(({ name }) => name === ".symtab")!;
    const headerAt = Number(new DataView(bytes.buffer).getBigUint64(40, true)) + 64 * symbols.index;
    new DataView(bytes.buffer).setBigUint64(headerAt + 24, 1n << 40n, true);
    const places = readMarkers(readElf(bytesSource("made", bytes))).markers[0]!.sites[0]!.arguments.map(
      ({ place }) => place,
    );
    const damaged = { kind: "unreadable", reason: expect.stringMatching(/symbols of the file are damaged/) };
    expect(places).toEqual([damaged, { kind: "register", register: "di", shift: 0 }, damaged]);
  });
});

function names({ markers }: MarkerTable): string[] {
  return markers.map(({ name }) => name);
}

function rawNote(descriptor: Uint8Array): Uint8Array {
  const note = join([noteBytes().subarray(0, 20), descriptor, new Uint8Array(-descriptor.length & 3)]);
  new DataView(note.buffer).setUint32(4, descriptor.length, true);
  return note;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const note = join([first, second]);
  new DataView(note.buffer).setUint32(4, note.length - 20, true);
  return note;
}

describe("whatever the bytes, the answer is markers, damage or a refusal", () => {
  const real = markerFileBytes({
    notes: join([
      noteBytes({
        name: "a",
        arguments: "-4@%edi 8@-8(%rbp,%rax,8) 4@40+counter(%rip)",
        semaphore: dataAddress,
      }),
      noteBytes({ name: "b", arguments: "8f@%xmm0 1@%ah", base: 0x1800 }),
      noteBytes({ name: "a", arguments: "8@$-5" }),
    ]),
    base: 0x1800,
    variables: [{ name: "counter", address: dataAddress }],
  });

  test("of every shorter part of a file, and of its notes", () => {
    expect(interrogate(real)).toBe(3);
    for (let length = 0; length < real.length; length += length < 4000 ? 37 : 1)
      interrogate(real.subarray(0, length));
    const notes = join([noteBytes({ arguments: "8@%rax" }), noteBytes({ name: "b", arguments: "-4@$5" })]);
    for (let length = 0; length < notes.length; length++)
      interrogate(markerFileBytes({ notes: notes.subarray(0, length) }));
  });

  test("of random damage", () => {
    const place = fc.oneof(fc.nat({ max: 231 }), fc.integer({ min: 4096, max: real.length - 1 }));
    const changes = fc.array(fc.tuple(place, fc.nat({ max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, (changes) => {
        const changed = real.slice();
        for (const [at, value] of changes) changed[at] = value;
        const started = performance.now();
        interrogate(changed);
        expect(performance.now() - started).toBeLessThan(1000);
      }),
      { numRuns: 3000 },
    );
  });

  test("of random notes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (notes) => void interrogate(markerFileBytes({ notes }))),
    );
  });
});

/** Asks for everything; returns the number of sites, undefined for a refusal. */
function interrogate(bytes: Uint8Array): number | undefined {
  let elf: ElfFile;
  try {
    elf = readElf(bytesSource("damaged", bytes));
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
  const { markers, damaged } = readMarkers(elf);
  for (const { at, reason } of damaged) expect(at.length * reason.length).toBeGreaterThan(0);
  const sites = markers.flatMap(({ sites }) => sites);
  for (const site of sites) expect(site.arguments.length).toBeGreaterThanOrEqual(0);
  return sites.length;
}

test("100,000 notes are read within seconds, and their arguments too", () => {
  const notes = Array.from({ length: 100_000 }, (_, index) =>
    noteBytes({ name: `n${index % 50_000}`, arguments: `8@counter${index}(%rip) -4@-8(%rbp,%rax,8) 2@%dx` }),
  );
  const elf = markerFile({
    notes: join(notes),
    variables: Array.from({ length: 1000 }, (_, index) => ({
      name: `counter${index}`,
      address: dataAddress + index,
    })),
  });
  const started = performance.now();
  const { markers, damaged } = readMarkers(elf);
  const sites = markers.flatMap(({ sites }) => sites);
  expect([markers.length, sites.length, damaged.length]).toEqual([50_000, 100_000, 0]);
  expect(performance.now() - started).toBeLessThan(2000);
  expect(sites.filter((site) => site.arguments[0]!.place.kind === "static")).toHaveLength(1000);
  expect(performance.now() - started).toBeLessThan(5000);
});
