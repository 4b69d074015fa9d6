/** Owns the build: the addon with the system's C compiler, the WebAssembly module, the bundles with esbuild, the type declarations with tsc. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { buildAddon } from "./build-addon.mjs";
import { buildWasm } from "./build-wasm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

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

/**
 * Why CommonJS: Node's loader of ES modules takes 5 ms longer, and what V8 made of an ES module cannot be kept (src/loader.ts).
 * Why a file for each command, with all that it runs: what is read once and run is cheaper than chunks, and than one file for all,
 * which holds much that no command needs.
 * @type {import("esbuild").BuildOptions}
 */
const commonJs = {
  ...both,
  outdir: "dist/code",
  format: "cjs",
  define: { "import.meta.dirname": "__dirname", "import.meta.filename": "__filename" },
  plugins: [
    {
      name: "files of their own",
      /** @param {import("esbuild").PluginBuild} building */
      setup({ onResolve }) {
        // Why within: the search for a package takes 3 ms, and what V8 makes of it could not be kept.
        onResolve({ filter: /^acorn$/ }, ({ kind }) =>
          kind === "dynamic-import"
            ? { path: "./acorn.cjs", external: true }
            : { path: `${root}node_modules/acorn/dist/acorn.mjs` },
        );
        // Why: one-liners need no parser of JavaScript.
        onResolve({ filter: /\/lang\/script\/parse\.js$/ }, ({ kind }) =>
          kind === "dynamic-import" ? { path: "./probe-functions.js", external: true } : undefined,
        );
        onResolve({ filter: /^\.\/commands\// }, ({ path }) => ({
          path: path.replace("commands/", "").replace("run.js", "run.cjs"),
          external: true,
        }));
      },
    },
  ],
};

/**
 * Bundles for src/loader.ts. Why a function around each in the file: what the loader put around it would be a second copy of
 * the text, and cost a trace 8 MB at its peak.
 * @type {import("esbuild").BuildOptions & { entryPoints: Record<string, string> }}
 */
export const code = {
  ...commonJs,
  entryPoints: {
    library: "src/index.ts",
    main: "src/cli/main.ts",
    ...commandEntries(),
    "probe-functions": "src/lang/script/parse.ts",
  },
  supported: { "dynamic-import": false },
  plugins: [
    ...(commonJs.plugins ?? []),
    {
      name: "one library",
      /** @param {import("esbuild").PluginBuild} building */
      setup({ onResolve }) {
        // Why: most commands are written as a user would write them, and what V8 made of the library is kept once for all of them.
        onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: "./library.js", external: true }));
      },
    },
  ],
  banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
  footer: { js: "})" },
};

/**
 * Bundles that Node loads itself. Why not `run` as the others: what a script is may be an ES module, which only a true import()
 * can load, and in code that was kept that finds no loader (Node 20).
 * @type {import("esbuild").BuildOptions}
 */
const loadedByNode = {
  ...commonJs,
  outExtension: { ".js": ".cjs" },
  entryPoints: {
    loader: "src/loader.ts",
    run: "src/cli/commands/run.ts",
    acorn: "node_modules/acorn/dist/acorn.mjs",
  },
};

function commandEntries() {
  const folder = `${root}src/cli/commands`;
  return Object.fromEntries(
    readdirSync(folder)
      .filter((name) => name !== "run.ts")
      .map((name) => [name.replace(/\.ts$/, ""), `${folder}/${name}`]),
  );
}

export async function build() {
  buildAddon();
  buildWasm();
  const { build: bundle } = await import("esbuild");
  for (const folder of ["dist", "compiled"]) rmSync(root + folder, { recursive: true, force: true });
  const hooks = { "script-hooks": "src/tools/script/hooks.ts" };
  await bundle({ ...both, entryPoints: hooks, outdir: "dist", format: "esm" });
  await bundle(code);
  await bundle(loadedByNode);
  // Spec: acorn's licence (MIT) goes with copies of it.
  copyFileSync(`${root}node_modules/acorn/LICENSE`, `${root}dist/code/acorn.LICENSE`);
  nameContents();
  writeLibraryDoor();
  execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}

/** Ends each bundle with a name of its content, by which the loader knows what was compiled of it. */
function nameContents() {
  for (const name of Object.keys(code.entryPoints)) {
    const path = `${root}dist/code/${name}.js`;
    const contentName = createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16);
    appendFileSync(path, `//${contentName}`);
  }
}

/** Writes the ES module that people import: the same names, out of the bundle. */
function writeLibraryDoor() {
  const { load } = createRequire(import.meta.url)(`${root}dist/code/loader.cjs`);
  const names = Object.keys(load("library.js")).join(", ");
  writeFileSync(
    `${root}dist/index.js`,
    `import { createRequire } from "node:module";
const { load } = createRequire(import.meta.url)("./code/loader.cjs");
export const { ${names} } = load("library.js");
`,
  );
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await build();
