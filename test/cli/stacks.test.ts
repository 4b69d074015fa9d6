/** `uscope stacks` on programs whose ways are known, beside bpftrace; on redis-server under load; and every sample of docs/stacks.md. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { requires } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { startRedis } from "../support/redis.js";
import { asShapeShown, openSamples } from "../support/samples.js";

const framed = ["-O1", "-fno-omit-frame-pointer", "-pthread"];
const stacks = compile("stacks.c", framed);
const frameless = compile("stacks.c", ["-O2", "-fomit-frame-pointer", "-pthread"]);

interface Stack {
  /** Innermost first, joined by blanks; without their files, and without what the C library has above, which is not named everywhere. */
  readonly way: string;
  readonly whose: string | undefined;
  readonly count: number;
}

/** The stacks of a table, in its order. */
function stacksOf(table: string): readonly Stack[] {
  const blocks = [...table.matchAll(/((?:^ {2}\S.*\n)+)(?:^ {4}(\D.*)\n)?^ {4}(\d+)\n\n/gm)];
  return blocks.map(([, frames = "", whose, count]) => ({
    way: frames
      .trimEnd()
      .split("\n")
      .filter((frame) => !frame.endsWith(" [libc.so.6]"))
      .map((frame) => frame.trim().replace(/ \[[^\]]*\]$/, ""))
      .join(" "),
    whose,
    count: Number(count),
  }));
}

const knownWays = (calls: number): Record<string, number> => ({
  "work two main": 2 * calls,
  "work one main": calls,
  "work one in_thread": calls,
  "work one two main": calls / 2,
  [`work${" deep".repeat(6)} main`]: 1,
});

describe("stacks", () => {
  test("of recursion, threads and several callers are exact, the largest last", async () => {
    const { stdout, stderr, status } = await runCli(["stacks", `${stacks}:work`, "--", stacks, "1000"]);
    const found = stacksOf(stdout);
    const ways = Object.fromEntries(found.map(({ way, count }) => [way, count]));
    expect(ways).toMatchObject(knownWays(1000));
    expect(found).toHaveLength(6);
    expect(found.map(({ count }) => count)).toEqual([1, 1, 500, 1000, 1000, 2000]);
    expect(stdout).toMatch(/\n\ntotal 4502 in 6 stacks\n$/);
    expect(stderr).toContain(": 4502 hits, 0 lost\n");
    expect(stderr).toContain("note: 1 stack has 127 frames or more: the outermost callers are missing\n");
    expect(status).toBe(0);
  });

  test("are as many as bpftrace has in the same run, with the same counts", async () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-stacks-"));
    try {
      const theirs = join(folder, "bpftrace.txt");
      const program = `uprobe:${stacks}:work { @[ustack(perf, 127)] = count(); }`;
      const both = ["bpftrace", "-o", theirs, "-e", program, "-c", `${stacks} 700`];
      const { stdout } = await runCli(["stacks", "-s", "--children", `${stacks}:work`, "--", ...both]);
      const counts = [...readFileSync(theirs, "utf8").matchAll(/\]: (\d+)/g)].map(([, count]) =>
        Number(count),
      );
      expect(counts.length).toBeGreaterThan(5);
      expect(stacksOf(stdout).map(({ count }) => count)).toEqual(counts.sort((one, other) => one - other));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of processes that have ended are named; with -P each has its own", async () => {
    const words = ["--children", `${stacks}:work`, "--", stacks, "children", "80"];
    const joined = await runCli(["stacks", ...words]);
    expect(stacksOf(joined.stdout)).toEqual([{ way: "work two main", whose: undefined, count: 240 }]);
    const apart = await runCli(["stacks", "-P", ...words]);
    const found = stacksOf(apart.stdout);
    expect(found.map(({ count }) => count)).toEqual(Array.from({ length: 80 }, () => 3));
    expect(new Set(found.map(({ whose }) => whose)).size).toBe(80);
    expect(found[0]!.whose).toMatch(/^stacks-\w+ \[\d+\]$/);
    expect(joined.stderr + apart.stderr).not.toContain("could not be named");
  });

  test("of a function that two patterns mean are counted once", async () => {
    const { stdout } = await runCli(["stacks", `${stacks}:wor*`, `${stacks}:work`, "--", stacks, "10"]);
    expect(stdout).toMatch(/\ntotal 47 in 6 stacks\n$/);
    expect(stdout.match(/^ {2}work /gm)).toHaveLength(6);
  });

  test("folded are what flame graph tools read", async () => {
    const words = ["--children", `${stacks}:work`, "--", stacks, "children", "4"];
    const { stdout } = await runCli(["stacks", "-f", ...words]);
    expect(stdout).toMatch(/^[^;]+;main;two;work 12\n$/);
    const apart = await runCli(["stacks", "-f", "-P", ...words]);
    expect(apart.stdout).toMatch(/^(?:stacks-\w+-\d+;[^;]+;main;two;work 3\n){4}$/);
  });

  test("as JSON are an object each", async () => {
    const { stdout } = await runCli(["stacks", "--json", "-n", "1", `${stacks}:work`, "--", stacks, "10"]);
    const [first, total] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const module = stacks.split("/").at(-1)!;
    expect(first).toEqual({
      function: "work",
      stack: [
        `work [${module}]`,
        `two [${module}]`,
        `main [${module}]`,
        "__libc_start_call_main [libc.so.6]",
      ],
      count: 20,
      pattern: `${stacks}:work`,
    });
    expect(total).toEqual({ total: 47, stacks: 6 });
  });

  test("of intervals add up to those of all", async () => {
    const words = [
      "-i",
      "0.05",
      "-T",
      `${stacks}:work`,
      "--",
      "sh",
      "-c",
      `${stacks} 10; sleep 0.3; ${stacks} 20`,
    ];
    const { stdout } = await runCli(["stacks", "--children", ...words]);
    const [parts = "", whole = ""] = stdout.split("since the start\n");
    expect(parts).toMatch(/^\d\d:\d\d:\d\d\n/);
    const totals = [...parts.matchAll(/^total (\d+) in/gm)].map(([, total]) => Number(total));
    expect(totals.filter((total) => total > 0).length).toBeGreaterThan(1);
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(139);
    expect(whole).toMatch(/\ntotal 139 in 6 stacks\n$/);
  });

  test("of one processor are those of all processors together", async () => {
    const words = (cpu: number): string[] => ["stacks", "--cpu", String(cpu), `${stacks}:work`, "--"];
    const zero = await runCli([...words(0), "taskset", "-c", "0", stacks, "10"]);
    expect(zero.stdout).toMatch(/\ntotal 47 in 6 stacks\n$/);
    const other = await runCli([...words(1), "taskset", "-c", "0", stacks, "10"]);
    expect(other.stdout).toBe("total 0 in 0 stacks\n");
  });

  test("without frame pointers have the direct caller, and say so", async () => {
    const { stdout, stderr } = await runCli(["stacks", `${frameless}:work`, "--", frameless, "10"]);
    expect(stacksOf(stdout).map(({ way }) => way)).toContainEqual(expect.stringMatching(/^work two/));
    expect(stderr).toContain(
      `note: no stack is deeper than the direct caller: ${basename(frameless)} may have been built without`,
    );
  });
});

