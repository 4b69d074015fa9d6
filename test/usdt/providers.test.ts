/** Compares the providers' tables with the notes of real files; the oracle is readelf -n. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { findBuiltin } from "../../src/lang/builtins.js";
import { parseTable } from "../../src/usdt/providers/declaration.js";
import { findDeclaration, tables } from "../../src/usdt/providers/index.js";
import { jvmLibraries, libraryPath } from "../support/elf.js";
import { requires } from "../support/kernel.js";

const files = [
  ["hotspot", "/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so"],
  ["python", "/usr/bin/python3.11"],
  ["php", "/usr/bin/php8.2"],
  ["postgresql", "/usr/lib/postgresql/15/bin/postgres"],
] as const;

const ruby = /^libruby-[\d.]+\.so/;

describe("the tables have every marker", () => {
  for (const [provider, path] of files)
    test.runIf(requires(path))(`of ${provider}, with all arguments`, () => expectDeclared(notesOf(path)));
  test.runIf(requires("ruby"))("of ruby", () => expectDeclared(notesOf(libraryPath(ruby))));
  test("of libstdc++", () => expectDeclared(notesOf(libraryPath("libstdc++.so.6"))));
  test("of every other JVM", () => expectDeclared(jvmLibraries().flatMap(notesOf)));
});

/** What an argument's size and sign in the note can be, by its form. */
const fits = {
  text: (size: number) => size === 8,
  length: (size: number) => Math.abs(size) >= 4,
  boolean: () => true,
  decimal: () => true,
  hex: () => true,
} as const;

function expectDeclared(notes: readonly Note[]): void {
  expect(notes.length).toBeGreaterThan(0);
  const wrong = notes.flatMap(({ provider, marker, sizes }) => {
    const declared = findDeclaration(provider, marker, sizes.length);
    if (declared === undefined) return [`${provider}:${marker} with ${sizes.length} arguments is not known`];
    return declared.flatMap(({ name, form }, index) => {
      const kind = form.kind === "integer" ? form.display : form.kind;
      return fits[kind](sizes[index]!) ? [] : [`${provider}:${marker} ${name} (${kind}): ${sizes[index]}`];
    });
  });
  expect(wrong).toEqual([]);
}

interface Note {
  readonly provider: string;
  readonly marker: string;
  /** Negative where signed. */
  readonly sizes: readonly number[];
}

function notesOf(path: string): readonly Note[] {
  const text = execFileSync("readelf", ["-nW", path], { encoding: "utf8", maxBuffer: 1 << 28 });
  const pattern = /Provider: (.*)\n\s+Name: (.*)\n.*\n\s+Arguments: ?(.*)/g;
  return [...text.matchAll(pattern)].map(([, provider = "", marker = "", written = ""]) => ({
    provider,
    marker,
    sizes: [...written.matchAll(/(-?\d)@/g)].map(([, size]) => Number(size)),
  }));
}

const names = (...marker: Parameters<typeof findDeclaration>) =>
  findDeclaration(...marker)?.map(({ name }) => name);

describe("a declaration", () => {
  test("has names and forms, and texts say where their length is", () => {
    expect(findDeclaration("hotspot", "class__loaded", 4)).toEqual([
      { name: "name", form: { kind: "text", offset: 0, length: 1 } },
      { name: "name_length", form: { kind: "length" } },
      { name: "loader", form: { kind: "integer", display: "hex" } },
      { name: "shared", form: { kind: "boolean" } },
    ]);
    expect(findDeclaration("postgresql", "query__start", 1)).toEqual([
      { name: "query", form: { kind: "text", offset: 0, length: undefined } },
    ]);
    expect(findDeclaration("php", "exception__caught", 1)).toEqual([
      { name: "class", form: { kind: "text", offset: 24, length: undefined } },
    ]);
    expect(findDeclaration("hotspot", "vm__shutdown", 0)).toEqual([]);
  });

  test("depends on how many arguments there are", () => {
    expect(names("node", "gc__start", 3)).toEqual(["type", "flags", "isolate"]);
    expect(names("node", "gc__done", 2)).toEqual(["type", "flags"]);
    expect(names("postgresql", "lwlock__release", 1)).toEqual(["tranche"]);
    expect(names("postgresql", "lwlock__release", 2)).toEqual(["tranche", "lock"]);
    expect(names("postgresql", "lwlock__acquire", 2)).toEqual(["tranche", "mode"]);
    expect(names("libc", "lll_lock_wait", 1)).toEqual(["futex"]);
    expect(names("hotspot", "class__loaded", 3)).toBeUndefined();
  });

  test("is found by names in quotes, and with a hyphen", () => {
    const own = findDeclaration("python", "function__entry", 3);
    expect(own).toBeDefined();
    expect(findDeclaration('"python"', '"function__entry"', 3)).toBe(own);
    expect(findDeclaration("python", "function-entry", 3)).toBe(own);
  });

  test("is of whole names of known providers", () => {
    expect(findDeclaration("hotspot", "class__loaded__twice", 4)).toBeUndefined();
    expect(findDeclaration("hotspot", "a_class__loaded", 4)).toBeUndefined();
    expect(findDeclaration("hotspot2", "class__loaded", 4)).toBeUndefined();
    expect(findDeclaration("constructor", "name", 1)).toBeUndefined();
  });

  test("is the same object for markers that are alike", () => {
    expect(findDeclaration("hotspot", "class__loaded", 4)).toBe(
      findDeclaration("hotspot", "class__unloaded", 4),
    );
  });

  // The definitions of providers that no file of this machine has.
  const known: readonly (readonly [provider: string, marker: string, names: string])[] = [
    ["node", "http__server__request", "request connection address port method url fd"],
    ["mysql", "query__start", "query connection database user host"],
    ["mysql", "query__exec__done", "status"],
    ["mysql", "multi__update__done", "status matched changed"],
    ["tcl", "proc__info", "command type proc file line level method class"],
    ["tcl", "cmd__result", "name code result object"],
    ["perl", "sub__entry", "function file line package"],
    ["perl", "phase__change", "phase previous"],
    ["libc", "setjmp", "buffer value address"],
    ["libc", "memory_arena_reuse_wait", "mutex arena previous"],
    ["libpthread", "pthread_create", "thread attributes function argument"],
    ["libm", "slowpow_p10", "x y fast result"],
    ["libm", "slowatan2_inexact", "precision y x result"],
    ["rtld", "map_complete", "namespace debug map"],
    ["hotspot_jni", "GetStaticMethodID__entry", "env class name signature"],
    ["hs_private", "cms__remark__end", ""],
    ["libgcc", "unwind", "frame handler"],
  ];
  test.each(known)("%s:%s", (provider, marker, text) => {
    const wanted = text === "" ? [] : text.split(" ");
    expect(names(provider, marker, wanted.length)).toEqual(wanted);
  });
});

test("every name of a table can stand in an expression, and means nothing else in other probes", () => {
  const rows = [...tables.values()].flatMap(parseTable);
  const used = new Set(rows.flatMap(({ declared }) => declared.map(({ name }) => name)));
  expect(used.size).toBeGreaterThan(100);
  for (const name of used) {
    expect(findBuiltin(name), name).toBeUndefined();
    expect(name).toMatch(/^(?!arg\d+$|retval$)[a-z][a-z0-9_]*$/);
  }
  for (const { declared } of rows) {
    const own = declared.map(({ name }) => name);
    expect(new Set(own).size, own.join(" ")).toBe(own.length);
  }
});
