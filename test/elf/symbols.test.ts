import { describe, expect, test } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { readElf } from "../../src/elf/file.js";
import type { TableKind } from "../../src/elf/symbol-table.js";
import {
  mergeFunctionTables,
  readFunctionTable,
  versionedName,
  type FunctionSymbol,
} from "../../src/elf/symbols.js";
import { executablePath, fileBytes, jvmLibraries, libraryPath, openElf } from "../support/elf.js";
import { fits, requires } from "../support/kernel.js";
import { linkManySections, shapes, splitDebugFile, withFolder, withoutSections } from "./fixtures.js";
import { nmFunctions, nmLine, readelfFunctions, readelfLine } from "./oracle.js";

const kinds: readonly TableKind[] = ["dynsym", "symtab"];

function list(path: string, kind: TableKind): FunctionSymbol[] {
  return [...readFunctionTable(openElf(path), [kind]).all()];
}

/** What makes two entries one function. */
function key(symbol: FunctionSymbol): string {
  return `${symbol.address} ${symbol.name}`;
}

function rank(symbol: FunctionSymbol): number {
  return symbol.binding === "local" ? 1 : 0;
}

function expectLikeReadelf(path: string): void {
  for (const kind of kinds) {
    const expected = readelfFunctions(path, kind).map((symbol) => symbol.line);
    expect(list(path, kind).map(readelfLine)).toEqual(expected);
  }
}

function expectLikeNm(path: string): void {
  expect(list(path, "dynsym").map(nmLine).sort()).toEqual(nmFunctions(path, "-D").sort());
  expect(list(path, "symtab").map(nmLine).sort()).toEqual(nmFunctions(path).sort());
}

const system = {
  "redis-server": () => executablePath("redis-server"),
  libc: () => libraryPath("libc.so.6"),
  "libstdc++": () => libraryPath("libstdc++.so.6"),
  node: () => executablePath("node"),
};

describe("functions are those of readelf -sW and nm", () => {
  test.each(Object.entries(system))("%s", (_, path) => {
    expect(list(path(), "dynsym").length).toBeGreaterThan(1000);
    expectLikeReadelf(path());
    expectLikeNm(path());
  });

  const isJavaElsewhere = requires("java") && jvmLibraries().length === 0;
  test.runIf(requires("java") && fits(isJavaElsewhere ? "no libjvm.so under /usr/lib/jvm" : undefined))(
    "libjvm.so",
    () => {
      for (const path of jvmLibraries()) {
        expectLikeReadelf(path);
        expectLikeNm(path);
      }
    },
  );

  test.each(Object.entries(shapes))("%s", (_, path) => {
    expectLikeReadelf(path());
    expectLikeNm(path());
  });
});

describe("versions", () => {
  test("two versions of a name, one of them the default", () => {
    const table = readFunctionTable(openElf(shapes.versions()), ["dynsym"]);
    expect(table.find("answer").map(versionedName).sort()).toEqual(["answer@@USCOPE_2", "answer@USCOPE_1"]);
    expect(table.find("answer@USCOPE_1")).toMatchObject([
      { name: "answer", version: "USCOPE_1", isDefaultVersion: false },
    ]);
    expect(table.find("answer@@USCOPE_2")).toMatchObject([
      { name: "answer", version: "USCOPE_2", isDefaultVersion: true },
    ]);
    expect(table.find("answer@USCOPE_2")).toHaveLength(1);
    expect(table.find("answer@@USCOPE_1")).toEqual([]);
    expect(table.find("answer@USCOPE_3")).toEqual([]);
  });

  test("a function without a version in a library with versions", () => {
    const table = readFunctionTable(openElf(shapes.versions()), ["dynsym"]);
    expect(table.find("without_version").map(versionedName)).toEqual(["without_version"]);
    expect(table.find("without_version")[0]).not.toHaveProperty("version");
  });

  test("in .symtab they are part of the written name, and found without it", () => {
    const table = readFunctionTable(openElf(shapes.versions()), ["symtab"]);
    expect(table.find("answer").map(versionedName).sort()).toEqual(["answer@@USCOPE_2", "answer@USCOPE_1"]);
  });

  test("libc has memcpy in two versions", () => {
    const table = readFunctionTable(openElf(system.libc()));
    expect(new Set(table.find("memcpy").map(versionedName))).toEqual(
      new Set(nmFunctions(system.libc(), "-D").flatMap((line) => / (memcpy@.*)$/.exec(line)?.[1] ?? [])),
    );
  });
});

describe("find", () => {
  test.each(["pie", "fixed", "static", "library", "oddLibrary", "versions"] as const)(
    "finds every name of %s and no part of one",
    (shape) => {
      const table = readFunctionTable(openElf(shapes[shape]()));
      const all = [...table.all()];
      const names = new Set(all.map((symbol) => symbol.name));
      for (const name of [...names].slice(0, 300)) {
        expect(table.find(name)).toEqual(all.filter((symbol) => symbol.name === name));
        for (const other of [`${name}x`, name.slice(0, -1), name.slice(1)])
          if (!names.has(other)) expect(table.find(other)).toEqual([]);
      }
      expect(table.find("")).toEqual([]);
    },
  );

  test("names that are the tail of another, and names beyond ASCII", () => {
    const table = readFunctionTable(openElf(shapes.pie()));
    expect(table.find("tail_name").map((symbol) => symbol.name)).toEqual(["tail_name"]);
    expect(table.find("long_tail_name").map((symbol) => symbol.name)).toEqual(["long_tail_name"]);
    expect(table.find("größe").map((symbol) => symbol.name)).toEqual(["größe"]);
    expect([...table.names()]).toContain("größe");
  });

  test("objects and what the file only needs are no functions", () => {
    const table = readFunctionTable(openElf(shapes.pie()));
    expect(table.find("some_object")).toEqual([]);
    expect(table.find("printf")).toEqual([]);
  });
});

