/**
 * Owns which probes may mean files that are not there when a trace begins, which files these are by their paths, and which of them
 * are known. Does not own what a probe means in a file (growth.ts).
 */
import { realpathSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { Binary } from "../target/binary.js";
import { mayBeMapped } from "../target/mapped-binaries.js";
import { matchesLibrary } from "../target/libraries.js";
import { findProcess } from "../target/process.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { ProbePart } from "./parts.js";
import type { Attachment } from "./session.js";

/** What is there before a trace begins. */
export interface FoundFirst {
  readonly parts: readonly ProbePart[];
  /** By the numbers of the parts; without places where they are still to come. */
  readonly resolved: readonly ResolvedProbe[];
  /** The processes that are traced; empty: all. */
  readonly pids: readonly number[];
  readonly launched: boolean;
  readonly children: boolean;
}

/** What is armed before a trace begins. */
export interface ArmedFirst {
  readonly attachments: readonly Attachment[];
  /** The processes that are armed one by one; empty: places are armed in all. */
  readonly linkedPids: readonly number[];
}

/** A probe that may mean files which are not there yet. */
export interface LateProbe {
  readonly number: number;
  readonly mayMean: (path: string) => boolean;
  readonly files: KnownFile[];
}

/** A file with places of a probe. */
export interface KnownFile {
  readonly binary: Binary;
  readonly attachments: readonly Attachment[];
  /** Where processes are armed one by one: those. */
  readonly pids: Set<number>;
}

/** Sites for which files that are mapped later have room. Why so few: where things are counted by function, each has a place in a map. */
const laterSites = 1024;

/** How many sites a trace may have. */
export function siteRoom(found: FoundFirst): number {
  const now = found.resolved.reduce((sum, { sites }) => sum + sites.length, 0);
  return found.parts.some(({ probe }) => mayGrow(probe, found)) ? now + laterSites : now;
}

/** Those of the probes that may gain files. */
export function lateProbes(found: FoundFirst, armed: ArmedFirst): readonly LateProbe[] {
  const probes = [...new Set(found.parts.map(({ probe }) => probe))];
  return probes.flatMap((number) => (mayGrow(number, found) ? [lateProbe(number, found, armed)] : []));
}

function mayGrow(number: number, { parts, resolved, pids, launched, children }: FoundFirst): boolean {
  const { selector } = parts[number]!.parsed.tree;
  if (selector.library === "") return selector.kind === "marker";
  if (selector.kind === "address") return false;
  if (launched || children) return true;
  // Why: what a process has mapped by that name is what it means by it.
  return (
    pids.some((pid) => !hasMapped(pid, [...resolved[number]!.users.keys()])) &&
    !selector.library.includes("/")
  );
}

function hasMapped(pid: number, binaries: readonly Binary[]): boolean {
  const mappings = findProcess(pid)?.mappings() ?? [];
  return mappings.some((mapping) => binaries.some((binary) => mayBeMapped(mapping, binary)));
}

function lateProbe(
  number: number,
  { parts, resolved, launched }: FoundFirst,
  { attachments, linkedPids }: ArmedFirst,
): LateProbe {
  const { library } = parts[number]!.parsed.tree.selector;
  const files = [...resolved[number]!.users].map(([binary, pids]) => ({
    binary,
    attachments: attachments.filter(
      ({ probe, openPath }) => parts[probe]!.probe === number && openPath === binary.openPath,
    ),
    pids: new Set(launched ? linkedPids : pids),
  }));
  return { number, mayMean: meaningOf(library), files };
}

/** What files a library's name means, by their paths. */
function meaningOf(library: string): (path: string) => boolean {
  if (library === "") return () => true;
  if (!library.includes("/")) return (path) => matchesLibrary(basename(path), library);
  const paths = new Set([resolve(library), attemptRealPath(library)]);
  return (path) => paths.has(path);
}

function attemptRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
