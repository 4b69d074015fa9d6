/** The packed tarball, as a user gets it: installed into an empty folder where no compiler, Python or make can be found. */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "./support/programs.js";

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
        "dist/cli/main.js",
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
      `import { observe, readField, siteOf } from "uscope";
       const stop = new AbortController();
       const seen = [];
       const observation = await observe({ probes: [process.argv[2]], command: process.argv.slice(3) });
       await observation.run({
         signal: stop.signal,
         onEvent(record) {
           const { fields } = observation.sites[siteOf(record)].probe.event;
           const index = fields.findIndex(({ value }) => value.kind === "integer");
           seen.push(readField(record, fields[index], index));
           if (seen.length === 3) stop.abort();
         },
       });
       await observation[Symbol.asyncDispose]();
       console.log(seen.join(" "));`,
    );
    const output = run("node", ["three.mjs", `${victim}:result "%d", arg1`, victim, "5", "200"]);
    expect(output).toBe("0 1 2\n");
  });

  test("examples/observe.mjs does what it says", async () => {
    cpSync(join(checkout, "examples/observe.mjs"), join(project, "observe.mjs"));
    const running = spawn(victim, ["5", "300"], { stdio: "ignore" });
    try {
      const output = run("node", ["observe.mjs", `${victim}:integers "%d", arg3`, String(running.pid)]);
      const lines = output.trimEnd().split("\n");
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines)
        expect(line).toMatch(new RegExp(`^\\d+ ${running.pid} integers: comm=\\S+ arg3=-100000$`));
    } finally {
      running.kill();
    }
  });

  test("has types that TypeScript finds and accepts", () => {
    writeFileSync(
      join(project, "user.ts"),
      `import { observe, type Ending, type Observation } from "uscope";
       const observation: Observation = await observe({ probes: ["c:malloc"], pids: [1] });
       export const ending: Promise<Ending> = observation.run({ signal: AbortSignal.timeout(1), onEvent() {} });`,
    );
    const words = ["user.ts", "--ignoreConfig", "--noEmit", "--strict", "--target", "es2023"];
    words.push("--module", "nodenext", "--moduleResolution", "nodenext", "--types", "node");
    symlinkSync(join(checkout, "node_modules/@types"), join(project, "node_modules/@types"));
    const tsc = join(checkout, "node_modules/typescript/bin/tsc");
    execFileSync(process.execPath, [tsc, ...words], { cwd: project, encoding: "utf8" });
    writeFileSync(
      join(project, "user.ts"),
      `import { observe } from "uscope";\nawait observe({ probe: "c:malloc" });`,
    );
    expect(() => execFileSync(process.execPath, [tsc, ...words], { cwd: project, stdio: "pipe" })).toThrow();
  });
});
