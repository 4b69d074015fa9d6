/** Demangling in the module's memory: symbols in the middle of others, text behind other text, and text that moves. */
import { describe, expect, test } from "vitest";
import { demangle } from "../../src/demangle/demangle.js";
import { demangled, instantiate } from "../../src/wasm/module.js";
import { executablePath } from "../support/elf.js";
import { cxxfilt, mangledSymbols } from "./oracle.js";
import { cxxSymbols } from "./symbols.js";

test("symbols between others, behind other text: what demangle prints of each, and nothing of the others", () => {
  const real = mangledSymbols(executablePath("node")).filter((_, index) => index % 7 === 0);
  const symbols = [...real, ...cxxSymbols, "main", "_", "_Z", "_Z1", "_Z1fi.", "_ZN1fEi$", "_Z1fL"];
  const bytes = new TextEncoder().encode(`${symbols.join("\0")}\0`);
  const module = instantiate();
  const names = module.reserve(bytes.length);
  const text = module.reserve(module.workingRoom.value);
  const read = (start: number, end: number): string =>
    new TextDecoder().decode(new Uint8Array(module.memory.buffer).subarray(start, end));
  new Uint8Array(module.memory.buffer).set(bytes, names);
  let start = 0;
  for (const symbol of symbols) {
    const end = bytes.indexOf(0, start);
    new Uint8Array(module.memory.buffer).fill(0x23, text - 8, text);
    const isWritten = module.demangle(names + start, names + end, text, true) === demangled.isWritten;
    expect(isWritten ? read(text, module.writtenEnd()) : undefined).toBe(demangle(symbol));
    expect(read(text - 8, text)).toBe("########");
    start = end + 1;
  }
  expect(read(names, names + bytes.length)).toBe(`${symbols.join("\0")}\0`);
});

// Parts that later letters mean again, in text that is put somewhere else meanwhile.
test("as c++filt prints them", () => {
  const symbols = [
    "_ZN1AIFRA3_ivES0_RS0_E1fEv",
    "_ZN1AIFRA3_ivES1_S2_E1fEv",
    "_Z1fIiEPFvT_ES1_S0_",
    "_Z1fM1AFivEMS_A3_iMS_PFvS_E",
    "_Z1fPFv1AES_PS0_S1_",
    "_Z1fI1AEN1BIT_E1CES1_S2_",
    "_Z1fRA3_1AOS0_S_",
  ];
  expect(symbols.map((symbol) => demangle(symbol))).toEqual(cxxfilt(symbols));
});

describe("the module", () => {
  test("asks for nothing: no import, so that all it can do is read and write its memory", () => {
    expect(() => instantiate()).not.toThrow();
    expect(instantiate()).not.toBe(instantiate());
  });

  test("says when there is no more memory", () => {
    const module = instantiate();
    expect(module.reserve(0xffff_0000)).toBe(0);
    expect(module.reserve(16)).toBeGreaterThan(0);
  });
});
