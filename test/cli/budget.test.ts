/** --budget of the tools that gather in the kernel: what costs too much is ended, said, and shown as far as it came. */
import { expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const watched = compile("watched.c", ["-O2", "-pthread"]);
const command = ["--", watched, "2000000000"];

test.each<[string, readonly string[], RegExp]>([
  ["count", [`${watched}:alpha`], /^FUNC +COUNT\nalpha +\d{4,}\ntotal +\d{4,}\n$/],
  ["latency", [`${watched}:alpha`], /^alpha\n[^]*count \d{4,}\n$/],
  ["slower", [`${watched}:alpha`, "10s"], /^TIME .* ARGS\n$/],
  ["args", ["-i", "60", `p:${watched}:alpha(long left, long right):long:right`], /\t\d{4,} +right = 1\n$/],
])("uscope %s ends when its probes cost more", async (tool, words, shown) => {
  const { stdout, stderr, status } = await runCli([tool, "--budget", "1", ...words, ...command]);
  expect(stderr).toMatch(
    /uscope: stopped: the probes cost \d+\.\d % of a core, more than --budget allows; the command was sent SIGTERM/,
  );
  expect(stdout).toMatch(shown);
  expect(status).toBe(1);
});

test.each<[string, readonly string[]]>([
  ["count", [`${watched}:nap`]],
  ["latency", [`${watched}:nap`]],
  ["slower", [`${watched}:nap`, "0"]],
  ["args", [`p:${watched}:nap(long us):long:us`]],
])("uscope %s goes on when they cost less", async (tool, words) => {
  const { stderr, status } = await runCli([tool, "--budget", "50", ...words, "--", watched, "1", "1200000"]);
  expect(stderr).toContain("uscope: the command has ended (exit code 0)\n");
  expect(status).toBe(0);
});
