/**
 * Owns the question which file a library's name means outside of any process, as the dynamic loader would answer it.
 * Does not own the cache's format (library-cache.ts).
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { readLibraryCache, supportedLevels, type CachedLibrary, type CacheMachine } from "./library-cache.js";
import { followBelow } from "./rooted-path.js";

/**
 * Finds a library by soname (`libssl.so.3`), by the start of one (`libssl`, `libssl.so`) or by its short name (`ssl`).
 * Of several versions the highest is meant. `root` is empty or `/proc/PID/root`; the path is below it.
 */
export function findLibrary(name: string, root: string): string | undefined {
  return findCached(name, root) ?? findInFolders(name, root);
}

/** Finds a library in the loader's cache only. */
export function findCached(name: string, root: string): string | undefined {
  const cached = readCache(root);
  const soname = chooseFile(
    cached.map((library) => library.soname),
    name,
  );
  const versions = cached.filter((library) => library.soname === soname);
  const levels = new Set(versions.map((library) => library.level));
  const level = levels.size < 2 ? [...levels][0] : preferredLevels().find((level) => levels.has(level));
  // Why: of equals the loader's first choice stands first in the cache.
  return (versions.find((library) => library.level === level) ?? versions[0])?.path;
}

function findInFolders(name: string, root: string): string | undefined {
  for (const folder of standardFolders()) {
    const file = chooseFile(listLibraries(root, folder, name), name);
    if (file !== undefined) return `${folder}/${file}`;
  }
  return undefined;
}

/** The very name, or else the highest version of what it may mean. */
function chooseFile(files: readonly string[], name: string): string | undefined {
  if (files.includes(name)) return name;
  return files
    .filter((file) => matchesLibrary(file, name))
    .sort((left, right) => compareSonames(right, left))[0];
}

/** The sonames that could have been meant, for suggestions. */
export function libraryNames(root: string): string[] {
  return [
    ...new Set(
      readCache(root).flatMap(({ soname }) => [soname, shortName(soname), soname.replace(/\.so.*$/, "")]),
    ),
  ];
}

/** Says whether a file name or soname is what the name asks for: `libc.so.6`, and `libc-2.31.so`, for `c`. */
export function matchesLibrary(file: string, name: string): boolean {
  if (file === name) return true;
  const match = /^(lib)?(.+?)(-\d[\d.]*)?\.so(\.[\d.]+)?$/.exec(file);
  if (match === null) return false;
  const [, prefix = "", stem, version = ""] = match;
  return [
    stem,
    `${stem}${version}`,
    prefix + stem,
    `${prefix}${stem}.so`,
    `${prefix}${stem}${version}`,
  ].includes(name);
}

function shortName(soname: string): string {
  return /^(?:lib)?(.+?)\.so/.exec(soname)?.[1] ?? soname;
}

function readCache(root: string): CachedLibrary[] {
  const path = `${root}${followBelow(root, "/etc/ld.so.cache")}`;
  try {
    return readLibraryCache(path, readFileSync(path), machine());
  } catch {
    // Why: musl has no cache, and a damaged one must not hide the library: the folders are looked at next.
    return [];
  }
}

/** The loader's CPU levels that this machine has, best first, then the baseline. */
function preferredLevels(): (string | undefined)[] {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return [...supportedLevels(new Set(flags.trim().split(/\s+/))), undefined];
  } catch {
    return [undefined];
  }
}

function standardFolders(): string[] {
  const triplet = machine() === "x86-64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  return [
    `/lib/${triplet}`,
    `/usr/lib/${triplet}`,
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
  ];
}

function listLibraries(root: string, folder: string, name: string): string[] {
  try {
    return readdirSync(root + followBelow(root, folder))
      .filter((file) => matchesLibrary(file, name))
      .filter((file) => statSync(`${root}${followBelow(root, `${folder}/${file}`)}`).isFile());
  } catch {
    return [];
  }
}

function machine(): CacheMachine {
  return process.arch === "arm64" ? "arm64" : "x86-64";
}

/** Compares the versions of two sonames by their numbers, so that `libssl.so.10` is above `libssl.so.3`. */
function compareSonames(left: string, right: string): number {
  const [first, second] = [versionNumbers(left), versionNumbers(right)];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    const difference = (first[index] ?? -1) - (second[index] ?? -1);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}

function versionNumbers(soname: string): number[] {
  return (/\.so\.?(.*)$/.exec(soname)?.[1] ?? "").split(".").map(Number);
}
