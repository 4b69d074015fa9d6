/** Owns the import law: which folder may import which. docs/architecture.md says why. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src", import.meta.url));

/** Folder -> what it may import besides itself and base: layers below it. A file name stands for that file alone. */
const mayImport = new Map(
  Object.entries({
    base: [],
    wasm: [],
    bpf: [],
    elf: [],
    demangle: ["wasm"],
    isa: [],
    usdt: ["elf"],
    lang: ["bpf"],
    kernel: ["bpf"],
    target: ["usdt", "isa", "elf", "demangle", "lang/target.ts", "lang/tree.ts", "lang/types.ts"],
    trace: ["lang", "kernel", "target", "bpf", "elf", "demangle"],
    tools: ["index.ts", "trace", "lang", "kernel", "target", "usdt", "elf", "demangle", "wasm"],
    cli: ["tools"],
    "loader.ts": [],
    "index.ts": ["trace", "lang/script/parameter.ts"],
  }),
);
const pure = new Set(["base", "wasm", "elf", "usdt", "isa", "bpf", "lang", "demangle"]);
/** Tools on the public interface alone, as scripts of users are: of what is below they import index.ts, and nothing else. */
const publicTools = new Set(
  ["args", "count", "distributions", "latency", "run", "slower", "tables", "watching"].map(
    (name) => `tools/${name}.ts`,
  ),
);
/** The only files that touch the addon. */
const addonDoors = new Set(["kernel/syscalls.ts"]);
/** All that has to do with Node's loader: it loads the bundles of the package, and what users write. */
const loaders = ["loader.ts", "tools/script/"];

const broken = [...publicTools]
  .filter((file) => !existsSync(join(source, file)))
  .map((file) => `${file}: is listed here, and is not there`);
for (const file of files(source)) {
  const folder = /** @type {string} */ (file.split("/")[0]);
  const text = readFileSync(join(source, file), "utf8");
  const imports = [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/gm)].map(
    (match) => /** @type {string} */ (match[1]),
  );
  for (const imported of imports) {
    // Why: createRequire() would load the addon as well.
    if (imported === "node:module" && !loaders.some((loader) => file.startsWith(loader)))
      broken.push(`${file}: only ${loaders.join(" and ")} import ${imported}`);
    if (imported.startsWith("node:") && pure.has(folder))
      broken.push(`${file}: ${folder}/ is pure and imports ${imported}`);
    if (!imported.startsWith(".")) continue;
    const path = relative(source, normalize(join(source, dirname(file), imported))).replace(/\.js$/, ".ts");
    const other = /** @type {string} */ (path.split("/")[0]);
    const allowed = publicTools.has(file) ? ["index.ts"] : (mayImport.get(folder) ?? []);
    if (other !== folder && other !== "base" && !allowed.includes(other) && !allowed.includes(path))
      broken.push(`${file}: ${folder}/ may not import ${path}`);
    if (folder === "lang" && file.includes("/passes/") && path.includes("/passes/"))
      broken.push(`${file}: a pass imports another pass, ${path}`);
  }
  if (text.includes("process.dlopen") && !addonDoors.has(file))
    broken.push(`${file}: only ${[...addonDoors].join(", ")} may load the addon`);
}
for (const line of broken) console.error(line);
if (broken.length > 0) process.exit(1);

/**
 * @param {string} folder
 * @returns {string[]} paths below src
 */
function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(join(folder, entry.name))
      : entry.name.endsWith(".ts")
        ? [relative(source, join(folder, entry.name))]
        : [],
  );
}
