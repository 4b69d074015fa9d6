/** Compares argument strings with what they mean: by hand, and for addresses by the GNU assembler and another decoder. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import * as fc from "fast-check";
import { Decoder, DecoderOptions, Register } from "iced-x86";
import { describe, expect, test } from "vitest";
import type { VirtualAddress } from "../../src/base/bytes.js";
import { findRegister } from "../../src/lang/registers.js";
import { parseArguments } from "../../src/usdt/arguments.js";
import type { ArgumentPlace, MarkerArgument } from "../../src/usdt/marker.js";
import type { OperandFile } from "../../src/usdt/operand.js";

const variables = new Map<string, readonly [address: number, isThreadLocal?: boolean][]>(
  Object.entries({
    mp_: [[0x4000]],
    CheckpointStats: [[0x5010]],
    NBuffers: [[0x6ffe]],
    "counter.1234": [[0x7000]],
    _ZN3foo3barE: [[0x7100]],
    "_ZN4core3fmt17h0$u7b$..E": [[0x7200]],
    "odd name(int)-1": [[0x7300]],
    größe: [[0x7400]],
    "stdout@GLIBC_2.2.5": [[0x7500]],
    twice: [[0x7600], [0x7700]],
    own: [[8, true]],
  }),
);

function fileFor(machine: OperandFile["machine"], isFixed = false): OperandFile {
  return {
    machine,
    isFixed,
    findVariables: (name) =>
      (variables.get(name) ?? []).map(([address, isThreadLocal = false]) => ({
        address: address as VirtualAddress,
        isThreadLocal,
      })),
  };
}

const x86 = fileFor("x86-64");
const arm64 = fileFor("arm64");

/** One argument in few words: `-4 ax`, `8 ax>>8`, `8 [bp + ax*8 - 8]`, `8 = 5`, `8 @4018`, `8 ?` for unreadable. */
function brief({ size, signed, isFloat, place }: MarkerArgument): string {
  return `${signed ? "-" : ""}${size}${isFloat ? "f" : ""} ${briefPlace(place)}`;
}

function briefPlace(place: ArgumentPlace): string {
  switch (place.kind) {
    case "constant":
      return `= ${place.value}`;
    case "register":
      return `${place.register}${place.shift === 8 ? ">>8" : ""}`;
    case "memory": {
      const index =
        place.index && `${place.extend ?? ""}${place.extend ? " " : ""}${place.index}*${place.scale}`;
      return `[${[place.base, index, place.displacement].filter((part) => part !== undefined).join(" + ")}]`;
    }
    case "static":
      return `@${place.address.toString(16)}`;
    case "unreadable":
      return `? ${place.reason}`;
  }
}

const listed = (text: string, file: OperandFile): string[] => parseArguments(text, file).map(brief);

