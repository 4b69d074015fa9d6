import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import { call, exit, mov, storeImmediate } from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import { encode } from "../../src/bpf/encode.js";
import { findRow, opcodeTable } from "../../src/bpf/opcodes.js";
import { print } from "../../src/bpf/print.js";
import { askVerifier, kernelSince, canAskKernel, writeObject } from "../support/bpf-object.js";
import { golden } from "../support/golden.js";
import { requires } from "../support/kernel.js";
import { harmless } from "./rows.js";

const numbers = ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const).map((register) => mov(register, 5n));
const prepare: readonly Line[] = [...numbers, storeImmediate(8, 10, -8, 1n)];

/** One straight program with an instruction of every row that the kernels since then know. */
function everyRow(known: (since: string) => boolean): Line[] {
  const rows = opcodeTable.filter(({ since, form }) => known(since) && form.kind !== "exit");
  const body = rows.flatMap((row) => {
    const instruction = harmless(row);
    if (instruction === undefined) return [];
    return row.form.kind === "call" || row.form.kind === "constant"
      ? [instruction, ...prepare]
      : [instruction];
  });
  return [...prepare, ...body, mov(0, 0n), exit()];
}

describe("opcodeTable", () => {
  test("finds every row by one of its instructions, and no other row", () => {
    for (const row of opcodeTable) {
      const instruction = harmless(row);
      if (instruction !== undefined) expect(findRow(instruction)).toBe(row);
    }
    const names = opcodeTable.map(({ form }) => JSON.stringify(form));
    expect(new Set(names).size).toBe(opcodeTable.length);
  });

  test("reads as the golden file", () => {
    const lines = opcodeTable.map(({ opcode, form, dst, src, offset, imm, since }) => {
      const fields = [dst, src, offset, imm].map((field) => (field === "free" ? "*" : field)).join(" ");
      const { kind, ...rest } = form;
      return `0x${opcode.toString(16).padStart(2, "0")}  ${fields.padEnd(12)} ${since.padEnd(5)} ${kind} ${Object.values(rest).join(" ")}`;
    });
    golden(
      "bpf/opcodes.txt",
      `op    d s off imm since form\n${lines.map((line) => line.trimEnd()).join("\n")}\n`,
    );
  });

  const isAsked = canAskKernel();
  test.runIf(isAsked)("is taken by this kernel and printed by it in the same words", () => {
    const { instructions } = assemble(everyRow(kernelSince));
    const { loaded, log } = askVerifier(encode(instructions), "socket");
    expect(loaded, log).toBe(true);
    const printed = new Map<string, string>();
    for (const line of log.split("\n")) {
      const [, slot, text] = /^\s*(\d+): (?:[.\d]{11} )?(\([\da-f]{2}\) .*?)(?:\s+;.*)?$/.exec(line) ?? [];
      if (slot !== undefined && text !== undefined) printed.set(slot, `${slot.padStart(4)}: ${text}\n`);
    }
    expect(print(instructions)).toBe([...printed.values()].join(""));
    expect(printed.size).toBe(instructions.length);
  });

  test.runIf(requires("llvm-objdump"))("is known to llvm-objdump", () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-bpf-"));
    const { instructions } = assemble(everyRow((since) => since !== "6.6"));
    writeObject(join(folder, "program.o"), encode(instructions), "socket");
    const flags = ["-d", "--mcpu=v3", "--mattr=+alu32", join(folder, "program.o")];
    const listing = execFileSync("llvm-objdump", flags, { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    const lines = listing.split("\n").filter((line) => /^\s+\d+:\t/.test(line));
    expect(lines.length).toBe(instructions.length);
    // Why: LLVM 14 makes no stores of immediates, no remainders and no `set`, so it does not know their numbers: the kernel's words stand alone there.
    const unknown = lines.flatMap((line) => /:\t([\da-f]{2}).*<unknown>/.exec(line)?.[1] ?? []);
    expect("7a 72 6a 62 94 9c 97 9f 46 4e 45 4d".split(" ")).toEqual(expect.arrayContaining(unknown));
  });

  test("leaves a program that the verifier refuses refused", () => {
    if (!isAsked) return;
    expect(
      askVerifier(encode(assemble([call("ktime_get_ns"), mov(1, 2), exit()]).instructions), "socket").loaded,
    ).toBe(false);
  });
});
