import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { crc32, debugFilePaths, readDebugLink } from "../../src/elf/debuglink.js";
import { readDynamic, readInterpreter } from "../../src/elf/dynamic.js";
import { readElf } from "../../src/elf/file.js";
import { readBuildId, readNotes } from "../../src/elf/notes.js";
import { compile } from "../support/programs.js";
import { executablePath, fileBytes, fileSource, jvmLibraries, libraryPath, openElf } from "../support/elf.js";
import { shapes, splitDebugFile, withFolder, withoutSections } from "./fixtures.js";
import { run } from "./oracle.js";

const files = {
  ...shapes,
  "redis-server": () => executablePath("redis-server"),
  libc: () => libraryPath("libc.so.6"),
  "libstdc++": () => libraryPath("libstdc++.so.6"),
  node: () => executablePath("node"),
};

/** readelf takes the names of annobin's notes apart. */
function owner(name: string): string {
  return name.startsWith("GA") ? "GA" : name;
}

describe("notes are those of readelf -n", () => {
  test.each([...Object.entries(files), ...jvmLibraries().map((path) => [path, () => path] as const)])(
    "%s",
    (_, path) => {
      const text = run("readelf", "-nW", path());
      const expected = Array.from(text.matchAll(/^ {2}(\S.*?)\s+0x([0-9a-f]{8})\t/gm), (match) => [
        owner(match[1]!),
        Number.parseInt(match[2]!, 16),
      ]);
      const elf = openElf(path());
      expect(readNotes(elf).map((note) => [owner(note.name), note.descriptor.length])).toEqual(expected);
      expect(readBuildId(elf)).toBe(/Build ID: ([0-9a-f]+)/.exec(text)?.[1]);
    },
  );

  test("through the program headers where sections were stripped", () => {
    const path = shapes.library();
    const elf = readElf(bytesSource(path, withoutSections(fileBytes(path))));
    expect(readBuildId(elf)).toMatch(/^[0-9a-f]{40}$/);
    expect(readBuildId(elf)).toBe(readBuildId(openElf(path)));
  });

  test("padded to 8 bytes where the section is aligned so, to 4 elsewhere", () => {
    withFolder((folder) => {
      for (const align of [4, 8]) {
        const notes = [1, 2].map((type) => {
          const name = new TextEncoder().encode("Owners\0");
          const descriptorAt = Math.ceil((12 + name.length) / align) * align;
          const bytes = new Uint8Array(Math.ceil((descriptorAt + 5) / align) * align);
          bytes.set([name.length, 0, 0, 0, 5, 0, 0, 0, type, 0, 0, 0]);
          bytes.set(name, 12);
          bytes.set([1, 2, 3, 4, 5], descriptorAt);
          return bytes;
        });
        writeFileSync(join(folder, "notes"), Buffer.concat(notes));
        const path = join(folder, `aligned-${align}`);
        run("objcopy", "--add-section", `.note.own=${join(folder, "notes")}`, shapes.library(), path);
        run("objcopy", "--set-section-alignment", `.note.own=${align}`, path);
        expect(run("readelf", "-nW", path).match(/Owners/g)).toHaveLength(2);
        const own = readNotes(openElf(path)).filter((note) => note.name === "Owners");
        expect(own.map((note) => [note.type, [...note.descriptor], note.section])).toEqual([
          [1, [1, 2, 3, 4, 5], ".note.own"],
          [2, [1, 2, 3, 4, 5], ".note.own"],
        ]);
      }
    });
  });

  test("a file without a build-id has none", () => {
    expect(
      readBuildId(openElf(compile("elf-tiny.c", ["-nostdlib", "-static", "-Wl,--build-id=none"]))),
    ).toBeUndefined();
  });
});

