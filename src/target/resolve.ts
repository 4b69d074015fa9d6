/**
 * Owns the way from a selector to its sites: files found and opened, functions matched, places proved, hazards weighed.
 * Does not own attaching. Implements what lang/target.ts asks of a target.
 */
import { isUscopeError } from "../base/errors.js";
import { unreachable } from "../base/assert.js";
import type { Resolution, Target } from "../lang/target.js";
import { awaitPlaces, NotThereYetError } from "./awaited.js";
import { isSameFile, openBinary, type Binary } from "./binary.js";
import { findTarget } from "./find.js";
import type { FoundFile } from "./find.js";
import { joinFiles } from "./join-files.js";
import { readKernelVersion } from "./kernel-version.js";
import { findAllMappedFiles, findMappedFiles } from "./marker-files.js";
import { findMarkerSites, matchMarkers, noSuchMarker } from "./markers.js";
import type { MarkerSelector } from "./markers.js";
import { findAddressSites, findFunctionSites, type FoundSites, type SiteSearch } from "./places.js";
import { requireProgram, type ProcessInfo } from "./process.js";
import type { Site, SkippedSite } from "./site.js";

type Selector = Parameters<Target["resolve"]>[0];

/** The answer to a selector; as a Resolution it is what the compiler wants. */
export interface ResolvedProbe extends Resolution {
  /** At least one; of several processes that map different files, all. */
  readonly sites: readonly Site[];
  /**
   * Per file the processes that mean it; without processes none. Why: one inode may be here as several files (overlayfs
   * gives each mount a device of its own), and a process that is armed through each of them would report a hit through each.
   */
  readonly users: ReadonlyMap<Binary, readonly number[]>;
  readonly skipped: readonly SkippedSite[];
  /** What a person should know. */
  readonly notes: readonly string[];
}

export interface ResolverOptions {
  /** Processes whose files are meant; empty: the files that this machine has now. */
  readonly pids: readonly number[];
  /** Names of hazards that a person insists on: `uretprobe`. */
  readonly force?: readonly string[];
  /** What an empty library means without processes: the program of a command that is not started yet. */
  readonly program?: string | undefined;
  /** What is not there is waited for, where processes may still map it. */
  readonly awaits?: boolean;
}

/** Keeps the files that it opened until it is disposed: probes are armed through their descriptors. */
export class TargetResolver implements Disposable {
  readonly #options: ResolverOptions;
  readonly #binaries: Binary[] = [];
  #processes: readonly ProcessInfo[] | undefined;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /**
   * Resolves one selector. Throws NotFoundError for files, functions and processes that are not there, UnsupportedError
   * for places that cannot be armed and for returns that would harm the program.
   */
  async resolveSites(selector: Selector): Promise<ResolvedProbe> {
    try {
      return await this.#resolveNow(selector);
    } catch (error) {
      const mayCome = this.#options.awaits === true || selector.library === "";
      if (error instanceof NotThereYetError && mayCome) return awaitPlaces(selector, error);
      throw error;
    }
  }

  /**
   * Resolves a selector in one file that a process has mapped; undefined where it has no such marker. Throws what `resolveSites`
   * throws of a file.
   */
  async resolveIn(
    selector: Selector,
    binary: Binary,
    process: ProcessInfo | undefined,
  ): Promise<ResolvedProbe | undefined> {
    const search = { ...this.searchIn(selector, binary), processes: process === undefined ? [] : [process] };
    const isMarker = selector.kind === "marker";
    const part = isMarker ? await findMarkerSites(selector, search) : await findSites(selector, search);
    if (isMarker && part.sites.length + part.skipped.length === 0) return undefined;
    return joinFiles(selector, [part], {
      notes: new Set(),
      users: new Map([[binary, process === undefined ? [] : [process.pid]]]),
    });
  }