describe("both tables as one", () => {
  test.each(["pie", "library", "versions"] as const)(
    "%s: the same name at the same address is told once, from .dynsym",
    (shape) => {
      const path = shapes[shape]();
      const table = readFunctionTable(openElf(path));
      const expected = new Set(kinds.flatMap((kind) => list(path, kind).map(key)));
      const all = [...table.all()];
      expect(all.map(key).sort()).toEqual([...expected].sort());
      expect(table.count).toBe(expected.size);
      expect([...table.names()]).toEqual(all.map((symbol) => symbol.name));
      const exported = new Set(list(path, "dynsym").map(key));
      expect(exported.size).toBeGreaterThan(0);
      for (const symbol of all) expect(symbol.table).toBe(exported.has(key(symbol)) ? "dynsym" : "symtab");
    },
  );

  test.each(["pie", "library", "versions", "libc", "libstdc++"] as const)(
    "%s in order: by address, exported before local, otherwise as in the file",
    (name) => {
      const table = readFunctionTable(
        openElf(name in shapes ? shapes[name as "pie"]() : system[name as "libc"]()),
      );
      const all = [...table.all()];
      const sorted = all.toSorted((left, right) => left.address - right.address || rank(left) - rank(right));
      expect(sorted).not.toEqual(all);
      expect([...table.inOrder()]).toEqual(sorted);
    },
  );

  test("node: every name and address once", () => {
    const path = system.node();
    const expected = new Set(kinds.flatMap((kind) => list(path, kind).map(nmLine)));
    const all = [...readFunctionTable(openElf(path)).all()].map(nmLine);
    expect(all.length).toBe(expected.size);
    expect(new Set(all)).toEqual(expected);
  });

  test("hundreds of names at one address", () => {
    withFolder((folder) => {
      const path = linkManySections(folder, 300);
      const bytes = fileBytes(path);
      const elf = readElf(bytesSource(path, bytes));
      const symtab = elf.sections.find((section) => section.name === ".symtab")!;
      const view = new DataView(bytes.buffer);
      for (let at = symtab.offset; at < symtab.offset + symtab.size; at += 24)
        view.setBigUint64(at + 8, 0x401000n, true);
      const once = readFunctionTable(elf);
      const twice = mergeFunctionTables(once, readFunctionTable(elf));
      expect(once.count).toBe(300);
      expect(twice.count).toBe(300);
      expect(twice.at(0x401000 as never)).toHaveLength(300);
      expect(twice.covering(0x401000 as never)?.name).toMatch(/^f\d$|^f\d\d$/);
    });
  });

  test("a stripped program gets its functions back from its debug file", () => {
    withFolder((folder) => {
      const { stripped, debug } = splitDebugFile(shapes.pie(), folder);
      expect(list(stripped, "symtab")).toEqual([]);
      expect(list(debug, "dynsym")).toEqual([]);
      const whole = readFunctionTable(openElf(shapes.pie()));
      const merged = mergeFunctionTables(
        readFunctionTable(openElf(stripped)),
        readFunctionTable(openElf(debug)),
      );
      expect([...merged.all()]).toEqual([...whole.all()]);
      expect(merged.find("hidden_function")).toEqual(whole.find("hidden_function"));
      const address = whole.find("hidden_away")[0]!.address;
      expect(merged.covering(address)?.name).toBe("hidden_away");
    });
  });
});

describe("files without section headers", () => {
  test.each(["sysv", "gnu", "both"])("dynamic symbols are counted by the %s hash table", (hashStyle) => {
    const path = shapes.tinyLibrary(hashStyle);
    const elf = readElf(bytesSource(path, withoutSections(fileBytes(path))));
    expect(elf.sections).toEqual([]);
    const found = [...readFunctionTable(elf).all()].map(readelfLine);
    expect(found).toEqual(readelfFunctions(path, "dynsym").map((symbol) => symbol.line));
    expect(found.length).toBeGreaterThan(1);
  });

  test.each(["pie", "library", "oddLibrary", "versions", "stripped"] as const)(
    "%s: as with them",
    (shape) => {
      const path = shapes[shape]();
      const elf = readElf(bytesSource(path, withoutSections(fileBytes(path))));
      expect([...readFunctionTable(elf).all()]).toEqual(list(path, "dynsym"));
    },
  );

  test.each(Object.entries(system))("%s: as with them", (_, path) => {
    const elf = readElf(bytesSource(path(), withoutSections(fileBytes(path()))));
    expect([...readFunctionTable(elf).all()]).toEqual(list(path(), "dynsym"));
  });

  test("a static program has no functions left", () => {
    const elf = readElf(bytesSource("static", withoutSections(fileBytes(shapes.tinyProgram()))));
    expect(readFunctionTable(elf).count).toBe(0);
  });
});

test("functions in sections whose numbers need 32 bits", () => {
  withFolder((folder) => {
    const path = linkManySections(folder, 66_000);
    const elf = openElf(path);
    expect(elf.sections.length).toBeGreaterThan(66_000);
    expect(elf.sections.find((section) => section.name === "s65999")?.size).toBe(1);
    expectLikeReadelf(path);
    const table = readFunctionTable(elf);
    expect(table.count).toBe(66_000);
    expect(table.covering(table.find("f65500")[0]!.address)?.name).toBe("f65500");
  });
});
