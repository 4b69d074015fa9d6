/** Holds the reader of the loader's cache against ldconfig. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/base/errors.js";
import { findLibrary, matchesLibrary } from "../../src/target/libraries.js";
import { readLibraryCache, supportedLevels } from "../../src/target/library-cache.js";
import { fits } from "../support/kernel.js";

const path = "/etc/ld.so.cache";
const machine = process.arch === "arm64" ? "arm64" : "x86-64";

describe.runIf(fits(existsSync(path) ? undefined : `there is no ${path}`))(
  "the loader's cache of this machine",
  () => {
    const bytes = readFileSync(path);
    const listed = [
      ...execFileSync("ldconfig", ["-p"], { encoding: "utf8" }).matchAll(/^\t(\S+) \((.*)\) => (.*)$/gm),
    ]
      .map(([, soname, flags, file]) => ({ soname: soname!, flags: flags!, path: file! }))
      .filter(({ flags }) => flags.split(/,\s*/)[1] === (machine === "arm64" ? "AArch64" : "x86-64"));

    it("is read as ldconfig prints it, in its order", () => {
      expect(listed.length).toBeGreaterThan(20);
      const read = readLibraryCache(path, bytes, machine).map(({ soname, path }) => ({ soname, path }));
      expect(read).toEqual(listed.map(({ soname, path }) => ({ soname, path })));
    });

    it("truncated anywhere it is damaged, or shorter, never a crash", () => {
      for (let length = 0; length < bytes.length; length += length < 200 ? 1 : 97) {
        try {
          expect(readLibraryCache(path, bytes.subarray(0, length), machine).length).toBeLessThanOrEqual(
            listed.length,
          );
        } catch (error) {
          expect(error, `at ${length}`).toBeInstanceOf(FormatError);
        }
      }
    });

    it("gives each soname the file that the loader takes", () => {
      for (const { soname } of listed) {
        expect(findLibrary(soname, ""), soname).toBe(
          listed.find((library) => library.soname === soname)!.path,
        );
      }
    });
  },
);

/** Makes a cache as glibc's dl-cache.h describes it. */
function makeCache(
  entries: readonly (readonly [soname: string, path: string, hwcap: bigint])[],
  levels: readonly string[],
  prefix = 0,
): Uint8Array {
  const header = 48 + entries.length * 24;
  const strings: number[] = [];
  const addString = (text: string): number => {
    const at = header + strings.length;
    strings.push(...Buffer.from(`${text}\0`));
    return at;
  };
  const places = entries.map(([soname, path, hwcap]) => [addString(soname), addString(path), hwcap] as const);
  const levelPlaces = levels.map(addString);
  while ((header + strings.length) % 4 !== 0) strings.push(0);
  const extension = header + strings.length;
  const view = new DataView(new ArrayBuffer(prefix + extension + 24 + levels.length * 4));
  const bytes = new Uint8Array(view.buffer);
  if (prefix > 0) bytes.set(Buffer.from("ld.so-1.7.0"));
  bytes.set(Buffer.from("glibc-ld.so.cache1.1"), prefix);
  view.setUint32(prefix + 20, entries.length, true);
  view.setUint32(prefix + 24, strings.length, true);
  view.setUint32(prefix + 32, extension, true);
  places.forEach(([soname, path, hwcap], index) => {
    const at = prefix + 48 + index * 24;
    view.setInt32(at, 0x303, true);
    view.setUint32(at + 4, soname, true);
    view.setUint32(at + 8, path, true);
    view.setBigUint64(at + 16, hwcap, true);
  });
  bytes.set(strings, prefix + header);
  [0xeaa42174, 1, 1, 0, extension + 24, levels.length * 4].forEach((word, index) =>
    view.setUint32(prefix + extension + index * 4, word, true),
  );
  levelPlaces.forEach((place, index) => view.setUint32(prefix + extension + 24 + index * 4, place, true));
  return bytes;
}

describe("libraries for better CPUs", () => {
  const extension = 1n << 62n;
  const cache = makeCache(
    [
      ["libx.so.1", "/lib/glibc-hwcaps/x86-64-v3/libx.so.1", extension | 1n],
      ["libx.so.1", "/lib/glibc-hwcaps/x86-64-v2/libx.so.1", extension | (2n << 32n) | 0n],
      ["libx.so.1", "/lib/libx.so.1", 0n],
      ["libx.so.1", "/lib/haswell/libx.so.1", 4n],
    ],
    ["x86-64-v2", "x86-64-v3"],
  );

  it("carry their level; legacy folders are left out as the loader does", () => {
    expect(readLibraryCache("cache", cache, "x86-64").map(({ level }) => level)).toEqual([
      "x86-64-v3",
      "x86-64-v2",
      undefined,
    ]);
  });

  it("stand behind an older table too", () => {
    const bytes = makeCache([["liby.so", "/liby.so", 0n]], [], 16);
    expect(readLibraryCache("cache", bytes, "x86-64")).toEqual([
      { soname: "liby.so", path: "/liby.so", level: undefined },
    ]);
  });

  it("count only when the CPU has all of a level, and of those below", () => {
    const v2 = ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"];
    const v3 = [...v2, "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"];
    expect(supportedLevels(new Set())).toEqual([]);
    expect(supportedLevels(new Set(v3.slice(1)))).toEqual([]);
    expect(supportedLevels(new Set(v3))).toEqual(["x86-64-v3", "x86-64-v2"]);
  });
});

describe("a library's name", () => {
  it.each([
    ["libc.so.6", "c", true],
    ["libc.so.6", "libc", true],
    ["libc.so.6", "libc.so", true],
    ["libc.so.6", "libc.so.6", true],
    ["libc-2.31.so", "c", true],
    ["libstdc++.so.6", "stdc++", true],
    ["libstdc++.so.6.0.30", "stdc++", true],
    ["ld-linux-x86-64.so.2", "ld-linux-x86-64", true],
    ["libcap.so.2", "c", false],
    ["libc.so.6", "libc.so.7", false],
    ["libssl.so.3", "ss", false],
    ["libnss_files.so.2", "files", false],
    ["libpython3.11.so.1.0", "python3.11", true],
    ["_ssl.cpython-311-x86_64-linux-gnu.so", "ssl", false],
  ])("%s for %s: %s", (file, name, expected) => {
    expect(matchesLibrary(file, name)).toBe(expected);
  });
});