describe("x86-64", () => {
  test.each([
    ["-4@%edi", "-4 di"],
    ["8@%rsi", "8 si"],
    ["-1@%al", "-1 ax"],
    ["1@%ah", "1 ax>>8"],
    ["-1@%bh", "-1 bx>>8"],
    ["4@%dh", "1 dx>>8"],
    ["2@%cx", "2 cx"],
    ["1@%sil", "1 si"],
    ["1@%bpl", "1 bp"],
    ["-4@%r10d", "-4 r10"],
    ["2@%r15w", "2 r15"],
    ["1@%r8b", "1 r8"],
    ["8@%rsp", "8 sp"],
    ["8@%eax", "8 ax"],
    ["1@%eax", "1 ax"],
    ["8f@%rax", "8f ax"],
    ["%rax", "-8 ax"],
    ["%ax", "-2 ax"],
    ["8@$5", "8 = 5"],
    ["8@$-5", `8 = ${2n ** 64n - 5n}`],
    ["-8@$-5", "-8 = -5"],
    ["4@$-1", "4 = 4294967295"],
    ["-4@$4294967295", "-4 = -1"],
    ["-4@$0x10", "-4 = 16"],
    ["-1@$-0x80", "-1 = -128"],
    ["8@$18446744073709551615", `8 = ${2n ** 64n - 1n}`],
    ["$-7", "-8 = -7"],
    ["8@(%rax)", "8 [ax + 0]"],
    ["4@-8(%rbp)", "4 [bp + -8]"],
    ["-4@0x10(%rsp)", "-4 [sp + 16]"],
    ["8@0xfffffffffffffff8(%rbp)", "8 [bp + -8]"],
    ["8@-8(%rbp,%rax,8)", "8 [bp + ax*8 + -8]"],
    ["8@(%rbp,%rax)", "8 [bp + ax*1 + 0]"],
    ["8@(%rbp,%r9,)", "8 [bp + r9*1 + 0]"],
    ["8@(,%rax,4)", "8 [ax*4 + 0]"],
    ["8@16(,%r12,2)", "8 [r12*2 + 16]"],
    ["8@( %rbp, %rax, 8 )", "8 [bp + ax*8 + 0]"],
    ["8@4096", "8 [4096]"],
    ["8@mp_(%rip)", "8 @4000"],
    ["8@mp_+24(%rip)", "8 @4018"],
    ["8@mp_-8+4(%rip)", "8 @3ffc"],
    ["-4@40+CheckpointStats(%rip)", "-4 @5038"],
    ["-4@-16+CheckpointStats(%rip)", "-4 @5000"],
    ["4@NBuffers", "4 @6ffe"],
    ["4@NBuffers+2", "4 @7000"],
    ["mp_(%rip)", "-8 @4000"],
    ["4@counter.1234(%rip)", "4 @7000"],
    ["4@_ZN3foo3barE+4(%rip)", "4 @7104"],
    ["4@_ZN4core3fmt17h0$u7b$..E(%rip)", "4 @7200"],
    ['4@"odd name(int)-1"+1(%rip)', "4 @7301"],
    ['4@"mp_"(%rip)', "4 @4000"],
    ["4@größe(%rip)", "4 @7400"],
    ["8@stdout@GLIBC_2.2.5(%rip)", "8 @7500"],
  ])("%s", (text, expected) => {
    expect(listed(text, x86)).toEqual([expected]);
  });

  test.each([
    ["8f@%xmm0", "8f ? it lies in the floating-point register xmm0"],
    ["8@%ymm15", "8 ? it lies in the floating-point register ymm15"],
    ["8f@%st(1)", "8f ? it lies in the floating-point register st(1)"],
    ["-4@%fs:per_thread@tpoff", "-4 ? it lies in a segment (thread-local storage)"],
    ["8@%fs:0x28", "8 ? it lies in a segment (thread-local storage)"],
    ["8@%gs:(%rax)", "8 ? it lies in a segment (thread-local storage)"],
    ["8@own(%rip)", '8 ? "own" is a variable of each thread'],
    ["8@mp_@GOTPCREL(%rip)", '8 ? "mp_@GOTPCREL" is known to the loader alone'],
    ["8@nowhere(%rip)", '8 ? the file has no symbol "nowhere"'],
    ["8@.LC0(%rip)", '8 ? the file has no symbol ".LC0"'],
    ["8@twice(%rip)", '8 ? the file has several symbols "twice"'],
    ["8@8(%rip)", "8 ? it is relative to an instruction that the note does not name"],
    ["8@$mp_", '8 ? it is the address of "mp_", which moves with the file'],
    ["8@mp_(,%rax,8)", '8 ? it is counted from "mp_", which moves with the file'],
    ["16@%rax", "8 ? no value of 16 bytes can be read"],
    ["0@%rax", "8 ? no value of 0 bytes can be read"],
    ["3@$1", "8 ? no value of 3 bytes can be read"],
    ["8@", "8 ? the note does not say where it lies"],
    ["8@%r16", '8 ? "%r16" is no known place'],
    ["8@%", '8 ? "%" is no known place'],
    ["8@$", '8 ? "$" is no known place'],
    ["8@(%eax)", '8 ? "(%eax)" is no known place'],
    ["8@()", '8 ? "()" is no known place'],
    ["8@(%rax,%rbx,3)", '8 ? "(%rax,%rbx,3)" is no known place'],
    ["8@(%rip,%rbx)", '8 ? "(%rip,%rbx)" is no known place'],
    ["8@mp_+NBuffers(%rip)", '8 ? "mp_+NBuffers(%rip)" is no known place'],
    ["8@4-mp_(%rip)", '8 ? "4-mp_(%rip)" is no known place'],
    ["8@$99999999999999999999999", '8 ? "$99999999999999999999999" is no known place'],
    ["8@*%rax", '8 ? "*%rax" is no known place'],
    ["4@DWORD PTR [rbp-8]", '4 ? "DWORD PTR [rbp-8]" is no known place'],
  ])("%s cannot be read", (text, expected) => {
    expect(listed(text, x86)).toEqual([expected]);
  });

  test("in a program that is not moved, symbols are numbers", () => {
    const fixed = fileFor("x86-64", true);
    expect(listed("8@$mp_+8 8@mp_(,%rax,8) 4@NBuffers-2(%rbx) 4@mp_(%rip)", fixed)).toEqual([
      `8 = ${0x4008}`,
      `8 [ax*8 + ${0x4000}]`,
      `4 [bx + ${0x6ffc}]`,
      "4 @4000",
    ]);
  });

  test("addresses are what the assembler makes of them", () => {
    const register = fc.constantFrom(
      "ax",
      "bx",
      "cx",
      "dx",
      "si",
      "di",
      "bp",
      ...[8, 9, 10, 11, 12, 13, 14, 15].map(String),
    );
    const named = register.map((name) => `%r${name}`);
    const displacement = fc.oneof(
      fc.constant(""),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(String),
      fc.nat({ max: 0x7fff_ffff }).map((value) => `0x${value.toString(16)}`),
    );
    const operand = fc
      .tuple(
        displacement,
        fc.option(named),
        fc.option(fc.tuple(named, fc.constantFrom("", ",1", ",2", ",4", ",8"))),
      )
      .filter(([, base, index]) => base !== null || index !== null)
      .map(
        ([offset, base, index]) => `${offset}(${base ?? ""}${index === null ? "" : `,${index.join("")}`})`,
      );
    const operands = fc.sample(operand, 500);
    const instructions = decodeAll(assemble(operands.map((text) => `lea ${text}, %rax`).join("\n")));
    expect(instructions).toEqual(operands.map((text) => listed(`8@${text}`, x86)[0]!.replace(/^8 /, "")));
  });
});

