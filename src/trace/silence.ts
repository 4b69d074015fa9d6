/**
 * Owns the question why a probe had no hit, asked when a run ends.
 * Does not own whether that is a fault.
 */
import { readlinkSync } from "node:fs";
import type { Binary } from "../target/binary.js";
import { isSameDevice } from "../target/mapped-binaries.js";
import type { Mapping } from "../target/mappings.js";
import { wholeOfPiece } from "../target/pieces.js";
import { listProcesses, requireProcess } from "../target/process.js";

/** What was traced beside processes that were there before. */
export interface SilentRun {
  readonly isCommand: boolean;
  readonly isWithChildren: boolean;
}

/** What was probed in vain. */
export interface SilentProbe {
  readonly binaries: readonly Binary[];
  /** The function's name as it was given; undefined for an address. */
  readonly symbol: string | undefined;
  /** Only its returns were looked at. */
  readonly isReturn: boolean;
}

/** Says, for each file of the probe, who maps it now and what that means, and which clones may have been called instead. */
export function explainSilence(probe: SilentProbe, pids: readonly number[], run: SilentRun): string[] {
  const { binaries, symbol } = probe;
  const clones = symbol === undefined ? [] : binaries.flatMap((binary) => findClones(binary, symbol));
  return [...explainFiles(probe, pids, run), ...clones];
}

/** Why: gcc calls a specialised copy by another name (f.constprop.0, f.isra.0), and often nothing calls f itself any more. */
function findClones({ functions, path }: Binary, symbol: string): string[] {
  const clones = [...new Set(functions.names())].filter(
    (name) => name.startsWith(`${symbol}.`) && wholeOfPiece(name) === undefined,
  );
  return clones.length === 0
    ? []
    : [`${path} also has ${clones.join(", ")}: probe '${symbol}*' to see these too`];
}

function explainFiles(
  { binaries, isReturn }: SilentProbe,
  pids: readonly number[],
  { isCommand, isWithChildren }: SilentRun,
): string[] {
  // Why: it may have ended the program, or was left by a jump or an exception.
  const unreturned = isReturn ? ", or it never returned" : "";
  // Why: the command has ended, and with it what it mapped.
  if (isCommand)
    return binaries.map(({ path }) =>
      isWithChildren
        ? `neither the command nor its children called it: they run another file than ${path}, or only inlined copies${unreturned}`
        : `the command itself did not call it: a child may have (--children), or it runs another file than ${path}, or only inlined copies${unreturned}`,
    );
  const processes = pids.length > 0 ? pids : listProcesses();
  const searched = { processes: processes.map((pid) => mappingsOf(pid)), pids, unreturned };
  return binaries.map((binary) => explainFile(binary, searched));
}

interface Searched {
  /** What each maps. */
  readonly processes: readonly (readonly Mapping[])[];
  /** Those that were asked for; empty: all. */
  readonly pids: readonly number[];
  /** The end of a sentence about what did not happen, of returns. */
  readonly unreturned: string;
}

function explainFile(binary: Binary, { processes, pids, unreturned }: Searched): string {
  const mapping = processes.filter((mappings) =>
    mappings.some((mapping) => mapping.executable && isFileOf(mapping, binary)),
  );
  const older = processes.filter((mappings) =>
    mappings.some((mapping) => mapping.path === binary.path && mapping.deleted && !isFileOf(mapping, binary)),
  );
  if (mapping.length === 0 && older.length > 0) {
    return `${older.length === 1 ? "a process maps" : `${older.length} processes map`} a deleted older copy of ${binary.path}: trace it with -p, or restart it`;
  }
  if (mapping.length === 0) {
    return pids.length === 0
      ? `no process maps ${binary.path} now`
      : `process ${pids.join(", ")} does not map ${binary.path}, or has ended`;
  }
  const who =
    pids.length === 0
      ? `${mapping.length} ${mapping.length === 1 ? "process maps" : "processes map"}`
      : "the process maps";
  return `${who} ${binary.path}, but nothing called it while it was traced (or only copies that the compiler inlined${unreturned})`;
}

/** Why the path: where devices cannot be compared, files of two file systems may have one inode number. */
function isFileOf(mapping: Mapping, binary: Binary): boolean {
  if (mapping.inode !== binary.inode) return false;
  return (
    isSameDevice(mapping.device, binary.device) ??
    (mapping.path === binary.path || mapping.path === realPathOf(binary))
  );
}

/** Kernel: the link of a descriptor tells where its file lies, and marks a deleted one. */
function realPathOf({ openPath }: Binary): string {
  return readlinkSync(openPath).replace(/ \(deleted\)$/, "");
}

/** A process that ended meanwhile, or that may not be looked at, maps nothing that could be named. */
function mappingsOf(pid: number): readonly Mapping[] {
  try {
    return requireProcess(pid).mappings();
  } catch {
    return [];
  }
}
