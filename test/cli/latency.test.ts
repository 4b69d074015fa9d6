/** `uscope latency` on programs whose calls are known; and every sample of docs/latency.md. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { compile } from "../support/programs.js";
import { asShapeShown, openSamples } from "../support/samples.js";

const watched = compile("watched.c", ["-O2", "-pthread"]);

interface Timed {
  readonly function: string;
  readonly count: number;
  readonly total_ns: number;
  readonly average_ns: number;
  readonly p50: number;
  readonly p99: number;
  readonly unit: string;
  readonly interval?: number;
  readonly buckets: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

async function time(...words: readonly string[]): Promise<readonly Timed[]> {
  const { stdout } = await runCli(["latency", "--json", ...words]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Timed);
}

function callsOf(rows: readonly Timed[]): number {
  return rows.reduce((total, { count }) => total + count, 0);
}

describe("samples", () => {
  test("of recursion are one a depth, of threads all, of calls that never return none", async () => {
    const rows = await time(`${watched}:[adln]*[aps]`, "--", watched, "500");
    const counts = Object.fromEntries(rows.map((row) => [row.function, row.count]));
    expect(counts).toMatchObject({ alpha: 2500, deep: 40, nap: 3 });
    expect(counts).not.toHaveProperty("leaves");
    for (const { count, buckets } of rows)
      expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
  });

  test("last as long as the program says", async () => {
    const [nap] = await time(`${watched}:nap`, "--", watched, "1", "50000");
    expect(nap!.total_ns).toBeGreaterThan(50e6);
    expect(nap!.total_ns).toBeLessThan(120e6);
    expect(nap!.buckets.at(-1)).toMatchObject({ count: 1 });
    expect(nap!.buckets.at(-1)!.to).toBeGreaterThan(50e6);
    expect(nap!.p50).toBeLessThan(nap!.p99);
  });

  test.each([
    ["-u", "us", 1000],
    ["-m", "ms", 1_000_000],
  ])("with %s have buckets of that unit, and an exact average", async (option, unit, size) => {
    const [nap] = await time(option, `${watched}:nap`, "--", watched, "1", "50000");
    expect(nap!.unit).toBe(unit);
    expect(nap!.buckets.at(-1)!.to * size).toBeGreaterThan(50e6);
    expect(nap!.buckets.at(-1)!.from * size).toBeLessThan(120e6);
    expect(nap!.average_ns).toBe(nap!.total_ns / 3);
  });

  test.each(["-u", "-m"])("with %s of two functions of one name have each its own sum", async (option) => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-latency-"));
    try {
      const sources = [1, 2, 3, 4].map((number) => {
        const path = join(folder, `${number}.c`);
        writeFileSync(
          path,
          `#include <unistd.h>
          __attribute__((noipa)) static int twin(int us) { return usleep(us); }
          void call${number}(void) { for (int i = 0; i < 3; i++) twin(${number * number} * 2000); }`,
        );
        return path;
      });
      const main = join(folder, "main.c");
      const calls = [1, 2, 3, 4].map((number) => `void call${number}(void);`);
      writeFileSync(
        main,
        `${calls.join("\n")}\nint main() { call1(); call2(); call3(); call4(); return 0; }`,
      );
      const program = join(folder, "twins");
      execFileSync("gcc", ["-O1", "-w", "-o", program, main, ...sources]);
      const rows = await time(option, `${program}:twin`, "--", program);
      expect(rows.map(({ count }) => count)).toEqual([3, 3, 3, 3]);
      const size = option === "-u" ? 1000 : 1_000_000;
      for (const { total_ns, buckets } of rows) {
        const [least, most] = (["from", "to"] as const).map((end) =>
          buckets.reduce((sum, bucket) => sum + bucket[end] * bucket.count, 0),
        ) as [number, number];
        expect(total_ns).toBeGreaterThanOrEqual(least * size);
        expect(total_ns).toBeLessThan(most * size);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of children come with --children only", async () => {
    expect(await time(`${watched}:beta`, "--", watched, "100")).toEqual([]);
    const [beta] = await time("--children", `${watched}:beta`, "--", watched, "100");
    expect(beta!.count).toBe(100);
  });

  test("are as many as bpftrace has", async () => {
    const program = `uprobe:${watched}:alpha { @s[tid] = nsecs; } uretprobe:${watched}:alpha /@s[tid]/ { @ = count(); delete(@s[tid]); }`;
    const theirs = execFileSync("bpftrace", ["-e", program, "-c", `${watched} 400`], { encoding: "utf8" });
    const [alpha] = await time(`${watched}:alpha`, "--", watched, "400");
    expect(alpha!.count).toBe(Number(/@: (\d+)/.exec(theirs)?.[1]));
  });
});

describe("reports", () => {
  const several = [`${watched}:alpha`, `${watched}:deep`, `${watched}:nap`, "--", watched, "50"];

  test("of several functions have a histogram each and a table of all", async () => {
    const { stdout, stderr } = await runCli(["latency", "--top", "2", ...several]);
    expect(stdout.match(/^p50 /gm)).toHaveLength(2);
    expect(stdout).toMatch(/^FUNC +COUNT +AVERAGE +P50 +P90 +P99 +TOTAL\n(?:.*\n){3}$/m);
    expect(stderr).toMatch(/nap: 3 hits, 0 lost\n/);
    expect((await runCli(["latency", "-F", ...several])).stdout.match(/^p50 /gm)).toHaveLength(3);
  });

  test("with --merge are one of all calls", async () => {
    const [all, ...others] = await time("--merge", ...several);
    expect(others).toEqual([]);
    expect(all!.count).toBe(250 + 40 + 3);
    expect(all!.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(all!.count);
  });

  test("of intervals add up to the whole", async () => {
    const rows = await time("-i", "0.05", `${watched}:[an]*[ap]`, "--", watched, "2000", "200000");
    const parts = rows.filter(({ interval }) => interval !== undefined);
    expect(callsOf(parts)).toBe(10_003);
    expect(callsOf(rows)).toBe(2 * 10_003);
  });

  test("without a call say so", async () => {
    const { stdout, stderr, status } = await runCli(["latency", `${watched}:beta`, "--", watched, "1"]);
    expect(stdout).toBe("no call returned\n");
    expect(stderr).toContain("no hit:");
    expect(status).toBe(0);
  });
});

test.each<[readonly string[], number, RegExp]>([
  [[], 2, /nothing to watch/],
  [["r:c:malloc"], 2, /both ends are watched: c:malloc/],
  [["-u", "-m", "c:malloc"], 2, /exclude each other/],
  [["-F", "--merge", "c:malloc"], 2, /-F and --merge exclude each other/],
  [[`${watched}:alhpa`], 1, /did you mean "alpha"/],
  [[`${watched}:alpha+4`], 1, /a return belongs to a whole function/],
])("mistakes: %j", async (words, code, message) => {
  const { stdout, stderr, status } = await runCli(["latency", ...words]);
  expect({ stdout, status }).toEqual({ stdout: "", status: code });
  expect(stderr).toMatch(message);
});

describe("docs/latency.md", () => {
  using page = openSamples("latency.md");
  const { samples } = page;
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(4));
  // Why once more: on a busy machine a sleep of the sample takes so long that it falls into another bucket.
  test("shows what is printed", { retry: 3 }, () => {
    using files = openSamples("latency.md");
    for (const sample of samples) expect(asShapeShown(files.run(sample), sample)).toBe(sample.output);
  });
});
