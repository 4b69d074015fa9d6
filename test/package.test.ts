/** The packed tarball, as a user gets it: installed into an empty folder where no compiler, Python or make can be found. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "./support/programs.js";
import { startRedis } from "./support/redis.js";
import type { Redis } from "./support/redis.js";

const checkout = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "uscope-package-"));
const tools = join(folder, "tools");
const project = join(folder, "project");
/** Runs in place of every script that npm would start while it installs. */
const scriptShell = join(folder, "script-shell");
const scriptsRun = join(folder, "scripts-run");

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

let packed: Packed;

/** Runs a program of the poor folder `tools` with nothing else on PATH; throws with its stderr when it fails. */
function run(command: string, words: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  return execFileSync(join(tools, command), words, {
    cwd: project,
    encoding: "utf8",
    env: { HOME: process.env["HOME"] ?? folder, ...env, PATH: tools },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function pathOf(command: string): string {
  return execFileSync("/bin/sh", ["-c", `command -v ${command}`], { encoding: "utf8" }).trim();
}

beforeAll(() => {
  mkdirSync(tools);
  mkdirSync(project);
  symlinkSync(process.execPath, join(tools, "node"));
  for (const command of ["npm", "npx", "sh"]) symlinkSync(pathOf(command), join(tools, command));
  writeFileSync(scriptShell, `#!/bin/sh\necho "$@" >> ${scriptsRun}\nexit 1\n`, { mode: 0o755 });
  // Why --ignore-scripts: packing would build, under the feet of other tests; the tests run over a current build anyway.
  const answer = execFileSync(
    "npm",
    ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder],
    { cwd: checkout, encoding: "utf8" },
  );
  packed = Object.values(JSON.parse(answer) as Record<string, Packed>)[0]!;
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module" }),
  );
  const words = ["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder, packed.filename)];
  run("npm", words, { npm_config_script_shell: scriptShell });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tarball", () => {
  test("holds what is needed and nothing else", () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        "LICENSE",
        "README.md",
        "package.json",
        "bin/uscope",
        "dist/code/main.js",
        "dist/index.js",
        "dist/types/index.d.ts",
        "docs/architecture.md",
        `prebuilds/linux-${process.arch}/uscope.node`,
      ]),
    );
    const others = paths.filter(
      (path) => !/^(bin|dist|docs|prebuilds)\/|^(LICENSE|README\.md|package\.json)$/.test(path),
    );
    expect(others).toEqual([]);
  });

  test("is small", () => {
    console.log(`tarball: ${packed.size} bytes, ${packed.files.length} files`);
    expect(packed.size).toBeLessThan(1_500_000);
  });

  test("is what publint calls a good package", () => {
    const unpacked = join(project, "node_modules/uscope");
    const publint = join(checkout, "node_modules/publint/src/cli.js");
    const answer = execFileSync(process.execPath, [publint, "--strict", "--pack=false", unpacked], {
      encoding: "utf8",
    });
    expect(answer).toContain("All good");
  });
});

describe("installing", () => {
  test("runs no script, neither of uscope nor of what it needs", () => {
    expect(existsSync(scriptsRun)).toBe(false);
    const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8")) as {
      packages: Record<string, { hasInstallScript?: true }>;
    };
    expect(Object.keys(packages)).toContain("node_modules/uscope");
    expect(Object.values(packages).filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
  });

  test("finds nothing that npm would build with node-gyp", () => {
    expect(existsSync(join(project, "node_modules/uscope/binding.gyp"))).toBe(false);
    const { gypfile, scripts } = JSON.parse(
      readFileSync(join(project, "node_modules/uscope/package.json"), "utf8"),
    ) as { gypfile: boolean; scripts: Record<string, string> };
    expect(gypfile).toBe(false);
    for (const name of ["preinstall", "install", "postinstall"]) expect(scripts).not.toHaveProperty(name);
  });
});

describe("the installed command", () => {
  const victim = compile("victim.c");

  test("uscope --version", () => {
    const { version } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    expect(run("npx", ["uscope", "--version"])).toBe(`uscope ${version}\n`);
  });

  test("uscope list", () => {
    expect(run("npx", ["uscope", "list", victim, "never_*"])).toMatch(/function +never_called\n/);
  });

  test("uscope trace", () => {
    const probe = `${victim}:text (arg2 == 5) "%s", arg1`;
    const output = run("npx", ["uscope", "trace", probe, "--", victim, "2"]);
    expect(output.split("\n").filter((line) => line.endsWith(" plain"))).toHaveLength(2);
  });

  test("a place inside a function, which needs the decoder library", () => {
    const output = run("npx", ["uscope", "trace", `${victim}:never_called+0x2`, "--", victim, "1"]);
    expect(output).toContain("FUNC");
  });
});

