/** Which sites and layouts a marker's name leads to in real files, against readelf; and the types that places have in common. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { afterAll, describe, expect, it, test } from "vitest";
import type { VirtualAddress } from "../../src/base/bytes.js";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { Layout, ValuePlace } from "../../src/lang/target.js";
import { openBinary } from "../../src/target/binary.js";
import { fitArguments, markerLayout, uniteArguments } from "../../src/target/marker-layouts.js";
import { findMarkerPairs } from "../../src/target/marker-pairs.js";
import { readKernelVersion } from "../../src/target/kernel-version.js";
import { findMarkerSites } from "../../src/target/markers.js";
import { TargetResolver } from "../../src/target/resolve.js";
import { onX86, requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { usualOptions } from "../lang/support.js";
import { codeAddress, join, markerFileBytes, noteBytes } from "../usdt/marker-file.js";

type IntegerType = NonNullable<Layout["argumentTypes"]>[number];
const integer = (bytes: IntegerType["bytes"], signed: boolean): IntegerType => ({
  kind: "integer",
  bytes,
  signed,
});
const [i8, u8, i32, u32, i64, u64] = [
  integer(1, true),
  integer(1, false),
  integer(4, true),
  integer(4, false),
  integer(8, true),
  integer(8, false),
] as const;

const register = (type: IntegerType): ValuePlace => ({ kind: "register", register: "di", type });
const constant = (value: bigint, type: IntegerType): ValuePlace => ({ kind: "constant", value, type });

function unite(...columns: readonly (readonly ValuePlace[])[]): readonly Layout[] {
  const layouts = columns.map((places) => ({
    arguments: places,
    returned: undefined,
    returnAddress: undefined,
    missing: undefined,
  }));
  return uniteArguments(
    layouts,
    layouts.map(() => ({ name: "p:m", declared: undefined })),
  );
}

describe("the type of an argument over all places", () => {
  it.each<[string, readonly ValuePlace[], IntegerType]>([
    ["is the one that they have", [register(u8), register(u8)], u8],
    ["is the wider one", [register(u8), register(u32)], u32],
    ["holds both signs", [register(i8), register(u8)], integer(2, true)],
    ["holds negative numbers of 64 bits", [register(i32), register(u64)], i64],
    ["is signed where the signed one is wider", [register(i64), register(u32)], i64],
    ["is not changed by a constant that it holds", [register(u64), constant(0n, i32)], u64],
    ["is changed by one that it does not hold", [register(u64), constant(-1n, i32)], i64],
    ["is a constant's own", [constant(5n, i32)], i32],
  ])("%s", (_, places, expected) => {
    for (const { argumentTypes } of unite(...places.map((place) => [place])))
      expect(argumentTypes).toEqual([expected]);
  });

  it("says what a place lacks that others have; what none has stays unreadable", () => {
    const unreadable: ValuePlace = { kind: "unreadable", reason: "it lies in xmm0" };
    const [one, two] = unite([register(u8), unreadable, unreadable], [unreadable, register(i32)]);
    expect(one!.arguments[1]).toEqual({ kind: "lacking", reason: "it lies in xmm0", type: i32 });
    expect(two!.arguments[0]).toEqual({ kind: "lacking", reason: "it lies in xmm0", type: u8 });
    expect(one!.arguments[2]!.kind).toBe("unreadable");
    expect(two!.arguments[2]).toEqual({ kind: "unreadable", reason: "this place has 2 arguments" });
  });
});

test.each([
  ["x86-64", "ip"],
  ["arm64", "pc"],
] as const)("what lies in a file's data is found from the place itself (%s)", (machine, base) => {
  const place = { kind: "static", address: 0x4010 as VirtualAddress } as const;
  const argument = { raw: "4@x(%rip)", size: 4, signed: false, isFloat: false, place } as const;
  const layout = markerLayout(machine, 0x5000 as VirtualAddress, {
    argumentsOf: [argument],
    returnAddress: undefined,
  });
  expect(layout.arguments).toEqual([
    { kind: "memory", base, index: undefined, scale: 1, displacement: -0xff0n, type: u32 },
  ]);
});

const fit = (known: ValuePlace, later: ValuePlace): ValuePlace =>
  fitArguments(unite([later]), unite([known])[0]!)[0]!.arguments[0]!;

describe("an argument of a later file", () => {
  const unreadable: ValuePlace = { kind: "unreadable", reason: "it lies in xmm0" };
  it.each<[string, ValuePlace, ValuePlace]>([
    ["of the same type", register(i32), register(i32)],
    ["of a narrower type", register(i64), register(i32)],
    ["of a narrower type without a sign", register(i64), register(u32)],
    ["that is a constant which fits", register(u64), constant(0n, i32)],
  ])("%s takes the type that is known", (_, known, later) => {
    expect(fit(known, later)).toEqual(later);
  });

  it.each<[string, ValuePlace, ValuePlace]>([
    ["of a wider type", register(i32), register(i64)],
    ["of another sign", register(u64), register(i32)],
    ["that is a constant which does not fit", register(u64), constant(-1n, i32)],
  ])("%s is not cut", (_, known, later) => {
    expect(fit(known, later)).toMatchObject({ kind: "unreadable", reason: /does not fit into/ });
  });

  it("that cannot be read faults", () => {
    expect(fit(register(i32), unreadable)).toEqual({ kind: "lacking", reason: "it lies in xmm0", type: i32 });
  });
});

describe("a file with very many markers", () => {
  const folder = mkdtempSync(joinPath(tmpdir(), "uscope-many-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each<[string, number, string, (index: number) => Parameters<typeof noteBytes>[0]]>([
    // Why: layouts that differ, and not in what is read.
    ["places of one", 50_000, "mark", (index) => ({ arguments: `-4@%edi 8@missing${index}(%rip)` })],
    ["names", 50_000, "*", (index) => ({ name: `mark${index}`, arguments: "-4@%edi 8@%rsi" })],
  ])(
    "is resolved and compiled in seconds: its %s, %i",
    async (_, count, name, noteOf) => {
      const notes = Array.from({ length: count }, (_, index) =>
        noteBytes({ ...noteOf(index), address: codeAddress + 4096 + index }),
      );
      const path = joinPath(folder, `${count}`);
      writeFileSync(path, markerFileBytes({ notes: join(notes), codeBytes: 4096 * 33 }));
      using resolver = new TargetResolver({ pids: [] });
      const parsed = parse(`u:${path}:test:${name}`);
      const started = performance.now();
      const resolved = await resolver.resolveSites(parsed.tree.selector);
      const { programs } = compileProbe(parsed, { resolve: () => resolved }, usualOptions);
      expect([resolved.sites.length, new Set(programs).size]).toEqual([count, 1]);
      // Why so much: what it guards against took 28 s and more.
      expect(performance.now() - started).toBeLessThan(15_000);
    },
    60_000,
  );

  it("has one type for the argument of more places than a call takes arguments", () => {
    const [layout] = unite([register(u32)]);
    const layouts = Array.from({ length: 200_000 }, () => layout!);
    const markers = layouts.map(() => ({ name: "p:m", declared: undefined }));
    expect(uniteArguments(layouts, markers)[0]!.argumentTypes).toEqual([u32]);
  });

  it("has its pairs found in seconds, whatever the names are", () => {
    const all = Array.from({ length: 50_000 }, (_, index) => [
      { provider: "p", name: `m${index}__start`, sites: [] },
      { provider: "p", name: `m${index}__done`, sites: [] },
    ]).flat();
    const long = { provider: "p", name: `${"a".repeat(200_000)}1`, sites: [] };
    const started = performance.now();
    expect(findMarkerPairs([...all, long], all)).toHaveLength(50_000);
    // Why so much: what it guards against took 97 s.
    expect(performance.now() - started).toBeLessThan(10_000);
  }, 60_000);
});

test.runIf(onX86())(
  "a nop of five bytes becomes a call only where no red zone is, and only since Linux 6.18",
  async () => {
    using binary = openBinary(compile("marker-leaves.c"));
    const find = async (minor: number) => {
      const { sites, skipped } = await findMarkerSites(
        { kind: "marker", library: "", provider: "leaves", marker: "*", span: { start: 0, end: 0 } },
        {
          binary,
          target: "",
          processes: [],
          kernel: { ...readKernelVersion(), major: 6, minor },
          isForced: false,
          isNop5Forced: false,
        },
      );
      const costs = Object.fromEntries(sites.map(({ names: [name], cost }) => [name, cost]));
      return [costs, skipped.map(({ name }) => name).sort()];
    };
    const [calls, main] = ["leaves:calls", "leaves:main"];
    const leaves = ["leaves:asks", "leaves:framed", "leaves:piece"];
    expect(await find(18)).toEqual([{ [calls]: "nop5", [main]: "emulated" }, leaves]);
    const all = [...leaves, calls].map((name) => [name, "stepped"]);
    expect(await find(17)).toEqual([{ ...Object.fromEntries(all), [main]: "emulated" }, []]);
  },
);

const order = (note: { address: number; name: string }): string => `${note.address} ${note.name}`;

function sorted<Note extends { address: number; name: string }>(notes: readonly Note[]): Note[] {
  return notes.toSorted((left, right) => order(left).localeCompare(order(right)));
}

/** Marker sites as `readelf -n` has them: name, address, semaphore. */
function notesOf(path: string): { name: string; address: number; semaphore: number }[] {
  const text = execFileSync("readelf", ["-nW", path], { encoding: "utf8", maxBuffer: 1 << 26 });
  const notes = text.matchAll(
    /Provider: (.*)\n\s+Name: (.*)\n\s+Location: 0x(\w+), Base: 0x\w+, Semaphore: 0x(\w+)/g,
  );
  return [...notes].map(([, provider, name, address, semaphore]) => ({
    name: `${provider}:${name}`,
    address: Number.parseInt(address!, 16),
    semaphore: Number.parseInt(semaphore!, 16),
  }));
}

