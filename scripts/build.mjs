/** Owns the build: the addon with the system's C compiler, the bundles with esbuild, the type declarations with tsc. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildAddon } from "./build-addon.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function build() {
  buildAddon();
  const { build: bundle } = await import("esbuild");
  rmSync(`${root}dist`, { recursive: true, force: true });
  await bundle({
    absWorkingDir: root,
    entryPoints: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
    outdir: "dist",
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    // Why: each command is a chunk of its own, so that `uscope trace` reads only what it runs.
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    logLevel: "warning",
  });
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await build();
