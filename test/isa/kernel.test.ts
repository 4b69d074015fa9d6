/** Holds the table of what the kernel does with an instruction against this machine's kernel, by arming and running code. */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { release } from "node:os";
import { Code, Decoder, DecoderOptions, Instruction } from "iced-x86";
import { describe, expect, it } from "vitest";
import { bytesSource } from "../../src/base/bytes.js";
import { findSection, readElf } from "../../src/elf/file.js";
import { classifyInstruction } from "../../src/isa/entry.js";
import type { InstructionClass } from "../../src/isa/instruction-class.js";
import { decodeX86 } from "../../src/isa/x86-decode.js";
import { needs, onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const program = process.arch === "x64" ? compile("instruction-forms.c") : "";
const [major, minor] = release().split(".").map(Number);
const kernel = { major: major!, minor: minor! };

/** Asks the kernel about forms, each "HEX" or "HEX time". */
function ask(forms: readonly string[]): { hex: string; errno: number; nanoseconds: number }[] {
  const output = execFileSync(program, { input: forms.join("\n"), encoding: "utf8" });
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const [hex, errno, nanoseconds] = line.split(" ");
      return { hex: hex!, errno: Number(errno), nanoseconds: Number(nanoseconds) };
    });
}

const ENOTSUPP = 524;

describe.runIf(onX86() && needs("uprobe PMU", "uprobe_multi"))("the kernel of this machine", () => {
  it("takes every form of instruction in libc and libcrypto that the table lets pass", () => {
    const forms = [
      ...formsOf("/lib/x86_64-linux-gnu/libc.so.6"),
      ...formsOf("/usr/lib/x86_64-linux-gnu/libcrypto.so.3"),
    ].filter((hex) => classify(hex).refused === undefined);
    expect(forms.length).toBeGreaterThan(500);
    expect(ask(forms.map((hex) => `${hex} batch`)).filter(({ errno }) => errno !== 0)).toEqual([]);
  });

  it("takes every one-byte opcode that the table lets pass, with and without prefixes", () => {
    const forms = everyOpcode(["", "66", "f2", "f3", "64", "67", "48", "41"]).filter((hex) => {
      const { length, refused } = classify(hex);
      return length !== undefined && refused === undefined;
    });
    expect(forms.length).toBeGreaterThan(1000);
    expect(ask(forms.map((hex) => `${hex} batch`)).filter(({ errno }) => errno !== 0)).toEqual([]);
  });

  it("refuses what the table refuses", () => {
    const byOpcode = everyOpcode([""]).filter((hex) => classify(hex).refused !== undefined);
    const byPrefix = [
      "f0830424",
      "2e0f1f8400",
      "26488b07",
      "36488b07",
      "3e488b07",
      "66e8",
      "66eb",
      "660f84",
      "8ed0",
    ];
    const byVector = ["c5f96fc1", "c5f9efc1", "c4e2698e10", "62f1fd486fc1", "62f17d48efc1"];
    const forms = [...byOpcode, ...[...byPrefix, ...byVector].map((hex) => hex.padEnd(30, "0"))];
    expect(forms.filter((hex) => classify(hex).refused === undefined)).toEqual([]);
    expect(ask(forms).filter(({ errno }) => errno !== ENOTSUPP)).toEqual([]);
    expect(byOpcode.length).toBeGreaterThan(20);
  });

  it("runs each form in the way the table says: emulated forms cost a fraction of stepped ones", () => {
    // Each returns to its caller with rbx, rbp and r12-r15 as they were.
    const forms = [
      "90",
      "6690",
      "4890",
      "f390",
      "0f1f00",
      "0f1f4000",
      "0f1f440000",
      "0f1f442000",
      "6666666690",
      "660f1f440000",
      "0f1f8000000000",
      "0f1f840000000000",
      "660f1f840000000000",
      "0f1fc0",
      "eb00",
      "e900000000",
      "7400",
      "0f8400000000",
      "555d",
      "41544154584158",
      "ff342458",
      "f30f1efa",
      "4883ec084883c408",
      "4889e0",
      "4889c0",
      "488d7600",
      "31c0",
      "c3",
      "e80000000058",
      "b801000000",
      "6a0058",
      "85ff",
      "f30f6fc1",
      "c5f828c1",
      "64488b042500000000",
      "488d0500000000",
      "4839fe",
    ];
    const answers = ask(forms.map((form) => `${form} time`));
    const times = answers.map(({ hex, nanoseconds }) => ({ hex, nanoseconds, cost: classify(hex).cost }));
    const slowest = (cost: string): number =>
      Math.max(...times.filter((t) => t.cost === cost).map((t) => t.nanoseconds));
    const fastest = (cost: string): number =>
      Math.min(...times.filter((t) => t.cost === cost).map((t) => t.nanoseconds));
    expect(slowest("emulated"), JSON.stringify(times)).toBeLessThan(fastest("stepped"));
    expect(fastest("emulated")).toBeGreaterThan(0);
    if (times.some(({ cost }) => cost === "nop5"))
      expect(slowest("nop5")).toBeLessThan(fastest("emulated") * 1.2);
  });

  it("would break a program at the places that the table calls harmful, and at no others of their kind", () => {
    // Each line: the instruction, what the program gets from it alone, and what it gets when it is traced.
    const lines = execFileSync(compile("stepped-wrong.c", ["-O1", "-mavx2"]), { encoding: "utf8" })
      .trim()
      .split("\n");
    for (const line of lines) {
      const [hex, alone, traced] = line.split(" ");
      expect(alone === traced, line).toBe(classify(hex!).harmful === undefined);
    }
    expect(lines.length).toBeGreaterThan(4);
  });
});

/** Each one-byte opcode behind each prefix, with zeros for operands. */
function everyOpcode(prefixes: readonly string[]): string[] {
  const opcodes = Array.from({ length: 256 }, (_, opcode) => opcode.toString(16).padStart(2, "0"));
  return opcodes.flatMap((opcode) => prefixes.map((prefix) => `${prefix}${opcode}c0${"00".repeat(10)}`));
}

function classify(hex: string): InstructionClass {
  return classifyInstruction("x86-64", Uint8Array.from(Buffer.from(hex, "hex")), { release: kernel });
}

/** One example of every combination of encoding, opcode, prefixes and ModRM's middle bits in a library's code. */
function formsOf(path: string): Iterable<string> {
  const file = readFileSync(realpathSync(path));
  const text = findSection(readElf(bytesSource(path, file)), ".text")!;
  const bytes = file.subarray(text.offset, text.offset + text.size);
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const instruction = new Instruction();
  const forms = new Map<string, string>();
  while (decoder.canDecode) {
    const at = decoder.position;
    decoder.decodeOut(instruction);
    const decoded = decodeX86(bytes.subarray(at, at + instruction.length));
    if (instruction.code === Code.INVALID || decoded === undefined) continue;
    const { encoding, map, opcode, prefixes, rex, modrm } = decoded;
    const key = [encoding, map, opcode, prefixes, rex & 9, (modrm ?? 0) & 0x38].join();
    if (!forms.has(key))
      forms.set(key, Buffer.from(bytes.subarray(at, at + instruction.length)).toString("hex"));
  }
  return forms.values();
}
