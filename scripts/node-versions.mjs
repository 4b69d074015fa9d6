/**
 * Owns running what is built under other versions of Node: the commands, and the tests that touch the addon, the kernel and what
 * Node makes of a user's functions. Does not own the tests. The binaries come as npm packages, `node-linux-ARCH`, and are kept in
 * node_modules/.cache.
 *
 *     npm run test:node-versions              22 and 24
 *     npm run test:node-versions -- 20 26     these
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installTestPrograms, say, setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const tests = [
  "test/kernel/syscalls",
  "test/kernel/ringbuffer",
  "test/kernel/uprobes",
  "test/elf/file",
  "test/lang/script",
  "test/trace/script",
  "test/cli",
  "test/package",
];

try {
  await setUp();
  installTestPrograms();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const wanted = process.argv.slice(2);
const failed = (wanted.length === 0 ? ["22", "24"] : wanted).flatMap((version) => failuresOf(version));
for (const line of failed) console.error(`failed: ${line}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/**
 * @param {string} version
 * @returns {string[]} what did not end with 0
 */
function failuresOf(version) {
  const node = fetchNode(version);
  say(`Node ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`);
  return [
    ["bin/uscope", "--version"],
    ["bin/uscope", "doctor", "--json"],
    ["bin/uscope", "list", "libc.so.6", "malloc"],
    ["node_modules/vitest/vitest.mjs", "run", ...tests],
  ]
    .filter(([file = "", ...words]) => {
      const isTest = file.endsWith("vitest.mjs");
      return (
        spawnSync(node, [join(root, file), ...words], {
          cwd: root,
          stdio: ["ignore", isTest ? "inherit" : "ignore", "inherit"],
        }).status !== 0
      );
    })
    .map((words) => `Node ${version}: ${words.join(" ")}`);
}

/**
 * @param {string} version
 * @returns {string} the binary's path
 */
function fetchNode(version) {
  const name = `node-linux-${process.arch}`;
  const folder = join(root, "node_modules/.cache", `${name}-${version}`);
  const binary = join(folder, "node_modules", name, "bin/node");
  if (existsSync(binary)) return binary;
  say(`fetching ${name}@${version}`);
  mkdirSync(folder, { recursive: true });
  // Why: without a package.json of its own, npm would install into the checkout.
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  execFileSync("npm", ["install", "--ignore-scripts", "--loglevel=error", `${name}@${version}`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return binary;
}
