/** Holds the search for functions against nm and c++filt on compiled programs, libstdc++, libc and node. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NotFoundError } from "../../src/base/errors.js";
import { openBinary, type Binary } from "../../src/target/binary.js";
import { matchFunctions } from "../../src/target/functions.js";
import { nameForms } from "../../src/target/source-names.js";
import { compile } from "../support/programs.js";

const program = compile("functions.cc", ["-O2"]);

describe("functions of a C++ program", () => {
  let binary: Binary;
  beforeAll(() => {
    binary = openBinary(program);
  });
  afterAll(() => binary.close());
  const find = (pattern: string): string[][] =>
    matchFunctions(binary.functions, pattern, place(binary)).map(({ names }) => [...names]);
  const price = ["_ZN4shop5priceEi", "_ZN4shop5priceEiPKc"];

  it.each<[pattern: string, names: string[][]]>([
    ["eight", [["eight"]]],
    ["plain", [["plain"]]],
    ["plain_alias", [["plain_alias"]]],
    ["_ZN4shop5priceEi", [[price[0]!]]],
    ["shop::price(int)", [[price[0]!]]],
    ["shop::price(int, char const*)", [[price[1]!]]],
    ["shop::price", price.map((name) => [name])],
    ["shop::total<int>", [["_ZN4shop5totalIiEET_S1_S1_"]]],
    ["int shop::total<int>(int, int)", [["_ZN4shop5totalIiEET_S1_S1_"]]],
    ["shop::total", [["_ZN4shop5totalIiEET_S1_S1_"], ["_ZN4shop5totalIdEET_S1_S1_"]]],
    ["shop::Cart::count", [["_ZNK4shop4Cart5countENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"]]],
    ["shop::Cart::operator()", [["_ZN4shop4CartclEi"]]],
    ["shop::Cart::~Cart", [["_ZN4shop4CartD1Ev", "_ZN4shop4CartD2Ev"]]],
    ["shop::risky(int) [clone .cold]", [["_ZN4shop5riskyEi.cold"]]],
    ["shop::risky", [["_ZN4shop5riskyEi"]]],
    ["shop::p*", price.map((name) => [name])],
    ["*priceEi", [[price[0]!]]],
    ["plai?", [["plain", "plain_alias"]]],
    ["*_alias", [["plain_alias", "plain"]]],
    ["[ep][il]*t", [["eight"]]],
  ])("%s", (pattern, names) => {
    const found = find(pattern);
    // Which of two constructors' symbols comes first is the linker's choice.
    if (pattern.includes("~"))
      expect(found.map((list) => list.sort())).toEqual(names.map((list) => list.sort()));
    else expect(sortLists(found)).toEqual(sortLists(names));
  });

  it("are in rising order, each address once, with all its names", () => {
    const matches = matchFunctions(binary.functions, "*", place(binary));
    const addresses = matches.map(({ address }) => address);
    expect(addresses).toEqual([...new Set(addresses)].sort((left, right) => left - right));
    expect(
      sortedPairs(matches.flatMap(({ address, names }) => names.map((name) => [address, name] as const))),
    ).toEqual(nmPairs(program));
  });

  it.each([
    [
      "pluin",
      /no function "pluin" in functions[^]*at: functions \(.*\), \d+ functions\n  fix: did you mean "plain"\? list them: uscope list functions 'pl\*'/,
    ],
    [
      "shop::prise",
      /did you mean "shop::price" or "shop::risky"\? list them: uscope list functions 'shop::\*'/,
    ],
    ["shop::prise(int)", /did you mean "shop::price"/],
    [
      "nothing_*",
      /no function of functions matches "nothing_\*"[^]*list them: uscope list functions 'not\*'/,
    ],
  ])("%s is not there: the nearest names are told", (pattern, message) => {
    expect(() => find(pattern)).toThrow(NotFoundError);
    expect(() => find(pattern)).toThrow(message);
  });
});

describe("stripped programs", () => {
  const folder = mkdtempSync(join(tmpdir(), "uscope-functions-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const stripped = join(folder, "stripped");
  execFileSync("objcopy", ["--strip-all", program, stripped]);

  it("say that they are, and what helps", () => {
    using binary = openBinary(stripped);
    expect(binary.isStripped).toBe(true);
    expect(() => matchFunctions(binary.functions, "eight", { ...place(binary), target: "stripped" })).toThrow(
      /, stripped of the local ones\n  fix: .*install the debug symbols of the package that .* came with, or probe an address: stripped:0xADDR/,
    );
  });

  it("have the names of a debug file beside them, when it is the right one", () => {
    const linked = join(folder, "linked");
    execFileSync("objcopy", ["--only-keep-debug", program, join(folder, "linked.debug")]);
    execFileSync("objcopy", [
      "--strip-all",
      "--remove-section=.note.gnu.build-id",
      `--add-gnu-debuglink=${join(folder, "linked.debug")}`,
      program,
      linked,
    ]);
    {
      using binary = openBinary(linked);
      expect(binary.buildId).toBeUndefined();
      expect(binary.debugPath).toBe(join(folder, "linked.debug"));
      expect(binary.isStripped).toBe(false);
      expect(matchFunctions(binary.functions, "shop::price(int)", place(binary))).toHaveLength(1);
    }
    // Another file of the same name: the checksum differs.
    execFileSync("objcopy", [
      "--only-keep-debug",
      compile("waiting.c", ["-O2", "-pthread"]),
      join(folder, "linked.debug"),
    ]);
    using binary = openBinary(linked);
    expect(binary.debugPath).toBeUndefined();
    expect(binary.functions.find("eight")).toEqual([]);
  });

  it("a debug file with another build-id is not taken", () => {
    const linked = join(folder, "identified");
    execFileSync("objcopy", ["--only-keep-debug", program, join(folder, "identified.debug")]);
    execFileSync("objcopy", [
      "--strip-all",
      `--add-gnu-debuglink=${join(folder, "identified.debug")}`,
      program,
      linked,
    ]);
    {
      using binary = openBinary(linked);
      expect(binary.debugPath).toBe(join(folder, "identified.debug"));
    }
    copyFileSync(compile("functions.cc", ["-O1", "-Wl,--build-id"]), join(folder, "identified.debug"));
    using binary = openBinary(linked);
    expect(binary.debugPath).toBeUndefined();
  });
});

describe("large files", () => {
  it("all functions of node by * are found in a moment, as nm has them", () => {
    using binary = openBinary(process.execPath);
    const start = performance.now();
    const matches = matchFunctions(binary.functions, "*", place(binary));
    const milliseconds = performance.now() - start;
    const pairs = nmPairs(process.execPath);
    expect(matches.reduce((sum, { names }) => sum + names.length, 0)).toBe(pairs.length);
    expect(milliseconds).toBeLessThan(1500);
    console.log(`node: ${matches.length} places of ${pairs.length} names in ${milliseconds.toFixed(0)} ms`);
  });

  it("same-named functions at different addresses are all meant", () => {
    using binary = openBinary(process.execPath);
    const places = new Map<string, Set<number>>();
    for (const [address, name] of nmPairs(process.execPath))
      places.set(name, (places.get(name) ?? new Set()).add(address));
    const [name, addresses] =
      [...places]
        .filter(([, set]) => set.size > 1)
        .sort(([, left], [, right]) => right.size - left.size)[0] ?? [];
    if (name === undefined) return;
    const found = matchFunctions(binary.functions, name, place(binary)).map(({ address }) => address);
    expect(found).toEqual([...addresses!].sort((left, right) => left - right));
  });

  it("names as people write them are found in libstdc++ by c++filt's words", () => {
    const [path] = /\/\S*libstdc\+\+\.so\.6$/m.exec(execFileSync("ldconfig", ["-p"], { encoding: "utf8" }))!;
    using binary = openBinary(path);
    for (const [pattern, mangled] of [
      ["std::ostream::flush()", "_ZNSo5flushEv"],
      ["std::ostream::flush", "_ZNSo5flushEv"],
      ["std::terminate", "_ZSt9terminatev"],
      ["operator new(unsigned long)", "_Znwm"],
      ["operator delete[](void*)", "_ZdaPv"],
      ["operator delete[]", "_ZdaPv"],
      ["std::locale::operator=*", "_ZNSt6localeaSERKS_"],
      ["std::string::*", "_ZNSs4swapERSs"],
    ] as const) {
      const names = matchFunctions(binary.functions, pattern, place(binary)).flatMap(({ names }) => names);
      expect(names, pattern).toContain(mangled);
    }
  });

  it("an empty library of the old days names the one that took its functions", () => {
    const path = /\/\S*libpthread\.so\.0$/m.exec(execFileSync("ldconfig", ["-p"], { encoding: "utf8" }))?.[0];
    if (path === undefined) return;
    using binary = openBinary(path);
    if (binary.functions.count >= 20) return;
    expect(() => matchFunctions(binary.functions, "pthread_create", place(binary))).toThrow(
      "name c (libc) instead",
    );
  });
});

describe("forms of a name", () => {
  it.each([
    ["ns::f(int) const", ["ns::f(int) const", "ns::f"]],
    ["int ns::f<int>(int)", ["int ns::f<int>(int)", "int ns::f<int>", "ns::f<int>", "ns::f"]],
    ["ns::C<int>::g()", ["ns::C<int>::g()", "ns::C<int>::g", "ns::C::g"]],
    ["(anonymous namespace)::f(int)", ["(anonymous namespace)::f(int)", "(anonymous namespace)::f"]],
    ["ns::C::operator()(int) const &", ["ns::C::operator()(int) const &", "ns::C::operator()"]],
    ["ns::operator<< <char>(int)", ["ns::operator<< <char>(int)", "ns::operator<< <char>"]],
    ["f[abi:cxx11](int)", ["f[abi:cxx11](int)", "f(int)", "f"]],
    ["f(void (*)(int))", ["f(void (*)(int))", "f"]],
    ["f(int) [clone .cold]", ["f(int) [clone .cold]"]],
    ["core::fmt::write::h0123456789abcdef", ["core::fmt::write::h0123456789abcdef", "core::fmt::write"]],
    ["<T as Trait>::run", ["<T as Trait>::run"]],
  ])("%s", (name, forms) => {
    expect(nameForms(name)).toEqual(forms);
  });
});

/** The order of matches and of aliases does not count here, which name is the first does. */
function sortLists(lists: string[][]): string[][] {
  return lists.map((list) => [list[0]!, ...list.slice(1).sort()]).sort();
}

