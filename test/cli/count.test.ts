/** `uscope count` on programs whose calls are known; and every sample of docs/count.md. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import { compile } from "../support/programs.js";
import { asShapeShown, openSamples } from "../support/samples.js";

const watched = compile("watched.c", ["-O2", "-pthread"]);
const family = compile("family.c", ["-O2", "-pthread"]);

/** The rows of a table by function, the total among them. */
function countsOf(table: string): Record<string, number> {
  const rows = [...table.matchAll(/^(\S.*?) +(\d+)$/gm)];
  return Object.fromEntries(rows.map(([, name, count]) => [name!, Number(count)]));
}

describe("counts", () => {
  test("of threads, recursion and calls that never return are exact", async () => {
    const { stdout, stderr, status } = await runCli(["count", `${watched}:[abdln]*`, "--", watched, "1000"]);
    expect(countsOf(stdout)).toMatchObject({ alpha: 5000, deep: 40, leaves: 5, nap: 3 });
    const { total, ...functions } = countsOf(stdout);
    expect(total).toBe(Object.values(functions).reduce((sum, count) => sum + count, 0));
    expect(stderr).toContain(`: ${total} hits, 0 lost\n`);
    expect(status).toBe(0);
  });

  test("of children come with --children only", async () => {
    const words = [`${watched}:alpha`, `${watched}:beta`, "--", watched, "300"];
    expect(countsOf((await runCli(["count", ...words])).stdout)).toEqual({ alpha: 1500, total: 1500 });
    const { stdout } = await runCli(["count", "--children", ...words]);
    expect(countsOf(stdout)).toEqual({ beta: 300, alpha: 1500, total: 1800 });
  });

  test("of a function that two patterns mean are counted once; files are named when there are several", async () => {
    const once = await runCli(["count", `${watched}:al*`, `${watched}:*lpha`, "--", watched, "10"]);
    expect(countsOf(once.stdout)).toEqual({ alpha: 50, total: 50 });
    const two = await runCli(["count", `${watched}:alpha`, `${family}:work`, "--", watched, "10"]);
    expect(countsOf(two.stdout)).toEqual({ [`${watched.split("/").at(-1)}:alpha`]: 50, total: 50 });
  });

  test("of files with one name are each file's own, of one file by several names the same", async () => {
    const folder = mkdtempSync(join(tmpdir(), "uscope-count-"));
    try {
      const [one, other, link] = ["one", "other", "link"].map((name) => join(folder, name, "prog")) as [
        string,
        string,
        string,
      ];
      for (const path of [one, other, link]) mkdirSync(dirname(path));
      for (const path of [one, other]) copyFileSync(watched, path);
      symlinkSync(one, link);
      const both = ["sh", "-c", `'${one}' 10; '${other}' 20`];
      const two = await runCli(["count", "--children", `${one}:alpha`, `${other}:alpha`, "--", ...both]);
      expect(countsOf(two.stdout)).toEqual({ [`${one}:alpha`]: 50, [`${other}:alpha`]: 100, total: 150 });
      const timed = await runCli(["latency", "--json", `${one}:nap`, `${other}:nap`, "--", other, "1"]);
      expect(timed.stdout).toMatch(new RegExp(`^{"function":"${other}:nap","count":3,.*}\n$`));
      const same = await runCli(["count", `${one}:alpha`, `${link}:al*`, "--", one, "10"]);
      expect(countsOf(same.stdout)).toEqual({ alpha: 50, total: 50 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("of one processor are those of all processors together", async () => {
    const words = (cpu: number): string[] => ["count", "--cpu", String(cpu), `${watched}:alpha`, "--"];
    const zero = await runCli([...words(0), "taskset", "-c", "0", watched, "100"]);
    expect(countsOf(zero.stdout)).toEqual({ alpha: 500, total: 500 });
    const other = await runCli([...words(1), "taskset", "-c", "0", watched, "100"]);
    expect(countsOf(other.stdout)).toEqual({ total: 0 });
  });

  test("equal what bpftrace counts", async () => {
    const program = `uprobe:${watched}:alpha { @ = count(); }`;
    const theirs = execFileSync("bpftrace", ["-e", program, "-c", `${watched} 700`], { encoding: "utf8" });
    const { stdout } = await runCli(["count", `${watched}:alpha`, "--", watched, "700"]);
    expect(countsOf(stdout)["alpha"]).toBe(Number(/@: (\d+)/.exec(theirs)?.[1]));
  });
});

describe("intervals", () => {
  test("add up to the last table", async () => {
    const { stdout } = await runCli([
      "count",
      "-i",
      "0.05",
      "-T",
      `${watched}:[an]*`,
      "--",
      watched,
      "3000",
      "300000",
    ]);
    const [parts = "", whole = ""] = stdout.split("since the start\n");
    expect(parts).toMatch(/^\d\d:\d\d:\d\d\nFUNC/);
    const tables = parts.split(/\n\n/).map(countsOf);
    expect(tables.length).toBeGreaterThan(4);
    expect(tables.reduce((sum, { total = 0 }) => sum + total, 0)).toBe(15_003);
    expect(countsOf(whole)).toEqual({ nap: 3, alpha: 15_000, total: 15_003 });
  });

  test("as JSON have their number, the whole has none", async () => {
    const { stdout } = await runCli(["count", "--json", "-i", "60", `${watched}:alpha`, "--", watched, "10"]);
    const objects = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects.map(({ interval }) => interval)).toEqual([1, 1, undefined, undefined]);
    expect(objects[2]).toEqual({ function: "alpha", count: 50, pattern: `${watched}:alpha` });
    expect(objects[3]).toEqual({ total: 50, functions: 1 });
  });

  test("on a terminal are drawn in place, the largest first, and all is shown at the end", () => {
    const bin = new URL("../../bin/uscope", import.meta.url).pathname;
    const line = `'${process.execPath}' '${bin}' count -i 0.1 '${watched}:[an]*' -- '${watched}' 100 250000`;
    const printed = execFileSync("script", ["-qec", line, "/dev/null"], { encoding: "utf8" }).replaceAll(
      "\r",
      "",
    );
    const screens = printed.split("\u001b[H\u001b[J");
    expect(screens.length).toBeGreaterThanOrEqual(3);
    expect(screens.slice(1, -1).join("")).toMatch(/calls in 0\.1 s .*\nFUNC +COUNT\nalpha +500\nnap/);
    expect(countsOf(screens.at(-1)!)).toMatchObject({ nap: 3, alpha: 500, total: 503 });
  });
});

describe("the end", () => {
  test("by Ctrl-C prints the table, without waiting for the interval", async () => {
    await using running = startCli([
      "count",
      "-i",
      "60",
      `${watched}:alpha`,
      "--",
      watched,
      "100",
      "20000000",
    ]);
    await running.until("stderr", /armed/);
    await new Promise((wake) => setTimeout(wake, 500));
    running.signal("SIGINT");
    const { stdout, stderr, status } = await running.ended;
    expect(stdout.endsWith("total   500\n")).toBe(true);
    expect(stderr).toContain("500 hits");
    expect(status).toBe(0);
  });

  test("with the process of -p, whose calls alone are counted", async () => {
    const child = spawn(family, { stdio: ["pipe", "pipe", "ignore"] });
    await once(child.stdout, "data");
    await using running = startCli(["count", "-p", String(child.pid), `${family}:work`]);
    await running.until("stderr", /armed 1 place in 1 file, process/);
    execFileSync(family, ["work", "0", "50"]);
    child.stdin.write("thread 0 250\n");
    await new Promise((wake) => setTimeout(wake, 300));
    child.stdin.end();
    const { stdout, stderr } = await running.ended;
    expect(countsOf(stdout)).toEqual({ work: 250, total: 250 });
    expect(stderr).toContain("the traced processes have ended");
  });

  test("by -d", async () => {
    const { stdout, status } = await runCli([
      "count",
      "-d",
      "0.3",
      `${watched}:alpha`,
      "--",
      watched,
      "100",
      "20000000",
    ]);
    expect(countsOf(stdout)).toEqual({ alpha: 500, total: 500 });
    expect(status).toBe(0);
  });
});

test.each<[readonly string[], number, RegExp]>([
  [[], 2, /nothing to watch/],
  [["-r", "c:a.*"], 2, /globs here/],
  [["-c", "3", "c:malloc"], 2, /--cpu 3/],
  [["-i", "0", "c:malloc"], 2, /no interval/],
  [["-D", `${watched}:alhpa`], 1, /did you mean "alpha"/],
  [[`${watched}:zz*`], 1, /no function of .* matches "zz\*"/],
  [["malloc"], 1, /LIBRARY:malloc/],
  [["c:malloc (arg1 > 3)"], 2, /more than FILE:FUNCTION/],
  [["r:c:malloc"], 2, /count the calls: c:malloc/],
  [["-p", "x", "c:malloc"], 2, /no process id/],
])("mistakes: %j", async (words, code, message) => {
  const { stdout, stderr, status } = await runCli(["count", ...words]);
  expect({ stdout, status }).toEqual({ stdout: "", status: code });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^uscope: .*\n {2}at: [^]*\n {2}fix: .*\n$/);
  expect(stderr).not.toContain("dist/");
});

describe("docs/count.md", () => {
  using page = openSamples("count.md");
  const { samples } = page;
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(5));
  test("shows what is printed", () => {
    using files = openSamples("count.md");
    for (const sample of samples) expect(asShapeShown(files.run(sample), sample)).toBe(sample.output);
  });
});