  async #resolveNow(selector: Selector): Promise<ResolvedProbe> {
    if (selector.kind === "marker") return await this.#resolveMarkers(selector);
    const notes = new Set<string>();
    const found: FoundSites[] = [];
    const users = this.#openTargets(selector.library, notes);
    for (const binary of users.keys()) found.push(await findSites(selector, this.searchIn(selector, binary)));
    return joinFiles(selector, found, { notes, users });
  }

  /** What to look for a selector's sites with, in one of its files. */
  searchIn({ library }: Selector, binary: Binary): SiteSearch {
    const { force } = this.#options;
    return {
      binary,
      target: library === "" ? binary.path : library,
      processes: this.#openProcesses(),
      kernel: readKernelVersion(),
      isForced: force?.includes("uretprobe") === true,
      isNop5Forced: force?.includes("nop5") === true,
    };
  }

  [Symbol.dispose](): void {
    for (const binary of this.#binaries.splice(0)) binary.close();
  }

  /** Why not an error for a file without the marker: of several that are meant, one that has it is enough. */
  async #resolveMarkers(selector: MarkerSelector): Promise<ResolvedProbe> {
    const notes = new Set<string>();
    const isNamed = selector.library !== "" || this.#options.program !== undefined;
    const { users, looked, where } = isNamed
      ? this.#openNamed(selector.library, notes)
      : this.#openMapped(selector, notes);
    const found: FoundSites[] = [];
    for (const binary of users.keys()) {
      const part = await findMarkerSites(selector, this.searchIn(selector, binary));
      if (part.sites.length + part.skipped.length > 0) found.push(part);
      else users.delete(binary);
    }
    if (found.length === 0) {
      const missing = noSuchMarker(selector, looked, where);
      throw selector.library === "" ? new NotThereYetError(missing) : missing;
    }
    return joinFiles(selector, found, { notes, users });
  }

  #openNamed(library: string, notes: Set<string>): MarkerFiles {
    const users = this.#openTargets(library, notes);
    return { users, looked: [...users.keys()], where: [...users.keys()].map(({ path }) => path).join(", ") };
  }

  /** All files with the marker that the processes map, or those of the whole machine. */
  #openMapped(selector: MarkerSelector, notes: Set<string>): MarkerFiles {
    const processes = this.#openProcesses();
    const isOfMachine = processes.length === 0;
    const { files, leftOut } = isOfMachine ? findAllMappedFiles() : findMappedFiles(processes);
    if (leftOut > 0) notes.add(`${leftOut} processes were not looked at: there are too many`);
    const users = new Map<Binary, number[]>();
    const looked: Binary[] = [];
    for (const { file, pids } of files) {
      const binary = this.#openIfMarked(selector, file, looked);
      if (binary === undefined) continue;
      for (const note of file.notes) notes.add(note);
      users.set(binary, isOfMachine ? [] : [...(users.get(binary) ?? []), ...pids]);
    }
    const who = isOfMachine
      ? "the processes of this machine"
      : `process ${processes.map(({ pid }) => pid).join(", ")}`;
    return {
      users,
      looked,
      where: `${files.length} files that ${who} ${isOfMachine || processes.length > 1 ? "map" : "maps"}`,
    };
  }

  /** Adds to `looked` the files that have markers, or notes that should be some. */
  #openIfMarked(selector: MarkerSelector, file: FoundFile, looked: Binary[]): Binary | undefined {
    let binary: Binary | undefined;
    try {
      binary = openBinary(file.path, file.openPath, file.root);
      if (binary.markers.markers.length + binary.markers.damaged.length > 0) looked.push(binary);
      if (matchMarkers(selector, binary).length > 0) return this.keep(binary);
    } catch (error) {
      // Why: what is mapped executable need not be a program, and the next file may be one.
      if (!isUscopeError(error)) throw error;
    }
    binary?.close();
    return undefined;
  }

  /** The file that each process means by the name: each file once, with its processes. */
  #openTargets(library: string, notes: Set<string>): Map<Binary, number[]> {
    const processes = this.#openProcesses();
    const { program } = this.#options;
    const name = library === "" && processes.length === 0 ? (program ?? "") : library;
    const users = new Map<Binary, number[]>();
    let missing: NotThereYetError | undefined;
    for (const process of processes.length === 0 ? [undefined] : processes) {
      const file = this.#findOrAwait(name, process);
      if (file instanceof NotThereYetError) {
        missing = file;
        notes.add(`process ${process?.pid} has not mapped it so far`);
        continue;
      }
      for (const note of file.notes) notes.add(note);
      const binary = this.#open(file.path, file.openPath, file.root);
      const pids = users.get(binary) ?? [];
      if (process !== undefined) pids.push(process.pid);
      users.set(binary, pids);
    }
    if (missing !== undefined && users.size === 0) throw missing;
    return users;
  }

  /** Why no error for one of several: another one has it, and this one may still load it. */
  #findOrAwait(name: string, process: ProcessInfo | undefined): FoundFile | NotThereYetError {
    try {
      return findTarget(name, process);
    } catch (error) {
      if (error instanceof NotThereYetError && this.#options.awaits === true) return error;
      throw error;
    }
  }

  #open(path: string, opened: string, root: string): Binary {
    return this.keep(openBinary(path, opened, root));
  }

  /** The same file as it was opened before. */
  findKept(binary: Binary): Binary | undefined {
    return this.#binaries.find((other) => isSameFile(other, binary));
  }

  /** Takes over an opened file until this is disposed; the same file that was opened before takes its place. */
  keep(binary: Binary): Binary {
    const known = this.findKept(binary);
    if (known !== undefined) {
      binary.close();
      return known;
    }
    this.#binaries.push(binary);
    return binary;
  }

  #openProcesses(): readonly ProcessInfo[] {
    return (this.#processes ??= this.#options.pids.map((pid) => requireProgram(pid)));
  }
}

function findSites(selector: Exclude<Selector, { kind: "marker" }>, search: SiteSearch): Promise<FoundSites> {
  switch (selector.kind) {
    case "function":
      return findFunctionSites(selector, search);
    case "address":
      return findAddressSites(selector, search);
    default:
      return unreachable(selector);
  }
}

/** The files that a marker may be in. */
interface MarkerFiles {
  /** As in ResolvedProbe. */
  readonly users: Map<Binary, number[]>;
  /** Those that have markers, or that were named. */
  readonly looked: readonly Binary[];
  readonly where: string;
}
