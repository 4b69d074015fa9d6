import { describe, expect, test } from "vitest";
import { bytesSource, type FileOffset, type VirtualAddress } from "../../src/base/bytes.js";
import { FormatError, UnsupportedError } from "../../src/base/errors.js";
import { fileOffsetOf, isExecutable, virtualAddressOf } from "../../src/elf/address.js";
import { readElf } from "../../src/elf/file.js";
import { readFunctionTable } from "../../src/elf/symbols.js";
import { executablePath, fileBytes, libraryPath, openElf } from "../support/elf.js";
import { shapes, splitDebugFile, withFolder } from "./fixtures.js";
import { run } from "./oracle.js";

const files = {
  ...shapes,
  "redis-server": () => executablePath("redis-server"),
  libc: () => libraryPath("libc.so.6"),
  node: () => executablePath("node"),
};

describe("tables are those of readelf", () => {
  test.each(Object.entries(files))("segments of %s", (_, path) => {
    const line =
      /^ {2}\S+\s+0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x([0-9a-f]+) ([R ])([W ])([E ]) (?:0x)?([0-9a-f]+)$/gm;
    const expected = Array.from(run("readelf", "-lW", path()).matchAll(line), (match) => {
      const [offset, address, fileBytes, memoryBytes] = match
        .slice(1, 5)
        .map((text) => Number.parseInt(text, 16));
      const flags = (match[5] === "R" ? 4 : 0) | (match[6] === "W" ? 2 : 0) | (match[7] === "E" ? 1 : 0);
      return { offset, address, fileBytes, memoryBytes, flags, align: Number.parseInt(match[8]!, 16) };
    });
    expect(expected.length).toBeGreaterThan(1);
    expect(openElf(path()).segments.map(({ index: _index, type: _type, ...rest }) => rest)).toEqual(expected);
  });

  test.each(Object.entries(files))("sections of %s", (_, path) => {
    const line =
      /^ {2}\[ *(\d+)\] (\S*) +\S+ +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) +[A-Za-z]* +(\d+) +(\d+) +(\d+)$/gm;
    const expected = Array.from(run("readelf", "-SW", path()).matchAll(line), (match) => {
      const [address, offset, size, entryBytes] = match.slice(3, 7).map((text) => Number.parseInt(text, 16));
      const [link, info, align] = match.slice(7, 10).map(Number);
      return {
        index: Number(match[1]),
        name: match[2],
        address,
        offset,
        size,
        entryBytes,
        link,
        info,
        align,
      };
    });
    expect(expected.length).toBeGreaterThan(5);
    const found = openElf(path()).sections.map(({ type: _type, flags: _flags, ...rest }) => rest);
    expect(found).toEqual(expected);
  });

  test("machine, type and entry", () => {
    expect(openElf(shapes.pie())).toMatchObject({ type: "shared-object" });
    expect(openElf(shapes.fixed())).toMatchObject({ type: "executable" });
    const entry = /Entry point address:\s+0x([0-9a-f]+)/.exec(run("readelf", "-h", shapes.fixed()))![1]!;
    expect(openElf(shapes.fixed()).entry).toBe(Number.parseInt(entry, 16));
  });
});

