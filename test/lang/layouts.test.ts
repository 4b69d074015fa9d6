import { describe, expect, it } from "vitest";
import { SourceError } from "../../src/base/errors.js";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { CompiledProbe } from "../../src/lang/compile.js";
import type { Architecture, Layout, ValuePlace } from "../../src/lang/target.js";
import { i32, i64, i8, u16, u32, u64, u8 } from "../../src/lang/types.js";
import { contextOf, lineOf, run, usualOptions } from "./support.js";

const elsewhere: ValuePlace = {
  kind: "memory",
  base: "sp",
  index: "ax",
  scale: 4,
  displacement: -8n,
  type: u16,
};

function layoutOf(...places: ValuePlace[]): Layout {
  return { arguments: places, returned: undefined, returnAddress: undefined, missing: undefined };
}

function compileAt(
  source: string,
  layouts: readonly Layout[],
  architecture: Architecture = "x86-64",
): CompiledProbe {
  return compileProbe(parse(source), { resolve: () => ({ architecture, layouts }) }, usualOptions);
}

describe("a probe whose values lie elsewhere in places", () => {
  const layouts = [
    layoutOf({ kind: "register", register: "rbx", type: i32 }),
    layoutOf(elsewhere),
    layoutOf({ kind: "constant", value: -3n, type: i32 }),
    layoutOf({ kind: "register", register: "r12", type: u8 }),
  ];
  const probe = compileAt('u:lib:m (arg1 != 5) "%ld", arg1', layouts);
  const world = {
    context: contextOf({ bx: 0x1_ffff_fffen, sp: 0x1000n, ax: 2n, r12: 0x1fen }),
    memory: [{ address: 0x1000n, bytes: Uint8Array.from([0xfd, 0xff, 1, 2]) }],
  };

  it("has one program for each layout, and one event for all", () => {
    expect(probe.programs.length).toBe(layouts.length);
    const lines = probe.programs.map((program) => lineOf({ ...probe, programs: [program] }, world));
    expect(lines).toEqual(["-2", "65533", "-3", "254"]);
  });

  it("reads memory only where a layout needs it", () => {
    const sleepable = compileProbe(
      parse('u:lib:m "%ld", arg1'),
      { resolve: () => ({ architecture: "x86-64", layouts }) },
      { ...usualOptions, sleepable: true },
    );
    expect(sleepable.programs.map((program) => program.sleepable)).toEqual([false, true, false, false]);
  });

  it("is refused where a wanted value cannot be read, and only then", () => {
    const unreadable = layoutOf(
      { kind: "register", register: "di", type: u64 },
      { kind: "unreadable", reason: "it lies in xmm0" },
    );
    expect(() => compileAt('u:lib:m "%d", arg1', [unreadable])).not.toThrow();
    expect(() => compileAt('u:lib:m "%d", arg2', [unreadable])).toThrow(
      /arg2 cannot be read here: it lies in xmm0/,
    );
  });

  it("reports a problem that all layouts share once", () => {
    try {
      compileAt('u:lib:m "%d", nothing', layouts);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SourceError);
      expect((error as SourceError).problems.length).toBe(1);
    }
  });

  it("says how many arguments a marker has", () => {
    expect(() => compileAt('u:lib:m "%d", arg2', [layoutOf(elsewhere)])).toThrow(
      /arg2 is not known here: there is 1 argument/,
    );
    expect(() => compileAt('u:lib:m "%d", arg1', [layoutOf()])).toThrow(
      /arg1 is not known here: there are no arguments/,
    );
  });
});

/** Memory at 0x1000. */
const bytes = (...values: number[]) => ({ address: 0x1000n, bytes: Uint8Array.from(values) });