const files = ["/usr/bin/python3.11", "/usr/bin/php8.2", "/usr/lib/postgresql/15/bin/postgres"];

test.each([compile("marked.c"), ...files.filter((path) => requires(path))])(
  "all markers of %s: the addresses and semaphores that readelf has, as file offsets",
  async (path) => {
    using resolver = new TargetResolver({ pids: [] });
    const { sites, skipped } = await resolver.resolveSites({
      kind: "marker",
      library: path,
      provider: "*",
      marker: "*",
      span: { start: 0, end: 0 },
    });
    expect(skipped).toEqual([]);
    const own = sites.flatMap(({ names, address, semaphore }) =>
      names.map((name) => ({ name, address, semaphore: semaphore ?? 0 })),
    );
    using binary = openBinary(path);
    const offsetOf = (address: number): number => {
      const segment = binary.elf.segments.find(
        (one) => one.type === 1 && address >= one.address && address < one.address + one.memoryBytes,
      )!;
      return address - segment.address + segment.offset;
    };
    const theirs = notesOf(path).map((note) => ({
      ...note,
      semaphore: note.semaphore === 0 ? 0 : offsetOf(note.semaphore),
    }));
    expect(sorted(own)).toEqual(sorted(theirs));
    expect(sites.every(({ role, cost }) => role === "marker" && cost === "emulated")).toBe(true);
  },
);
