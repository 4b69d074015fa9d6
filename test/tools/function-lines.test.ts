/** The lines of `uscope list`, written as bytes, are those that the parts of each function make as text. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { escapeControls } from "../../src/base/text.js";
import { demangle } from "../../src/demangle/demangle.js";
import type { ElfFile } from "../../src/elf/file.js";
import { readElf } from "../../src/elf/file.js";
import { readFunctionTable, versionedName } from "../../src/elf/symbols.js";
import { FunctionLines } from "../../src/tools/function-lines.js";
import { Output } from "../../src/tools/output.js";
import { executablePath, fileBytes, libraryPath, openElf } from "../support/elf.js";
import { linkManySections, shapes, withFolder } from "../elf/fixtures.js";
import { FormatError } from "../../src/base/errors.js";

function written(elf: ElfFile, isMangled: boolean, wanted?: ReadonlySet<number>): string {
  const folder = mkdtempSync(join(tmpdir(), "uscope-lines-"));
  const path = join(folder, "lines");
  const descriptor = openSync(path, "w");
  try {
    new FunctionLines(readFunctionTable(elf).tables, new Output(descriptor), isMangled).write(wanted);
    return readFileSync(path, "utf8");
  } finally {
    closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

function expected(elf: ElfFile, isMangled: boolean, wanted?: ReadonlySet<number>): string {
  let text = "ADDRESS              SIZE BIND   KIND     NAME\n";
  let previous = -1;
  for (const symbol of readFunctionTable(elf).inOrder()) {
    if (wanted?.has(symbol.address) === false) continue;
    const kind = symbol.kind === "function" && symbol.address === previous ? "alias" : symbol.kind;
    const name = (isMangled ? undefined : demangle(symbol.name)) ?? versionedName(symbol);
    const columns = [
      symbol.address.toString(16).padStart(16, "0"),
      String(symbol.size).padStart(8),
      symbol.binding.padEnd(6),
      kind.padEnd(8),
      escapeControls(name),
    ];
    text += `${columns.join(" ")}\n`;
    previous = symbol.address;
  }
  return text;
}

test.each([
  ["node", () => executablePath("node")],
  ["redis-server", () => executablePath("redis-server")],
  ["libc, with versions", () => libraryPath("libc.so.6")],
  ["libstdc++, with versions", () => libraryPath("libstdc++.so.6")],
  ["a program with names beyond ASCII", shapes.pie],
  ["a library with two versions of a name", shapes.versions],
])("%s", (_, path) => {
  const elf = openElf(path());
  expect(written(elf, false)).toBe(expected(elf, false));
  expect(written(elf, true)).toBe(expected(elf, true));
});

test("only the wanted addresses", () => {
  const elf = openElf(shapes.library());
  const addresses = Array.from(readFunctionTable(elf).inOrder(), ({ address }) => address);
  const wanted = new Set<number>(addresses.filter((_, index) => index % 3 === 1));
  expect(written(elf, false, wanted)).toBe(expected(elf, false, wanted));
  expect(written(elf, false, new Set())).toBe("");
});

test("sizes and addresses of any width, and bytes that drive terminals", () => {
  const bytes = withFolder((folder) => fileBytes(linkManySections(folder, 300)));
  const { sections } = readElf(bytesSource("many", bytes));
  const symtab = sections.find(({ name }) => name === ".symtab")!;
  const names = sections.find(({ name }) => name === ".strtab")!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const sizes = [0n, 9n, 10n, 99_999_999n, 100_000_000n, 0xffff_ffffn, 0x1f_ffff_ffff_ffffn, 2n ** 64n - 1n];
  for (let at = symtab.offset, number = 0; at < symtab.offset + symtab.size; at += 24, number++) {
    view.setBigUint64(at + 8, 0x1f_ffff_ffff_ffffn >> BigInt(number % 50), true);
    view.setBigUint64(at + 16, sizes[number % sizes.length]!, true);
  }
  for (let at = names.offset + 1; at < names.offset + names.size; at += 5)
    if (bytes[at] !== 0) bytes[at] = [0x1b, 0x0a, 0x7f, 0x9b][at % 4]!;
  const elf = readElf(bytesSource("many", bytes));
  const text = written(elf, false);
  expect(text).toBe(expected(elf, false));
  for (const part of ["\\x1b", "\\n", "\\x7f"]) expect(text).toContain(part);
  expect(text).toMatch(/^001fffffffffffff 9007199254740991 /m);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

/** The symbols of a file's table, changed one by one. */
function changeSymbols(
  path: string,
  table: string,
  change: (symbol: DataView, number: number) => void,
): ElfFile {
  const bytes = fileBytes(path).slice();
  const { offset, size } = readElf(bytesSource(path, bytes)).sections.find(({ name }) => name === table)!;
  for (let at = 24; at < size; at += 24) change(new DataView(bytes.buffer, offset + at, 24), at / 24);
  return readElf(bytesSource(path, bytes));
}

