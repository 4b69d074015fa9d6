/**
 * What a trace must not do to the traced program: each program prints the same lines whatever is armed in it, in its libc
 * or in its unwinder, as long as the preflight lets it pass. The libraries are private copies.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { libraryPath } from "../support/elf.js";
import { fits, needs, onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-returns-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
for (const library of ["libc.so.6", "libgcc_s.so.1", "libstdc++.so.6"])
  copyFileSync(realpathSync(libraryPath(library)), join(folder, library));
const env = { LD_LIBRARY_PATH: folder };

const programs = {
  returns: compile("returns.c", ["-O2", "-pthread"]),
  static: compile("returns.c", ["-O2", "-pthread", "-static", "-DSTATIC"]),
  throws: compile("throws.cc", ["-O2", "-pthread"]),
  switching: compile("switching.c", ["-O2"]),
  redzone: process.arch === "x64" ? compile("redzone.c", ["-O2"]) : "",
};
type Program = keyof typeof programs;

interface Traced {
  /** What the program itself printed. */
  readonly lines: string;
  readonly events: readonly string[];
  readonly stderr: string;
}

/** Runs a program with two arguments, for its own lines and the trace's. */
async function run(program: Program, probe: string, ...options: readonly string[]): Promise<Traced> {
  const path = programs[program];
  const words = ["trace", ...options, probe, "--", path, "a", "b"];
  const { stdout, stderr } = await runCli(words, { env, timeout: 60_000 });
  // Why by its name: the columns and the program's lines come in one stream.
  const comm = basename(path).slice(0, 15);
  const all = stdout.trimEnd().split("\n");
  const isEvent = (line: string): boolean => line.startsWith("PID ") || line.includes(` ${comm} `);
  return {
    lines: all.filter((line) => !isEvent(line)).join("\n"),
    events: all.filter((line) => isEvent(line) && !line.startsWith("PID ")),
    stderr,
  };
}

function untraced(program: Program): string {
  return execFileSync(programs[program], ["a", "b"], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  }).trimEnd();
}

const inLibrary = (library: string, pattern: string): string => `r:${join(folder, library)}:${pattern}`;

describe.runIf(onX86() && needs("uprobe_multi"))("a program goes on as it would", () => {
  test.each<[what: string, program: Program, probe: string]>([
    ["all returns of a C program", "returns", `r:${programs.returns}:*`],
    ["all returns of a static program, its libc's too", "static", `r:${programs.static}:*`],
    ["all returns of libc", "returns", inLibrary("libc.so.6", "*")],
    ["all returns of libc, under C++", "throws", inLibrary("libc.so.6", "*")],
    ["all returns of libc, under code that switches stacks", "switching", inLibrary("libc.so.6", "*")],
    ["all returns of the unwinder", "throws", inLibrary("libgcc_s.so.1", "*")],
    ["all returns of the C++ runtime", "throws", inLibrary("libstdc++.so.6", "*")],
    ["all returns of a C++ program", "throws", `r:${programs.throws}:*`],
    ["all functions with pieces", "returns", `${programs.returns}:*`],
    ["functions left by longjmp", "returns", inLibrary("libc.so.6", "*longjmp*")],
    ["fork and vfork", "returns", inLibrary("libc.so.6", "*fork*")],
  ])("with %s armed", async (_what, program, probe) => {
    const { lines, stderr } = await run(program, probe);
    expect(lines, stderr).toBe(untraced(program));
    expect(stderr).toMatch(/armed \d+ places? in 1 file/);
    expect(stderr).toContain("the command has ended (exit code 0)");
  });

  /** Each is what the test above would print without the preflight. */
  test.each<[program: Program, probe: string, hazard: string]>([
    ["returns", inLibrary("libc.so.6", "_setjmp"), "saved-return"],
    ["returns", inLibrary("libc.so.6", "__sigsetjmp"), "saved-return"],
    ["returns", inLibrary("libc.so.6", "getcontext"), "saved-return"],
    ["switching", inLibrary("libc.so.6", "swapcontext"), "saved-return"],
    ["returns", inLibrary("libc.so.6", "dlsym"), "asks-for-caller"],
    ["throws", inLibrary("libc.so.6", "pthread_exit"), "exceptions"],
    ["throws", inLibrary("libc.so.6", "backtrace"), "exceptions"],
    ["throws", inLibrary("libgcc_s.so.1", "_Unwind_RaiseException"), "exceptions"],
    ["throws", inLibrary("libgcc_s.so.1", "_Unwind_Resume"), "exceptions"],
    ["throws", inLibrary("libgcc_s.so.1", "_Unwind_ForcedUnwind"), "exceptions"],
    ["throws", inLibrary("libgcc_s.so.1", "_Unwind_Backtrace"), "exceptions"],
    ["throws", inLibrary("libstdc++.so.6", "__cxa_throw"), "exceptions"],
    ["throws", inLibrary("libstdc++.so.6", "__cxa_rethrow"), "exceptions"],
    ["returns", `r:${programs.returns}:_start`, "no-return-address"],
  ])("%s would not with %s armed, which is refused", async (program, probe, hazard) => {
    const { stderr } = await run(program, probe);
    expect(stderr).toMatch(
      /^uscope: the return of \w+ cannot be probed safely: .*\n {2}at: .*\n {2}fix: .*\n$/,
    );
    expect(stderr).toContain(`(hazard: ${hazard})`);
    const insisted = await run(program, probe, "--force", "uretprobe");
    expect(insisted.stderr).toContain("armed 1 place");
    expect(insisted.lines).not.toBe(untraced(program));
  });
});

