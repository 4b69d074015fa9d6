/**
 * Owns which files are looked at for a marker without a library: all that processes have mapped executable, each once.
 * Does not own the markers in them (markers.ts). A file that cannot be opened, or is none, has no marker.
 */
import { isUscopeError } from "../base/errors.js";
import { mappedFiles, openMapped } from "./find.js";
import type { FoundFile } from "./find.js";
import type { Mapping } from "./mappings.js";
import { findProcess, listProcesses } from "./process.js";
import type { ProcessInfo } from "./process.js";

/** A mapped file and who maps it, of those that were looked at. */
export interface MappedFile {
  readonly file: FoundFile;
  readonly pids: readonly number[];
}

export interface MappedFiles {
  readonly files: readonly MappedFile[];
  /** Processes that time was not enough for. */
  readonly leftOut: number;
}

/** Milliseconds: 1,000 processes took 0.3 s. */
const mostTime = 5000;

/** Lists what these processes map. */
export function findMappedFiles(processes: readonly ProcessInfo[]): MappedFiles {
  return collect(processes, (process) => mappedFiles(process));
}

/** Lists what all processes of this machine map, without uscope itself; those that may not be looked at map nothing. */
export function findAllMappedFiles(): MappedFiles {
  const others = listProcesses().filter((pid) => pid !== process.pid);
  return collect(
    others.flatMap((pid) => attempt(() => findProcess(pid)) ?? []),
    (process) => attempt(() => mappedFiles(process)) ?? [],
  );
}

function collect(
  processes: readonly ProcessInfo[],
  mappingsOf: (process: ProcessInfo) => readonly Mapping[],
): MappedFiles {
  const found = new Map<string, { readonly file: FoundFile; readonly pids: number[] }>();
  const end = performance.now() + mostTime;
  for (const [index, process] of processes.entries()) {
    if (performance.now() > end) return { files: [...found.values()], leftOut: processes.length - index };
    const root = attempt(() => process.sharesFiles()) === true ? "" : process.root;
    for (const mapping of mappingsOf(process)) {
      if (!mapping.executable) continue;
      const key = `${mapping.device} ${mapping.inode}`;
      const known = found.get(key);
      if (known !== undefined) {
        known.pids.push(process.pid);
        continue;
      }
      const file = attempt(() => openMapped(mapping, process, root));
      if (file !== undefined) found.set(key, { file, pids: [process.pid] });
    }
  }
  return { files: [...found.values()], leftOut: 0 };
}

/** A process may end at any moment, or not be ours to look at. */
function attempt<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    if (isUscopeError(error) || (error as NodeJS.ErrnoException).code !== undefined) return undefined;
    throw error;
  }
}
