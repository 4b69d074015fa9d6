/** `uscope trace` on many threads: their order, their names, and what a name may hold. */
import { describe, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const program = compile("threads.c", ["-O1", "-pthread"]);

function trace(words: readonly string[], ...parameters: readonly string[]) {
  return runCli(["trace", ...words, "--", program, ...parameters], { timeout: 60_000 });
}

describe.each(["uprobe_multi", "pmu"])("four threads, attached by %s", (way) => {
  test("every call is shown once, each thread's in its order, all in the order of their times", async () => {
    const calls = 50_000;
    const probe = `${program}:hit "%d %d %llu", arg1, arg2, nsecs`;
    const { stdout, stderr, status } = await trace(["--attach", way, probe], "4", String(calls));
    expect(status).toBe(0);
    expect(stderr).toMatch(/200000 events shown/);
    expect(stderr).not.toMatch(/[1-9]\d* lost/);
    const next = [0, 0, 0, 0];
    let last = 0n;
    let disorder = 0;
    for (const line of stdout.trimEnd().split("\n").slice(1)) {
      const [thread = "", call, time = ""] = line.split(/ +/).slice(-3);
      if (Number(call) !== next[Number(thread)]!++) disorder++;
      if (BigInt(time) < last) disorder++;
      last = BigInt(time);
    }
    expect(disorder).toBe(0);
    expect(next).toEqual([calls, calls, calls, calls]);
  });
});

describe("names of threads", () => {
  const probe = `${program}:hit "%d", arg2`;

  test.each([
    ["plain", "plain          "],
    ["two words", "two words      "],
    ["\u00e9\u00e9", "\u00e9\u00e9             "],
    ["a\u001b[1mb", "a\\x1b[1mb      "],
    ["a\nb\tc\r", "a\\nb\\tc\\r      "],
    ["%x%", "\\xffx\\xff      "],
    // Escaped, 15 bytes may take 60 characters: the columns stay where they are.
    ["\u001b\u001b\u001b\u001b\u001b", "\\x1b\\x1b\\x1b..."],
    ["123456789ab\u001b\u001b", "123456789ab... "],
    ["123456789abcdef", "123456789abcdef"],
  ])("%j", async (name, comm) => {
    const { stdout } = await trace([probe], "1", "1", name);
    const [header = "", row = "", ...rest] = stdout.split("\n");
    expect(rest).toEqual([""]);
    const at = header.indexOf("COMM");
    expect(row.slice(at, at + 16)).toBe(`${comm} `);
    expect(row.slice(at + 16)).toBe("hit              0");
    expect(header.indexOf("FUNC")).toBe(at + 16);
  });

  test("-n and STRCMP ask for the name as it is", async () => {
    expect((await trace(["-n", "o w", probe], "1", "1", "two words")).stdout).toMatch(/hit +0\n$/);
    expect((await trace(["-n", "ow", probe], "1", "1", "two words")).stdout).not.toMatch(/hit/);
    const compared = `${program}:hit (STRCMP("two words", comm)) "%s", comm`;
    expect((await trace([compared], "1", "1", "two words")).stdout).toMatch(/hit +two words\n$/);
    expect((await trace([compared], "1", "1", "two word")).stdout).not.toMatch(/hit/);
  });

  test("JSON has the whole name", async () => {
    const { stdout } = await trace(["--json", probe], "1", "1", '\u001b\u001b\u001b\u001b\u001b"\n');
    expect(JSON.parse(stdout)).toMatchObject({ comm: '\u001b\u001b\u001b\u001b\u001b"\n', function: "hit" });
  });
});
