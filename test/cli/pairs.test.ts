/** `uscope latency` and `uscope slower` from marker to marker, on a program whose pairs are known, on interpreters, and beside bpftrace. */
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { converse, requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-pairs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paired = compile("paired.c", ["-O2", "-pthread"]);

interface Timed {
  readonly function: string;
  readonly count: number;
  readonly total_ns: number;
  readonly average_ns: number;
  readonly p50: number;
  readonly buckets: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

async function time(...words: readonly string[]) {
  const { stdout, stderr } = await runCli(["latency", "--json", ...words]);
  const rows = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Timed);
  return { rows, stderr };
}

/** Pairs by name with their counts, without the provider. */
function countsOf(rows: readonly Timed[]): Record<string, number> {
  return Object.fromEntries(rows.map((row) => [row.function.replace("shop:", ""), row.count]));
}

describe("pairs", () => {
  test("are found by the names of their markers, and each is timed for itself", async () => {
    const { rows, stderr } = await time(`u:${paired}:shop:*`, "--", paired);
    expect(countsOf(rows)).toEqual({
      "work__start..work__done": 20,
      "early__begin..early__end": 20,
      "late__begin..late__end": 20,
      "muddled__begin..muddled__end": 10,
      "nested__entry..nested__return": 30,
      "method__entry..method__return": 4 * 10 + 3 * 40,
      "far__start..far__stop": 64,
      "lost__start..lost__stop": 10,
      "resized__begin..resized__end": 8,
      "jumps__start..jumps__done": 5,
      "query__start..query__done": 5,
      "thread__start..thread__stop": 3 * 40,
    });
    expect(stderr).toMatch(/note: the pairs are (?:shop:\w+\.\.\w+, ){4}shop:\w+\.\.\w+ and 7 more\n/);
    expect(stderr).toMatch(/\n {2}20 ends of pairs whose beginning was not seen\n/);
    expect(stderr).toMatch(/\n {2}36 ends of pairs whose beginning was given up: more than 64 others/);
    for (const { count, buckets } of rows)
      expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
  });

  test.each([
    // Why these bounds: a sleep lasts at least as long as it should, and on a busy machine longer.
    ["work__start", "work__start..work__done", 20, 20 * 2],
    // Each of 5 within the others: 1 + 2 + 3 + 4 + 5 ms.
    ["nested-entry", "nested__entry..nested__return", 30, 6 * 15],
    // 10 within each other: 1 + 2 ... + 10 ms; in threads 0.2 ms each.
    ["shop:method__entry", "method__entry..method__return", 160, 4 * 55 + 120 * 0.2],
    ["thread__start", "thread__start..thread__stop", 120, 120 * 0.4],
  ])("%s last as long as the program says", async (marker, name, count, milliseconds) => {
    const { rows, stderr } = await time(`u:${paired}:${marker}`, "--", paired);
    expect(countsOf(rows)).toEqual({ [name]: count });
    expect(stderr).toContain(`note: the pair is shop:${name}\n`);
    expect(stderr).not.toContain("whose beginning");
    expect(rows[0]!.total_ns).toBeGreaterThan(milliseconds * 1e6);
    expect(rows[0]!.total_ns).toBeLessThan(milliseconds * 3e6);
  });

  test("of one function have each its own beginning, whatever never ended or began before", async () => {
    const { rows, stderr } = await time(`u:${paired}:muddled__begin..muddled__end`, "--", paired);
    expect(countsOf(rows)).toEqual({ "muddled__begin..muddled__end": 10 });
    expect(stderr).toContain("10 ends of pairs whose beginning was not seen");
    expect(stderr).not.toContain("note:");
    // Why: an end that were given the beginning of another call would be longer by two sleeps.
    expect(rows[0]!.p50).toBeLessThan(1e6);
  });

  test.each([
    ["transaction__start..transaction__commit", "transaction__start..transaction__commit", 9],
    [
      "transaction__start..transaction__[ac]*",
      "transaction__start..(transaction__abort|transaction__commit)",
      12,
    ],
    [
      "transaction__start..transaction__*",
      "transaction__start..(transaction__abort|transaction__commit)",
      12,
    ],
    // 20 begun and then 30 times another end: the last that began is the first that ends.
    ["shop:work__start..nested__return", "work__start..nested__return", 20],
  ])("named at both ends: %s", async (pattern, name, count) => {
    const { rows } = await time(`u:${paired}:${pattern}`, "--", paired);
    expect(countsOf(rows)).toEqual({ [name]: count });
  });

  test.each([
    [`${paired}:enter..p:${paired}:leave`, "enter..leave", 160],
    [`${paired}:enter..r:${paired}:leave`, "enter..leave", 160],
    [`u:${paired}:method__entry..p:${paired}:leave`, "shop:method__entry..leave", 160],
    [`u:${paired}:method__entry..u:${paired}:shop:method__return`, "shop:method__entry..method__return", 160],
  ])("of any two places: %s", async (pattern, name, count) => {
    const { rows } = await time(pattern, "--", paired);
    expect(rows.map((row) => [row.function, row.count])).toEqual([[name, count]]);
  });

  test("of a running process, of all its files", async () => {
    await using program = converse(paired, ["done"]);
    const pid = String(program.child.pid);
    await using cli = startCli(["latency", "--json", "-p", pid, "u::shop:work__start"]);
    await cli.until("stderr", /armed 2 places in 1 file/);
    for (let run = 0; run < 2; run++) {
      program.say("");
      await program.line();
    }
    cli.signal("SIGINT");
    const { stdout } = await cli.ended;
    expect(JSON.parse(stdout)).toMatchObject({ function: "shop:work__start..work__done", count: 40 });
  });

  test("slower than a threshold, with the arguments of their beginning", async () => {
    const words = ["--json", "-a", "1", `u:${paired}:nested__entry`, "2.5", "--", paired];
    const { stdout } = await runCli(["slower", ...words]);
    const calls = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { args: string[]; latency_ns: number; returned?: string });
    // Of 5 deep those that sleep for 3, 4 and 5 ms; others may be slow too.
    const deep = calls.filter(({ args }) => Number(args[0]) >= 3);
    expect(deep.map(({ args }) => Number(args[0]))).toEqual([1, 2, 3, 4, 5, 6].flatMap(() => [3, 4, 5]));
    for (const { latency_ns, returned } of calls) {
      expect(latency_ns).toBeGreaterThanOrEqual(2.5e6);
      expect(returned).toBeUndefined();
    }
    const columns = await runCli(["slower", `u:${paired}:work__start`, "1", "--", paired]);
    expect(columns.stdout).toMatch(/^TIME .* LATENCY\n/);
    expect(columns.stdout.match(/ shop:work__start\.\.work__done +2\.\d+ms$/gm)!.length).toBeGreaterThan(10);
  });
});

