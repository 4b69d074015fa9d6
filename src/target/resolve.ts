/**
 * Owns the way from a selector to its sites: files found and opened, functions matched, places proved, hazards weighed.
 * Does not own attaching. Implements what lang/target.ts asks of a target.
 */
import { NotFoundError, UnsupportedError } from "../base/errors.js";
import { unreachable } from "../base/assert.js";
import type { Layout, Resolution, Target } from "../lang/target.js";
import { isSameFile, openBinary, type Binary } from "./binary.js";
import { findTarget } from "./find.js";
import { readKernelVersion } from "./kernel-version.js";
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
    if (selector.kind === "marker") throw markersComeLater(selector.marker);
    const notes = new Set<string>();
    const found: FoundSites[] = [];
    const users = this.#openTargets(selector.library, notes);
    for (const binary of users.keys()) {
      const search: SiteSearch = {
        binary,
        target: selector.library === "" ? binary.path : selector.library,
        processes: this.#openProcesses(),
        kernel: readKernelVersion(),
        isForced: this.#options.force?.includes("uretprobe") === true,
      };
      found.push(await findSites(selector, search));
    }
    return { ...merge(selector, found, notes), users };
  }

  [Symbol.dispose](): void {
    for (const binary of this.#binaries.splice(0)) binary.close();
  }

  /** The file that each process means by the name: each file once, with its processes. */
  #openTargets(library: string, notes: Set<string>): Map<Binary, number[]> {
    const processes = this.#openProcesses();
    const { program } = this.#options;
    const name = library === "" && processes.length === 0 ? (program ?? "") : library;
    const users = new Map<Binary, number[]>();
    for (const process of processes.length === 0 ? [undefined] : processes) {
      const file = findTarget(name, process);
      for (const note of file.notes) notes.add(note);
      const binary = this.#open(file.path, file.openPath, file.root);
      const pids = users.get(binary) ?? [];
      if (process !== undefined) pids.push(process.pid);
      users.set(binary, pids);
    }
    return users;
  }

  #open(path: string, opened: string, root: string): Binary {
    const binary = openBinary(path, opened, root);
    const known = this.#binaries.find((other) => isSameFile(other, binary));
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

/** Brings the sites of several files together: equal layouts once, numbered anew. */
function merge(
  selector: Selector,
  found: readonly FoundSites[],
  notes: Set<string>,
): Omit<ResolvedProbe, "users"> {
  const layouts: Layout[] = [];
  const keys = new Map<string, number>();
  const sites: Site[] = [];
  for (const part of found) {
    const numbers = part.layouts.map((layout) => {
      const key = JSON.stringify(layout, (_, value: unknown) =>
        typeof value === "bigint" ? `${value}n` : value,
      );
      const number = keys.get(key) ?? layouts.push(layout) - 1;
      keys.set(key, number);
      return number;
    });
    for (const site of part.sites) {
      const layout = numbers[site.layout]!;
      sites.push(layout === site.layout ? site : { ...site, layout });
    }
    for (const note of part.notes) notes.add(note);
  }
  const architecture = found[0]!.architecture;
  if (found.some((part) => part.architecture !== architecture)) throw mixedMachines(selector);
  const skipped = found.flatMap((part) => part.skipped);
  if (sites.length === 0) throw nothingLeft(selector, skipped);
  return { architecture, layouts, sites, skipped, notes: [...notes] };
}

function nothingLeft(selector: Selector, skipped: readonly SkippedSite[]): NotFoundError | UnsupportedError {
  const first = skipped[0];
  const count = `${skipped.length} ${skipped.length === 1 ? "place" : "places"} found`;
  const at = `${selector.library || "the process's own program"}, ${count}`;
  if (first === undefined)
    return new NotFoundError({ what: "no place to probe", at, fix: "choose another function" });
  const more = skipped.length === 1 ? "" : ` (and ${skipped.length - 1} more like it)`;
  return new UnsupportedError({
    what: `${first.name} cannot be probed: ${first.reason}${more}`,
    at,
    fix: first.alternative,
  });
}

function mixedMachines(selector: Selector): UnsupportedError {
  return new UnsupportedError({
    what: "the processes run on different machines' code",
    at: selector.library,
    fix: "trace each with its own uscope",
  });
}

function markersComeLater(marker: string): UnsupportedError {
  return new UnsupportedError({
    what: "markers (u:, USDT) cannot be traced yet",
    at: `marker ${marker}`,
    fix: "probe the function that holds it, or use bpftrace or BCC for it",
  });
}
