/** Owns the bench command: sets up, bundles bench/ for this node and runs it. Does not own what is measured. */
import { rmSync } from "node:fs";
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
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  // Why: the addon, the yardstick and docs/ are found from where the sources lie, not from where the bundle lies.
  define: { "import.meta.url": JSON.stringify(pathToFileURL(join(root, "bench/main.ts")).href) },
  logLevel: "warning",
});
await import(pathToFileURL(join(folder, "main.mjs")).href);
