/**
 * Owns loading the bundles of this package together with what V8 made of them in earlier processes, so that a short run does not
 * spend its time compiling. Does not own what is in the bundles. What it keeps lies in the package's own folder, as Python keeps
 * __pycache__ beside its sources: whoever can write there could have changed the code itself.
 */
import {
  chownSync,
  closeSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

const bundles = import.meta.dirname;
const keptFolder = join(bundles, "../../compiled");
/** Bytes of the name that the build writes behind each bundle: V8 itself looks at nothing of a source but its length. */
const contentNameBytes = 16;

/** Milliseconds. */
const longestWriting = 60_000;
/** The one that Node loads itself (scripts/build.mjs). */
const loadedByNode = "./run.js";

interface Loaded {
  readonly module: { exports: unknown };
  readonly script: Script;
  /** Where what was compiled is kept. */
  readonly kept: string;
  /** Of the source. */
  readonly contentName: string;
  /** Bytes of what was kept by an earlier process and taken; 0 for nothing. */
  readonly keptBytes: number;
}

const loaded = new Map<string, Loaded>();
process.once("exit", keepCompiled);

/** Loads a bundle of this package, once, and returns its exports. */
export function load(name: string): unknown {
  const known = loaded.get(name);
  if (known !== undefined) return known.module.exports;
  const path = join(bundles, name);
  // A function of what a module of CommonJS is given. Why in latin1: bundles are ASCII.
  const source = readFileSync(path, "latin1");
  const contentName = source.slice(-contentNameBytes);
  // Why the version: another Node may have another V8 with the same number.
  const kept = join(keptFolder, `${name}-${process.version}-${process.arch}`);
  const cachedData = readKept(kept, contentName);
  const script = new Script(source, {
    filename: path,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const module = { exports: {} };
  const keptBytes = script.cachedDataRejected === false ? cachedData!.length : 0;
  loaded.set(name, { module, script, kept, contentName, keptBytes });
  const run = script.runInThisContext() as (...given: unknown[]) => void;
  run.call(module.exports, module.exports, requireOf(path), module, path, bundles);
  return module.exports;
}

/** Other bundles are loaded as this one; all else as Node does. */
function requireOf(path: string): (name: string) => unknown {
  const require = createRequire(path);
  return (name) => (name.startsWith("./") && name !== loadedByNode ? load(name.slice(2)) : require(name));
}

/** What an earlier process kept of this very source. V8 refuses what its version or its flags did not make. */
function readKept(path: string, contentName: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch {
    return undefined;
  }
  return bytes.toString("latin1", 0, contentNameBytes) === contentName
    ? bytes.subarray(contentNameBytes)
    : undefined;
}

/** Keeps what has been compiled, where it is notably more than was kept before. Why at the end: functions are compiled when first called. */
function keepCompiled(): void {
  for (const { script, kept, contentName, keptBytes } of loaded.values()) {
    const compiled = script.createCachedData();
    if (compiled.length < keptBytes * 1.1) continue;
    try {
      replaceFile(kept, [Buffer.from(contentName, "latin1"), compiled]);
    } catch {
      // Why nothing is said: a folder that is somebody else's, or read-only, is no fault; the next start is just no faster.
      return;
    }
  }
}

/** Puts a whole file in the place of another; it belongs to whom the package belongs to, who is to be able to remove it. */
function replaceFile(path: string, parts: readonly Buffer[]): void {
  const owner = statSync(bundles);
  const isRoot = process.geteuid?.() === 0;
  if (mkdirSync(keptFolder, { recursive: true }) !== undefined && isRoot)
    chownSync(keptFolder, owner.uid, owner.gid);
  removeRemains();
  const fresh = `${path}.${process.pid}`;
  const fd = openSync(fresh, "wx", 0o644);
  try {
    for (const part of parts) writeSync(fd, part);
    if (isRoot) fchownSync(fd, owner.uid, owner.gid);
    fsyncSync(fd);
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
    if (/\.\d+$/.test(name) && Date.now() - statSync(path).mtimeMs > longestWriting) rmSync(path);
  }
}