describe.runIf(onX86() && needs("uprobe_multi"))("Node.js", () => {
  const node = join(folder, "node");
  beforeAll(() => copyFileSync(process.execPath, node));
  const code = `let n = 0; [1, 2].forEach(() => { gc(); n += new Error().stack.length > 9; }); console.log("fine", n)`;
  const trace = async (probe: string, ...options: readonly string[]): Promise<string> => {
    const words = [
      "trace",
      "--json",
      ...options,
      `r:${node}:${probe}`,
      "--",
      node,
      "--expose-gc",
      "-e",
      code,
    ];
    const { stdout, stderr } = await runCli(words, { timeout: 60_000 });
    return (/^fine.*$/m.exec(stdout)?.[0] ?? "") + stderr;
  };

  test("goes on with the returns of libuv armed", async () => {
    expect(await trace("uv_*")).toMatch(/^fine 2uscope: armed \d+ places/);
  });

  test("would not with those of V8's own code, which are refused", async () => {
    expect(await trace("Builtins_ArrayForEach")).toMatch(
      /^uscope: the return of .* cannot be .*\n.*walked-stack/,
    );
    expect(await trace("Builtins_ArrayForEach", "--force", "uretprobe")).toMatch(
      /^uscope: armed 1 place[^]*SIGSEGV/,
    );
  });
});

describe.runIf(onX86() && needs("uprobe_multi"))("a piece that is reached by a jump", () => {
  const { returns } = programs;

  test("is no call of its function", async () => {
    for (const at of ["", "r:"]) {
      const { events, stderr } = await run("returns", `${at}${returns}:work*`);
      expect(events.map((line) => line.split(/\s+/).at(-1))).toEqual(Array.from({ length: 6 }, () => "work"));
      expect(stderr).toContain("; 1 place skipped\n");
      expect(stderr).toContain(
        "skipped work.cold: it is a piece of work that is reached by a jump, not called",
      );
    }
  });

  test("has no return, and is a place inside when it is named", async () => {
    expect((await run("returns", `r:${returns}:work.cold`)).stderr).toMatch(
      /^uscope: work\.cold cannot be probed: it is a piece of work .*\n {2}at: .*\n {2}fix: probe the function itself/,
    );
    const { events } = await run("returns", `${returns}:work.cold`);
    expect(events).toHaveLength(3);
    const { stderr } = await run("returns", `${returns}:work.cold "%d", arg7`);
    expect(stderr).toContain("arg7 cannot be read here: inside a function the stack has moved");
  });
});

describe.runIf(onX86() && needs("uprobe_multi"))("a nop of five bytes", () => {
  const { redzone } = programs;

  const [major = 0, minor = 0] = release().split(".").map(Number);
  const isNew = major > 6 || (major === 6 && minor >= 18);
  test.runIf(fits(isNew ? undefined : `Linux 6.18 makes nops calls, this is ${release()}`))(
    "inside a leaf function is refused, and its neighbours are not",
    async () => {
      const { stderr } = await run("redzone", `${redzone}:leaf+0x29`);
      expect(stderr).toMatch(
        /^uscope: leaf\+0x29 cannot be probed: this kernel makes the 5-byte nop there a call, .*\n {2}at: .*\n {2}fix: probe the instruction before or behind it/,
      );
      for (const offset of ["0x20", "0x2e"]) {
        const { lines, events } = await run("redzone", `${redzone}:leaf+${offset}`);
        expect(lines).toBe("2800");
        expect(events).toHaveLength(100);
      }
    },
  );

  test("at an entry does no harm", async () => {
    const { lines, events } = await run("redzone", `${redzone}:leaf`);
    expect(lines).toBe("2800");
    expect(events).toHaveLength(100);
  });
});
