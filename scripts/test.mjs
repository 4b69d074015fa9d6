/** Owns the test command: everything from a fresh clone to a verdict, in the order in which problems are cheapest to find. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installTestPrograms, say, setUp } from "./setup.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = `${root}node_modules/.bin/`;

try {
  await setUp();
  installTestPrograms();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

const steps = /** @type {const} */ ([
  ["types", `${bin}tsc`, ["-p", "tsconfig.json"]],
  ["lint", `${bin}oxlint`, ["--deny-warnings"]],
  ["format", `${bin}oxfmt`, ["--check"]],
  ["import law", process.execPath, ["scripts/import-law.mjs"]],
  ["tests", `${bin}vitest`, ["run", ...process.argv.slice(2)]],
]);
for (const [name, command, parameters] of steps) {
  say(name);
  const { status } = spawnSync(command, parameters, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  if (status !== 0) {
    console.error(`${name}: failed`);
    process.exit(status ?? 1);
  }
}
