/** Owns the bench command: sets up, bundles bench/ for this node and runs it. Does not own what is measured. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { installBenchPrograms, setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "node_modules/.cache", `uscope-bench-${process.pid}`);

try {
  await setUp();
  installBenchPrograms();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const { build } = await import("esbuild");
await build({
  absWorkingDir: root,
  entryPoints: ["bench/main.ts"],
  outfile: join(folder, "main.mjs"),
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  // Why: the addon, the yardstick and docs/ are found from where the sources lie, not from where the bundle lies.
  define: { "import.meta.url": JSON.stringify(pathToFileURL(join(root, "bench/main.ts")).href) },
  logLevel: "warning",
});

const { code } = await import("./build.mjs");
const codeFolder = join(folder, "dist/code");
await build({ ...code, entryPoints: { "compile-once": "bench/compile-once.ts" }, outdir: codeFolder });
for (const name of ["loader.cjs", "probe-functions.js"])
  copyFileSync(join(root, "dist/code", name), join(codeFolder, name));

// Why: what else runs on the machine should not count. Everything that the benchmark starts inherits the priority.
const realTime = ["chrt", "--rr", "1"];
const [first = "", ...rest] = realTime;
const prefix = spawnSync(first, [...rest, "true"]).status === 0 ? realTime : [];
const [command = "", ...words] = [
  ...prefix,
  process.execPath,
  join(folder, "main.mjs"),
  ...process.argv.slice(2),
];
const bench = spawn(command, words, { stdio: "inherit" });
// Why: the benchmark cleans up after itself, so it is told, and waited for.
for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"]))
  process.on(signal, () => bench.kill(signal));
process.on("SIGINT", () => {});
const [status] = await once(bench, "exit");
process.exitCode = status ?? 1;