test.each<[string, RegExp]>([
  [
    "transaction__start",
    /begins nothing that another marker ends \(transaction__done, .*\n.*\n {2}fix: name both ends: u:/,
  ],
  [
    "work__done",
    /"work__done" begins nothing .*\n.*\n {2}fix: name what begins, "work__start"; or name both ends/,
  ],
  ["shop:wrok__start", /no marker "shop:wrok__start".*\n.*\n {2}fix: did you mean "work__start"/],
  ["work__start..work__start", /shop:work__start is both ends of this pair\n.*\n {2}fix: name another place/],
  [
    "*__done",
    /no marker that matches "\*__done" begins .*\n.*\n {2}fix: name both ends: u:.*:BEGIN\.\.END, of \w+, /,
  ],
  ["work__start..work__dnoe", /no marker "work__dnoe".*\n.*\n {2}fix: did you mean "work__done"/],
])("mistakes: %s", async (pattern, message) => {
  const { stdout, stderr, status } = await runCli(["latency", `u:${paired}:${pattern}`]);
  expect({ stdout, status }).toEqual({ stdout: "", status: 1 });
  expect(stderr).toMatch(message);
});

const fib = (before: string): string => {
  const script = join(folder, "fib.rb");
  // Why a TracePoint: ruby passes the markers of its own methods only where somebody watches calls.
  const traced = "t = TracePoint.new(:call, :return) {}\nt.enable\nfib(12)\nt.disable\n";
  writeFileSync(script, `def fib(n) n < 2 ? n : fib(n - 1) + fib(n - 2) end\n${before}\n${traced}`);
  return script;
};
const library = (): string => {
  const find = 'puts File.readlines("/proc/self/maps").grep(/libruby/).first.split.last';
  return execFileSync("ruby", ["--disable-gems", "-e", find], { encoding: "utf8" }).trim();
};

describe("of interpreters", () => {
  const python = "/usr/bin/python3.11";
  test.runIf(requires(python))("python: collections of garbage", async () => {
    const copy = join(folder, "python");
    copyFileSync(python, copy);
    const script = "import gc\ngc.disable()\nfor i in range(25): gc.collect()\n";
    const { rows, stderr } = await time(`u:${copy}:gc__start`, "--", copy, "-I", "-S", "-c", script);
    expect(rows.map((row) => row.function)).toEqual(["python:gc__start..gc__done"]);
    // Why more: starting and ending collect too.
    expect(rows[0]!.count).toBeGreaterThanOrEqual(25);
    expect(rows[0]!.count).toBeLessThan(60);
    expect(stderr).not.toContain("whose beginning");
  });

  describe.runIf(requires("ruby"))("ruby: methods within methods", () => {
    test.each([
      ["of the library by its path", library, ""],
      ["of a library that is loaded meanwhile", () => "", "sleep 1.5"],
    ])("%s", async (_, file, before) => {
      const { rows } = await time(
        `u:${file()}:ruby:method__entry`,
        "--",
        "ruby",
        "--disable-gems",
        fib(before),
      );
      expect(rows.map((row) => row.function)).toEqual(["ruby:method__entry..method__return"]);
      // fib(12) makes 465 calls, all of them within the first.
      expect(rows[0]!.count).toBe(465);
      expect(rows[0]!.buckets.at(-1)!.to).toBeGreaterThan(rows[0]!.total_ns / 20);
    });
  });
});

const durationsOf = (text: string, pattern: RegExp): number[] =>
  [...text.matchAll(pattern)].map(([, duration]) => Number(duration));
const sum = (durations: readonly number[]): number => durations.reduce((one, two) => one + two, 0);

describe.runIf(requires("bpftrace"))("beside bpftrace, on the same run", () => {
  test("pairs are as many, and last as long", async () => {
    await using program = converse(paired, ["done"]);
    const pid = String(program.child.pid);
    const place = `usdt:${paired}:shop:work__`;
    const script = `${place}start { @s[tid] = nsecs; } ${place}done /@s[tid]/ { printf("took %ld\\n", nsecs - @s[tid]); delete(@s[tid]); }`;
    const theirs = spawn("bpftrace", ["-B", "line", "-p", pid, "-e", script]);
    let seen = "";
    theirs.stdout.on("data", (piece: Buffer) => (seen += piece.toString()));
    try {
      await using cli = startCli(["slower", "--json", "-p", pid, `u:${paired}:work__start`, "0"]);
      await cli.until("stderr", /armed 2 places/);
      const both = (): readonly [number[], number[]] => [
        durationsOf(cli.stdout, /"latency_ns":(\d+)/g),
        durationsOf(seen, /took (\d+)/g),
      ];
      const pass = async (): Promise<void> => {
        program.say("");
        await program.line();
        await setTimeout(500);
      };
      // Why hits to find out: neither says when it is ready.
      const areReady = async (): Promise<boolean> => {
        await pass();
        return both().every((durations) => durations.length > 0);
      };
      await expect.poll(areReady, { timeout: 30_000 }).toBe(true);
      await setTimeout(500);
      const before = both().map(({ length }) => length);
      await pass();
      await pass();
      const [own, other] = both().map((durations, index) => durations.slice(before[index])) as [
        number[],
        number[],
      ];
      expect([own.length, other.length]).toEqual([40, 40]);
      expect(Math.abs(sum(own) / sum(other) - 1)).toBeLessThan(0.1);
    } finally {
      theirs.kill("SIGINT");
    }
  }, 60_000);
});
