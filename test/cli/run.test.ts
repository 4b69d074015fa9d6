/** `uscope run` as a person uses it, on scripts in a folder outside of every package; and every sample of docs/run.md. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli, startCli } from "../support/cli.js";
import type { CliOptions, CliResult } from "../support/cli.js";
import { asShown, openSamples } from "../support/samples.js";

const folder = mkdtempSync(join(tmpdir(), "uscope-run-"));

beforeAll(() => {
  for (const [name, text] of Object.entries(scripts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each waits or speaks as a script of a user would. */
const scripts = {
  "rows.ts": `export default async function* (count: string = "3"): AsyncGenerator<{ n: bigint }> {
    for (let n = 0n; n < BigInt(count); n++) yield { n } satisfies object;
  }`,
  "ticks.ts": `import { setTimeout as sleep } from "node:timers/promises";
    export default async function* () {
      try { for (let tick = 0; ; tick++) { yield { tick }; await sleep(10); } }
      finally { console.error("closed"); }
    }`,
  "hang.ts": `setInterval(() => {}, 1000);
    export default async function* () { yield "waits"; await new Promise(() => {}); }`,
  "endless.ts": `export default function* (): Generator<{ n: number }> { for (let n = 0; ; n++) yield { n }; }`,
  "words.ts": `export default (...words: string[]) => [words.join("|"), process.argv.slice(2).join("|")];`,
  "typeless/package.json": `{ "name": "x", "type": "commonjs" }`,
  "typeless/probe.ts": `import { shape } from "./shape.ts"; import other from "./shape.js"; export default [shape, other];`,
  "typeless/shape.ts": `export const shape: string = "shape"; export default "other" as const;`,
  "module.mts": `export default [import.meta.url.endsWith("module.mts") as boolean];`,
  "module.mjs": `export default ["mjs"];`,
  "module.js": `export default ["js"];`,
  "common.js": `module.exports = () => [typeof require];`,
  "text.ts": `const probe = (p: { arg(index: number): bigint }): bigint => /* é */ p.arg(0)! as bigint;
    export default [probe.toString()];`,
  "same.ts": `import * as first from "uscope"; import { dirname } from "node:path";
    const second = await import(process.argv[2]!);
    export default [first.UsageError === second.UsageError, first.UsageError.name];`,
  "node_modules/uscope/package.json": `{ "name": "uscope", "main": "other.js" }`,
  "node_modules/uscope/other.js": `exports.UsageError = class Other {};`,
  "top.ts": `console.log("top" as string); setTimeout(() => console.log("later"), 20);`,
  "listens.ts": `const host = globalThis[Symbol.for("uscope.host")] as { stop: AbortSignal; say(text: string): void };
    async function* observed() {
      host.say("armed \\u001b\\n");
      while (!host.stop.aborted) { yield 1; await new Promise((wake) => setTimeout(wake, 10)); }
    }
    let seen = 0;
    export default async function* () { for await (const _ of observed()) seen++; yield { seen: seen > 1 }; }`,
  "loop.ts": `for (;;) { console.log("turn"); await new Promise((wake) => setTimeout(wake, 10)); }`,
  "enum.ts": `export {};\nenum Color { red }\n`,
  "property.ts": `class A { constructor(readonly x: number) {} }`,
  "namespace.ts": `namespace A { export const x = 1; }`,
  "syntax.ts": `const a: number = 1;\nlet b: number = ;\n`,
  "syntax.mjs": `let b = ;\n`,
  "importer.ts": `import "./syntax.mjs"; export default [];`,
  "twice.ts": `const a: number = 1; const a = 2;`,
  "using.ts": `await using opened = { async [Symbol.asyncDispose](): Promise<void> {} };\nexport default ["using"];`,
  "throws.ts": `interface A { x: number }\nexport default async function* () {\n  yield { a: 1 };\n  throw new RangeError("too \\u001b[31mred");\n}`,
  "throws-text.ts": `throw "plainly";`,
  "throws-late.ts": `export default async function* () {
      yield { a: 1 };
      setTimeout(() => { throw new Error("late"); }, 10);
      await new Promise((wake) => setTimeout(wake, 5000));
    }`,
  "throws-json.ts": `JSON.parse("{");`,
  "rejects.ts": `export default async function* () {
      void Promise.reject(new Error("nobody waits"));
      await new Promise((wake) => setTimeout(wake, 5000));
    }`,
  "own-error.ts": `import { UsageError } from "uscope";
    throw new UsageError({ what: "not so", at: "here", fix: "otherwise" });`,
  "number.ts": `export default 3;`,
  "object.ts": `export default () => ({ a: 1 });`,
  "package.ts": `import "no-such-package";`,
  "file.ts": `import "./rows";`,
  "name.ts": `import { nothing } from "./rows.ts";`,
  "probe.txt": "",
};