describe("the dynamic section is that of readelf -d", () => {
  test.each(Object.entries(files))("%s", (_, path) => {
    const text = run("readelf", "-dW", path());
    const elf = openElf(path());
    const dynamic = readDynamic(elf);
    const needed = Array.from(text.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g), (match) => match[1]);
    expect(dynamic?.needed ?? []).toEqual(needed);
    expect(dynamic?.soname).toBe(/\(SONAME\)\s+Library soname: \[(.*)\]/.exec(text)?.[1]);
    expect(dynamic?.isPie ?? false).toBe(/\(FLAGS_1\).*\bPIE\b/.test(text));
    expect(dynamic !== undefined).toBe(!text.includes("There is no dynamic section"));
    const interpreter = /\[Requesting program interpreter: (.*)\]/.exec(run("readelf", "-lW", path()))?.[1];
    expect(readInterpreter(elf)).toBe(interpreter);
  });

  test("search folders", () => {
    const path = compile("elf-shapes.c", ["-O2", "-Wl,-rpath,$ORIGIN/../lib:/opt/lib"]);
    expect(readDynamic(openElf(path))?.runpath).toBe("$ORIGIN/../lib:/opt/lib");
  });

  test("a debug file has none, whatever its headers say", () => {
    withFolder((folder) => {
      const debug = openElf(splitDebugFile(shapes.pie(), folder).debug);
      expect(readDynamic(debug)).toBeUndefined();
      expect(readInterpreter(debug)).toBeUndefined();
    });
  });
});

describe("debug files", () => {
  test("the link that objcopy wrote names the file and its CRC; the build-id is kept", () => {
    withFolder((folder) => {
      const { stripped, debug } = splitDebugFile(shapes.pie(), folder);
      const link = readDebugLink(openElf(stripped))!;
      expect(`${folder}/${link.name}`).toBe(debug);
      using source = fileSource(debug);
      expect(crc32(source)).toBe(link.crc);
      expect(readBuildId(openElf(debug))).toBe(readBuildId(openElf(stripped)));
      expect(readDebugLink(openElf(debug))).toBeUndefined();
      expect(debugFilePaths(readBuildId(openElf(stripped)), link, stripped)).toContain(debug);
    });
  });

  test("a CRC over several parts is that of zlib's check value", () => {
    expect(crc32(bytesSource("check", new TextEncoder().encode("123456789")))).toBe(0xcbf43926);
    expect(crc32(bytesSource("empty", new Uint8Array(0)))).toBe(0);
    // python3 -c 'import zlib; print(hex(zlib.crc32(b"a" * 3000000)))'
    expect(crc32(bytesSource("long", new Uint8Array(3_000_000).fill(0x61)))).toBe(0xdcb277ea);
  });

  test("candidates, best first, never the file itself", () => {
    expect(debugFilePaths("abcdef01", { name: "thing.debug", crc: 1 }, "/usr/bin/thing")).toEqual([
      "/usr/lib/debug/.build-id/ab/cdef01.debug",
      "/usr/lib/debug/usr/bin/thing.debug",
      "/usr/bin/thing.debug",
      "/usr/bin/.debug/thing.debug",
    ]);
    expect(debugFilePaths(undefined, { name: "thing", crc: 1 }, "/usr/bin/thing")).toEqual([
      "/usr/lib/debug/usr/bin/thing",
      "/usr/bin/.debug/thing",
    ]);
    expect(debugFilePaths("abcdef01", undefined, "/thing")).toEqual([
      "/usr/lib/debug/.build-id/ab/cdef01.debug",
    ]);
    expect(debugFilePaths(undefined, undefined, "/thing")).toEqual([]);
  });

  test("a link that leads out of the folders is damage", () => {
    withFolder((folder) => {
      const { stripped } = splitDebugFile(shapes.pie(), folder);
      const bytes = fileBytes(stripped);
      const section = openElf(stripped).sections.find((section) => section.name === ".gnu_debuglink")!;
      bytes.set(new TextEncoder().encode("../"), section.offset);
      expect(() => readDebugLink(readElf(bytesSource(stripped, bytes)))).toThrowError(
        /debug link is no file name/,
      );
    });
  });
});
