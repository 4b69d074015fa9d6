/** Owns what a fresh clone needs before anything can run: npm packages, a current build, and for tests Debian packages. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { wasmCodePath } from "./build-wasm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What the tests run, and the Debian package that brings it. A path may stand where a command has no name on PATH. */
const testPrograms = [
  { command: "gcc", package: "gcc" },
  { command: "g++", package: "g++" },
  { command: "readelf", package: "binutils" },
  { command: "bpftool", package: "bpftool" },
  { command: "redis-server", package: "redis-server" },
  { command: "redis-cli", package: "redis-tools" },
  { command: "bpftrace", package: "bpftrace" },
  { command: "go", package: "golang-go" },
  { command: "setpriv", package: "util-linux" },
  { command: "java", package: "default-jre-headless" },
  { command: "llvm-objdump", package: "llvm" },
  { command: "ruby", package: "ruby" },
  { command: "php", package: "php-cli" },
  { command: "/usr/bin/python3.11", package: "python3.11" },
  { command: "/usr/lib/postgresql/15/bin/postgres", package: "postgresql-15" },
  { header: "sys/sdt.h", package: "systemtap-sdt-dev" },
  { command: "tplist-bpfcc", package: "bpfcc-tools" },
];

/** What the benchmark needs; peers are measured beside it where they are installed. */
const benchPrograms = [
  { command: "gcc", package: "gcc" },
  { command: "nm", package: "binutils" },
  { header: "sys/sdt.h", package: "systemtap-sdt-dev" },
];

const addonPath = `prebuilds/linux-${process.arch}/uscope.node`;

/** Installs what is missing of the npm packages and builds what is older than its sources. */
export async function setUp() {
  if (isStale("node_modules/.package-lock.json", ["package-lock.json"])) {
    say("installing npm packages");
    // Why: `prepare` would build as well; the build below does it once and says so.
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const sources = [
    "src",
    "assembly",
    "native",
    "scripts/build.mjs",
    "scripts/build-addon.mjs",
    "scripts/build-wasm.mjs",
    "tsconfig.json",
    "tsconfig.types.json",
    "package.json",
    "package-lock.json",
  ];
  // Why not dist/ alone: whoever loses one of the others has a build that loads nothing, or tests that do not.
  const isMissing = [addonPath, wasmCodePath].some((path) => !existsSync(join(root, path)));
  if (isMissing || isStale("dist/types/index.d.ts", sources)) {
    say("building");
    const { build } = await import("./build.mjs");
    await build();
  }
}

/** Installs the Debian packages that tests need, where it may; else says what to install and throws. */
export function installTestPrograms() {
  installMissing("the tests need", testPrograms);
}

/** Installs the Debian packages that the benchmark needs, where it may; else says what to install and throws. */
export function installBenchPrograms() {
  installMissing("the benchmark needs", benchPrograms);
}

/**
 * @param {string} need how a sentence about it begins
 * @param {readonly { readonly command?: string, readonly header?: string, readonly package: string }[]} programs
 */
function installMissing(need, programs) {
  const isHere = (/** @type {(typeof programs)[number]} */ { command, header }) =>
    (command === undefined || isOnPath(command)) && (header === undefined || isIncluded(header));
  const missing = [
    ...new Set(programs.filter((program) => !isHere(program)).map((program) => program.package)),
  ];
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || !isOnPath("apt-get")) {
    throw new Error(
      `${need} these packages: ${missing.join(" ")} (apt-get install --no-install-recommends ${missing.join(" ")})`,
    );
  }
  say(`installing Debian packages: ${missing.join(" ")}`);
  /** @type {import("node:child_process").ExecFileSyncOptions} */
  const quiet = {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  };
  execFileSync("apt-get", ["-qq", "update"], quiet);
  execFileSync("apt-get", ["-qq", "install", "-y", "--no-install-recommends", ...missing], quiet);
}

/** @param {string} text */
export function say(text) {
  process.stderr.write(`· ${text}\n`);
}

/**
 * Says whether a file is missing or older than what it is made of.
 * @param {string} product
 * @param {readonly string[]} sources files and folders
 */
export function isStale(product, sources) {
  const path = join(root, product);
  return !existsSync(path) || sources.some((source) => newest(join(root, source)) > statSync(path).mtimeMs);
}

/**
 * @param {string} path
 * @returns {number} milliseconds since the epoch
 */
function newest(path) {
  const status = statSync(path);
  if (!status.isDirectory()) return status.mtimeMs;
  return Math.max(status.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** @param {string} command */
function isOnPath(command) {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      // Why resolve: a path stands for itself.
      accessSync(resolve(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Says whether C programs find a header, in /usr/include or in its folder for a machine.
 * @param {string} header
 */
function isIncluded(header) {
  const folder = "/usr/include";
  const folders = [folder, ...readdirSync(folder).map((name) => join(folder, name))];
  return folders.some((place) => existsSync(join(place, header)));
}
