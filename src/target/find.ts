/**
 * Owns the question which file a target's name means: a path, a command on PATH, a library, or what a process maps.
 * Does not own opening it (binary.ts). Says where it looked when it finds nothing.
 */
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { NotFoundError, UsageError } from "../base/errors.js";
import { isGlob, nearestNames } from "../base/text.js";
import { isLibraryName, NotThereYetError } from "./awaited.js";
import { findCached, findLibrary, libraryNames, matchesLibrary } from "./libraries.js";
import { mapFileName, type Mapping } from "./mappings.js";
import type { ProcessInfo } from "./process.js";
import { followBelow } from "./rooted-path.js";

export interface FoundFile {
  /** As people know it: as the process sees it. */
  readonly path: string;
  /** Where it lies for us. */
  readonly openPath: string;
  /** What stands before the paths of its file system: `/proc/PID/root`, or empty for our own. */
  readonly root: string;
  /** What a person should know: that the file on disk is another by now, that a name means two things. */
  readonly notes: readonly string[];
}

/** Finds the file that a name means; with a process, among what that process has mapped and can see. */
export function findTarget(name: string, process?: ProcessInfo): FoundFile {
  const root = process === undefined || process.sharesFiles() ? "" : process.root;
  if (name === "") return findExecutable(process, root);
  if (name.includes("/")) return findPath(name, process, root);
  if (process !== undefined) {
    const found = findMapped(name, process, root);
    if (found !== undefined) return found;
  }
  const command = findCommand(name, process, root);
  const mapping = process === undefined ? [] : [`process ${process.pid} has not mapped it so far`];
  if (command !== undefined) {
    const library = findCached(name, root);
    const alsoLibrary =
      library === undefined ? [] : [`"${name}" is also a library: lib${name} means ${library}`];
    return { ...asSeen(command, root), notes: [...mapping, ...alsoLibrary] };
  }
  const library = findLibrary(name, root);
  if (library !== undefined) return { ...asSeen(library, root), notes: mapping };
  throw notFound(name, process, root);
}

function findExecutable(process: ProcessInfo | undefined, root: string): FoundFile {
  if (process === undefined) {
    throw new UsageError({
      what: "no target: an empty name means the traced process's own program",
      at: "the part before the colon",
      fix: "name a program or library, or a process with -p PID",
    });
  }
  const { path, deleted } = process.executable();
  // Why: the link opens the very file that runs, also when its path now means another.
  const replaced = deleted ? "deleted or replaced" : undefined;
  return {
    path,
    openPath: `/proc/${process.pid}/exe`,
    root,
    notes: replaced === undefined ? [] : [staleNote(process, path)],
  };
}

function findPath(name: string, process: ProcessInfo | undefined, root: string): FoundFile {
  const path = resolve(name);
  const found = asSeen(path, root);
  if (process === undefined) return found;
  const seen = followBelow(root, path);
  const mapping = process
    .mappings()
    .find((mapping) => mapping.inode !== 0n && (mapping.path === seen || mapping.path === path));
  return mapping === undefined
    ? { ...found, notes: [`process ${process.pid} has not mapped it so far`] }
    : openMapped(mapping, process, root);
}

/** The process's own program by its file name, or a library that it has mapped. */
function findMapped(name: string, process: ProcessInfo, root: string): FoundFile | undefined {
  const files = mappedFiles(process);
  const executable = process.executable();
  if (basename(executable.path) === name || process.status().comm === name)
    return findExecutable(process, root);
  const mapping = files.find((mapping) => matchesLibrary(basename(mapping.path), name));
  return mapping === undefined ? undefined : openMapped(mapping, process, root);
}

/** One mapping of each file, the executable part where there is one. */
export function mappedFiles(process: ProcessInfo): Mapping[] {
  const files = new Map<string, Mapping>();
  for (const mapping of process.mappings()) {
    if (mapping.inode === 0n || !mapping.path.startsWith("/")) continue;
    const key = `${mapping.device} ${mapping.inode}`;
    if (!files.has(key) || (mapping.executable && !files.get(key)!.executable)) files.set(key, mapping);
  }
  return [...files.values()];
}

