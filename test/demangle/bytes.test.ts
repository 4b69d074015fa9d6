/** Demangling from bytes to bytes: in the middle of both, and text that moves while it is written. */
import { expect, test } from "vitest";
import { ByteText, letters } from "../../src/base/byte-text.js";
import { demangle, workingRoom, writeDemangled } from "../../src/demangle/demangle.js";
import { executablePath } from "../support/elf.js";
import { cxxfilt, mangledSymbols } from "./oracle.js";
import { cxxSymbols, rustSymbols } from "./symbols.js";

test("symbols between others, behind other text: what demangle prints of each, and nothing of the others", () => {
  const real = mangledSymbols(executablePath("node")).filter((_, index) => index % 7 === 0);
  const symbols = [...real, ...cxxSymbols, ...rustSymbols, "main", "_", "_Z", "_Z1", "_Z1fi.", "_ZN1fEi$"];
  const bytes = new TextEncoder().encode(`${symbols.join("\0")}\0`);
  const text = new ByteText(workingRoom + 1_000);
  let start = 0;
  for (const symbol of symbols) {
    const end = bytes.indexOf(0, start);
    text.length = 0;
    text.addWords("before ");
    const isWritten = writeDemangled(bytes, start, end, text);
    const written = letters(text.bytes, 7, text.length);
    expect(letters(text.bytes, 0, 7)).toBe("before ");
    expect(isWritten ? written : undefined).toBe(asLetters(demangle(symbol)));
    if (!isWritten) expect(text.length).toBe(7);
    start = end + 1;
  }
});

/** One letter for each byte. */
function asLetters(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const bytes = new TextEncoder().encode(text);
  return letters(bytes, 0, bytes.length);
}

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
