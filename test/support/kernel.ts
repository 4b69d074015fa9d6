/**
 * Owns what tests of the real kernel share: skipping with a reason, counts of what is loaded, places in test programs,
 * and bundled child processes. Does not own what is tested.
 */
import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, renameSync } from "node:fs";
import { release } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { FileOffset } from "../../src/base/bytes.js";
import { Features, features } from "../../src/kernel/features.js";
import type { FeatureName } from "../../src/kernel/features.js";

const kernel = new Features();

/**
 * Says whether tests of these features can run here, for `describe.runIf(needs(...))`. Only a kernel older than the
 * feature table says, or missing privileges, skip them, and with a printed reason; where CI is set the latter fail.
 */
export function needs(...names: readonly FeatureName[]): boolean {
  return names.map((name) => fits(findReason(name))).every(Boolean);
}

/**
 * Says whether programs or files are on this machine, by name on PATH or by path, for `test.runIf(requires("go"))`.
 * Skips with a printed reason; where CI is set a missing one is a failure, for `node scripts/test.mjs` installs them all.
 */
export function requires(...programs: readonly string[]): boolean {
  return programs
    .map((program) => allowed(isHere(program), `${program} is not installed: node scripts/test.mjs does it`))
    .every(Boolean);
}

/** Says whether these tests are allowed to do what they do, as root is; skips as `requires` does. */
export function allowed(isAllowed: boolean, reason: string): boolean {
  if (!isAllowed && process.env["CI"] !== undefined) throw new Error(reason);
  return fits(isAllowed ? undefined : reason);
}

/** Says whether nothing stands against tests here; a reason that no setup of this machine can mend skips them, printed, in CI too. */
export function fits(reason: string | undefined): boolean {
  if (reason !== undefined) console.warn(`skipped: ${reason}`);
  return reason === undefined;
}

/** Says whether this is the machine whose instructions tests are about. */
export function onX86(): boolean {
  return fits(process.arch === "x64" ? undefined : `made for x86-64, this is ${process.arch}`);
}

function isHere(program: string): boolean {
  const folders = program.includes("/") ? [""] : (process.env["PATH"] ?? "").split(":");
  return folders.some((folder) => {
    try {
      accessSync(program.includes("/") ? program : join(folder, program), constants.R_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function findReason(name: FeatureName): string | undefined {
  const { since } = features[name];
  if (isOlder(release(), since)) return `${name} needs Linux ${since}, this is ${release()}`;
  if (kernel.availability(name) !== "not permitted") return undefined;
  if (process.env["CI"] !== undefined)
    throw new Error(`${name} is here, but not permitted: run the tests as root`);
  return `${name} is not permitted: run the tests as root`;
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = than.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

export interface Counts {
  readonly programs: number;
  readonly links: number;
}

/** Counts the loaded programs, all or those of a name, and the links to them, as bpftool sees them. */
export function bpftoolCounts(name?: string): Counts {
  const programs = bpftool<{ id: number; name?: string }>("prog").filter(
    (program) => name === undefined || program.name === name,
  );
  const ids = new Set(programs.map((program) => program.id));
  const links = bpftool<{ prog_id?: number }>("link").filter(
    (link) => name === undefined || ids.has(link.prog_id ?? -1),
  );
  return { programs: programs.length, links: links.length };
}

/** Counts until they are as wanted or two seconds have passed: the kernel frees programs a moment after their last user. */
export async function settledCounts(wanted: Counts, name?: string): Promise<Counts> {
  const deadline = Date.now() + 2000;
  for (;;) {
    const counts = bpftoolCounts(name);
    const same = counts.programs === wanted.programs && counts.links === wanted.links;
    if (same || Date.now() > deadline) return counts;
    await sleep(20);
  }
}

function bpftool<Row>(object: "prog" | "link"): Row[] {
  return JSON.parse(execFileSync("bpftool", ["-j", object, "list"], { encoding: "utf8" })) as Row[];
}

/** Returns where a symbol's bytes lie in the file, by nm and readelf. */
export function fileOffsetOf(binary: string, symbol: string): FileOffset {
  const names = execFileSync("nm", [binary], { encoding: "utf8" });
  const address = new RegExp(`^([0-9a-f]+) . ${symbol}$`, "m").exec(names)?.[1];
  if (address === undefined) throw new Error(`no symbol ${symbol} in ${binary}`);
  const wanted = Number.parseInt(address, 16);
  const segments = execFileSync("readelf", ["-lW", binary], { encoding: "utf8" });
  for (const [, offset, start, bytes] of segments.matchAll(
    /LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+)/g,
  )) {
    const within = wanted - Number.parseInt(start!, 16);
    if (within >= 0 && within < Number.parseInt(bytes!, 16)) {
      return (Number.parseInt(offset!, 16) + within) as FileOffset;
    }
  }
  throw new Error(`${symbol} lies in no segment of ${binary}`);
}

/** A started program that is spoken to by lines. */
export interface Conversation extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves with the next line of its output; rejects when it ends before. */
  line(): Promise<string>;
  say(text: string): void;
}

/** Starts a program; it is killed when the conversation is disposed. */
export function converse(command: string, args: readonly string[] = []): Conversation {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async line() {
      const next = await lines.next();
      if (next.done === true) throw new Error(`${basename(command)} ended`);
      return next.value;
    },
    say: (text) => child.stdin.write(`${text}\n`),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Bundles a TypeScript file under test/ into one that node runs by itself, and returns its path. */
export function bundleChild(path: string): string {
  const test = fileURLToPath(new URL("..", import.meta.url));
  const outfile = join(test, "programs", "out", `${basename(path, ".ts")}.mjs`);
  const building = `${outfile}.${process.pid}`;
  buildSync({
    entryPoints: [join(test, path)],
    outfile: building,
    banner: { js: "// @ts-nocheck: made by esbuild" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  renameSync(building, outfile);
  return outfile;
}
