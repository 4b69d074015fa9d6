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

function written(elf: ElfFile, isMangled: boolean, wanted?: ReadonlySet<number>): string {
  const folder = mkdtempSync(join(tmpdir(), "uscope-lines-"));
  const path = join(folder, "lines");
  const descriptor = openSync(path, "w");
  try {
    new FunctionLines(new Output(descriptor), isMangled).write(readFunctionTable(elf).walk(), wanted);
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
