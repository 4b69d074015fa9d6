/** Asks the preflight about real programs: C passes; Go, C++ with exceptions and stack switchers do not. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
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

/** The hazards of each function of a file that has any, by each of its names. */
function refusedOf(path: string): Map<string, string[]> {
  using binary = openBinary(realpathSync(path));
  const ask = returnHazards(binary, [], kernel);
  const matches = matchFunctions(binary.functions, "*", { target: path, path, isStripped: false });
  return new Map(
    matches.flatMap((match) => {
      const names = ask(match).map(({ name }) => name);
      return names.length === 0 ? [] : match.names.map((name): [string, string[]] => [name, names]);
    }),
  );
}

describe("the preflight for return probes", () => {
  it.each([
    ["redis-server's functions", "/usr/bin/redis-server", "[a-z]*"],
    ["libc's functions that never return", libraryPath("libc.so.6"), "*longjmp*"],
    ["libc's functions that make processes", libraryPath("libc.so.6"), "*fork*"],
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
    ["V8's own code", process.execPath, "Builtins_Array*", ["walked-stack"]],
    ["libstdc++", libraryPath("libstdc++.so.6"), "_ZNSo5flushEv", ["exceptions"]],
  ])("about %s says so", (_what, path, pattern, expected) => {
    expect(hazardsOf(path, pattern)).toEqual(expected);
  });

  it("lets all of libc pass but what needs its return address", () => {
    const expected = {
      "saved-return": ["__sigsetjmp", "_setjmp", "getcontext", "setjmp", "swapcontext"],
      "asks-for-caller": ["dlmopen", "dlopen", "dlsym", "dlvsym"],
      exceptions: ["__pthread_unwind_next", "backtrace", "pthread_exit", "pthread_testcancel"],
    };
    const refused = refusedOf(libraryPath("libc.so.6"));
    for (const [hazard, names] of Object.entries(expected))
      expect(names.map((name) => [name, refused.get(name)?.join()])).toEqual(
        names.map((name) => [name, hazard]),
      );
    // Where libc's debug symbols are installed there are pieces, and a few local names.
    const others = [...refused.keys()].filter((name) => !/\.cold$|^__GI_|^___/.test(name));
    expect(others.length, others.join(" ")).toBeLessThan(32);
    expect(refused.get("longjmp") ?? refused.get("setcontext") ?? refused.get("malloc")).toBeUndefined();
  });

  it("knows lazy binding, the start and a signal's way back, by the unwind table where they have no name", () => {
    const copy = join(mkdtempSync(join(tmpdir(), "uscope-hazards-")), "static");
    const linked = compile("returns.c", ["-O2", "-pthread", "-static", "-DSTATIC", "-Wl,--eh-frame-hdr"]);
    const names = ["_start", "__restore_rt", "_dl_runtime_resolve_xsavec", "_dl_runtime_profile_sse"];
    const refused = refusedOf(linked);
    expect(names.map((name) => refused.get(name)?.join())).toEqual(names.map(() => "no-return-address"));
    // Under other names, which say nothing. Spec: unwinders look up a return address less one, so __restore_rt's begins there.
    const others = names.map((name) => ["--redefine-sym", `${name}=other${name}`]);
    execFileSync("objcopy", [...others.flat(), linked, copy]);
    const renamed = refusedOf(copy);
    rmSync(dirname(copy), { recursive: true });
    expect(names.filter((name) => renamed.has(`other${name}`))).toEqual(
      names.filter((name) => name !== "__restore_rt"),
    );
  });

  it("says so of swapcontext where a static program has it", () => {
    const linked = compile("switching.c", ["-O2", "-static"]);
    expect(hazardsOf(linked, "step")).toEqual(["stack-switching"]);
  });

  it("says what the C++ runtime throws with", () => {
    const refused = refusedOf(libraryPath("libstdc++.so.6"));
    for (const name of ["__cxa_throw", "__cxa_rethrow", "__cxa_bad_cast"])
      expect(refused.get(name), name).toEqual(["exceptions"]);
    expect(refused.get("__cxa_begin_catch")).toBeUndefined();
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
      const blocks = text.split(/\n(?=[0-9a-f]{8})/);
      const cies = new Map(blocks.map((block) => [block.slice(0, 8), block]));
      const entries = blocks.flatMap((block) => {
        const found =
          /^[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ FDE cie=(\S+) pc=([0-9a-f]+)\.\.([0-9a-f]+)\n(?: {2}Augmentation data: *(.*)\n)?/.exec(
            block,
          );
        if (found === null) return [];
        const [, cie, start, end, augmentation] = found;
        const ownRules = block.split("DW_CFA_advance")[0]!;
        const allRules = `${cies.get(cie!)!}\n${ownRules}`.replaceAll("DW_CFA_nop", "");
        return [
          {
            start: Number.parseInt(start!, 16),
            bytes: Number.parseInt(end!, 16) - Number.parseInt(start!, 16),
            hasHandlers: augmentation !== undefined && /[1-9a-f]/.test(augmentation),
            startsInFrame: allRules.match(/DW_CFA_\w+/g)!.join() !== "DW_CFA_def_cfa,DW_CFA_offset",
          },
        ];
      });
      expect(entries.length).toBeGreaterThan(10);
      for (const entry of entries) {
        for (const inside of [0, entry.bytes - 1]) {
          expect(
            findUnwindEntry(binary.elf, (entry.start + inside) as never),
            entry.start.toString(16),
          ).toMatchObject(entry);
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
