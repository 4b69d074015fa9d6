/** Feeds demangling with what nobody's compiler wrote: it reads or refuses, in bounded time, with bounded text. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { demangle, mayBeMangled } from "../../src/demangle/demangle.js";
import { instantiate } from "../../src/wasm/module.js";
import { executablePath, libraryPath } from "../support/elf.js";
import { mangledSymbols } from "./oracle.js";
import { cxxSymbols, rustSymbols } from "./symbols.js";

const longestText = 65_536;

const real = sample(
  [...mangledSymbols(executablePath("node")), ...mangledSymbols(libraryPath("libstdc++.so.6"))],
  2_000,
);
const symbols = [...real, ...cxxSymbols, ...rustSymbols];

test("every prefix of 2,000 real symbols", () => {
  let slowest = 0;
  for (const symbol of symbols) {
    for (let length = 0; length < symbol.length; length++)
      slowest = Math.max(slowest, check(symbol.slice(0, length)));
  }
  expect(slowest).toBeLessThan(500);
});

test("20,000 random mutations", () => {
  // Letters that mean much in the grammars come more often than others.
  const letter = fc.oneof(
    fc.constantFrom(..."_STRZNIEXLDJKBQ0123456789abcdilmnoprstv.$@"),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  );
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.integer({ min: 0, max: 4 }),
    text: fc.oneof(
      fc.string({ unit: letter, maxLength: 4 }),
      fc.constantFrom("S_", "T_", "DpT_", "IJEE", "UlT_E_", "B_", "cvT_"),
    ),
    repeated: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...symbols),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (symbol, edits) => {
        let mutated = symbol;
        for (const { at, removed, text, repeated } of edits) {
          const place = 2 + Math.floor(at * (mutated.length - 2));
          mutated = mutated.slice(0, place) + text.repeat(repeated) + mutated.slice(place + removed);
        }
        expect(check(mutated)).toBeLessThan(500);
      },
    ),
    { numRuns: 20_000, seed: 1 },
  );
}, 120_000);

test("joined halves of different symbols", () => {
  const half = fc.tuple(fc.constantFrom(...symbols), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(half, half, ([first, at], [second, from]) => {
      const joined =
        first.slice(0, Math.floor(at * first.length)) + second.slice(Math.floor(from * second.length));
      expect(check(joined)).toBeLessThan(500);
    }),
    { numRuns: 5_000, seed: 2 },
  );
});

// Each candidate is a function type of the candidate before, twice: the text doubles with every letter pair.
const doubled = (first: string, start: number, times = 60): string => {
  let text = first;
  for (let index = start; index < start + times; index++) text += `F${candidate(index)}${candidate(index)}E`;
  return text;
};

test.each(
  Object.entries({
    "a bomb of substitutions": doubled("_Z1fFvvE", 0),
    "a bomb of dependent substitutions": doubled("_Z1fIiEvT_", 1),
    "a bomb that is read again in a lambda": `${doubled("_Z1fIiEvT_", 1)}NUl${candidate(61)}E_1AE`,
    "a bomb that is read again for each element of a pack": `${doubled("_Z1fIJiiiiEEvDpT_", 1)}Dp${candidate(61)}`,
    "a bomb of packs in packs": `_Z1fIJ${"i".repeat(30)}EEv${"Dp1AI".repeat(20)}T_${"E".repeat(20)}`,
    "a bomb of conversion operators": `_ZN1A${"cvT_I".repeat(40)}i${"E".repeat(80)}v`,
    "conversion operators in the arguments of others": `_Z1f${"N1AcvT_I".repeat(10)}i${"EE".repeat(10)}`,
    "a bomb of destructors": `_ZN1A${"UlvE_".repeat(10)}${"D1".repeat(30_000)}Ev`,
    "a bomb of Rust's back references": `_RIC1aTlllE${"TB3_B3_E".repeat(8)}${Array.from({ length: 200 }, () => "TBa_Ba_Ba_E").join("")}E`,
    "Rust's nested back references": nestedBackReferences(100, "l"),
    "endless pointers": `_Z1f${"P".repeat(60_000)}i`,
    "endless template arguments": `_Z1f${"1AI".repeat(20_000)}`,
    "endless scopes": `_Z${"Z".repeat(60_000)}`,
    "endless names": `_ZN${"1A".repeat(30_000)}E`,
    "endless marks of local names": `_Z${"L".repeat(60_000)}1f`,
    "endless qualifiers of members": `_ZN${"K".repeat(60_000)}1fE`,
    "endless modules": `_Z${"W1a".repeat(20_000)}1f`,
    "endless exceptions": `_Z1fPDw${"i".repeat(60_000)}EFvvE`,
    "a bomb of arrays": `_Z1f${"A9_".repeat(20_000)}i`,
    "a bomb of member pointers": `_Z1f${"M1A".repeat(100)}i`,
    "endless lambdas": `_Z1f${"NUl".repeat(20_000)}`,
    "endless expressions": `_Z1fIX${"pl".repeat(30_000)}`,
    "endless conversions": `_ZN1A${"cvN1A".repeat(12_000)}`,
    "endless qualifiers": `_Z1f${"K".repeat(60_000)}i`,
    "endless parameters": `_Z1f${"i".repeat(60_000)}`,
    "endless tags": `_Z1f${"B1a".repeat(20_000)}v`,
    "endless clones": `_Z1fv${".a".repeat(30_000)}`,
    "endless digits": `_Z${"9".repeat(60_000)}`,
    "a length beyond all": "_Z99999999999999999999f",
    "endless references in Rust": `_RIC1a${"R".repeat(60_000)}lE`,
    "endless lifetimes in Rust": "_RIC1aFGzzzzzzz_EuE",
    "endless lifetimes in Rust, again and again": `_RIC1a${"FGfe_EuFGfe_Eu".repeat(2_000)}E`,
    "endless Punycode": `_RNvC1au60000_${"a".repeat(60_000)}`,
    "endless escapes in Rust": `_ZN40000${"$C$..a.".repeat(6_000).slice(0, 40_000)}17h0123456789abcdefE`,
    "half escapes in Rust": `_ZN40000${"$".repeat(40_000)}17h0123456789abcdefE`,
    "a symbol of a megabyte": `_ZN1a${"1a".repeat(500_000)}Ev`,
  }),
)("%s", (_name, symbol) => {
  expect(check(symbol)).toBeLessThan(1_000);
});

// These have short texts that a patient reader would find, after more steps than a symbol of their length may take.
test.each(
  Object.entries({
    "a dependent candidate that a lambda reads again": `${doubled("_Z1fIiEvT_", 1, 11)}NUl${candidate(12)}E_1AE`,
    "Rust's back references to a long path": nestedBackReferences(
      9,
      `${"Nv".repeat(200)}C1a${"0".repeat(200)}`,
    ),
  }),
)("%s", (_name, symbol) => {
  expect(check(symbol)).toBeLessThan(1_000);
  expect(demangle(symbol)).toBeUndefined();
});

test("memory that no symbol makes grow, and no text but in its room", () => {
  const symbols = [
    `_Z1f${"1A".repeat(30_000)}`,
    `_Z1fI${"1AI".repeat(200)}`,
    `_Z1fIJ${"i".repeat(60_000)}EEvDpT_`,
    `_Z1f${"y".repeat(60_000)}`,
    `_ZN${"r".repeat(65_000)}1fE`,
    `_Z1f${"A9_".repeat(10_000)}${"K".repeat(30_000)}y`,
  ];
  for (const symbol of symbols) check(symbol);
  expect(module.memory.buffer.byteLength).toBeLessThan(6_000_000);
  expect(new Uint8Array(module.memory.buffer, guarded, 1 << 20).every((byte) => byte === 0)).toBe(true);
});

test("the same with less depth", () => {
  expect(demangle(`_Z1f${"N1AcvT_I".repeat(2)}i${"EE".repeat(2)}`)).toBe(
    "f(A::operator A::operator int<int><A::operator int<int> >)",
  );
  expect(demangle(`${doubled("_Z1fIiEvT_", 1, 2)}NUl${candidate(3)}E_1AE`)).toContain(
    "{lambda(auto:1 (auto:1 (auto:1))(auto:1))#1}::A",
  );
  expect(demangle(nestedBackReferences(1, "NvC1a0"))).toBe("a::<(a, a), (a, a)>");
});

test("the bounds leave room for what compilers write", () => {
  const nested = `_Z1f${"1AI".repeat(80)}i${"E".repeat(80)}`;
  expect(demangle(nested)).toBe(`f(${"A<".repeat(80)}int${"> ".repeat(79)}>)`);
  const long = `_Z1f${"1A".repeat(10_000)}`;
  expect(demangle(long)).toBe(`f(${"A, ".repeat(9_999)}A)`);
});

const module = instantiate();
const place = module.reserve(3 * longestText);
const room = module.reserve(module.workingRoom.value);
const guarded = module.reserve(1 << 20);

/** Demangles, checks the promises, and returns the time in milliseconds. */
function check(symbol: string): number {
  // Proof that nothing traps, which demangle() would not tell: here it would throw.
  const bytes = new TextEncoder().encode(symbol.slice(0, longestText));
  new Uint8Array(module.memory.buffer).set(bytes, place);
  module.demangle(place, place + bytes.length, room, true);
  const start = performance.now();
  const text = demangle(symbol);
  const time = performance.now() - start;
  if (text !== undefined && (text.length > longestText || !mayBeMangled(symbol))) {
    throw new Error(`${symbol.slice(0, 200)} became ${text.length} characters`);
  }
  return time;
}

/** `S_`, `S0_` ... `SZ_`, `S10_`. */
function candidate(index: number): string {
  return index === 0 ? "S_" : `S${(index - 1).toString(36).toUpperCase()}_`;
}

/** Tuples of two references to the tuple before, the first of them to something else. */
function nestedBackReferences(depth: number, innermost: string): string {
  let symbol = "IC1a";
  let last = symbol.length + 1;
  symbol += `T${innermost}B${base62(last)}E`;
  for (let step = 0; step < depth; step++) {
    const at = symbol.length;
    symbol += `TB${base62(last)}B${base62(last)}E`;
    last = at;
  }
  return `_R${symbol}E`;
}

function base62(value: number): string {
  if (value === 0) return "_";
  const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  let text = "";
  for (let rest = value - 1; text === "" || rest > 0; rest = Math.floor(rest / 62))
    text = digits.charAt(rest % 62) + text;
  return `${text}_`;
}

function sample(from: readonly string[], count: number): string[] {
  return Array.from({ length: count }, (_, index) => from[Math.floor((index * from.length) / count)] ?? "");
}
