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

test("runs that do more than those before add what they called, one in eight", () => {
  run("trace", "--help");
  const before = statSync(keptOf("trace.js")).size;
  // Why so many: whether a process looks is a matter of the millisecond.
  for (let runs = 0; runs < 64 && statSync(keptOf("trace.js")).size === before; runs++) run(...trace);
  expect(statSync(keptOf("trace.js")).size).toBeGreaterThan(before * 1.2);
}, 60_000);

test.each([
  ["with another name of its content", (text: string) => `${text.slice(0, -16)}0123456789abcdef`],
  ["edited in its place", (text: string) => text],
])("what was kept of a bundle is not taken for one %s, though V8 would take it", (_, rename) => {
  run("--version");
  const main = join(copy.root, "dist/code/main.js");
  const text = readFileSync(main, "latin1");
  writeFileSync(main, rename(text.replace("usage: uscope COMMAND", "usage: uscope COMMUNE")));
  const { stdout, kept } = run("--help");
  expect(kept).toEqual({ "main.js": "nothing" });
  expect(stdout).toContain("usage: uscope COMMUNE");
  expect(run("--help").kept).toEqual({ "main.js": "taken" });
});

const damages: readonly (readonly [string, (path: string) => void])[] = [
  [
    "garbage",
    (path) =>
      writeFileSync(
        path,
        Buffer.concat([headingIn(path), Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 251))]),
      ),
  ],
  ["nothing", (path) => truncateSync(path, 0)],
  ["half of it", (path) => truncateSync(path, statSync(path).size / 2)],
  ["more than it", (path) => appendFileSync(path, "more")],
  // V8 checks no sum: each of these bits would be taken for code.
  ...[200, 1000, 5000].map(
    (distance) =>
      [`a wrong bit ${distance} bytes from its end`, (path: string) => flipBit(path, distance)] as const,
  ),
];

test.each(damages)("%s in place of what was kept harms nothing, and is replaced", (_, damage) => {
  const { stdout } = run("--help");
  damage(keptOf("main.js"));
  expect(run("--help")).toEqual({ stdout, kept: { "main.js": "nothing" } });
  expect(run("--help")).toEqual({ stdout, kept: { "main.js": "taken" } });
});

function headingIn(path: string): Buffer {
  return readFileSync(path).subarray(0, 64);
}

function flipBit(path: string, distance: number): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - distance]! ^= 4;
  writeFileSync(path, bytes);
}

test("what a process that was killed has left is removed by the next one that writes", () => {
  run("--version");
  const [old, fresh, foreign] = ["trace.js-v20.0.0-x64.123", "trace.js-v20.0.0-x64.124", "libc.so.6"];
  for (const name of [old, fresh, foreign]) writeFileSync(join(copy.root, "compiled", name), "half");
  const hourAgo = Date.now() / 1000 - 3600;
  for (const name of [old, foreign]) utimesSync(join(copy.root, "compiled", name), hourAgo, hourAgo);
  run(...trace);
  expect(keptFiles()).not.toContain(old);
  expect(keptFiles()).toEqual(expect.arrayContaining([fresh, foreign]));
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

test("nobody else can write there, whatever the umask of root is", () => {
  const script = `umask 0 && "${process.execPath}" "${join(copy.root, "bin/uscope")}" --version`;
  expect(spawnSync("sh", ["-c", script], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  for (const path of [join(copy.root, "compiled"), keptOf("main.js")])
    expect(statSync(path).mode & 0o022).toBe(0);
});

test("a process with other flags of V8 compiles anew, and leaves what others take", () => {
  const { stdout } = run("--help");
  const before = statSync(keptOf("main.js")).ino;
  const other = spawnSync(process.execPath, ["--stack-size=900", join(copy.root, "bin/uscope"), "--help"], {
    encoding: "utf8",
  });
  expect(other).toMatchObject({ stdout, status: 0 });
  expect(statSync(keptOf("main.js")).ino).toBe(before);
  expect(run("--help").kept).toEqual({ "main.js": "taken" });
});