function place(binary: Binary): { target: string; path: string; isStripped: boolean } {
  const target = binary.path.slice(binary.path.lastIndexOf("/") + 1).replace(/-[0-9a-f]{12}$/, "");
  return { target, path: binary.path, isStripped: binary.isStripped };
}

/** Address and name of every function by readelf (nm cannot tell code from data that is called a function). */
function nmPairs(path: string): (readonly [address: number, name: string])[] {
  const text = execFileSync("readelf", ["-sW", path], { encoding: "utf8", maxBuffer: 1 << 28 });
  const pairs = new Map<string, readonly [number, string]>();
  for (const [, value, index, written] of text.matchAll(
    /^ *\d+: ([0-9a-f]{16}) +\S+ (?:FUNC|IFUNC) +\S+ +\S+ +(\S+) (\S+)/gm,
  )) {
    if (index === "UND") continue;
    const pair = [Number.parseInt(value!, 16), written!.replace(/@.*$/, "")] as const;
    pairs.set(pair.join(" "), pair);
  }
  return sortedPairs([...pairs.values()]);
}

function sortedPairs(pairs: readonly (readonly [number, string])[]): (readonly [number, string])[] {
  return [...pairs].sort(
    ([address, name], [otherAddress, other]) =>
      address - otherAddress || (name < other ? -1 : Number(name > other)),
  );
}
