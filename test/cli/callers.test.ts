/** User stacks at a function's entry, where the caller stands in no frame yet: against what the program itself finds. */
import { describe, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { onX86 } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const isX86 = onX86();
const framed = ["-O1", "-fno-omit-frame-pointer"];
const entries = isX86 ? compile("entries.c", framed) : "";

interface Frame {
  readonly address: string;
  readonly symbol: string;
}

/** What the program says of its calls: "NAME DEPTH", and the addresses that they return to, innermost first. */
function toldBy(stderr: string): Map<string, readonly string[]> {
  const lines = stderr.split("\n").filter((line) => line.startsWith("begins_with_"));
  return new Map(
    lines.map((line) => {
      const [name, depth, ...addresses] = line.split(" ");
      return [`${name} ${depth}`, addresses];
    }),
  );
}

describe.runIf(isX86).each(["uprobe_multi", "pmu"])("stacks at entries, attached by %s", (way) => {
  test("hold every caller once, however the function begins and however often it calls itself", async () => {
    const { stdout, stderr } = await runCli([
      "trace",
      "--attach",
      way,
      "--json",
      "-U",
      `${entries}:begins_with_* (arg1 == 0) "%d", arg1`,
      "--",
      entries,
    ]);
    const told = toldBy(stderr);
    expect(told.size).toBe(20);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { function: string; user_stack: Frame[] });
    expect(events.map((event) => event.function)).toEqual([...told.keys()].map((key) => key.split(" ")[0]));
    const seen = events.map(({ function: name, user_stack: [own, ...callers] }, index) => {
      expect(own!.symbol).toMatch(new RegExp(`^${name}\\+0x0 `));
      return callers.slice(0, [...told.values()][index]!.length).map(({ address }) => address);
    });
    expect(seen).toEqual([...told.values()]);
  });
});

describe.runIf(isX86)("a stack inside a function", () => {
  test("has every caller once behind the prologue", async () => {
    const probe = `${entries}:begins_with_endbr64+8 (arg1 == 0)`;
    const { stdout, stderr } = await runCli(["trace", "--json", "-U", probe, "--", entries]);
    const seen = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { user_stack: Frame[] }).user_stack);
    expect(seen).toHaveLength(4);
    const told = toldBy(stderr);
    seen.forEach(([, ...callers], depth) => {
      const addresses = told.get(`begins_with_endbr64 ${depth}`)!;
      expect(callers.slice(0, addresses.length).map(({ address }) => address)).toEqual(addresses);
    });
  });
});

describe("stacks of compiled functions", () => {
  test.each([
    ["-fcf-protection=none"],
    ["-fcf-protection=full"],
    ["-fcf-protection=full", "-fpatchable-function-entry=5"],
  ])("that call themselves, built with %s", async (...flags) => {
    const victim = compile("victim.c", [...framed, ...(isX86 ? flags : [])]);
    const { stdout } = await runCli([
      "trace",
      "-U",
      `${victim}:recursive (arg1 == 1) "%d", arg1`,
      "--",
      victim,
      "1",
    ]);
    const names = [...stdout.matchAll(/^ {8}(\w+)\+0x/gm)].map(([, name]) => name);
    expect(names.slice(0, 4)).toEqual(["recursive", "recursive", "recursive", "main"]);
  });

  test("have no caller twice at a return", async () => {
    const victim = compile("victim.c", framed);
    const { stdout } = await runCli(["trace", "-U", `r:${victim}:recursive`, "--", victim, "1"]);
    // The innermost call returns first: to one of three that called themselves.
    const first = stdout.split("\n\n")[0]!;
    const names = [...first.matchAll(/^ {8}(\w+)\+0x/gm)].map(([, name]) => name);
    expect(names.slice(0, 4)).toEqual(["recursive", "recursive", "recursive", "main"]);
  });
});
