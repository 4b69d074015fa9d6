/** What V8 made of uscope's own code in an earlier process: taken where it fits, never where it does not. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { copyPackage, runCli } from "./support/cli.js";
import { compile } from "./support/programs.js";

const victim = compile("victim.c");
let copy: ReturnType<typeof copyPackage>;
beforeEach(() => {
  copy = copyPackage();
});
afterEach(() => copy[Symbol.dispose]());

/** Loaded before uscope: says of each bundle whether V8 took what was kept. */
const watcher = `
  const vm = require("node:vm");
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options);
      const name = options.filename.split("/").at(-1);
      const taken = options.cachedData === undefined ? "nothing" : this.cachedDataRejected ? "refused" : "taken";
      require("node:fs").writeSync(2, "kept " + name + " " + taken + "\\n");
    }
  };`;

/** Runs `uscope WORDS` of the copy; returns what it printed and what became of what was kept, by bundle. */
function run(...words: readonly string[]): { stdout: string; kept: Record<string, string> } {
  const path = join(copy.root, "watcher.cjs");
  writeFileSync(path, watcher);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--require", path, join(copy.root, "bin/uscope"), ...words],
    { encoding: "utf8" },
  );
  expect(status, stderr).toBe(0);
  const lines = [...stderr.matchAll(/^kept (\S+) (\w+)$/gm)];
  return { stdout, kept: Object.fromEntries(lines.map(([, name, what]) => [name!, what!])) };
}

const trace = ["trace", `${victim}:text (arg2 == 5) "%s", arg1`, "--", victim, "2"];
const keptFiles = (): string[] => readdirSync(join(copy.root, "compiled")).sort();
const keptOf = (bundle: string): string => {
  const name = keptFiles().find((file) => file.startsWith(`${bundle}-`))!;
  return join(copy.root, "compiled", name);
};

test("the second run takes what the first one kept, the functions that it called among it", () => {
  expect(run(...trace).kept).toEqual({ "main.js": "nothing", "trace.js": "nothing" });
  const { ino, size } = statSync(keptOf("trace.js"));
  const second = run(...trace);
  expect(second.kept).toEqual({ "main.js": "taken", "trace.js": "taken" });
  expect(second.stdout.match(/ text +plain$/gm)).toHaveLength(2);
  expect(statSync(keptOf("trace.js")).ino, "nothing new, nothing written").toBe(ino);
  expect(size).toBeGreaterThan(500_000);
  expect(keptFiles()).toEqual(
    ["main.js", "trace.js"].map((name) => `${name}-${process.version}-${process.arch}`),
  );
});

test("a run that does more than those before adds what it called", () => {
  run("trace", "--help");
  const before = statSync(keptOf("trace.js")).size;
  run(...trace);
  expect(statSync(keptOf("trace.js")).size).toBeGreaterThan(before * 1.2);
});

test("what was kept of another text is not taken, though V8 would take it", () => {
  run("--version");
  const main = join(copy.root, "dist/code/main.js");
  const text = readFileSync(main, "latin1");
  const other = text.replace("usage: uscope COMMAND", "usage: uscope COMMUNE").slice(0, -16);
  writeFileSync(main, `${other}${"0123456789abcdef"}`);
  const { stdout, kept } = run("--help");
  expect(kept).toEqual({ "main.js": "nothing" });
  expect(stdout).toContain("usage: uscope COMMUNE");
  expect(run("--help").kept).toEqual({ "main.js": "taken" });
});

test.each([
  ["garbage", (path: string) => writeFileSync(path, Buffer.concat([nameIn(path), Buffer.alloc(5000, 0xa5)]))],
  ["nothing", (path: string) => truncateSync(path, 0)],
  ["half of it", (path: string) => truncateSync(path, statSync(path).size / 2)],
  ["more than it", (path: string) => appendFileSync(path, "more")],
])("%s in place of what was kept harms nothing, and is replaced", (_, damage) => {
  const { stdout } = run("--help");
  damage(keptOf("main.js"));
  expect(run("--help").stdout).toBe(stdout);
  expect(run("--help")).toEqual({ stdout, kept: { "main.js": "taken" } });
});

function nameIn(path: string): Buffer {
  return readFileSync(path).subarray(0, 16);
}

test("what a process that was killed has left is removed by the next one that writes", () => {
  run("--version");
  const [old, fresh] = ["trace.js-v20.0.0-x64.123", "trace.js-v20.0.0-x64.124"];
  for (const name of [old, fresh]) writeFileSync(join(copy.root, "compiled", name), "half");
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(join(copy.root, "compiled", old), hourAgo, hourAgo);
  run(...trace);
  expect(keptFiles()).not.toContain(old);
  expect(keptFiles()).toContain(fresh);
});

test("whoever may not write into the package runs all the same, and hears nothing of it", async () => {
  const { stdout, stderr, status } = await runCli(["--version"], {
    root: copy.root,
    prefix: ["setpriv", "--reuid", "65534", "--clear-groups"],
  });
  expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  expect(stdout).toMatch(/^uscope \d/);
  expect(readdirSync(copy.root)).not.toContain("compiled");
});

test("what root keeps belongs to the owner of the package, who can remove it", () => {
  for (const folder of ["", "dist", "dist/code"]) chownSync(join(copy.root, folder), 65534, 65534);
  run("--version");
  for (const path of [join(copy.root, "compiled"), keptOf("main.js")])
    expect(statSync(path)).toMatchObject({ uid: 65534, gid: 65534 });
});

test("other flags of V8 than those it was kept with: it is compiled anew", () => {
  const { stdout } = run("--help");
  const other = spawnSync(process.execPath, ["--stack-size=900", join(copy.root, "bin/uscope"), "--help"], {
    encoding: "utf8",
  });
  expect(other).toMatchObject({ stdout, status: 0 });
});
