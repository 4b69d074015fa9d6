/** Owns the build: the addon with the system's C compiler, the WebAssembly module, the bundles with esbuild, the type declarations with tsc. */
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildAddon } from "./build-addon.mjs";
import { buildWasm } from "./build-wasm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Why CommonJS: Node's loader of ES modules takes 5 ms longer. Why a file for each command, with all that it runs: what
 * is compiled once and run is cheaper than chunks, and than one file for all, which holds much that no command needs.
 */
const commandLine = {
  entryPoints: {
    main: "src/cli/main.ts",
    ...commandEntries(),
    "probe-functions": "src/lang/script/parse.ts",
  },
  outdir: "dist/cli",
  format: /** @type {const} */ ("cjs"),
  define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
  supported: { "dynamic-import": false },
  plugins: [
    {
      name: "files of their own",
      /** @param {import("esbuild").PluginBuild} building */
      setup({ onResolve }) {
        // Why: one-liners need no parser of JavaScript.
        onResolve({ filter: /\/lang\/script\/parse\.js$/ }, ({ kind }) =>
          kind === "dynamic-import" ? { path: "./probe-functions.js", external: true } : undefined,
        );
        onResolve({ filter: /^\.\/commands\// }, ({ path }) => ({
          path: path.replace("commands/", ""),
          external: true,
        }));
      },
    },
  ],
};

function commandEntries() {
  const folder = `${root}src/cli/commands`;
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name.replace(/\.ts$/, ""), `${folder}/${name}`]),
  );
}

export async function build() {
  buildAddon();
  buildWasm();
  const { build: bundle } = await import("esbuild");
  rmSync(`${root}dist`, { recursive: true, force: true });
  /** @type {import("esbuild").BuildOptions} */
  const both = {
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node20",
    packages: "external",
    minifySyntax: true,
    minifyWhitespace: true,
    sourcemap: false,
    logLevel: "warning",
  };
  const library = { index: "src/index.ts", "script-hooks": "src/tools/script/hooks.ts" };
  await bundle({ ...both, entryPoints: library, outdir: "dist", format: "esm", splitting: true });
  await bundle({ ...both, ...commandLine });
  // Why: what a script is may be an ES module, which only a true import() can load.
  const run = { run: "src/cli/commands/run.ts" };
  await bundle({ ...both, ...commandLine, entryPoints: run, supported: { "dynamic-import": true } });
  writeFileSync(`${root}dist/cli/package.json`, `${JSON.stringify({ type: "commonjs" })}\n`);
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await build();
