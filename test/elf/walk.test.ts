/** The walk over functions that makes no objects tells the same as the functions in order. */
import { describe, expect, test } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import type { ElfFile } from "../../src/elf/file.js";
import { readElf } from "../../src/elf/file.js";
import { readFunctionTable } from "../../src/elf/symbols.js";
import type { FunctionSymbol } from "../../src/elf/symbols.js";
import { executablePath, fileBytes, libraryPath, openElf } from "../support/elf.js";
import { linkManySections, shapes, withFolder } from "./fixtures.js";

type Told = Pick<FunctionSymbol, "address" | "size" | "binding" | "kind"> & {
  readonly name: string | undefined;
  readonly hasVersion: boolean;
};

function walked(elf: ElfFile): Told[] {
  const told: Told[] = [];
  const walk = readFunctionTable(elf).walk();
  while (walk.next()) {
    const { address, size, binding, kind, nameBytes, nameStart, nameEnd, hasVersion } = walk;
    const name = nameEnd === 0 ? undefined : new TextDecoder().decode(nameBytes.subarray(nameStart, nameEnd));
    expect(walk.symbol().name).toBe(name ?? walk.symbol().name);
    told.push({ address, size, binding, kind, name, hasVersion });
  }
  return told;
}

function inOrder(elf: ElfFile): Told[] {
  return Array.from(readFunctionTable(elf).inOrder(), ({ address, size, binding, kind, name, version }) => ({
    address,
    size,
    binding,
    kind,
    name: /^[ -~]*$/.test(name) ? name : undefined,
    hasVersion: version !== undefined,
  }));
}

describe("a walk tells what inOrder() gives", () => {
  test.each(["pie", "fixed", "static", "library", "oddLibrary", "versions"] as const)("%s", (shape) => {
    const elf = openElf(shapes[shape]());
    const told = walked(elf);
    expect(told).toEqual(inOrder(elf));
    expect(told.length).toBeGreaterThan(1);
  });

  test.each([
    ["libc", () => libraryPath("libc.so.6")],
    ["libstdc++", () => libraryPath("libstdc++.so.6")],
    ["node", () => executablePath("node")],
  ])("%s", (_, path) => {
    const elf = openElf(path());
    expect(walked(elf)).toEqual(inOrder(elf));
  });

  test("names beyond ASCII have no plain end", () => {
    const elf = openElf(shapes.pie());
    expect(walked(elf).filter(({ name }) => name === undefined).length).toBe(
      [...readFunctionTable(elf).names()].filter((name) => !/^[ -~]*$/.test(name)).length,
    );
    expect(walked(elf).some(({ name }) => name === undefined)).toBe(true);
  });
});

test.each([
  ["in every digit of 32 bits", 0x1_0001_0001n, 0xffff_ffffn],
  ["beyond 32 bits", 0x3_1234_5678_9abcn, 0x1f_ffff_ffff_ffffn],
])("addresses that differ %s are in order, and equal ones stay in that of the file", (_, factor, mask) => {
  withFolder((folder) => {
    const path = linkManySections(folder, 300);
    const bytes = fileBytes(path);
    const symtab = readElf(bytesSource(path, bytes)).sections.find(({ name }) => name === ".symtab")!;
    const view = new DataView(bytes.buffer);
    for (let at = symtab.offset, number = 0n; at < symtab.offset + symtab.size; at += 24, number++)
      view.setBigUint64(at + 8, ((number / 2n) * 0x9e37_79b9n * factor) & mask, true);
    const table = readFunctionTable(readElf(bytesSource(path, bytes)));
    const all = [...table.all()];
    const sorted = all.toSorted((left, right) => left.address - right.address);
    expect(sorted).not.toEqual(all);
    expect([...table.inOrder()]).toEqual(sorted);
  });
});
