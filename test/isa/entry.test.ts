/** Holds the own decoder against iced-x86 on real machine code, and the arm64 rows against encodings by the assembler's manual. */
import { readFileSync, realpathSync } from "node:fs";
import { Code, Decoder, DecoderOptions, Instruction } from "iced-x86";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { fileRangeFrom } from "../../src/elf/address.js";
import { findSection, readElf } from "../../src/elf/file.js";
import { readFunctionTable } from "../../src/elf/symbols.js";
import { classifyInstruction } from "../../src/isa/entry.js";

const files = ["/usr/bin/redis-server", "/lib/x86_64-linux-gnu/libc.so.6", process.execPath];

describe.each(files)("the first instruction of every function of %s", (path) => {
  let bytes: Uint8Array;
  let offsets: number[];
  beforeAll(() => {
    bytes = readFileSync(realpathSync(path));
    const elf = readElf(bytesSource(path, bytes));
    offsets = [...readFunctionTable(elf).all()].flatMap(
      (symbol) => fileRangeFrom(elf, symbol.address)?.offset ?? [],
    );
  });

  it("is as long as iced-x86 says, and hardly ever unknown", () => {
    expect(offsets.length).toBeGreaterThan(1000);
    const unknown: string[] = [];
    for (const offset of offsets) {
      const code = bytes.subarray(offset, offset + 15);
      const { length } = classifyInstruction("x86-64", code);
      if (length === undefined) unknown.push(hex(code));
      else if (length !== icedLength(code))
        expect.fail(`${hex(code)}: ${length}, iced-x86 says ${icedLength(code)}`);
    }
    expect(unknown.length / offsets.length, unknown.slice(0, 20).join("\n")).toBeLessThan(0.001);
  });
});

describe.each(["/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3"])(
  "every instruction of %s (vector code of all generations)",
  (path) => {
    it("is as long as iced-x86 says wherever the own decoder knows it", () => {
      const file = readFileSync(realpathSync(path));
      const text = findSection(readElf(bytesSource(path, file)), ".text")!;
      const bytes = file.subarray(text.offset, text.offset + text.size);
      const decoder = new Decoder(64, bytes, DecoderOptions.None);
      const instruction = new Instruction();
      let known = 0;
      let unknown = 0;
      while (decoder.canDecode) {
        const at = decoder.position;
        decoder.decodeOut(instruction);
        if (instruction.code === Code.INVALID) continue;
        const { length } = classifyInstruction("x86-64", bytes.subarray(at, at + 15));
        if (length === undefined) unknown++;
        else if (length === instruction.length) known++;
        else
          expect.fail(`${hex(bytes.subarray(at, at + 15))}: ${length}, iced-x86 says ${instruction.length}`);
      }
      expect(known).toBeGreaterThan(100_000);
      expect(unknown / known).toBeLessThan(0.001);
    });
  },
);

describe("bytes that end early", () => {
  it.each(["", "0f", "48", "66", "e8010203", "c5f8", "62f17c48", "488d05010203", "0f3a0fc1"])(
    "%s",
    (text) => {
      expect(classifyInstruction("x86-64", parseHex(text)).length).toBeUndefined();
    },
  );

  it("never reads behind them", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        for (let count = 1; count <= 4; count++) {
          const { length } = classifyInstruction(
            "x86-64",
            Uint8Array.of(first, second, 0x84, 0x05).subarray(0, count),
          );
          if (length !== undefined) expect(length).toBeLessThanOrEqual(count);
        }
      }
    }
  });
});

describe("a breakpoint", () => {
  it("that stands there already is refused in words of its own", () => {
    expect(classifyInstruction("x86-64", Uint8Array.of(0xcc)).refused).toMatch(
      /^a breakpoint \(int3\) stands there/,
    );
    expect(classifyInstruction("x86-64", Uint8Array.of(0xcd, 0x80)).refused).toMatch(/opcode cd/);
  });
});

