/** `uscope slower` on programs whose calls are known; and every sample of docs/slower.md. */
import { describe, expect, test } from "vitest";
import { printWord } from "../../src/tools/slower.js";
import { runCli, startCli } from "../support/cli.js";
import { compile } from "../support/programs.js";
import { asShapeShown, openSamples } from "../support/samples.js";

const watched = compile("watched.c", ["-O2", "-pthread"]);

interface SlowCall {
  readonly time_ns: string;
  readonly function: string;
  readonly latency_ns: number;
  readonly returned: string;
  readonly args: readonly string[];
}

async function watch(...words: readonly string[]): Promise<readonly SlowCall[]> {
  const { stdout } = await runCli(["slower", "--json", ...words]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as SlowCall);
}

describe("calls", () => {
  test("that took longer are shown with their arguments, others are not", async () => {
    const { stdout, stderr, status } = await runCli([
      "slower",
      "-a",
      "1",
      `${watched}:nap`,
      "20",
      "--",
      watched,
      "5",
      "40000",
    ]);
    const [header, ...lines] = stdout.trimEnd().split("\n");
    expect(header).toMatch(/^TIME +PID +TID +COMM +FUNC +LATENCY RETURNED +ARGS$/);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d \d+ +\d+ +watched-\S+ +nap +\d\d(?:\.\d|\d)ms 0 +40000$/);
    expect(stderr).toMatch(/nap: 3 hits, 0 lost\n {2}1 call shown that took 20ms or longer\n$/);
    expect(status).toBe(0);
  });

  test("with a threshold of 0 are all calls, in the order of their ends; recursion has each depth", async () => {
    const calls = await watch("-a", "1", `${watched}:deep`, "0", "--", watched, "1");
    const round = Array.from({ length: 20 }, (_, index) => String(index + 1));
    expect(calls.map(({ args }) => args[0])).toEqual([...round, ...round]);
    expect(calls.map(({ returned }) => returned)).toEqual([...round, ...round]);
    const times = calls.map((call) => BigInt(call.time_ns));
    expect(times.every((time, index) => index === 0 || time >= times[index - 1]!)).toBe(true);
  });

  test("of several patterns, threads and children all come", async () => {
    const calls = await watch("--children", `${watched}:alpha`, `${watched}:beta`, "0", "--", watched, "200");
    expect(calls.filter((call) => call.function === "alpha")).toHaveLength(1000);
    expect(calls.filter((call) => call.function === "beta")).toHaveLength(200);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])("have %d arguments", async (words) => {
    const [call] = await watch("-a", String(words), "-M", "1", `${watched}:alpha`, "0", "--", watched, "3");
    expect(call!.args).toHaveLength(words);
    expect(call!.args.slice(0, 2)).toEqual(["0", "1"].slice(0, words));
  });

  test.each(["10", "10ms", "10000us", "0.01s", "10000000ns"])("of %s", async (threshold) => {
    expect(await watch(`${watched}:nap`, threshold, "--", watched, "1", "30000")).toHaveLength(1);
  });

  test("end with -M, and with Ctrl-C", async () => {
    const { stdout, status } = await runCli([
      "slower",
      "-M",
      "7",
      `${watched}:alpha`,
      "0",
      "--",
      watched,
      "100000",
    ]);
    expect({ lines: stdout.trimEnd().split("\n").length, status }).toEqual({ lines: 8, status: 0 });
    await using running = startCli(["slower", `${watched}:nap`, "0", "--", watched, "1", "20000000"]);
    await running.until("stdout", /nap/);
    running.signal("SIGINT");
    expect((await running.ended).stderr).toContain("1 call shown");
  });
});

test.each([
  [0n, "0"],
  [20000n, "20000"],
  [0xffff_fffdn, "-3"],
  [0xffff_ffff_ffff_fffdn, "-3"],
  [0xf000_0000n, "4026531840"],
  [0x7ffe_fefc_7408n, "0x7ffefefc7408"],
])("the word %s is shown as %s", (word, shown) => {
  expect(printWord(word)).toBe(shown);
});

test.each<[readonly string[], RegExp]>([
  [[], /nothing to watch/],
  [["10"], /which functions take 10/],
  [["c:malloc"], /how slow is slow/],
  [["c:malloc", "ten"], /"ten" is no time/],
  [["c:malloc", "10m"], /"10m" is no time/],
  [["-a", "7", "c:malloc", "10"], /only the first 6/],
  [["r:c:malloc", "10"], /both ends/],
])("mistakes: %j", async (words, message) => {
  const { stdout, stderr, status } = await runCli(["slower", ...words]);
  expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
  expect(stderr).toMatch(message);
});

describe("docs/slower.md", () => {
  using page = openSamples("slower.md");
  const { samples } = page;
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(3));
  test("shows what is printed", () => {
    using files = openSamples("slower.md");
    for (const sample of samples) expect(asShapeShown(files.run(sample), sample)).toBe(sample.output);
  });
});