/**
 * Opens what is mapped: by its path while that still means the same file, else through /proc/PID/map_files, which needs
 * CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
 */
export function openMapped(mapping: Mapping, process: ProcessInfo, root: string): FoundFile {
  const { path } = mapping;
  if (isOnDisk(mapping, process, root)) return asSeen(path, root);
  return {
    path,
    openPath: mapFilePath(mapping, process),
    root,
    // Why: a file in memory (memfd) never had a place on disk.
    notes: path.startsWith("/memfd:") ? [] : [staleNote(process, path)],
  };
}

/** Says whether the path still leads to the file that is mapped: another file at the same place has another inode. */
function isOnDisk(mapping: Mapping, process: ProcessInfo, root: string): boolean {
  const options = { bigint: true, throwIfNoEntry: false } as const;
  let file;
  try {
    file = statSync(root + followBelow(root, mapping.path), options);
  } catch {
    // Why: CAP_PERFMON lets read the maps of another user's process, not enter its root; opening the file says so.
    return true;
  }
  if (file === undefined || file.ino === mapping.inode) return file !== undefined;
  // Why: on overlayfs older kernels print the inode of the layer below; seen from here both files are the same again.
  try {
    const mapped = statSync(mapFilePath(mapping, process), { bigint: true });
    return mapped.ino === file.ino && mapped.dev === file.dev;
  } catch {
    return false;
  }
}

function mapFilePath(mapping: Mapping, process: ProcessInfo): string {
  return `/proc/${process.pid}/map_files/${mapFileName(mapping)}`;
}

function staleNote(process: ProcessInfo, path: string): string {
  return `${path} was deleted or replaced since process ${process.pid} started: the file that it runs is traced, not the one on disk`;
}

function findCommand(name: string, process: ProcessInfo | undefined, root: string): string | undefined {
  return searchFolders(process)
    .map((folder) => `${folder}/${name}`)
    .find((path) => isProgram(root, path));
}

function searchFolders(process: ProcessInfo | undefined): string[] {
  const path = process === undefined ? globalThis.process.env["PATH"] : process.environment("PATH");
  return (path ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    .split(":")
    .filter((folder) => folder.startsWith("/"));
}

function isProgram(root: string, path: string): boolean {
  try {
    const place = root + followBelow(root, path);
    accessSync(place, constants.X_OK);
    return statSync(place).isFile();
  } catch {
    return false;
  }
}

function asSeen(path: string, root: string): FoundFile {
  return { path, openPath: root === "" ? path : root + followBelow(root, path), root, notes: [] };
}

function notFound(name: string, process: ProcessInfo | undefined, root: string): NotFoundError {
  const folders = searchFolders(process);
  const commands = folders.flatMap((folder) => listFolder(root + followBelow(root, folder)));
  const mapped = process === undefined ? [] : mappedFiles(process).map((mapping) => basename(mapping.path));
  const nearest = nearestNames(name, new Set([...mapped, ...libraryNames(root), ...commands]));
  const isHere = process === undefined && statSync(name, { throwIfNoEntry: false })?.isFile() === true;
  const where = [
    ...(process === undefined ? [] : [`what process ${process.pid} maps`]),
    `PATH (${folders.join(":")})`,
    `libraries (${root}/etc/ld.so.cache and the standard folders)`,
  ];
  const named = `name it by its path${process === undefined ? ", or a process that runs it with -p PID" : ""}`;
  // Why no glob: only its functions and markers can be patterns, so that no file could be what is waited for.
  const Missing = isLibraryName(name) && !isGlob(name) ? NotThereYetError : NotFoundError;
  return new Missing({
    what: `no program or library "${name}"`,
    at: `looked at ${where.join(", ")}`,
    fix: isHere
      ? `a file of that name lies here: write ./${name}`
      : isGlob(name)
        ? "name one file: a library by the start of its name (libssl) means all its versions"
        : nearest.length === 0
          ? named
          : `did you mean ${nearest.map((near) => `"${near}"`).join(" or ")}? Or ${named}`,
  });
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
