/**
 * Owns the question why a probe had no hit, asked when a run ends.
 * Does not own whether that is a fault.
 */
import { readlinkSync } from "node:fs";
import type { Binary } from "../target/binary.js";
import { isSameDevice } from "../target/mapped-binaries.js";
import type { Mapping } from "../target/mappings.js";
import { conditionOf } from "../target/markers.js";
import { wholeOfPiece } from "../target/pieces.js";
import { listProcesses, requireProcess } from "../target/process.js";
import { readThread } from "../target/thread.js";
import type { LateFile } from "./latecomers.js";

/** What was traced beside processes that were there before. */
export interface SilentRun {
  readonly isCommand: boolean;
  readonly isWithChildren: boolean;
  /** By their paths, files of which places were armed later. */
  readonly lateFiles?: ReadonlyMap<string, Pick<LateFile, "milliseconds">>;
}

/** What was probed in vain. */
export interface SilentProbe {
  readonly binaries: readonly Binary[];
  /** The function's name as it was given; undefined for an address. */
  readonly symbol: string | undefined;
  /** What of it was looked at: its returns alone, a marker, or any other place. */
  readonly passed: "place" | "return" | "marker";
  /** Those that were armed only when they were mapped. */
  readonly late?: readonly Binary[];
  /** Names much like that of the marker, of files that were mapped meanwhile and do not have it. */
  readonly near?: readonly string[];
  /** The markers that were armed, as `provider:name`. */
  readonly markers?: readonly string[];
}

/** Says, for each file of the probe, who maps it now and what that means, and which clones may have been called instead. */
export function explainSilence(probe: SilentProbe, pids: readonly number[], run: SilentRun): string[] {
  const { binaries, symbol } = probe;
  const children = explainChildren(pids, run);
  if (binaries.length === 0)
    return ["no process that is traced has mapped a file with it", ...suggest(probe), ...children];
  const clones = symbol === undefined ? [] : binaries.flatMap((binary) => findClones(binary, symbol));
  const { late: lateOnes = [] } = probe;
  const late = lateOnes.map((binary) => explainLate(binary, run, wordsFor[probe.passed]));
  const others = binaries.filter((binary) => !lateOnes.includes(binary));
  const files = explainFiles({ ...probe, binaries: others }, pids, run);
  return [...late, ...files, ...clones, ...findConditions(probe), ...children];
}

/** What makes a runtime pass these markers; of a pattern, for those that it says so of. */
function findConditions({ markers = [] }: SilentProbe): string[] {
  return [...new Set(markers.map((marker) => conditionOf(marker)))].filter((one) => one !== undefined);
}

function suggest({ near = [] }: SilentProbe): string[] {
  return near.length === 0 ? [] : [`did you mean ${near.map((name) => `"${name}"`).join(" or ")}?`];
}

/** Why now: children that have ended are not known any more. Why not of a command: there the reasons of its files say it. */
function explainChildren(pids: readonly number[], { isCommand, isWithChildren }: SilentRun): string[] {
  if (isCommand || isWithChildren || pids.length === 0) return [];
  const children = listProcesses().filter((pid) => pids.includes(readThread(pid, pid)?.parent ?? 0));
  if (children.length === 0) return [];
  const few = children.slice(0, 3).join(", ") + (children.length > 3 ? ", ..." : "");
  return [`its children (${few}) were not traced: --children traces them too`];
}

/** Why first: a library that a process loads, calls and leaves is over before it can be armed. */
function explainLate({ path }: Binary, { lateFiles }: SilentRun, { did }: SilenceWords): string {
  const milliseconds = lateFiles?.get(path)?.milliseconds;
  const when =
    milliseconds === undefined
      ? "only after it was mapped"
      : `${Math.max(1, Math.round(milliseconds))} ms after it was mapped`;
  return `${path} was armed ${when}, and nothing ${did} since: named by its path it is armed from the start`;
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
  { binaries, passed }: SilentProbe,
  pids: readonly number[],
  { isCommand, isWithChildren }: SilentRun,
): string[] {
  const words = wordsFor[passed];
  // Why: the command has ended, and with it what it mapped.
  if (isCommand)
    return binaries.map(({ path }) =>
      isWithChildren
        ? `neither the command nor its children ${words.did}: they run another file than ${path}${words.otherwise}`
        : `the command itself did not ${words.to}: a child may have (--children), or it runs another file than ${path}${words.otherwise}`,
    );
  const processes = pids.length > 0 ? pids : listProcesses();
  const searched = { processes: processes.map((pid) => mappingsOf(pid)), pids, words };
  return binaries.map((binary) => explainFile(binary, searched));
}

/** How a sentence says what did not happen. */
interface SilenceWords {
  readonly to: string;
  readonly did: string;
  /** What may have happened instead: the end of a list, and in brackets. */
  readonly otherwise: string;
  readonly aside: string;
}

const calling = {
  to: "call it",
  did: "called it",
  otherwise: ", or only inlined copies",
  aside: " (or only copies that the compiler inlined)",
};

const wordsFor: Readonly<Record<SilentProbe["passed"], SilenceWords>> = {
  place: calling,
  // Why: it may have ended the program, or was left by a jump or an exception.
  return: {
    ...calling,
    otherwise: `${calling.otherwise}, or it never returned`,
    aside: " (or only copies that the compiler inlined, or it never returned)",
  },
  marker: { to: "pass it", did: "passed it", otherwise: "", aside: "" },
};

interface Searched {
  /** What each maps. */
  readonly processes: readonly (readonly Mapping[])[];
  /** Those that were asked for; empty: all. */
  readonly pids: readonly number[];
  readonly words: SilenceWords;
}

function explainFile(binary: Binary, { processes, pids, words }: Searched): string {
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
  return `${who} ${binary.path}, but nothing ${words.did} while it was traced${words.aside}`;
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
