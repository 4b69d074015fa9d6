/** Compiles one-liners for markers whose places and declarations are given here, and runs them. */
import { describe, expect, it } from "vitest";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { CompiledProbe, CompileOptions } from "../../src/lang/compile.js";
import type { DeclaredArgument, Layout, ValuePlace } from "../../src/lang/target.js";
import { i16, i32, i64, i8, u16, u32, u64, u8 } from "../../src/lang/types.js";
import type { IntegerType } from "../../src/lang/types.js";
import type { World } from "../support/interpreter.js";
import { argumentsOf, contextOf, lineOf, run, textAt, usualOptions } from "./support.js";

const registers = ["di", "si", "dx", "cx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

type Declared = readonly DeclaredArgument[];
type Unreadable = Extract<ValuePlace, { kind: "unreadable" }>;

/** A layout of a marker whose arguments lie in registers, or where it is said. */
function layoutOf(places: readonly (IntegerType | ValuePlace)[], declared?: Declared): Layout {
  return {
    arguments: places.map((place, index): ValuePlace =>
      place.kind === "integer" ? { kind: "register", register: registers[index]!, type: place } : place,
    ),
    marker: { declared, types: places.map(typeOf) },
    returned: undefined,
    returnAddress: undefined,
    missing: undefined,
  };
}

function typeOf(place: IntegerType | ValuePlace): IntegerType | Unreadable {
  return place.kind === "integer" || place.kind === "unreadable" ? place : place.type;
}

function compileFor(
  source: string,
  layouts: readonly Layout[],
  options: Partial<CompileOptions> = {},
): CompiledProbe {
  const target = { resolve: () => ({ architecture: "x86-64", layouts }) as const };
  return compileProbe(parse(source), target, { ...usualOptions, ...options });
}

const declaredClass: Declared = [
  { name: "name", form: { kind: "text", offset: 0, length: 1 } },
  { name: "name_length", form: { kind: "length" } },
  { name: "loader", form: { kind: "integer", display: "hex" } },
  { name: "shared", form: { kind: "boolean" } },
];
const classLoaded = [layoutOf([u64, i32, u64, u8], declaredClass)];

/** Nothing lies behind the text: to read one byte more would fail. */
const object = {
  context: argumentsOf(0x1000n, 16n, 0x7f12_3456n, 1n),
  memory: [textAt(0x1000n, "java/lang/Object", "")],
};

describe("a marker without a format", () => {
  it("shows its arguments by name, as its provider declares them", () => {
    expect(lineOf(compileFor("u:jvm:class__loaded", classLoaded), object)).toBe(
      "name=java/lang/Object loader=0x7f123456 shared=1",
    );
    const columns = { cpu: true, comm: true, uid: true };
    expect(lineOf(compileFor("u:jvm:class__loaded", classLoaded, { columns }), object)).toBe(
      "name=java/lang/Object loader=0x7f123456 shared=1",
    );
  });

  it("reads texts without a length up to their zero", () => {
    const declared: Declared = [
      { name: "query", form: { kind: "text", offset: 0, length: undefined } },
      { name: "rows", form: { kind: "integer", display: "decimal" } },
    ];
    const probe = compileFor("u:db:query__start", [layoutOf([u64, u64], declared)]);
    const memory = [textAt(0x1000n, "select 1", "\0garbage")];
    expect(lineOf(probe, { context: argumentsOf(0x1000n, 2n ** 63n), memory })).toBe(
      `query=select 1 rows=${2n ** 63n}`,
    );
    expect(lineOf(probe, { context: argumentsOf(0n, 3n), memory })).toBe("query=(null) rows=3");
    expect(lineOf(probe, { context: argumentsOf(0x5000n, 3n), memory })).toBe("query=<fault> rows=3");
  });

  it("cuts texts where all others are cut", () => {
    const probe = compileFor("u:jvm:class__loaded", classLoaded, { textLimit: 4 });
    expect(lineOf(probe, object)).toBe("name=java... loader=0x7f123456 shared=1");
  });

  it("shows what nobody declares as numbers of the note's own types, addresses as such", () => {
    const probe = compileFor("u:lib:m", [layoutOf([u64, i64, u32, i32, u16, i16])]);
    expect(lineOf(probe, { context: argumentsOf(-1n, -1n, -1n, -1n, -1n, -1n) })).toBe(
      "arg1=0xffffffffffffffff arg2=-1 arg3=4294967295 arg4=-1 arg5=65535 arg6=-1",
    );
  });

  it("shows twelve arguments and none", () => {
    const types = registers.map((_, index) => [u8, i8, i32][index % 3]!);
    const twelve = compileFor("u:lib:m", [layoutOf(types)]);
    const values = Object.fromEntries(registers.map((register, index) => [register, BigInt(index + 1)]));
    expect(lineOf(twelve, { context: contextOf(values) })).toBe(
      registers.map((_, index) => `arg${index + 1}=${index + 1}`).join(" "),
    );
    expect(lineOf(compileFor("u:lib:m", [layoutOf([])]))).toBe("");
  });

  it("names what cannot be read, and the others keep their numbers", () => {
    const lost = { kind: "unreadable", reason: "it lies in xmm0" } as const;
    const probe = compileFor("u:lib:m", [layoutOf([i32, lost, i32])]);
    expect(lineOf(probe, { context: argumentsOf(1n, 2n, 3n) })).toBe(
      "arg1=1 arg2=<unreadable: it lies in xmm0> arg3=3",
    );
  });

  it("marks what one place lacks and others have", () => {
    const lacking = { kind: "lacking", reason: "it lies in xmm0", type: i64 } as const;
    const layouts = [layoutOf([i32, lacking]), layoutOf([i32, i64])];
    const lines = linesOf(compileFor("u:lib:m", layouts), { context: argumentsOf(1n, 2n) });
    expect(lines).toEqual(["arg1=1 arg2=<fault>", "arg1=1 arg2=2"]);
  });

  it("has one type for places that differ in width", () => {
    const marker = { declared: undefined, types: [i64] };
    const layouts = [u32, i8].map((type) => ({ ...layoutOf([type]), argumentTypes: [i64], marker }));
    const probe = compileFor("u:lib:m", layouts);
    expect(linesOf(probe, { context: argumentsOf(-1n) })).toEqual(["arg1=4294967295", "arg1=-1"]);
    expect(probe.events[0]).toBe(probe.events[1]);
  });

  it("shows each marker of a pattern as it is", () => {
    const argumentTypes = [i64, i32, u64, u8];
    const end: Declared = [{ name: "full", form: { kind: "boolean" } }];
    const layouts = [classLoaded[0]!, layoutOf([u8], end), layoutOf([]), layoutOf([i32, u64])].map(
      (layout) => ({ ...layout, argumentTypes }),
    );
    expect(linesOf(compileFor("u:jvm:*", layouts), object)).toEqual([
      "name=java/lang/Object loader=0x7f123456 shared=1",
      "full=0",
      "",
      "arg1=4096 arg2=0x10",
    ]);
    expect(linesOf(compileFor('u:jvm:* "%s", arg1', layouts.slice(0, 1)), object)).toEqual([
      "java/lang/Object",
    ]);
  });

  it("shows a number where a text is declared and the note has no address", () => {
    const declared: Declared = [{ name: "tranche", form: { kind: "text", offset: 0, length: undefined } }];
    const probe = compileFor("u:db:lwlock__release", [layoutOf([i32], declared)]);
    expect(lineOf(probe, { context: argumentsOf(-7n) })).toBe("tranche=-7");
  });

  it("shows flags and addresses without a sign, whatever the note says", () => {
    const declared: Declared = [{ name: "flags", form: { kind: "integer", display: "hex" } }];
    const probe = compileFor("u:jvm:m", [layoutOf([i32], declared)]);
    expect(lineOf(probe, { context: argumentsOf(-1n) })).toBe("flags=0xffffffff");
  });

  it("may have a condition, with the declared names", () => {
    const probe = compileFor("u:jvm:class__loaded (shared && loader > 1)", classLoaded);
    expect(lineOf(probe, object)).toBe("name=java/lang/Object loader=0x7f123456 shared=1");
    expect(run(probe, { ...object, context: argumentsOf(0x1000n, 16n, 2n, 0n) }).records).toEqual([]);
  });
});

/** What the format behind a JVM's class__loaded shows. */
function printed(action: string, world: Partial<World> = object): string {
  return lineOf(compileFor(`u:jvm:class__loaded ${action}`, classLoaded), world);
}

/** Says whether the name of a class is a literal; only its bytes are there. */
function matches(literal: string, length = 16n): boolean {
  const probe = compileFor(`u:jvm:class__loaded (STRCMP(${literal}, arg1))`, classLoaded);
  const { memory } = object;
  return run(probe, { context: argumentsOf(0x1000n, length), memory }).records.length === 1;
}

describe("a text with a length among the arguments", () => {
  it("is read to its length exactly", () => {
    expect(printed('"%s", arg1')).toBe("java/lang/Object");
    expect(printed('"%s", (char *)arg1')).toBe("java/lang/Object");
    expect(printed('"%s %d", name, name_length')).toBe("java/lang/Object 16");
    const none = { context: argumentsOf(0x1000n, 0n), memory: [] };
    expect(printed('"<%s>", arg1', none)).toBe("<>");
    const negative = { context: argumentsOf(0x1000n, -1n), memory: [] };
    expect(printed('"<%s>", arg1', negative)).toBe("<>");
  });

  it("has zeros inside, where its length says so", () => {
    const memory = [textAt(0x1000n, "a\0b", "")];
    expect(printed('"%s", arg1', { context: argumentsOf(0x1000n, 3n), memory })).toBe("a\\x00b");
  });

  it("is read as its author says where a length is given, and beyond its start to a zero", () => {
    expect(printed('"%.*s", 4, arg1')).toBe("java");
    expect(printed('"%c", name[0]')).toBe("j");
    const memory = [textAt(0x1000n, "java/lang/Object", "\0")];
    expect(printed('"%s", arg1 + 5', { ...object, memory })).toBe("lang/Object");
  });

  it("is compared by its length", () => {
    expect(matches('"java/lang/Object"')).toBe(true);
    expect(matches('"java/lang/Object"', 15n)).toBe(false);
    expect(matches('"java/lang/Obj"')).toBe(false);
    expect(matches('"java/lang/Obj"', 13n)).toBe(true);
    expect(matches('"java/lang/String"')).toBe(false);
    expect(matches('""')).toBe(false);
    expect(matches('""', 0n)).toBe(true);
  });

  it("makes places differ that differ in its length alone", () => {
    const length = { kind: "register", register: "r8", type: i32 } as const;
    const layouts = [classLoaded[0]!, layoutOf([u64, length, u64, u8], declaredClass)];
    const probe = compileFor('u:jvm:class__loaded "%s", arg1', layouts);
    const context = argumentsOf(0x1000n, 4n, 0n, 0n, 9n);
    expect(linesOf(probe, { ...object, context })).toEqual(["java", "java/lang"]);
    const count = compileFor('u:jvm:class__loaded "%d", shared', layouts);
    expect(new Set(count.programs).size).toBe(1);
  });

  it("does nothing to markers that nobody declares", () => {
    const probe = compileFor('u:jvm:class__loaded "%s", arg1', [layoutOf([u64, i32, u64, u8])]);
    const memory = [textAt(0x1000n, "java/lang/Object", "garbage\0")];
    expect(lineOf(probe, { ...object, memory })).toBe("java/lang/Objectgarbage");
  });
});

it("a text may begin behind the address that is handed out", () => {
  const declared: Declared = [{ name: "class", form: { kind: "text", offset: 24, length: undefined } }];
  const layouts = [layoutOf([u64], declared)];
  const world = { context: argumentsOf(0x1000n), memory: [textAt(0x1018n, "LogicException")] };
  expect(lineOf(compileFor("u:php:exception__caught", layouts), world)).toBe("class=LogicException");
  for (const shown of ["arg1", "class", "(char *)arg1"])
    expect(lineOf(compileFor(`u:php:m "%s", ${shown}`, layouts), world)).toBe("LogicException");
  expect(lineOf(compileFor('u:php:m "%p", arg1', layouts), world)).toBe("0x1000");
  const compared = compileFor('u:php:m (STRCMP("LogicException", class)) "%d", 1', layouts);
  expect(lineOf(compared, world)).toBe("1");
});

it("the names that can be written are told", () => {
  expect(() => compileFor('u:jvm:class__loaded "%d", loadr', classLoaded)).toThrow(
    'fix: did you mean "loader"?',
  );
  expect(() => compileFor('u:jvm:class__loaded "%d", x', classLoaded)).toThrow(
    "known are name name_length loader shared arg1",
  );
});

/** What each layout's program prints. */
function linesOf(probe: CompiledProbe, world: Partial<World>): readonly string[] {
  return probe.programs.map((program, layout) =>
    lineOf({ ...probe, ...probe.events[layout]!, programs: [program] }, world),
  );
}
