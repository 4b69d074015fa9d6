/** Asks the preflight about real programs: C passes; Go, C++ with exceptions and stack switchers do not. */
import { execFileSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openBinary } from "../../src/target/binary.js";
import { matchFunctions } from "../../src/target/functions.js";
import { returnHazards } from "../../src/target/hazards.js";
import { readKernelVersion, type KernelVersion } from "../../src/target/kernel-version.js";
import { requireProcess, type ProcessInfo, type ProcessStatus } from "../../src/target/process.js";
import { findUnwindEntry } from "../../src/target/unwind-table.js";
import { executablePath, libraryPath } from "../support/elf.js";
import { requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const program = compile("functions.cc", ["-O2"]);
const kernel: KernelVersion = {
  text: "6.18.0",
  major: 6,
  minor: 18,
  patch: 0,
  machine: "x86-64",
  hasShadowStacks: true,
};

function hazardsOf(
  path: string,
  pattern: string,
  processes: readonly ProcessInfo[] = [],
  version = kernel,
): string[] {
  using binary = openBinary(realpathSync(path));
  const place = { target: path, path, isStripped: binary.isStripped };
  const ask = returnHazards(binary, processes, version);
  return [
    ...new Set(
      matchFunctions(binary.functions, pattern, place).flatMap((match) => ask(match).map(({ name }) => name)),
    ),
  ];
}

describe("the preflight for return probes", () => {
  it.each([
    ["all of redis-server", "/usr/bin/redis-server", "*"],
    ["all of libc", libraryPath("libc.so.6"), "*"],
    ["libssl's functions", libraryPath("libssl.so.3"), "SSL_*"],
    [
      "libcrypto's functions (it can switch stacks when asked to, and is not)",
      libraryPath("libcrypto.so.3"),
      "EVP_*",
    ],
    ["C functions of a C++ program", program, "eight"],
    ["C functions of node", process.execPath, "uv_run"],
  ])("lets %s pass", (_what, path, pattern) => {
    expect(hazardsOf(path, pattern)).toEqual([]);
  });

  it.each([
    ["C++ functions that throw", program, "shop::risky", ["exceptions"]],
    ["C++ functions that clean up", program, "shop::guarded", ["exceptions"]],
    ["C functions with landing pads in a C++ program", program, "main", ["exceptions"]],
    ["libstdc++", libraryPath("libstdc++.so.6"), "_ZNSo5flushEv", ["exceptions"]],
  ])("about %s says so", (_what, path, pattern, expected) => {
    expect(hazardsOf(path, pattern)).toEqual(expected);
  });

  it.runIf(requires("ruby"))("says so about Ruby's interpreter", () => {
    expect(hazardsOf(libraryPath(/^libruby[-\d.]*\.so\.[\d.]+$/), "rb_eval_string")).toEqual([
      "stack-switching",
    ]);
  });

  it.runIf(requires("php"))("says so about PHP", () => {
    expect(hazardsOf(executablePath("php"), "compile_file")).toEqual(["stack-switching"]);
  });

  it.runIf(requires("go"))("refuses Go programs", () => {
    expect(hazardsOf(executablePath("go"), "*")).toContain("go");
  });

  it("knows the kernels that kill sandboxed programs", () => {
    const plain = compile("waiting.c", ["-O2", "-pthread"]);
    const ask = (processes: ProcessInfo[], minor: number, patch: number): string[] =>
      hazardsOf(plain, "main", processes, { ...kernel, text: `6.${minor}.${patch}`, minor, patch });
    expect(ask([processWith({ seccomp: 2 })], 10, 0)).toEqual([]);
    expect(ask([processWith({ seccomp: 2 })], 11, 9)).toEqual(["seccomp"]);
    expect(ask([processWith({ seccomp: 0 })], 11, 9)).toEqual([]);
    expect(ask([], 12, 5)).toEqual(["seccomp"]);
    expect(ask([processWith({ seccomp: 2 })], 12, 40)).toEqual([]);
    expect(ask([processWith({ seccomp: 2 })], 14, 0)).toEqual([]);
  });

  it("knows that old kernels and shadow stacks do not go together", () => {
    const guarded = processWith({ threadFeatures: ["shstk"] });
    const plain = compile("waiting.c", ["-O2", "-pthread"]);
    expect(hazardsOf(plain, "main", [guarded], { ...kernel, minor: 8 })).toEqual(["shadow-stack"]);
    expect(hazardsOf(plain, "main", [guarded])).toEqual([]);
    // Without processes, any may be hit.
    const ask = (minor: number, hasShadowStacks = true): string[] =>
      hazardsOf(plain, "main", [], { ...kernel, minor, hasShadowStacks });
    expect([5, 6, 10, 11].map((minor) => ask(minor).includes("shadow-stack"))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(ask(8, false)).toEqual([]);
    expect(hazardsOf(plain, "main", [processWith({ threadFeatures: [] })], { ...kernel, minor: 8 })).toEqual(
      [],
    );
  });

  it("reads the version of this kernel", () => {
    const { text, major, minor } = readKernelVersion();
    expect(text).toBe(execFileSync("uname", ["-r"], { encoding: "utf8" }).trim());
    expect(text.startsWith(`${major}.${minor}`)).toBe(true);
  });
});

describe("the unwind table", () => {
  it.each([program, "/usr/bin/redis-server", libraryPath("libstdc++.so.6")])(
    "of %s is read as readelf has it",
    (path) => {
      using binary = openBinary(realpathSync(path));
      const text = execFileSync("readelf", ["--debug-dump=frames", path], {
        encoding: "utf8",
        maxBuffer: 1 << 28,
        stdio: ["ignore", "pipe", "ignore"],
      });
      const entries = [
        ...text.matchAll(
          /^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ FDE cie=\S+ pc=([0-9a-f]+)\.\.([0-9a-f]+)\n(?: {2}Augmentation data: *(.*)\n)?/gm,
        ),
      ].map(([, start, end, augmentation]) => ({
        start: Number.parseInt(start!, 16),
        bytes: Number.parseInt(end!, 16) - Number.parseInt(start!, 16),
        hasHandlers: augmentation !== undefined && /[1-9a-f]/.test(augmentation),
      }));
      expect(entries.length).toBeGreaterThan(10);
      for (const entry of entries) {
        for (const inside of [0, entry.bytes - 1]) {
          expect(
            findUnwindEntry(binary.elf, (entry.start + inside) as never),
            entry.start.toString(16),
          ).toEqual(entry);
        }
      }
      if (path.includes("stdc++")) expect(entries.some(({ hasHandlers }) => hasHandlers)).toBe(true);
      expect(findUnwindEntry(binary.elf, 1 as never)).toBeUndefined();
    },
  );
});

/** This process, as if its status said something else. */
function processWith(changes: Partial<ProcessStatus>): ProcessInfo {
  const real = requireProcess(process.pid);
  return new Proxy(real, {
    get(target, name) {
      if (name === "status") return () => ({ ...target.status(), ...changes });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
