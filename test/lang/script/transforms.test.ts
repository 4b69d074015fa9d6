/** Whatever a script went through before it runs, its probe functions mean the same. Each transform really runs. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printTree } from "../../../src/lang/print-tree.js";
import type { HandedOver } from "../../../src/lang/script/handed-over.js";
import { meaningOf } from "./meaning.js";
import { probes } from "./samples/commands.js";
import { handed, parseText } from "./support.js";

// Why: the package says nothing of its types.
const { transformSync } = createRequire(import.meta.url)("amaro") as {
  transformSync(source: string, options: { mode: "strip-only" }): { code: string };
};
const root = fileURLToPath(new URL("../../../", import.meta.url));
const samples = join(root, "test/lang/script/samples");
const withImports: HandedOver = new Map([
  ...handed,
  ["most", { kind: "constant", value: 64 }],
  ["label", { kind: "constant", value: "large" }],
]);

let folder: string;
/** What amaro's stripping leaves: the text that was written, with blanks for types. */
let written: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "uscope-transforms-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  written = await texts("written", (source) => transformSync(source, { mode: "strip-only" }).code);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("probe functions mean the same after", () => {
  it("amaro, which is plain JavaScript", () => {
    expect(written["simple"]).toContain("p.text(p.arg(0), { length: p.arg(1) })");
    // Why: the others are compared with it, so that it has to do something.
    const outcomes = Object.keys(written).map((name) => {
      const results = meaningOf(parse(written[name]!), fc.sample(hits, { numRuns: 50, seed: 1 }).flat());
      return new Set(
        results.map((result) =>
          JSON.stringify(result, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)),
        ),
      ).size;
    });
    expect(Math.min(...outcomes)).toBeGreaterThan(10);
  });

  it("tsc", () => {
    const out = join(folder, "tsc");
    const words = [
      "--ignoreConfig",
      "--outDir",
      out,
      "--rootDir",
      root,
      "--module",
      "esnext",
      "--target",
      "es2022",
    ];
    const more = [
      "--moduleResolution",
      "bundler",
      "--skipLibCheck",
      "--types",
      "",
      join(samples, "commands.ts"),
    ];
    execFileSync(join(root, "node_modules/.bin/tsc"), [...words, ...more], { encoding: "utf8" });
    same(dump(join(out, "test/lang/script/samples/commands.js")), "tree");
  });

  it("Node's own type stripping", (test) => {
    const node = strippingNode();
    // Why no failure in CI: Node 20 cannot, and another Node is a download of 100 MB that only `npm run test:node-versions` makes.
    if (node === undefined)
      return test.skip("no Node from 22.6 on here: npm run test:node-versions brings some");
    const files = {
      "commands.ts": (text: string) => text.replace("./constants.js", "./constants.ts"),
      "constants.ts": (text: string) => text,
    };
    mkdirSync(join(folder, "node"));
    for (const [name, change] of Object.entries(files)) {
      writeFileSync(join(folder, "node", name), change(readFileSync(join(samples, name), "utf8")));
    }
    same(
      dump(join(folder, "node/commands.ts"), [node, "--experimental-strip-types", "--no-warnings"]),
      "tree",
    );
  });

  it("tsx", () => {
    const found = dump(join(samples, "commands.ts"), [
      process.execPath,
      "--import",
      import.meta.resolve("tsx"),
    ]);
    same(found, "tree");
  });

  it("jiti", () => {
    const script = `import { createJiti } from ${JSON.stringify(import.meta.resolve("jiti"))};
const { probes } = await createJiti(import.meta.url, { fsCache: false }).import(process.argv[1]);${print}`;
    const found = run([process.execPath, "--input-type=module", "-e", script, join(samples, "commands.ts")]);
    expect(found["imported"]).toContain("_constants.most");
    same(found, "tree");
  });

  it("esbuild", async () => {
    same(await texts("esbuild", async (source) => (await transform(source, { loader: "ts" })).code), "tree");
  });

  it("esbuild, keeping names", async () => {
    same(
      await texts(
        "names",
        async (source) => (await transform(source, { loader: "ts", keepNames: true })).code,
      ),
      "tree",
    );
  });

  it("esbuild, minified", async () => {
    const found = await texts(
      "minified",
      async (source) => (await transform(source, { loader: "ts", minify: true })).code,
    );
    expect(found["early"]).not.toContain("limit:limit");
    expect(found["early"]!.length).toBeLessThan(260);
    // Why: an import gets a short name, by which nothing is handed over.
    same(found, "meaning", ["imported"]);
  });

  for (const format of ["esm", "cjs"] as const) {
    it(`esbuild, as a minified bundle in ${format}`, async () => {
      const outfile = join(folder, `bundle.${format === "esm" ? "mjs" : "cjs"}`);
      await build({
        entryPoints: [join(samples, "commands.ts")],
        bundle: true,
        minify: true,
        format,
        outfile,
      });
      same(dump(outfile), "meaning", ["imported"]);
    });
  }

  it("Vitest", () => {
    const found = Object.fromEntries(Object.entries(probes).map(([name, probe]) => [name, probe.toString()]));
    expect(found["imported"]).toMatch(/__vi(?:te_ssr)?_import_\d+__\.most/);
    same(found, "tree");
  });
});

