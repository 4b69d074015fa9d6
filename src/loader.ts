/**
 * Owns loading the bundles of this package together with what V8 made of them in earlier processes, so that a short run does not
 * spend its time compiling. Does not own what is in the bundles. What it keeps lies in the package's own folder, as Python keeps
 * __pycache__ beside its sources, and only the owner of the package can write it.
 */
import {
  chownSync,
  closeSync,
  fchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

const bundles = import.meta.dirname;
const keptFolder = join(bundles, "../../compiled");
/** Bytes of the name that the build writes behind each bundle. */
const contentNameBytes = 16;
/** Bytes before what V8 made: of which text it was made. */
const headingBytes = 64;
/** Milliseconds after which what is unfinished is left by a process that was killed. */
const longestWriting = 60_000;
/** Milliseconds for which code that V8 refused stays: processes with other flags than most would else replace it each time. */
const refusedStays = 3_600_000;
/** Of so many processes one looks whether it has compiled more than was kept: that takes 5 ms at its end. */
const processesPerLook = 8;

interface Loaded {
  readonly module: { exports: unknown };
  readonly script: Script;
  /** Where what was compiled is kept. */
  readonly path: string;
  readonly heading: Buffer;
  readonly kept: Kept;
}

/** What became of what an earlier process kept; its size in bytes. */
type Kept = { readonly kind: "none" | "refused" } | { readonly kind: "taken"; readonly size: number };

const loaded = new Map<string, Loaded>();
process.once("exit", keepCompiled);

/** Loads a bundle of this package, once, and returns its exports. */
export function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const filename = join(bundles, name);
  // A function of what a module of CommonJS is given. Why in latin1: bundles are ASCII.
  const source = readFileSync(filename, "latin1");
  // Why the version: another Node may have another V8 with the same number.
  const path = join(keptFolder, `${name}-${process.version}-${process.arch}`);
  const heading = headingOf(source, filename);
  const cachedData = readKept(path, heading);
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  const module = { exports: {} };
  const kept = judge(script, cachedData);
  loaded.set(name, { module, script, path, heading, kept });
  try {
    const run = script.runInThisContext() as (...given: unknown[]) => void;
    run.call(module.exports, module.exports, requireOf(filename), module, filename, bundles);
  } catch (error) {
    loaded.delete(name);
    throw error;
  }
  return module.exports;
}

/** Bundles that are modules of CommonJS in themselves end in .cjs: those, packages and Node's own are loaded by Node. */
function requireOf(filename: string): (name: string) => unknown {
  const require = createRequire(filename);
  return (name) => (/^\.\/.*\.js$/.test(name) ? load(name.slice(2)) : require(name));
}

/** Why the time too: V8 looks at nothing of a source but its length, and somebody may have edited a bundle in its place. */
function headingOf(source: string, filename: string): Buffer {
  const { mtimeMs } = statSync(filename);
  const words = `${source.slice(-contentNameBytes)} ${source.length} ${mtimeMs}`;
  return Buffer.from(words.padEnd(headingBytes).slice(0, headingBytes), "latin1");
}

/** What an earlier process kept of this very text; undefined where there is none, or it is damaged. */
function readKept(path: string, heading: Buffer): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  const middle = (headingBytes + bytes.length) / 2;
  const [first, second] = [bytes.subarray(headingBytes, middle), bytes.subarray(middle)];
  // Why twice: V8 checks no sum of it, and one wrong bit crashed a process in every third run. A sum takes 3 ms, this 0.1.
  return bytes.subarray(0, headingBytes).equals(heading) && first.equals(second) ? first : undefined;
}

function judge({ cachedDataRejected }: Script, cachedData: Buffer | undefined): Kept {
  if (cachedData === undefined) return { kind: "none" };
  return cachedDataRejected === true ? { kind: "refused" } : { kind: "taken", size: cachedData.length };
}

/** Keeps what has been compiled where it is notably more than was kept. Why at the end: functions are compiled when first called. */
function keepCompiled(): void {
  // Why nothing is said: a folder that is somebody else's, read-only or full is no fault; the next start is just no faster.
  attempt(() => {
    for (const { script, path, heading, kept } of loaded.values()) {
      // Why not by the pid: those of a command that is run again and again may be so many apart.
      if (kept.kind === "taken" && Date.now() % processesPerLook !== 0) continue;
      if (kept.kind === "refused" && ageOf(path) < refusedStays) continue;
      const compiled = script.createCachedData();
      if (kept.kind === "taken" && compiled.length < kept.size * 1.1) continue;
      replaceFile(path, Buffer.concat([heading, compiled, compiled]));
    }
  });
}

/** Puts a whole file in the place of another; it belongs to whom the package belongs to, who is to be able to remove it. */
function replaceFile(path: string, bytes: Buffer): void {
  const owner = statSync(bundles);
  const isRoot = process.geteuid?.() === 0;
  const isNew = mkdirSync(keptFolder, { recursive: true, mode: 0o755 }) !== undefined;
  if (isNew && isRoot) chownSync(keptFolder, owner.uid, owner.gid);
  removeRemains();
  const fresh = `${path}.${process.pid}`;
  const fd = openSync(fresh, "wx", 0o644);
  try {
    writeFileSync(fd, bytes);
    if (isRoot) fchownSync(fd, owner.uid, owner.gid);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Removes what processes that were killed at their end have left unfinished. */
function removeRemains(): void {
  for (const name of readdirSync(keptFolder)) {
    const path = join(keptFolder, name);
    if (/^[a-z-]+\.js-v[\d.]+-\w+\.\d+$/.test(name) && ageOf(path) > longestWriting)
      attempt(() => rmSync(path));
  }
}

/** Milliseconds since a file was written; 0 for one that is not there. */
function ageOf(path: string): number {
  const status = statSync(path, { throwIfNoEntry: false });
  return status === undefined ? 0 : Date.now() - status.mtimeMs;
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // What cannot be kept is compiled again.
  }
}