describe("the installed library", () => {
  const victim = compile("victim.c");

  test("observes three events from a script", () => {
    writeFileSync(
      join(project, "three.mjs"),
      `import { arm, readField, siteOf } from "uscope";
       const stop = new AbortController();
       const seen = [];
       const armed = await arm({ probes: [process.argv[2]], command: process.argv.slice(3) });
       await armed.run({
         signal: stop.signal,
         onEvent(record) {
           const { fields } = armed.sites[siteOf(record)].probe.event;
           const index = fields.findIndex(({ value }) => value.kind === "integer");
           seen.push(readField(record, fields[index], index));
           if (seen.length === 3) stop.abort();
         },
       });
       await armed[Symbol.asyncDispose]();
       console.log(seen.join(" "));`,
    );
    const output = run("node", ["three.mjs", `${victim}:result "%d", arg1`, victim, "5", "200"]);
    expect(output).toBe("0 1 2\n");
  });

  test("has types that TypeScript finds and accepts", () => {
    writeFileSync(
      join(project, "user.ts"),
      `import { arm, observe, uprobe, type Ending, type Trace } from "uscope";
       const armed: Trace = await arm({ probes: ["c:malloc"], pids: [1] });
       export const ending: Promise<Ending> = armed.run({ signal: AbortSignal.timeout(1), onEvent() {} });
       const sizes = uprobe("c:malloc", (p) => ({ pid: p.pid, size: p.u64(0) }));
       for await (const event of observe(sizes)) {
         const size: bigint = event.size + BigInt(event.pid);
         console.log(size);
       }`,
    );
    const words = ["user.ts", "--ignoreConfig", "--noEmit", "--strict", "--target", "es2023"];
    words.push("--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node");
    symlinkSync(join(checkout, "node_modules/@types"), join(project, "node_modules/@types"));
    const tsc = join(checkout, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, ...words], { cwd: project, encoding: "utf8" });
    writeFileSync(
      join(project, "user.ts"),
      `import { observe, uprobe } from "uscope";
       for await (const event of observe(uprobe("c:malloc", (p) => ({ size: p.u64(0) })))) console.log(event.sise);`,
    );
    expect(() => execFileSync(process.execPath, [tsc, ...words], { cwd: project, stdio: "pipe" })).toThrow();
  });
});

describe("examples under redis-benchmark, in a folder with nothing but the package", () => {
  let redis: Redis;
  const requests = 5000;

  beforeAll(async () => {
    redis = await startRedis();
    cpSync(join(checkout, "examples"), join(project, "examples"), { recursive: true });
  });

  afterAll(() => redis[Symbol.asyncDispose]());

  /** Starts `uscope run` on an example, lets the benchmark run when all is armed, and returns what was printed after Ctrl-C. */
  async function runExample(file: string, ...words: readonly string[]): Promise<string> {
    const uscope = join(project, "node_modules/.bin/uscope");
    const child = spawn(process.execPath, [uscope, "run", "--json", join("examples", file), ...words], {
      cwd: project,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    await new Promise<void>((resolve, reject) => {
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("armed")) resolve();
      });
      child.on("exit", () => reject(new Error(said)));
    });
    await redis.benchmark(requests);
    await sleep(1500);
    child.kill("SIGINT");
    await once(child, "exit");
    return output;
  }

  test("each event of a function, with its type", async () => {
    const events = parseLines(await runExample("redis-commands.ts", String(redis.pid)));
    const words = events.map(({ text }) => text);
    // The server's own count; the benchmark asks CONFIG GET too.
    const statistics = await redis.ask("info commandstats");
    const callsOf = (name: string): number =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(statistics)?.[1] ?? 0);
    expect(callsOf("set")).toBe(requests);
    expect(words.filter((word) => word === "SET").length).toBe(callsOf("set"));
    expect(words.filter((word) => word === "GET").length).toBe(callsOf("get") + callsOf("config\\|get"));
    expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([redis.pid]));
  });

  test("a histogram of durations", async () => {
    const rows = parseLines(await runExample("latency-by-function.ts", `${redis.program}:processCommand`));
    const counts = rows[0]!["buckets"] as { count: number }[];
    expect(rows[0]).toMatchObject({ function: "processCommand", count: expect.any(Number) });
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(rows[0]!["count"]);
    expect(rows[0]!["count"]).toBeGreaterThanOrEqual(2 * requests);
  });

  test("calls that were slow, and who calls", async () => {
    const slow = parseLines(await runExample("slow-calls.ts", `${redis.program}:processCommand`, "0.5"));
    for (const row of slow)
      expect(row).toMatchObject({ pid: redis.pid, comm: "redis-server", returned: "0" });
    expect(slow.every(({ ns }) => Number(ns) >= 500)).toBe(true);
    expect(slow.length).toBeGreaterThan(requests);
    const callers = parseLines(await runExample("who-calls.ts", `${redis.program}:processCommand`));
    expect(callers.length).toBeGreaterThanOrEqual(2 * requests);
    expect((callers[0]!["stack"] as string[])[0]).toMatch(/^processCommand\+0x0 \[redis-server\]$/);
  });

  test("the most frequent keys", async () => {
    const intervals = (await runExample("top-commands.ts", "3", redis.program))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: { text: string }; count: number }[]);
    const counted = (text: string): number =>
      intervals.flat().reduce((sum, row) => (row.key.text === text ? sum + row.count : sum), 0);
    expect(intervals.every((rows) => rows.length <= 3)).toBe(true);
    expect(counted("key:__rand_int__")).toBe(2 * requests);
  });
});

/** One JSON object a line. */
function parseLines(text: string): Record<string, unknown>[] {
  const rows = text.trimEnd().split("\n");
  return rows.map((line) => JSON.parse(line) as Record<string, unknown>);
}
