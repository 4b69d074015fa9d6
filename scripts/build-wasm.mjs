/** Owns the build of the WebAssembly module: from assembly/ to the text in src/wasm/code.ts that bundles and tests import. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export const wasmCodePath = "src/wasm/code.ts";

export function buildWasm() {
  const folder = mkdtempSync(join(tmpdir(), "uscope-wasm-"));
  try {
    const path = join(folder, "code.wasm");
    const parameters = [
      "assembly/index.ts",
      `--outFile=${path}`,
      // Why not for size: V8's first compiler, which makes all that a short run runs, puts no function into its callers.
      // With -O2 it is 32 KB instead of 55, and a long list takes 40 % longer.
      "-O3",
      // Why no runtime: nothing is ever collected. Why no imports: all that the module can do is read and write its memory.
      "--runtime=stub",
      "--use=abort=",
    ];
    execFileSync(process.execPath, [`${root}node_modules/assemblyscript/bin/asc.js`, ...parameters], {
      cwd: root,
      stdio: "inherit",
    });
    const code = readFileSync(path).toString("base64");
    writeFileSync(
      `${root}${wasmCodePath}`,
      `/** Made of assembly/ by scripts/build-wasm.mjs. */\nexport const code =\n  "${code}";\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) buildWasm();
