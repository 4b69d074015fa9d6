/** Where a wrong probe was written: the original line, when the runtime has a source map at hand. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect, it } from "vitest";
import { compile } from "../../support/programs.js";

const checkout = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "uscope-source-maps-"));
const source = join(folder, "probe.ts");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(
  source,
  `interface Row { a: number }
import { observe, uprobe } from "${join(checkout, "dist/index.js")}";

const limit: number = 5;
const probe = uprobe("${compile("calls.c")}:alpha", (p): Row | undefined => {
  if (p.i32(0) > limit) return { a: 1 };
});
observe(probe).armed.catch((error: Error) => console.log(error.message));
`,
);

it.each([
  ["a minified bundle with its map", () => [process.execPath, "--enable-source-maps", bundle()]],
  ["tsx", () => [join(checkout, "node_modules/.bin/tsx"), source]],
])("%s", (_what, command) => {
  const [file, ...words] = command() as [string, ...string[]];
  const said = execFileSync(file, words, { encoding: "utf8" });
  expect(said).toMatch(/^"\w+" is not known in the kernel\n/);
  expect(said).toContain(`written at ${source}:5:15\n`);
});

function bundle(): string {
  const outfile = join(folder, "probe.mjs");
  buildSync({
    entryPoints: [source],
    outfile,
    bundle: true,
    minify: true,
    sourcemap: true,
    format: "esm",
    platform: "node",
    external: [`${checkout}/*`],
  });
  return outfile;
}