describe("places of markers", () => {
  it.each<[string, ValuePlace, string]>([
    ["%ah", { kind: "register", register: "ax", shift: 8, type: u8 }, "129"],
    ["%ah with its sign", { kind: "register", register: "ax", shift: 8, type: i8 }, "-127"],
    [
      "(,%rcx,4)",
      { kind: "memory", base: undefined, index: "cx", scale: 4, displacement: 2n, type: u8 },
      "3",
    ],
    [
      "an address that does not move",
      { kind: "memory", base: undefined, index: undefined, scale: 1, displacement: 0x1001n, type: u8 },
      "2",
    ],
    [
      "what lies at a distance from the place",
      { kind: "memory", base: "ip", index: undefined, scale: 1, displacement: -0x100n, type: u16 },
      "513",
    ],
  ])("are read: %s", (_, place, expected) => {
    const probe = compileAt('u:lib:m "%ld", arg1', [layoutOf(place)]);
    const context = contextOf({ ax: 0xff80_8182n, cx: 0x400n, ip: 0x1100n });
    expect(lineOf(probe, { context, memory: [bytes(1, 2, 3, 4)] })).toBe(expected);
  });

  it.each([
    ["signed", 0xffff_ffff_ffff_fffen, "2"],
    ["unsigned", 0x1234_5678_0000_0001n, "3"],
  ] as const)("are read on arm64 with an index of 32 bits, %s", (extend, w1, expected) => {
    const place: ValuePlace = {
      kind: "memory",
      base: "x0",
      index: "x1",
      extend,
      scale: extend === "signed" ? 1 : 2,
      displacement: 0n,
      type: u8,
    };
    const probe = compileAt('u:lib:m "%ld", arg1', [layoutOf(place)], "arm64");
    const context = new Uint8Array(272);
    const view = new DataView(context.buffer);
    view.setBigUint64(0, extend === "signed" ? 0x1003n : 0x1000n, true);
    view.setBigUint64(8, w1, true);
    expect(lineOf(probe, { context, memory: [bytes(1, 2, 3, 4)] })).toBe(expected);
  });

  it("that lack a value which others have fault at each hit, there alone", () => {
    const register: ValuePlace = { kind: "register", register: "di", type: i32 };
    const layouts = [
      layoutOf(register, { kind: "register", register: "si", type: i32 }),
      layoutOf(register, { kind: "lacking", reason: "this place has 1 argument", type: i32 }),
    ];
    const probe = compileAt('u:lib:m "%d %d", arg1, arg2', layouts);
    const world = { context: contextOf({ di: 7n, si: 9n }) };
    const lines = probe.programs.map((program) => lineOf({ ...probe, programs: [program] }, world));
    expect(lines).toEqual(["7 9", "7 <fault>"]);
    const held = compileAt('u:lib:m (arg2 != 1) "%d", arg1', layouts);
    expect(run({ ...held, programs: [held.programs[1]!] }, world).counts).toEqual({
      hits: 1n,
      lost: 0n,
      faults: 1n,
      filtered: 1n,
    });
  });

  it("give their values one type, in expressions too", () => {
    const layouts = [
      { ...layoutOf({ kind: "constant", value: -1n, type: i8 }), argumentTypes: [i64] },
      { ...layoutOf({ kind: "register", register: "di", type: u32 }), argumentTypes: [i64] },
    ] as const;
    const probe = compileAt('u:lib:m (arg1 < 0 || arg1 > 2) "%ld %ld", arg1, arg1 >> 40', layouts);
    const world = { context: contextOf({ di: 0xffff_ffff_ffff_fff0n }) };
    const lines = probe.programs.map((program) => lineOf({ ...probe, programs: [program] }, world));
    expect(lines).toEqual(["-1 -1", "4294967280 0"]);
  });

  it("share a program where they agree on all that the probe reads", () => {
    const places = ["di", "si", "dx", "cx"].map((register) =>
      layoutOf({ kind: "register", register: "ax", type: u64 }, { kind: "register", register, type: u64 }),
    );
    const distinct = (source: string): number => new Set(compileAt(source, places).programs).size;
    expect(distinct('u:lib:m "%d", arg1')).toBe(1);
    expect(distinct('u:lib:m "%d", arg2')).toBe(4);
    expect(distinct('u:lib:m (pid == 1) "x"')).toBe(1);
  });

  it("that are constants do not decide whether the probe is right", () => {
    const zero = layoutOf({ kind: "constant", value: 0n, type: i32 });
    const probe = compileAt('u:lib:m "%d", 8 / arg1', [zero]);
    expect(lineOf(probe, { context: contextOf({}) })).toBe("<fault>");
  });
});

describe("registers of arm64", () => {
  it("lie where its kernel keeps them", () => {
    const probe = compileAt(
      'lib:f "%ld %ld %ld %ld", ctx->x3, ctx->sp, reg("pc"), reg("lr")',
      [layoutOf()],
      "arm64",
    );
    const { assembly } = probe.print();
    for (const offset of [24, 248, 256, 240]) expect(assembly).toContain(`*(u64 *)(r6 +${offset})`);
    expect(() => compileAt('lib:f "%ld", ctx->di', [layoutOf()], "arm64")).toThrow(
      /arm64 has no register "di"/,
    );
  });
});
