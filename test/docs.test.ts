/** The samples of the guide, run as they stand there; the library's first one compiled by TypeScript and run by Node. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { requires } from "./support/kernel.js";
import { startRedis } from "./support/redis.js";
import { asLike, openSamples } from "./support/samples.js";

const checkout = fileURLToPath(new URL("..", import.meta.url));

it.each(["first-probe.md"])("docs/%s shows what uscope prints", (page) => {
  using folder = openSamples(page);
  expect(folder.samples.length).toBeGreaterThan(0);
  for (const sample of folder.samples) expect(asLike(folder.run(sample), sample)).toBe(sample.output);
});

/** The first block of code of a page. */
function firstCode(page: string): string {
  const text = readFileSync(join(checkout, "docs", page), "utf8");
  const [block = ""] = /(?:^(?: {4}.*)?\n)+/m.exec(text.slice(text.search(/^ {4}/m))) ?? [];
  return block.replaceAll(/^ {4}/gm, "");
}

/** A folder of a user who has installed uscope and writes `program.ts`. */
function openProject(program: string): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "uscope-docs-"));
  mkdirSync(join(path, "node_modules"));
  symlinkSync(checkout, join(path, "node_modules/uscope"));
  symlinkSync(join(checkout, "node_modules/@types"), join(path, "node_modules/@types"));
  writeFileSync(join(path, "package.json"), '{ "private": true, "type": "module" }\n');
  const compilerOptions = {
    strict: true,
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    types: ["node"],
    outDir: "out",
    rootDir: ".",
  };
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  writeFileSync(join(path, "program.ts"), program);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Throws with what the compiler says. */
function compile(folder: string): void {
  try {
    execFileSync(join(checkout, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
  } catch (error) {
    throw new Error(String((error as { stdout?: string }).stdout), { cause: error });
  }
}

describe.runIf(requires("redis-server"))("the first code of docs/library.md", () => {
  const code = firstCode("library.md");

  it("compiles, and prints what a server is sent", async () => {
    expect(code).toMatch(/^import .* from "uscope";\n[^]*for await/);
    using project = openProject(code);
    compile(project.path);
    await using redis = await startRedis();
    const { PATH = "" } = process.env;
    const child = spawn(process.execPath, [join(project.path, "out/program.js")], {
      // Why: the name on PATH is then that of the copy that runs.
      env: { ...process.env, PATH: `${dirname(redis.program)}:${PATH}` },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(child, "exit");
    try {
      const line = `${redis.pid} value\n`;
      let printed = "";
      child.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
      // Why again and again: nobody is told when the probe is armed. The program ends by itself.
      for (let tries = 0; tries < 150 && !printed.includes(line); tries++) {
        expect(await redis.ask("SET key value")).toBe("+OK\r\n");
        await sleep(50);
      }
      expect(printed).toContain(line);
    } finally {
      child.kill("SIGKILL");
      await ended;
    }
  });

  it("has types that tell mistakes apart", () => {
    using project = openProject(code.replace("event.text)", "event.txet)"));
    expect(() => compile(project.path)).toThrow(/'txet' does not exist/);
  });
});
