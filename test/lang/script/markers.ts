/**
 * Owns a marker for tests of probe functions: its places, its declaration, and compiling a function for it.
 * Does not own running what was compiled.
 */
import { compileProbe } from "../../../src/lang/compile.js";
import type { CompiledProbe } from "../../../src/lang/compile.js";
import type { DeclaredArguments } from "../../../src/lang/script/parameter.js";
import type { Layout, MarkerArguments } from "../../../src/lang/target.js";
import { i32, u64, u8 } from "../../../src/lang/types.js";
import { usualOptions } from "../support.js";
import { parseText } from "./support.js";

const unreadable = { kind: "unreadable", reason: "xmm0 is a floating-point register" } as const;

const provided: MarkerArguments["declared"] = [
  { name: "name", form: { kind: "text", offset: 0, length: 1 } },
  { name: "name_length", form: { kind: "length" } },
  { name: "loader", form: { kind: "integer", display: "hex" } },
  { name: "shared", form: { kind: "boolean" } },
  { name: "share", form: { kind: "integer", display: "decimal" } },
];

/** As a JVM's class__loaded is, with a floating-point number behind. */
export const classLoaded: Layout = {
  arguments: [
    { kind: "register", register: "di", type: u64 },
    { kind: "register", register: "si", type: i32 },
    { kind: "register", register: "dx", type: u64 },
    { kind: "register", register: "cx", type: u8 },
    unreadable,
  ],
  marker: { declared: provided, types: [u64, i32, u64, u8, unreadable] },
  returned: undefined,
  returnAddress: undefined,
  missing: undefined,
};

const usual = {
  name: { text: "length" },
  length: "i32",
  loader: "address",
  shared: "bool",
  share: "skip",
};

/** Compiles a function's text; in front of it a line may stand with another declaration as JSON, or none. */
export function compileMarker(input: string, layouts: readonly Layout[] = [classLoaded]): CompiledProbe {
  const [, declaration = JSON.stringify(usual), source = ""] = /^(?:(none|\{ ".*\})\n)?([^]*)$/.exec(input)!;
  const declared =
    declaration === "none"
      ? undefined
      : (new Map(Object.entries(JSON.parse(declaration) as object)) as DeclaredArguments);
  const at = /^(?:entry|return): /.test(source) ? {} : { at: "marker" as const };
  const span = { start: 0, end: 0 };
  const selector = { kind: "marker", library: "libjvm.so", provider: "hotspot", marker: "m", span } as const;
  const parsed = parseText(source, { ...at, selector, declared });
  const target = { resolve: () => ({ architecture: "x86-64", layouts }) as const };
  return compileProbe(parsed, target, usualOptions);
}
