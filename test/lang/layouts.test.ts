import { describe, expect, it } from "vitest";
import { SourceError } from "../../src/base/errors.js";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { CompiledProbe } from "../../src/lang/compile.js";
import type { Architecture, Layout, ValuePlace } from "../../src/lang/target.js";
import { i32, u16, u64, u8 } from "../../src/lang/types.js";
import { contextOf, lineOf, usualOptions } from "./support.js";

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