const print = `
console.log(JSON.stringify(Object.fromEntries(Object.entries(probes).map(([name, probe]) => [name, probe.toString()]))));`;

const word = fc.oneof(
  fc.bigInt({ min: -3n, max: 9n }),
  fc.constantFrom(99n, 100n, 101n, 201n, 2n ** 31n, 2n ** 63n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
/** The argument words of a few hits, one after the other. */
const hits = fc.array(fc.array(word, { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 6 });

function parse(source: string) {
  return parseText(source, { handed: withImports });
}

function same(
  found: Readonly<Record<string, string>>,
  what: "tree" | "meaning",
  without: readonly string[] = [],
): void {
  expect(Object.keys(found)).toEqual(Object.keys(written));
  for (const [name, source] of Object.entries(found)) {
    if (without.includes(name)) continue;
    const [one, other] = [parse(source), parse(written[name]!)];
    if (what === "tree") expect(printTree(one.tree), source).toBe(printTree(other.tree));
    if (what === "tree") expect(one.shapes).toEqual(other.shapes);
    const means = fc.property(hits, (words) => {
      expect(meaningOf(one, words), source).toEqual(meaningOf(other, words));
    });
    fc.assert(means, { numRuns: 200 });
  }
}

/** Transforms both files into a folder of its own, and takes the texts from there. */
async function texts(name: string, change: (source: string) => string | Promise<string>) {
  mkdirSync(join(folder, name));
  for (const file of ["commands", "constants"]) {
    writeFileSync(
      join(folder, name, `${file}.js`),
      await change(readFileSync(join(samples, `${file}.ts`), "utf8")),
    );
  }
  return dump(join(folder, name, "commands.js"));
}

function dump(file: string, node: readonly string[] = [process.execPath]): Record<string, string> {
  const path = join(folder, "dump.mjs");
  // Why: of a module in CommonJS the names are found on its default.
  writeFileSync(
    path,
    `const module = await import(process.argv[2]);\nconst probes = module.probes ?? module.default.probes;${print}`,
  );
  return run([...node, path, file]);
}

function run([command, ...words]: readonly string[]): Record<string, string> {
  return JSON.parse(execFileSync(command!, words, { encoding: "utf8", cwd: root })) as Record<string, string>;
}

/** This Node, or one that was fetched for the tests of other versions. */
function strippingNode(): string | undefined {
  const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
  if (major > 22 || (major === 22 && minor >= 6)) return process.execPath;
  const name = `node-linux-${process.arch}`;
  const fetched = [24, 22].map((version) =>
    join(root, `node_modules/.cache/${name}-${version}/node_modules/${name}/bin/node`),
  );
  return fetched.find((path) => existsSync(path));
}