describe("kernel releases", () => {
  it("push is emulated since 5.0", () => {
    expect([classify("55", 4, 19), classify("55", 5, 0), classify("4157", 6, 1)]).toEqual([
      "stepped",
      "emulated",
      "emulated",
    ]);
  });
  it("nop5 is a call since 6.18, unless it crosses a page", () => {
    const nop5 = "0f1f440000";
    expect([
      classify(nop5, 6, 17),
      classify(nop5, 6, 18),
      classify(nop5, 6, 18, 0x1ffb),
      classify(nop5, 6, 18, 0x1ffc),
    ]).toEqual(["stepped", "nop5", "nop5", "emulated"]);
  });
  it("6.19 knows more nops and no longer takes xchg %r8,%rax for one", () => {
    expect([classify("4889c0", 6, 18), classify("4889c0", 6, 19), classify("89c0", 6, 19)]).toEqual([
      "stepped",
      "emulated",
      "stepped",
    ]);
    expect([classify("488d7600", 6, 19), classify("488d7601", 6, 19), classify("488d742600", 6, 19)]).toEqual(
      ["emulated", "stepped", "nop5"],
    );
    expect([
      classify("4990", 6, 18),
      classify("4990", 6, 19),
      classify("f390", 6, 18),
      classify("f390", 6, 19),
    ]).toEqual(["harmful", "stepped", "emulated", "stepped"]);
  });
});

describe("arm64", () => {
  // Encodings as GNU as writes them.
  it.each([
    ["b", 0x14000001, "emulated"],
    ["bl", 0x94000001, "emulated"],
    ["cbz x0", 0xb4000040, "emulated"],
    ["cbnz w1", 0x35000041, "emulated"],
    ["tbz w0, #3", 0x36180040, "emulated"],
    ["tbnz x0, #40", 0xb7400040, "emulated"],
    ["b.eq", 0x54000040, "emulated"],
    ["adr x0", 0x10000000, "emulated"],
    ["adrp x0", 0x90000000, "emulated"],
    ["ret", 0xd65f03c0, "emulated"],
    ["br x16", 0xd61f0200, "emulated"],
    ["blr x1", 0xd63f0020, "emulated"],
    ["nop", 0xd503201f, "emulated"],
    ["bti c", 0xd503245f, "stepped"],
    ["paciasp", 0xd503233f, "stepped"],
    ["stp x29, x30, [sp, #-16]!", 0xa9bf7bfd, "stepped"],
    ["sub sp, sp, #16", 0xd10043ff, "stepped"],
    ["mrs x0, tpidr_el0", 0xd53bd040, "stepped"],
    ["autiasp", 0xd50323bf, "refused"],
    ["yield", 0xd503203f, "refused"],
    ["retaa", 0xd65f0bff, "refused"],
    ["svc #0", 0xd4000001, "refused"],
    ["brk #1", 0xd4200020, "refused"],
    ["msr tpidr_el0, x0", 0xd51bd040, "refused"],
    ["ldr x0, literal", 0x58000040, "refused"],
    ["ldxr w0, [x1]", 0x885f7c20, "refused"],
    ["stlxr w0, w1, [x2]", 0x8800fc41, "refused"],
    ["cpyfp [x0]!, [x1]!, x2!", 0x19010440, "refused"],
    ["udf #0", 0x00000000, "unknown"],
  ])("%s", (_name, word, expected) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, word, true);
    const { length, cost, refused } = classifyInstruction("arm64", bytes);
    expect(length === undefined ? "unknown" : refused === undefined ? cost : "refused").toBe(expected);
  });
});

function classify(text: string, major: number, minor: number, position = 0): string {
  const place = { release: { major, minor }, position };
  const { cost, refused, harmful } = classifyInstruction("x86-64", parseHex(text), place);
  return refused === undefined ? (harmful === undefined ? cost : "harmful") : "refused";
}

function icedLength(code: Uint8Array): number | undefined {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const instruction = decoder.decode();
  const length = instruction.code === Code.INVALID ? undefined : instruction.length;
  instruction.free();
  decoder.free();
  return length;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function parseHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}