describe.runIf(requires("redis-server"))("redis-server under load", () => {
  test("shows who makes strings, until Ctrl-C", async () => {
    await using redis = await startRedis();
    await using running = startCli([
      "stacks",
      "-p",
      String(redis.pid),
      `${redis.program}:createStringObject`,
    ]);
    await running.until("stderr", /armed 1 place/);
    const port = await redis.ask("CONFIG GET port");
    for (let round = 0; round < 50; round++) expect(await redis.ask("SET key value")).toBe("+OK\r\n");
    expect(port).toContain("port");
    running.signal("SIGINT");
    const { stdout, stderr, status } = await running.ended;
    const found = stacksOf(stdout);
    const hits = Number(/: (\d+) hits, 0 lost/.exec(stderr)?.[1]);
    expect(hits).toBeGreaterThanOrEqual(100);
    expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(hits);
    expect(found.at(-1)!.way).toMatch(/^createStringObject \S+/);
    expect(status).toBe(0);
  });
});

test.each<[readonly string[], number, RegExp]>([
  [[], 2, /nothing to watch/],
  [["-r", "c:a.*"], 2, /globs here/],
  [["-c", "3", "c:malloc"], 2, /--cpu 3/],
  [["-f", "--json", "c:malloc"], 2, /-f and --json exclude each other/],
  [["-f", "-i", "1", "c:malloc"], 2, /-f goes without -i and -T/],
  [[`${stacks}:wrok`], 1, /did you mean "work"/],
])("mistakes: %j", async (words, code, message) => {
  const { stdout, stderr, status } = await runCli(["stacks", ...words]);
  expect({ stdout, status }).toEqual({ stdout: "", status: code });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^uscope: .*\n {2}at: [^]*\n {2}fix: .*\n$/);
});

test("-D is stackcount's word for the duration", async () => {
  const { stdout } = await runCli(["stacks", "-D", "0.3", `${stacks}:work`, "--", "sleep", "20"]);
  expect(stdout).toBe("total 0 in 0 stacks\n");
});

describe("docs/stacks.md", () => {
  using page = openSamples("stacks.md");
  const { samples } = page;
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(5));
  test("shows what is printed", () => {
    using files = openSamples("stacks.md");
    for (const sample of samples) expect(asShapeShown(files.run(sample), sample)).toBe(sample.output);
  });
});
