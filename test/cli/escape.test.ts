/** Names of files and functions are the traced side's own: they must not reach the operator's terminal as they are. */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCli } from "../support/cli.js";
import { compile } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-escape-"));
const evil = join(folder, "esc\u001b[31mx");
copyFileSync(compile("victim.c"), join(folder, "plain"));
execFileSync("objcopy", ["--redefine-sym", "result=evil\u001b[2Jname", join(folder, "plain"), evil]);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

test("functions, files, modules and errors are escaped", async () => {
  const traced = await runCli(["trace", "-U", `"${evil}":evil* "%U", ctx->ip`, "--", evil, "1"]);
  expect(traced.stdout).toContain("evil\\x1b[2Jname");
  const listed = await runCli(["list", evil]);
  expect(listed.stdout).toContain("evil\\x1b[2Jname");
  const missing = await runCli(["trace", `"${evil}":nothing_here`, "--", evil, "1"]);
  expect(missing.stderr).toContain("esc\\x1b[31mx");
  for (const { stdout, stderr } of [traced, listed, missing]) expect(stdout + stderr).not.toMatch(control);
});

test("a precision of %s counts the bytes in memory", async () => {
  const victim = compile("victim.c");
  const { stdout } = await runCli(["trace", `${victim}:text "%.6s", arg1`, "--", victim, "1"]);
  const messages = stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ {2,}/).at(-1));
  expect(messages[1]).toMatch(/line\\r\\n$/);
  expect(messages[5]).toMatch(/ ?xxxxxx$/);
  expect(messages[6]).toMatch(/café $|café$/);
});

test("-f says what it left out, -p twice is one process, -A leaves times out", async () => {
  const victim = compile("victim.c");
  const filtered = await runCli(["trace", "-f", "nothing", `${victim}:result "%d", arg1`, "--", victim, "5"]);
  expect(filtered.stderr).toMatch(/0 events shown, 5 left out by -f or -n/);
  const counted = await runCli([
    "trace",
    "-t",
    "-A",
    "-M",
    "5",
    `${victim}:integers "%d", arg3`,
    "--",
    victim,
    "5",
  ]);
  expect(counted.stdout).toMatch(/-->COUNT 5/);
  const refused = await runCli(["trace", "--json", "-A", "-M", "5", `${victim}:integers`, "--", victim, "5"]);
  expect(refused.status).toBe(2);
});
