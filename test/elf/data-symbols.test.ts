/** Compares the variables of files with those that nm lists. */
import { describe, expect, test } from "vitest";
import { DataSymbols } from "../../src/elf/data-symbols.js";
import { executablePath, libraryPath, openElf } from "../support/elf.js";
import { compile } from "../support/programs.js";
import { run } from "./oracle.js";

/** Spec: nm's letters for initialised, zeroed, read-only, small and weak data, thread-local ones among them; lower case for local ones. */
const dataLine = /^([0-9a-f]{16}) [BbDdRrGgSsVu] (\S+)$/;

function expectListed(path: string, ...flags: readonly string[]): number {
  const expected = new Map<string, Set<number>>();
  for (const line of run("nm", ...flags, path).split("\n")) {
    const [, address, written] = dataLine.exec(line) ?? [];
    if (written === undefined) continue;
    const name = written.replace(/@.*$/, "");
    expected.set(name, (expected.get(name) ?? new Set()).add(Number.parseInt(address!, 16)));
  }
  const symbols = new DataSymbols(() => [openElf(path)]);
  for (const [name, addresses] of expected) {
    const found = symbols.find(name);
    expect(found.length, name).toBe(Math.min(addresses.size, 2));
    for (const { address } of found) expect(addresses, name).toContain(address);
  }
  return expected.size;
}

describe("variables lie where nm says", () => {
  test("of a program, local ones too", () => {
    expect(expectListed(compile("markers.c", ["-O2"]))).toBeGreaterThan(10);
    expect(expectListed(compile("markers.c", ["-O2", "-static"]))).toBeGreaterThan(200);
  });
  test("of stripped files: the dynamic ones", () => {
    expect(expectListed(libraryPath("libc.so.6"), "-D")).toBeGreaterThan(50);
    expect(expectListed(executablePath("redis-server"), "-D")).toBeGreaterThan(3);
  });
});

test("a variable of each thread is told from others; functions and unknown names are not found", () => {
  const symbols = new DataSymbols(() => [openElf(compile("markers.c", ["-O2"]))]);
  expect(symbols.find("per_thread")).toMatchObject([{ isThreadLocal: true }]);
  expect(symbols.find("pair")).toMatchObject([{ isThreadLocal: false }]);
  for (const name of ["main", "", "nowhere", "@", "toString"]) expect(symbols.find(name)).toEqual([]);
});

test("a name may come with its version; the tables are read once, and only when asked", () => {
  let reads = 0;
  const symbols = new DataSymbols(() => {
    reads++;
    return [openElf(libraryPath("libc.so.6"))];
  });
  expect(reads).toBe(0);
  expect(symbols.find("stdout")).toHaveLength(1);
  expect(symbols.find("stdout@GLIBC_2.2.5")).toEqual(symbols.find("stdout"));
  expect(reads).toBe(1);
});
