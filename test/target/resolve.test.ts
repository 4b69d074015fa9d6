/** Resolves selectors to sites on compiled and installed programs; oracles are nm, readelf and objdump. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NotFoundError, UnsupportedError, type UscopeError } from "../../src/base/errors.js";
import type { Target } from "../../src/lang/target.js";
import { TargetResolver, type ResolvedProbe } from "../../src/target/resolve.js";
import { converse, fileOffsetOf, onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

type Selector = Parameters<Target["resolve"]>[0];

const program = compile("functions.cc", ["-O2"]);
const waiting = compile("waiting.c", ["-O2", "-pthread"]);
const pieces = compile("returns.c", ["-O2", "-pthread"]);
const span = { start: 0, end: 0 };
const isX86 = onX86();

function at(symbol: string, more: Partial<Extract<Selector, { kind: "function" }>> = {}): Selector {
  return { kind: "function", at: "entry", library: program, symbol, offset: 0, span, ...more };
}

function address(library: string, value: number | bigint): Selector {
  return { kind: "address", library, address: BigInt(value), span };
}

describe("entries", () => {
  let resolver: TargetResolver;
  beforeAll(() => {
    resolver = new TargetResolver({ pids: [] });
  });
  afterAll(() => resolver[Symbol.dispose]());

  it("lie where the file has them", async () => {
    for (const symbol of ["eight", "plain", "_ZN4shop5priceEi", "sizeless"]) {
      const { sites, skipped } = await resolver.resolveSites(at(symbol));
      expect(skipped).toEqual([]);
      expect(sites).toHaveLength(1);
      expect(sites[0]).toMatchObject({
        offset: fileOffsetOf(program, symbol),
        role: "entry",
        trap: "uprobe",
        layout: 0,
        semaphore: undefined,
      });
      expect(sites[0]!.names).toEqual([symbol]);
    }
  });

  it("in libraries with odd load segments too", async () => {
    const odd = compile("functions.cc", ["-O2", "-fPIC", "-shared", "-Wl,-Ttext-segment=0x2000000"]);
    const { sites } = await resolver.resolveSites(at("eight", { library: odd }));
    expect(sites[0]!.offset).toBe(fileOffsetOf(odd, "eight"));
    expect(sites[0]!.address).toBeGreaterThan(0x2000000);
  });

  it("of aliases and of patterns are one place with all names", async () => {
    const { sites } = await resolver.resolveSites(at("plain*"));
    expect(sites.map(({ names }) => [...names].sort())).toEqual([["plain", "plain_alias"]]);
  });

  it.runIf(isX86)("that the kernel refuses are skipped with the reason, and refused alone", async () => {
    const { sites, skipped } = await resolver.resolveSites(at("*l*"));
    expect(skipped).toContainEqual({
      name: "locked",
      address: expect.any(Number),
      reason: "the kernel refuses instructions with a LOCK prefix (f0)",
      alternative: expect.stringContaining("further inside"),
    });
    expect(sites.flatMap(({ names }) => names)).not.toContain("locked");
    const error = await failure(resolver.resolveSites(at("locked")));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.what).toBe(
      "locked cannot be probed: the kernel refuses instructions with a LOCK prefix (f0)",
    );
  });

  it("in data are no places", async () => {
    const error = await failure(resolver.resolveSites(at("not_code")));
    expect(error.what).toBe("not_code cannot be probed: the file has no code at its address");
  });

  it.runIf(isX86)("are not the pieces of functions, but for who asks for these alone", async () => {
    const all = await resolver.resolveSites(at("w*", { library: pieces }));
    expect(all.sites.map(({ names, role }) => [...names, role])).toEqual([["work", "entry"]]);
    expect(all.skipped).toEqual([
      {
        name: "work.cold",
        address: Number(nmAddress(pieces, "work.cold")),
        reason: "it is a piece of work that is reached by a jump, not called",
        alternative: expect.stringContaining("the function itself"),
      },
    ]);
    for (const symbol of ["work.cold", "*.cold"]) {
      const piece = await resolver.resolveSites(at(symbol, { library: pieces }));
      expect(piece.sites.map(({ role }) => role)).toEqual(["inside"]);
      expect(piece.layouts[0]!.missing).toBe("inside a function");
      const error = await failure(resolver.resolveSites(at(symbol, { library: pieces, at: "return" })));
      expect(error.what).toContain("work.cold cannot be probed: it is a piece of work");
    }
  });

  it("of ifuncs are resolvers, which is said", async () => {
    const { sites, notes } = await resolver.resolveSites(at("dispatched"));
    expect(sites).toHaveLength(1);
    expect(notes).toEqual([expect.stringMatching(/^dispatched is an ifunc: the symbol is a resolver/)]);
    const pattern = await resolver.resolveSites(at("d*"));
    expect(pattern.notes).toEqual([expect.stringContaining("are ifuncs")]);
  });

  it("have arguments where the ABI puts them", async () => {
    const { layouts, architecture } = await resolver.resolveSites(at("eight"));
    expect(architecture).toBe(isX86 ? "x86-64" : "arm64");
    const [layout] = layouts;
    const places = layout!.arguments.map((place) =>
      place.kind === "register"
        ? place.register
        : place.kind === "memory"
          ? `${place.base}+${place.displacement}`
          : place.kind,
    );
    // eight() returns g * 10 + h: objdump shows the two loads from the stack.
    expect(places.slice(0, 8)).toEqual(
      isX86
        ? ["di", "si", "dx", "cx", "r8", "r9", "sp+8", "sp+16"]
        : ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
    );
    if (isX86)
      expect(execFileSync("objdump", ["-d", "--no-show-raw-insn", program], { encoding: "utf8" })).toMatch(
        /<eight>:[^]{0,600}0x8\(%rsp\)[^]{0,300}0x10\(%rsp\)/,
      );
    expect(layout!.returned).toBeUndefined();
  });

  it("a file is opened once for all probes, and its identity is the file's", async () => {
    const first = await resolver.resolveSites(at("eight"));
    const second = await resolver.resolveSites(
      at("plain", { library: join(program, "..", program.slice(program.lastIndexOf("/") + 1)) }),
    );
    expect(second.sites[0]!.binary).toBe(first.sites[0]!.binary);
  });
});

describe("places inside functions", () => {
  const resolver = new TargetResolver({ pids: [] });
  afterAll(() => resolver[Symbol.dispose]());

  it.runIf(isX86)("are taken exactly where objdump has instructions", async () => {
    const listing = execFileSync("objdump", ["-d", "--no-show-raw-insn", program], { encoding: "utf8" });
    for (const [name, size] of sizesOf(program, ["main", "eight", "_ZN4shop7guardedEi"])) {
      const [, start, body] = new RegExp(`^([0-9a-f]+) <${name}>:\n((?:.+\n)+)`, "m").exec(listing)!;
      const starts = new Set(
        [...body!.matchAll(/^ *([0-9a-f]+):/gm)].map(
          ([, address]) => Number.parseInt(address!, 16) - Number.parseInt(start!, 16),
        ),
      );
      expect(starts.size).toBeGreaterThan(5);
      for (let offset = 1; offset < size; offset++) {
        const answer = await resolver
          .resolveSites(at(name, { offset }))
          .catch((error: unknown) => error as UscopeError);
        if (starts.has(offset)) {
          if (answer instanceof Error) expect(answer.what).toContain("the kernel");
          else
            expect(answer.sites[0]).toMatchObject({
              role: "inside",
              offset: fileOffsetOf(program, name) + offset,
            });
        } else
          expect((answer as UscopeError).what, `${name}+${offset}`).toContain(
            "in the middle of an instruction",
          );
      }
    }
  });

  it.runIf(isX86)("name the nearest instructions when there is none", async () => {
    const error = await failure(resolver.resolveSites(at("plain", { offset: 1 })));
    expect(error.message).toMatch(
      /offset 0x1 is in the middle of an instruction: a probe there would corrupt the program\n  at: .*, function plain\+0x1\n  fix: the nearest instructions start at \+0x0 and \+0x3/,
    );
  });

  it("end with the function", async () => {
    const [[, size]] = sizesOf(program, ["plain"]) as [[string, number]];
    const error = await failure(resolver.resolveSites(at("plain", { offset: size })));
    expect(error.what).toBe(
      `offset 0x${size.toString(16)} lies outside function plain, which has ${size} bytes`,
    );
  });

  it("need a function with a size", async () => {
    expect((await failure(resolver.resolveSites(at("sizeless", { offset: 2 })))).what).toContain(
      "has no size",
    );
  });

  it("leave registers readable, and nothing on the stack", async () => {
    const [layout] = (
      await resolver
        .resolveSites(at("eight", { offset: isX86 ? 3 : 4 }))
        .catch(() => resolver.resolveSites(at("eight", { offset: 4 })))
    ).layouts;
    expect(layout!.arguments[0]).toMatchObject({ kind: "register" });
    expect(layout!.arguments[8]).toMatchObject({ kind: "unreadable" });
  });
});

describe("addresses", () => {
  const resolver = new TargetResolver({ pids: [] });
  afterAll(() => resolver[Symbol.dispose]());
  const folder = mkdtempSync(join(tmpdir(), "uscope-address-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const stripped = join(folder, "stripped");
  execFileSync("objcopy", ["--strip-all", program, stripped]);

  it("of a function's start are its entry, with its names", async () => {
    const [eight] = (await resolver.resolveSites(at("eight"))).sites;
    const { sites, layouts } = await resolver.resolveSites(address(program, eight!.address));
    expect(sites[0]).toMatchObject({ offset: eight!.offset, role: "entry", names: ["eight"] });
    expect(layouts[0]!.arguments[6]!.kind).not.toBe("unreadable");
  });

  it.runIf(isX86)("in a stripped file are proved from the unwind table", async () => {
    const [guarded] = (await resolver.resolveSites(at("_ZN4shop7guardedEi"))).sites;
    const entry = await resolver.resolveSites(address(stripped, guarded!.address));
    expect(entry.sites[0]).toMatchObject({ offset: guarded!.offset, role: "entry", names: [] });
    const listing = execFileSync("objdump", ["-d", "--no-show-raw-insn", program], { encoding: "utf8" });
    const body = /<_ZN4shop7guardedEi>:\n((?:.+\n)+)/.exec(listing)![1]!;
    const [, second] = [...body.matchAll(/^ *([0-9a-f]+):/gm)].map(([, start]) =>
      Number.parseInt(start!, 16),
    );
    expect((await resolver.resolveSites(address(stripped, second!))).sites[0]).toMatchObject({
      role: "inside",
    });
    const wrong = await failure(resolver.resolveSites(address(stripped, second! + 1)));
    expect(wrong.message).toContain(`0x${second!.toString(16)}`);
  });

  it.runIf(isX86)("of a piece that is reached by a jump are no entry, with its name or without", async () => {
    const bare = join(folder, "bare");
    execFileSync("objcopy", ["--strip-all", pieces, bare]);
    for (const [symbol, role] of [
      ["work", "entry"],
      ["work.cold", "inside"],
    ] as const) {
      for (const library of [pieces, bare]) {
        const { sites, layouts } = await resolver.resolveSites(address(library, nmAddress(pieces, symbol)));
        expect(sites[0]!.role, `${library} ${symbol}`).toBe(role);
        expect(layouts[0]!.arguments[6]!.kind).toBe(role === "entry" ? "memory" : "unreadable");
      }
    }
  });

  it("in data, outside of the file and where nothing is known are refused", async () => {
    const [notCode] = (await failure(resolver.resolveSites(at("not_code")))).message.match(/not_code/)!;
    expect(notCode).toBe("not_code");
    const data = nmAddress(program, "not_code");
    for (const place of [data, 0xffff_ffff_ffff_ffffn, 2n ** 60n, 0]) {
      const error = await failure(resolver.resolveSites(address(program, place)));
      expect(error, String(place)).toBeInstanceOf(NotFoundError);
    }
    const unknown = await failure(
      resolver.resolveSites(address(stripped, nmAddress(program, "locked") + 1n)),
    );
    expect(unknown.what).toMatch(/nothing is known of the code/);
  });
});

describe("returns", () => {
  const resolver = new TargetResolver({ pids: [] });
  afterAll(() => resolver[Symbol.dispose]());

  it("stand at the entry, as the kernel wants it, with the returned value", async () => {
    const { sites, layouts } = await resolver.resolveSites(at("plain", { at: "return" }));
    expect(sites[0]).toMatchObject({
      role: "return",
      trap: "uretprobe",
      offset: fileOffsetOf(program, "plain"),
    });
    expect(layouts[0]!.returned).toMatchObject({ kind: "register", register: isX86 ? "ax" : "x0" });
    expect(layouts[0]!.missing).toBe("at a return");
    expect(layouts[0]!.arguments).toEqual([]);
  });

  it("have no offset", async () => {
    expect((await failure(resolver.resolveSites(at("plain", { at: "return", offset: 4 })))).what).toContain(
      "a return probe has no offset",
    );
  });

  it("of C++ that an exception may pass are refused; a person may insist", async () => {
    const error = await failure(resolver.resolveSites(at("shop::risky", { at: "return" })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(
      /the return of shop::risky\(int\) cannot be probed safely: a C\+\+ exception[^]*hazard: exceptions[^]*--force uretprobe/,
    );
    using insisting = new TargetResolver({ pids: [], force: ["uretprobe"] });
    expect((await insisting.resolveSites(at("shop::risky", { at: "return" }))).sites).toHaveLength(1);
  });

  it("of a pattern skip what would break", async () => {
    const { sites, skipped } = await resolver.resolveSites(at("*i*", { at: "return" }));
    expect(sites.flatMap(({ names }) => names)).toContain("eight");
    expect(skipped.map(({ name }) => name)).toContain("shop::risky(int)");
  });
});

describe("processes", () => {
  it("mean what they map; two with one file have one site", async () => {
    await using first = converse(waiting);
    await using second = converse(waiting);
    await first.line();
    await second.line();
    using resolver = new TargetResolver({ pids: [first.child.pid!, second.child.pid!] });
    const { sites, users, notes } = await resolver.resolveSites(at("waiting_function", { library: "" }));
    expect(sites).toHaveLength(1);
    expect([...users]).toEqual([[sites[0]!.binary, [first.child.pid!, second.child.pid!]]]);
    expect(sites[0]).toMatchObject({ offset: fileOffsetOf(waiting, "waiting_function") });
    expect(notes).toEqual([]);
    const libc = await resolver.resolveSites(at("malloc", { library: "c" }));
    expect(libc.sites).toHaveLength(1);
  });

  it("of different programs give a site each, and one layout", async () => {
    await using first = converse(waiting);
    await using second = converse(program, ["30"]);
    await first.line();
    await second.line();
    using resolver = new TargetResolver({ pids: [first.child.pid!, second.child.pid!] });
    const { sites, users, layouts } = await resolver.resolveSites(at("main", { library: "" }));
    expect([...users.values()]).toEqual([[first.child.pid!], [second.child.pid!]]);
    expect(sites.map(({ binary }) => binary.path)).toEqual([waiting, program]);
    expect(layouts).toHaveLength(1);
    expect(sites.map(({ layout }) => layout)).toEqual([0, 0]);
  });

  it("that is not there is said", async () => {
    using resolver = new TargetResolver({ pids: [2 ** 22 + 1] });
    expect((await failure(resolver.resolveSites(at("main")))).what).toBe(`no process ${2 ** 22 + 1}`);
  });
});

it("a file without the marker says so, and what it has", async () => {
  using resolver = new TargetResolver({ pids: [] });
  const marker: Selector = { kind: "marker", library: program, provider: undefined, marker: "m", span };
  expect((await failure(resolver.resolveSites(marker))).what).toBe(`no marker "m" in ${program}`);
});

async function failure(promise: Promise<ResolvedProbe>): Promise<UscopeError> {
  try {
    await promise;
  } catch (error) {
    return error as UscopeError;
  }
  throw new Error("nothing was thrown");
}

function sizesOf(path: string, names: readonly string[]): [name: string, size: number][] {
  const text = execFileSync("readelf", ["-sW", path], { encoding: "utf8" });
  return names.map((name) => [
    name,
    Number(new RegExp(`: [0-9a-f]+ +(\\d+) FUNC .* ${name}$`, "m").exec(text)![1]),
  ]);
}

function nmAddress(path: string, name: string): bigint {
  return BigInt(
    `0x${new RegExp(`^([0-9a-f]+) . ${name}$`, "m").exec(execFileSync("nm", [path], { encoding: "utf8" }))![1]}`,
  );
}