describe("addresses and file offsets", () => {
  test.each(["pie", "fixed", "library", "oddLibrary"] as const)(
    "%s: the bytes at the offset are those of objdump at the address",
    (shape) => {
      const path = shapes[shape]();
      const elf = openElf(path);
      const bytes = fileBytes(path);
      for (const name of ["plain", "outer", "use_all"]) {
        const symbol = readFunctionTable(elf).find(name)[0]!;
        const offset = fileOffsetOf(elf, symbol.address)!;
        const stop = `0x${(symbol.address + symbol.size).toString(16)}`;
        const dump = run(
          "objdump",
          "-d",
          "-w",
          `--start-address=0x${symbol.address.toString(16)}`,
          `--stop-address=${stop}`,
          path,
        );
        const expected = Array.from(dump.matchAll(/^ *[0-9a-f]+:\t([0-9a-f ]+)(?:\t|$)/gm), (match) =>
          match[1]!.trim(),
        ).join(" ");
        const found = Array.from(bytes.subarray(offset, offset + symbol.size), (byte) =>
          byte.toString(16).padStart(2, "0"),
        ).join(" ");
        expect(found).toBe(expected);
        expect(virtualAddressOf(elf, offset)).toBe(symbol.address);
        expect(isExecutable(elf, symbol.address)).toBe(true);
      }
    },
  );

  test("what the file does not fill has no offset", () => {
    const elf = openElf(shapes.oddLibrary());
    const bss = elf.sections.find((section) => section.name === ".bss")!;
    expect(fileOffsetOf(elf, (bss.address + bss.size - 1) as VirtualAddress)).toBeUndefined();
    expect(fileOffsetOf(elf, 0x1000 as VirtualAddress)).toBeUndefined();
    expect(isExecutable(elf, elf.sections.find((section) => section.name === ".data")!.address)).toBe(false);
    expect(virtualAddressOf(elf, elf.source.size as FileOffset)).toBeUndefined();
  });

  test("where two segments map a byte, the executable one tells its address", () => {
    const bytes = fileBytes(shapes.oddLibrary());
    const first = readElf(bytesSource("library", bytes)).segments.find((segment) => segment.type === 1)!;
    const view = new DataView(bytes.buffer);
    const at = Number(view.getBigUint64(32, true)) + first.index * 56;
    view.setBigUint64(at + 16, 0x1000000n, true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setBigUint64(at + 40, BigInt(bytes.length), true);
    const elf = readElf(bytesSource("library", bytes));
    const symbol = readFunctionTable(elf).find("plain")[0]!;
    expect(virtualAddressOf(elf, fileOffsetOf(elf, symbol.address)!)).toBe(symbol.address);
    expect(virtualAddressOf(elf, 64 as FileOffset)).toBe(0x1000040);
  });

  test("the headers of a debug file lead nowhere, and that is no damage", () => {
    withFolder((folder) => {
      const debug = openElf(splitDebugFile(shapes.pie(), folder).debug);
      const { address } = readFunctionTable(debug).find("main")[0]!;
      expect(fileOffsetOf(debug, address)).toBeUndefined();
    });
  });
});

describe("refusals", () => {
  const bytes = fileBytes(shapes.tinyProgram());
  const read = (change: (view: DataView) => void): unknown => {
    const changed = bytes.slice();
    change(new DataView(changed.buffer));
    try {
      return readElf(bytesSource("/usr/bin/thing", changed));
    } catch (error) {
      return error;
    }
  };

  test.each([
    [
      "32-bit",
      (view: DataView) => (view.setUint8(4, 1), view.setUint16(18, 3, true)),
      "this is a 32-bit file for i386",
    ],
    ["big-endian", (view: DataView) => view.setUint8(5, 2), "this is a big-endian file"],
    ["RISC-V", (view: DataView) => view.setUint16(18, 243, true), "this file is for another machine: RISC-V"],
    [
      "an unknown machine",
      (view: DataView) => view.setUint16(18, 9999, true),
      "this file is for another machine: ELF machine 9999",
    ],
    [
      "an object file",
      (view: DataView) => view.setUint16(16, 1, true),
      "this is an object file that is not linked yet (or a kernel module)",
    ],
    ["a core dump", (view: DataView) => view.setUint16(16, 4, true), "this is a core dump"],
  ] as const)("%s", (_, change, what) => {
    const error = read((view) => void change(view));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ what, at: "/usr/bin/thing" });
  });

  test("a kernel image", () => {
    const error = read((view) => {
      view.setBigUint64(64 + 16, 0xffff_ffff_8100_0000n, true);
    });
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error).toMatchObject({ what: "this file is linked to addresses that no program can have" });
  });

  test("arm64 is accepted", () => {
    expect(read((view) => view.setUint16(18, 183, true))).toMatchObject({ machine: "arm64" });
  });

  test("what is no ELF file", () => {
    expect(readText("#!/bin/sh\nexec true\n")).toMatchObject({
      kind: "FormatError",
      what: "this is a script, not an ELF file",
    });
    expect(readText("")).toMatchObject({ kind: "FormatError", what: "the file is empty" });
    expect(readText("MZ\x90\0")).toMatchObject({ kind: "FormatError", what: "this is not an ELF file" });
    expect(readText("\x7fELF\x02\x01\x01")).toBeInstanceOf(FormatError);
  });
});

function readText(text: string): unknown {
  try {
    return readElf(bytesSource("/usr/bin/thing", new TextEncoder().encode(text)));
  } catch (error) {
    return error;
  }
}
