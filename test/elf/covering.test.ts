import { expect, test } from "vitest";
import type { VirtualAddress } from "../../src/base/bytes.js";
import { readFunctionTable, type FunctionTable } from "../../src/elf/symbols.js";
import { executablePath, libraryPath, openElf } from "../support/elf.js";
import { shapes } from "./fixtures.js";
import { readelfFunctions } from "./oracle.js";

const table = (path: string): FunctionTable => readFunctionTable(openElf(path));
const plus = (address: number, offset: number): VirtualAddress => (address + offset) as VirtualAddress;

test.each(["redis-server", "libstdc++.so.6"])(
  "%s: the nearest start whose size reaches the address, as a walk over readelf's list finds it",
  (name) => {
    const path = name.startsWith("lib") ? libraryPath(name) : executablePath(name);
    const functions = table(path);
    const symbols = readelfFunctions(path, "dynsym").sort((left, right) => left.address - right.address);
    const sized = symbols.filter((symbol) => symbol.size > 0);
    const sizeless = new Set(symbols.filter((symbol) => symbol.size === 0).map((symbol) => symbol.address));
    let seed = 1;
    let covered = 0;
    for (let round = 0; round < 2000; round++) {
      seed = (seed * 48271) % 2147483647;
      const some = sized[seed % sized.length]!;
      const address = plus(some.address, (seed >>> 8) % (some.size + 16));
      const nearest = sized.findLast(
        (symbol) => symbol.address <= address && address < symbol.address + symbol.size,
      );
      const found = functions.covering(address);
      // What has no size of its own reaches into gaps that no sized function fills.
      if (found?.size === 0 && sizeless.has(found.address)) continue;
      expect(found?.address).toBe(nearest?.address);
      if (found !== undefined) covered++;
    }
    expect(covered).toBeGreaterThan(1200);
  },
);

test("a function inside another", () => {
  const functions = table(shapes.pie());
  const outer = functions.find("outer")[0]!;
  const inner = functions.find("inner")[0]!;
  const names = Array.from(
    { length: outer.size },
    (_, offset) => functions.covering(plus(outer.address, offset))?.name,
  );
  const before = inner.address - outer.address;
  expect(names.slice(0, before)).toEqual(Array.from({ length: before }, () => "outer"));
  expect(new Set(names.slice(before, before + inner.size))).toEqual(new Set(["inner"]));
  expect(new Set(names.slice(before + inner.size))).toEqual(new Set(["outer"]));
});

test("functions of size 0 reach to the next start", () => {
  const functions = table(shapes.pie());
  const first = functions.find("sizeless_first")[0]!;
  const second = functions.find("sizeless_second")[0]!;
  expect(first.size).toBe(0);
  expect(functions.covering(plus(second.address, -1))?.name).toBe("sizeless_first");
  expect(functions.covering(second.address)?.name).toBe("sizeless_second");
  expect(functions.covering(plus(functions.find("outer")[0]!.address, -1))?.name).toBe("sizeless_second");
});

test("a name of size 0 has the size of its sized alias", () => {
  const functions = table(shapes.pie());
  const measured = functions.find("measured")[0]!;
  expect(functions.find("unmeasured")[0]).toMatchObject({ address: measured.address, size: 0 });
  expect(functions.covering(plus(measured.address, measured.size - 1))?.name).toBe("measured");
  expect(functions.covering(plus(measured.address, measured.size))).toBeUndefined();
});

test("functions of size 0 do not reach into the next section", () => {
  const elf = openElf(shapes.fixed());
  const functions = readFunctionTable(elf);
  const init = elf.sections.find((section) => section.name === ".init")!;
  const plt = elf.sections.find((section) => section.name === ".plt")!;
  expect(functions.covering(init.address)?.name).toBe("_init");
  expect(functions.covering(plt.address)).toBeUndefined();
});

test("of aliases the exported one with the fewest underscores, then the shortest; a resolver before its ifunc", () => {
  const functions = table(shapes.pie());
  const { address } = functions.find("plain")[0]!;
  expect(
    functions
      .at(address)
      .map((symbol) => symbol.name)
      .sort(),
  ).toEqual(["also_plain", "plain", "weakly_plain"]);
  expect(functions.covering(plus(address, 1))?.name).toBe("plain");
  const choice = functions.find("choice")[0]!;
  expect(choice.kind).toBe("ifunc");
  expect(functions.covering(choice.address)?.name).toBe("resolve_choice");
  expect(functions.at(plus(address, 1))).toEqual([]);
});

test("nothing covers what is below, between and above all functions", () => {
  const functions = table(shapes.pie());
  for (const address of [0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER])
    expect(functions.covering(address as VirtualAddress)).toBeUndefined();
});
