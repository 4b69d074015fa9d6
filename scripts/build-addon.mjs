/**
 * Owns the building of the addon: native/addon.c -> prebuilds/linux-ARCH/uscope.node, with the system's C compiler.
 * Does not own what is in it, nor the bundle (build.mjs).
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The flags that matter: no libc is named, so the binary runs with whatever libc the node process brought. */
const flags = [
  "-std=gnu11",
  "-O2",
  "-fPIC",
  "-shared",
  "-nostdlib",
  "-s",
  "-fvisibility=hidden",
  "-fno-stack-protector",
  "-U_FORTIFY_SOURCE",
  "-Wall",
  "-Wextra",
  "-Wl,--build-id=none",
];

/**
 * Compiles the addon for this machine unless the binary is newer than its source, and returns the binary's path.
 * The compiler is `cc`, or what CC says. Throws an Error with three lines when there is none or it fails.
 * @returns {string}
 */
export function buildAddon() {
  const source = join(root, "native", "addon.c");
  const output = join(root, "prebuilds", `linux-${process.arch}`, "uscope.node");
  if (isNewer(output, [source, fileURLToPath(import.meta.url)])) return output;
  mkdirSync(dirname(output), { recursive: true });
  const headers = dirname(createRequire(import.meta.url).resolve("node-api-headers/include/node_api.h"));
  const [compiler = "cc", ...compilerFlags] = (process.env["CC"] ?? "cc")
    .split(" ")
    .filter((word) => word !== "");
  const building = `${output}.${process.pid}`;
  const run = spawnSync(compiler, [...compilerFlags, ...flags, `-I${headers}`, source, "-o", building], {
    encoding: "utf8",
  });
  if (run.error !== undefined || run.status !== 0) {
    throw new Error(
      `the addon could not be compiled: ${run.error?.message ?? `${compiler} ended with status ${run.status}`}\n` +
        `  at: ${source}${run.stderr ? `\n${run.stderr}` : ""}\n` +
        "  fix: install a C compiler (apt install gcc libc6-dev), or name one with CC=...",
    );
  }
  renameSync(building, output);
  return output;
}

/**
 * @param {string} output
 * @param {readonly string[]} sources
 */
function isNewer(output, sources) {
  if (!existsSync(output)) return false;
  const made = statSync(output).mtimeMs;
  return sources.every((source) => statSync(source).mtimeMs < made);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildAddon());
