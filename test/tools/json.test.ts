/** Prints events of markers as JSON; the events come from programs that the interpreter ran. */
import { expect, test } from "vitest";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { DeclaredArgument, MarkerArguments, ValuePlace } from "../../src/lang/target.js";
import { i32, i64, u32, u64, u8 } from "../../src/lang/types.js";
import { WallClock } from "../../src/tools/clock.js";
import { JsonPrinter } from "../../src/tools/json.js";
import { argumentsOf, run, textAt, usualOptions } from "../lang/support.js";
import type { World } from "../support/interpreter.js";

const declared: readonly DeclaredArgument[] = [
  { name: "name", form: { kind: "text", offset: 0, length: 1 } },
  { name: "name_length", form: { kind: "length" } },
  { name: "loader", form: { kind: "integer", display: "hex" } },
  { name: "flags", form: { kind: "integer", display: "hex" } },
  { name: "shared", form: { kind: "boolean" } },
  { name: "size", form: { kind: "integer", display: "decimal" } },
  { name: "ratio", form: { kind: "integer", display: "decimal" } },
];
const types: MarkerArguments["types"] = [
  u64,
  i32,
  u64,
  u32,
  u8,
  i64,
  { kind: "unreadable", reason: "it lies in xmm0" },
];
const registers = ["di", "si", "dx", "cx", "r8", "r9"];

function printed(source: string, world: Partial<World>): unknown {
  const places = types.map((type, index): ValuePlace =>
    type.kind === "unreadable" ? type : { kind: "register", register: registers[index]!, type },
  );
  const layout = { arguments: places, marker: { declared, types } };
  const resolution = {
    architecture: "x86-64",
    layouts: [{ ...layout, returned: undefined, returnAddress: undefined, missing: undefined }],
  } as const;
  const probe = compileProbe(
    parse(source),
    { resolve: () => resolution },
    { ...usualOptions, textLimit: 20 },
  );
  const { record } = run(probe, world);
  const { event, template, shown } = probe;
  const traced = { number: 0, text: source, event, template, ...(shown === undefined ? {} : { shown }) };
  const json = new JsonPrinter([{ probe: traced, label: "m" }], new WallClock(), () => "");
  const bytes = Buffer.from(record);
  const line = json.print({ bytes, view: new DataView(record.buffer, record.byteOffset), at: 0 });
  const { arguments: named, values, faults, cut, escaped } = JSON.parse(line) as Record<string, unknown>;
  return { named, values, faults, cut, escaped };
}

const context = argumentsOf(0x1000n, 4n, 0x7f00n, 0x6cn, 1n, -1n);
const rest = { loader: "0x7f00", flags: "0x6c", shared: true, size: "-1", ratio: null };

test("a marker without a format has its arguments by name, each as it is declared", () => {
  const memory = [textAt(0x1000n, "java", "")];
  expect(printed("u:jvm:m", { context, memory })).toEqual({ named: { name: "java", ...rest } });
});

test("what could not be read, or not as it is, is told by name", () => {
  expect(printed("u:jvm:m", { context })).toEqual({ named: { name: null, ...rest }, faults: ["name"] });
  const broken = { address: 0x1000n, bytes: Uint8Array.from([0x61, 0xff, 0x62, 0x63]) };
  expect(printed("u:jvm:m", { context, memory: [broken] })).toEqual({
    named: { name: "a\\xffbc", ...rest },
    escaped: ["name"],
  });
  const long = argumentsOf(0x1000n, 21n, 0x7f00n, 0x6cn, 1n, -1n);
  const memory = [textAt(0x1000n, "a".repeat(21), "")];
  expect(printed("u:jvm:m", { context: long, memory })).toEqual({
    named: { name: "a".repeat(20), ...rest },
    cut: ["name"],
  });
});

test("with a format it has values, as every probe", () => {
  const memory = [textAt(0x1000n, "java", "")];
  expect(printed('u:jvm:m "%s %d", arg1, shared', { context, memory })).toEqual({ values: ["java", 1] });
});