function run(words: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(["run", ...words], { cwd: folder, ...options });
}

async function linesOf(...words: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr, status } = await run(words);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.trimEnd().split("\n");
}

function blank(text: string): string {
  return " ".repeat(text.length);
}

describe("a script", () => {
  test("prints what it yields, as columns and as JSON", async () => {
    expect(await linesOf("rows.ts", "2")).toEqual(["      N", "      0", "      1"]);
    expect(await linesOf("--json", "rows.ts", "1")).toEqual(['{"n":"0"}']);
  });

  test("has all words behind it, whatever they look like", async () => {
    const shown = "--json|-M|x|--|--help";
    expect(await linesOf("words.ts", "--json", "-M", "x", "--", "--help")).toEqual([shown, shown]);
  });

  test.each([
    ["module.mts", "true"],
    ["module.mjs", "mjs"],
    ["module.js", "js"],
    ["common.js", "function"],
  ])("may be %s", async (file, line) => expect(await linesOf(file)).toEqual([line]));

  test("imports other files, whatever the package around it says", async () => {
    expect(await linesOf("typeless/probe.ts")).toEqual(["shape", "other"]);
  });

  test("keeps each function's text in its place", async () => {
    const [line] = await linesOf("text.ts");
    const written = scripts["text.ts"].slice(
      scripts["text.ts"].indexOf("(p:"),
      scripts["text.ts"].indexOf(";\n"),
    );
    const stripped = written
      .replace(": { arg(index: number): bigint }", blank)
      .replace(": bigint", blank)
      .replace("! as bigint", blank);
    expect(line?.trimEnd()).toBe(stripped.trimEnd());
  });

  test("gets this uscope, also beside another", async () => {
    const library = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
    expect(await linesOf("same.ts", library)).toEqual(["true", "UsageError"]);
  });

  test("without a default export runs to its end", async () => {
    expect(await linesOf("top.ts")).toEqual(["top", "later"]);
  });
});