test.each([
  ["in every digit of 32 bits", 0x1_0001_0001n, 0xffff_ffffn],
  ["beyond 32 bits", 0x3_1234_5678_9abcn, 0x1f_ffff_ffff_ffffn],
])("addresses that differ %s are in order, and equal ones stay in that of the file", (_, factor, mask) => {
  withFolder((folder) => {
    const elf = changeSymbols(linkManySections(folder, 300), ".symtab", (symbol, number) =>
      symbol.setBigUint64(8, (BigInt(number >> 1) * 0x9e37_79b9n * factor) & mask, true),
    );
    const all = [...readFunctionTable(elf).all()];
    const sorted = all.toSorted((left, right) => left.address - right.address);
    expect(sorted).not.toEqual(all);
    expect([...readFunctionTable(elf).inOrder()]).toEqual(sorted);
    expect(written(elf, true)).toBe(expected(elf, true));
  });
});

test("thousands of functions at one address, of which a later table repeats some", () => {
  const bytes = fileBytes(executablePath("redis-server")).slice();
  const { sections } = readElf(bytesSource("redis", bytes));
  for (const { offset, size, name } of sections) {
    if (name !== ".symtab" && name !== ".dynsym") continue;
    const view = new DataView(bytes.buffer, offset, size);
    for (let at = 24; at < size; at += 24) view.setBigUint64(at + 8, BigInt(0x1000 + (at % 3)), true);
  }
  const elf = readElf(bytesSource("redis", bytes));
  expect(written(elf, false)).toBe(expected(elf, false));
});

test("names that overlap with too many others, lie outside of their table or have no end", () => {
  const library = libraryPath("libstdc++.so.6");
  const bytes = fileBytes(library).slice();
  const strings = readElf(bytesSource(library, bytes)).sections.find(({ name }) => name === ".dynstr")!;
  const overlapping = bytes.slice();
  overlapping.fill(0x61, strings.offset + 1, strings.offset + strings.size - 1);
  const endless = bytes
    .slice()
    .fill(0x61, strings.offset + strings.size - 100, strings.offset + strings.size);
  const elves = [
    readElf(bytesSource(library, overlapping)),
    readElf(bytesSource(library, endless)),
    changeSymbols(
      library,
      ".dynsym",
      (symbol, number) => number === 4_000 && symbol.setUint32(0, strings.size, true),
    ),
    changeSymbols(
      library,
      ".dynsym",
      (symbol, number) => number === 4_000 && symbol.setUint32(0, 0xffff_fff0, true),
    ),
  ];
  for (const elf of elves) expect(outcome(() => written(elf, false))).toBe("FormatError");
});

test("with random bytes of its tables changed a file has the same list as by objects, or is refused", () => {
  let seed = 1;
  const random = (limit: number): number => {
    seed = (Math.imul(seed, 0x41c6_4e6d) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * limit);
  };
  const files = [shapes.versions(), shapes.library(), shapes.pie()].map((path) => fileBytes(path));
  const seen = new Set<string>();
  for (let round = 0; round < 300; round++) {
    const bytes = files[round % files.length]!.slice();
    const tables = readElf(bytesSource("changed", bytes)).sections.filter(({ name }) =>
      /^\.(?:symtab|strtab|dynsym|dynstr|gnu\.version.*)$/.test(name),
    );
    for (let count = 1 + random(20); count > 0; count--) {
      const { offset, size } = tables[random(tables.length)]!;
      bytes[offset + random(size)] = random(3) === 0 ? 0x40 : random(256);
    }
    const told = outcome(() => written(readElf(bytesSource("changed", bytes)), round % 2 === 0));
    expect(told).toBe(outcome(() => expected(readElf(bytesSource("changed", bytes)), round % 2 === 0)));
    seen.add(told === "FormatError" ? told : "a list");
  }
  expect([...seen].sort()).toEqual(["FormatError", "a list"]);
});

/** What comes of it: a text, or the kind of error that says that a file is damaged. */
function outcome(make: () => string): string {
  try {
    return make();
  } catch (error) {
    if (error instanceof FormatError) return error.kind;
    throw error;
  }
}