function assemble(source: string): Uint8Array {
  const folder = mkdtempSync(joinPath(tmpdir(), "uscope-usdt-"));
  try {
    const [object, code] = [joinPath(folder, "a.o"), joinPath(folder, "a.bin")];
    writeFileSync(joinPath(folder, "a.s"), `${source}\n`);
    execFileSync("as", ["-o", object, joinPath(folder, "a.s")]);
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", object, code]);
    return new Uint8Array(readFileSync(code));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function nameOf(register: Register): string | undefined {
  if (register === Register.None) return undefined;
  return Register[register]!.toLowerCase().replace(/^r([a-z])/, "$1");
}

/** The memory operand of each instruction, as brief() writes it. */
function decodeAll(code: Uint8Array): string[] {
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const shown: string[] = [];
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    shown.push(
      briefPlace({
        kind: "memory",
        base: nameOf(instruction.memoryBase),
        index: nameOf(instruction.memoryIndex),
        scale: instruction.memoryIndexScale as 1 | 2 | 4 | 8,
        extend: undefined,
        displacement: BigInt.asIntN(64, instruction.memoryDisplacement),
      }),
    );
    instruction.free();
  }
  decoder.free();
  return shown;
}

describe("arm64", () => {
  test.each([
    ["8@x0", "8 x0"],
    ["-4@w3", "-4 x3"],
    ["1@w30", "1 x30"],
    ["8@sp", "8 sp"],
    ["8@fp", "8 x29"],
    ["x7", "-8 x7"],
    ["w7", "-4 x7"],
    ["8@xzr", "8 = 0"],
    ["-4@wzr", "-4 = 0"],
    ["-4@5", "-4 = 5"],
    ["-4@-5", "-4 = -5"],
    ["8@#16", "8 = 16"],
    ["2@0x1fffe", "2 = 65534"],
    ["-4@[x0]", "-4 [x0 + 0]"],
    ["8@[x19, 24]", "8 [x19 + 24]"],
    ["8@[x19,#-24]", "8 [x19 + -24]"],
    ["-4@[sp, 12]", "-4 [sp + 12]"],
    ["[x29, 8]", "-8 [x29 + 8]"],
    ["4@[x0, x1]", "4 [x0 + x1*1 + 0]"],
    ["8@[x0, x1, lsl 3]", "8 [x0 + x1*8 + 0]"],
    ["8@[x0, x1, lsl #3]", "8 [x0 + x1*8 + 0]"],
    ["8@[x0, x1, sxtx 3]", "8 [x0 + x1*8 + 0]"],
    ["4@[x0, w1, sxtw 2]", "4 [x0 + signed x1*4 + 0]"],
    ["4@[x0, w1, sxtw]", "4 [x0 + signed x1*1 + 0]"],
    ["4@[sp, w1, uxtw #1]", "4 [sp + unsigned x1*2 + 0]"],
    ["4@[x0, xzr]", "4 [x0 + 0]"],
    ["4@[x0, #:lo12:CheckpointStats]", "4 [x0 + 16]"],
    ["4@[x0, :lo12:NBuffers+4]", "4 [x0 + 2]"],
    ["4@mp_", "4 @4000"],
    ["4@mp_+8", "4 @4008"],
  ])("%s", (text, expected) => {
    expect(listed(text, arm64)).toEqual([expected]);
  });

  test.each([
    ["8f@d0", "8f ? it lies in the floating-point register d0"],
    ["4@v3.4s", "4 ? it lies in the floating-point register v3.4s"],
    ["8@[x0, #:lo12:nowhere]", '8 ? the file has no symbol "nowhere"'],
    ["8@[x0, #:got_lo12:mp_]", '8 ? "[x0, #:got_lo12:mp_]" is no known place'],
    ["8@[x0, mp_]", '8 ? "[x0, mp_]" is no known place'],
    ["8@[x0, 8]!", '8 ? "[x0, 8]!" is no known place'],
    ["8@[x0], 8", '8 ? "[x0], 8" is no known place'],
    ["8@[w0]", '8 ? "[w0]" is no known place'],
    ["8@[xzr]", '8 ? "[xzr]" is no known place'],
    ["8@[x0, w1]", '8 ? "[x0, w1]" is no known place'],
    ["8@[x0, w1, lsl 2]", '8 ? "[x0, w1, lsl 2]" is no known place'],
    ["8@[x0, x1, lsl 4]", '8 ? "[x0, x1, lsl 4]" is no known place'],
    ["8@[x0, 1, mul vl]", '8 ? "[x0, 1, mul vl]" is no known place'],
    ["8@x31", '8 ? the file has no symbol "x31"'],
    ["8@#", '8 ? "#" is no known place'],
    ["8@[]", '8 ? "[]" is no known place'],
  ])("%s cannot be read", (text, expected) => {
    expect(listed(text, arm64)).toEqual([expected]);
  });
});

describe("a wrong argument is one argument's error", () => {
  test.each([
    ["", []],
    ["   ", []],
    ["8@%rax -4@nonsense! 2@%cx", ["8 ax", "?", "2 cx"]],
    ["8@%xmm0 8@%rbx", ["?", "8 bx"]],
    ["8@(%rax 8@%rbx 8@%rcx", ["?", "8 bx", "8 cx"]],
    ["8@(%rax 8@%rbx %ecx", ["?", "8 bx", "-4 cx"]],
    ["8@%rax) 8@%rbx", ["?", "8 bx"]],
    ["8@%rax  \t 8@%rbx", ["8 ax", "8 bx"]],
    ["4@DWORD PTR [rbp-8] 8@%rbx", ["?", "8 bx"]],
    ["8@(%rax, %rbx, 8) $5 %ecx", ["8 [ax + bx*8 + 0]", "-8 = 5", "-4 cx"]],
    ["%rax 8(%rbx) (%rax, %rbx, 2) $5", ["-8 ax", "-8 [bx + 8]", "-8 [ax + bx*2 + 0]", "-8 = 5"]],
    ['8@"odd name(int)-1"(%rip) 8@%rbx', ["8 @7300", "8 bx"]],
    ['8@"odd 8@%rbx', ["?", "8 bx"]],
    ["8@ 8@%rbx", ["?", "8 bx"]],
  ])("%s", (text, expected) => {
    expect(listed(text, x86).map((shown) => (shown.includes("?") ? "?" : shown))).toEqual(expected);
  });

  test("on arm64, with its spaces inside brackets", () => {
    expect(
      listed("8@[x19, 24] -4@[x0 8@x1 8@[x0, x1, lsl 3] 4@[sp, 12", arm64).map((shown) =>
        shown.includes("?") ? "?" : shown,
      ),
    ).toEqual(["8 [x19 + 24]", "?", "8 x1", "8 [x0 + x1*8 + 0]", "?"]);
    expect(listed("x0 [x1, 8] 5", arm64)).toEqual(["-8 x0", "-8 [x1 + 8]", "-8 = 5"]);
  });

  test("and a name that is nearly the loader's costs no more than its length", () => {
    const started = performance.now();
    expect(listed(`8@a@${"TPOFF".repeat(30_000)}.(%rip) 8@%rbx`, x86)[1]).toBe("8 bx");
    expect(performance.now() - started).toBeLessThan(500);
  });

  test("and there may be many more than twelve", () => {
    const many = Array.from({ length: 300 }, (_, index) => `-4@$${index}`);
    expect(listed(many.join(" "), x86)).toEqual(many.map((_, index) => `-4 = ${index}`));
  });
});

test("every register has a name that the compiler knows", () => {
  const x86Names = [
    "ax",
    "bx",
    "cx",
    "dx",
    "si",
    "di",
    "bp",
    "sp",
    "8",
    "9",
    "10",
    "11",
    "12",
    "13",
    "14",
    "15",
    "ip",
  ];
  const found = parseArguments(x86Names.map((name) => `8@%r${name}`).join(" "), x86);
  for (const { place } of found)
    expect(findRegister("x86-64", (place as { register: string }).register)).toBeTypeOf("number");
  const arm64Names = [...Array.from({ length: 31 }, (_, index) => `x${index}`), "sp"];
  const others = parseArguments(arm64Names.map((name) => `8@${name}`).join(" "), arm64);
  for (const { place } of others)
    expect(findRegister("arm64", (place as { register: string }).register)).toBeTypeOf("number");
});

describe("no text makes it throw or hang", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...'$ % @ ( ) [ ] , " \\ : # + - * ! 8@ -4@ 8f@ %rax %ah (%rip) mp_ x0 w1 lsl sxtw :lo12: 0x 5'.split(
        " ",
      ),
      " ",
    ),
    fc.string({ maxLength: 4, unit: "binary" }),
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
    fc.string({ unit: "binary" }),
  );

  test.each([x86, arm64])("random text, $machine", (file) => {
    fc.assert(
      fc.property(text, (text) => {
        for (const { raw, size, place } of parseArguments(text, file)) {
          expect(raw).not.toBe("");
          expect([1, 2, 4, 8]).toContain(size);
          if (place.kind === "unreadable") expect(place.reason).not.toBe("");
        }
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    '8@"',
    '8@"\\',
    "8@[",
    "8@(",
    "8@1",
    "8@1+",
    "8@a+",
    "8@ ",
    "8@a ",
    "[ ",
    "8@$-",
    "8@a@",
    "8@%",
  ])("a million of what follows the @ in %s", (text) => {
    const at = text.indexOf("@") + 1;
    const long = text.slice(0, at) + text.slice(at).repeat(1_000_000);
    const started = performance.now();
    for (const file of [x86, arm64]) expect(parseArguments(long, file).length).toBeGreaterThan(0);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