describe("the end", () => {
  test("comes with --max", async () => {
    const { stdout, stderr, status } = await run(["--json", "-M", "3", "ticks.ts"]);
    expect({ stdout, stderr, status }).toEqual({
      stdout: '{"tick":0}\n{"tick":1}\n{"tick":2}\n',
      stderr: "closed\n",
      status: 0,
    });
  });

  test("comes with --duration", async () => {
    const { stderr, status } = await run(["-d", "0.1", "ticks.ts"]);
    expect({ stderr, status }).toEqual({ stderr: "closed\n", status: 0 });
  });

  test("does not wait for --duration", async () => {
    const start = performance.now();
    await linesOf("-d", "20", "rows.ts");
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("comes with %s", async (name) => {
    await using running = startCli(["run", "ticks.ts"], { cwd: folder });
    await running.until("stdout", /1\n/);
    running.signal(name);
    const { stderr, status } = await running.ended;
    expect({ stderr, status }).toEqual({ stderr: "closed\n", status: 0 });
  });

  test("comes for a generator that answers no more", async () => {
    await using running = startCli(["run", "hang.ts"], { cwd: folder });
    await running.until("stdout", /waits/);
    running.signal("SIGINT");
    expect((await running.ended).status).toBe(0);
  });

  test("comes when a top level never ends", async () => {
    await using running = startCli(["run", "loop.ts"], { cwd: folder });
    await running.until("stdout", /turn/);
    running.signal("SIGINT");
    expect((await running.ended).status).toBe(0);
  });

  test("comes amid values that never pause", async () => {
    const { stdout, status } = await run(["-d", "0.2", "endless.ts"]);
    expect(status).toBe(0);
    expect(stdout.split("\n").length).toBeGreaterThan(1000);
  });

  test("comes amid them also when no reader ever makes them wait", () => {
    const uscope = fileURLToPath(new URL("../../bin/uscope", import.meta.url));
    execFileSync(process.execPath, [uscope, "run", "-d", "0.2", "endless.ts"], {
      cwd: folder,
      stdio: "ignore",
      timeout: 10_000,
      // Why: what never pauses never hears of SIGTERM.
      killSignal: "SIGKILL",
    });
  });

  test.each(["endless.ts", "ticks.ts", "loop.ts"])("comes when the reader of %s goes", (file) => {
    const uscope = fileURLToPath(new URL("../../bin/uscope", import.meta.url));
    const line = `{ '${process.execPath}' '${uscope}' run ${file}; echo "code $?" >&2; } 2>&1 >&3 | cat`;
    const said = execFileSync("/bin/bash", ["-c", `{ ${line} >&4; } 3>&1 4>&2 | head -2`], {
      cwd: folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    expect(said.split("\n")).toHaveLength(3);
  });

  test("lets observations end, and the script speak its last words", async () => {
    const { stdout, stderr, status } = await run(["-d", "0.2", "listens.ts"]);
    expect({ stdout, stderr, status }).toEqual({
      stdout: "SEEN\ntrue\n",
      stderr: "armed \\x1b\n",
      status: 0,
    });
  });
});

describe("an error", () => {
  test.each([
    ["no-such.ts", "there is no file no-such.ts", ""],
    ["rowz.ts", "there is no file rowz.ts", "fix: did you mean rows.ts?"],
    ["typeless", "typeless is a folder, not a script", ""],
    [
      "probe.txt",
      "probe.txt is no TypeScript or JavaScript module by its name",
      "fix: name it with one of .ts",
    ],
    [
      "enum.ts",
      "an enum is more than a type",
      "at: enum.ts:2:1\n    enum Color { red }\n    ^^^^^^^^^^^^^^^^^^\n",
    ],
    ["property.ts", "a parameter property is more than a type", "at: property.ts:1:"],
    ["namespace.ts", "a namespace is more than a type", "at: namespace.ts:1:1\n"],
    ["syntax.ts", "syntax error: Expression expected", "at: syntax.ts:2:17\n    let b: number = ;\n"],
    [
      "syntax.mjs",
      "syntax error: Unexpected token ';'",
      "at: syntax.mjs:1:9\n    let b = ;\n            ^\n",
    ],
    ["importer.ts", "syntax error: Unexpected token ';'", "at: syntax.mjs:1:9\n"],
    ["twice.ts", "syntax error: Identifier 'a' has already been declared", "at: twice.ts:1:28\n"],
    ["throws.ts", "RangeError: too \\x1b[31mred", "at: throws.ts:4:9\n"],
    ["throws-text.ts", 'the script threw "plainly"', "at: throws-text.ts\n"],
    ["throws-late.ts", "late", "at: throws-late.ts:3:32\n"],
    ["throws-json.ts", "SyntaxError: Expected property name", "at: throws-json.ts:1:6\n"],
    ["rejects.ts", "nobody waits", "at: rejects.ts:2:27\n"],
    ["number.ts", "the default export is a value of type number", "at: number.ts\n"],
    ["object.ts", "the function exported as default returns a value of type object", "at: object.ts\n"],
    ["package.ts", 'no package "no-such-package" is installed', "npm install no-such-package"],
    ["file.ts", "the imported file rows does not exist", "fix: write the path with its ending: rows.ts"],
    ["name.ts", "does not provide an export named 'nothing'", "at: name.ts:1:10\n"],
  ])("of %s has three lines", async (file, what, more) => {
    const { stderr, status } = await run([file]);
    expect(stderr).toMatch(/^uscope: .*\n {2}at: [^]*\n {2}fix: .*\n$/);
    expect(stderr.split("\n")[0]).toContain(what);
    expect(stderr).toContain(more);
    expect(stderr).not.toMatch(/node:internal|Warning/);
    expect(status).toBe(1);
  });

  test("of uscope itself passes as it is", async () => {
    const { stderr, status } = await run(["own-error.ts"]);
    expect({ stderr, status }).toEqual({
      stderr: "uscope: not so\n  at: here\n  fix: otherwise\n",
      status: 2,
    });
  });

  test("of syntax that this Node does not know names the place", async () => {
    const { stdout, stderr } = await run(["using.ts"]);
    if (Number(process.versions.node.split(".")[0]) >= 24) expect(stdout).toBe("using\n");
    else expect(stderr).toMatch(/at: using\.ts:1:13\n[^]*run a newer Node than v/);
  });

  test("comes behind what was printed before", async () => {
    expect((await run(["throws.ts"])).stdout).toBe("      A\n      1\n");
  });

  test("shows its stack with USCOPE_DEBUG", async () => {
    const { stderr } = await run(["throws.ts"], { env: { USCOPE_DEBUG: "1" } });
    expect(stderr).toMatch(/\n {4}at .*throws\.ts:4:9/);
  });

  test("of the command line has code 2", async () => {
    expect((await run([])).status).toBe(2);
    expect((await run(["--jsno", "rows.ts"])).stderr).toContain("did you mean --json?");
    expect((await run(["-M", "0", "rows.ts"])).status).toBe(2);
  });
});

describe("docs/run.md", () => {
  using page = openSamples("run.md");
  const { samples } = page;
  test("has samples", () => expect(samples.length).toBeGreaterThanOrEqual(6));
  test.each([...samples])("$command", (sample) => {
    using files = openSamples("run.md");
    expect(asShown(files.run(sample), sample)).toBe(sample.output);
  });
});
