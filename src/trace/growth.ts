/**
 * Owns what the probes of a trace mean in a file that is mapped while it runs: its places are found, compiled to the events that the
 * probe has, and numbered behind those that stand. Does not own noticing the file (latecomers.ts) nor arming (session.ts).
 */
import { UnsupportedError, isUscopeError } from "../base/errors.js";
import { nearestNames } from "../base/text.js";
import { compileProbe } from "../lang/compile.js";
import type { CompiledProbe } from "../lang/compile.js";
import { distinctLayouts } from "../lang/distinct-layouts.js";
import type { KeptLayout } from "../lang/span.js";
import type { Selector } from "../lang/tree.js";
import { isSameFile, isTwinFile } from "../target/binary.js";
import type { Binary } from "../target/binary.js";
import { fitArguments } from "../target/marker-layouts.js";
import { findProcess, isOutOfDescriptors } from "../target/process.js";
import type { ResolvedProbe, TargetResolver } from "../target/resolve.js";
import { lateProbes } from "./late-probes.js";
import type { ArmedFirst, FoundFirst, KnownFile, LateProbe } from "./late-probes.js";
import { joinPairs } from "./pairs.js";
import type { OptionsOf } from "./compile-parts.js";
import type { ProbePart } from "./parts.js";
import type { SkippedPlace } from "./plan.js";
import type { TracedProbe, TracedSite } from "./probe.js";
import type { Attachment, RefusedSite } from "./session.js";
import { placeSites } from "./sites.js";

/** A trace as it was prepared; what grows is added to it. */
export interface Growing extends FoundFirst, ArmedFirst {
  readonly resolved: ResolvedProbe[];
  readonly compiled: CompiledProbe[];
  readonly probes: readonly TracedProbe[];
  readonly sites: TracedSite[];
  readonly resolver: TargetResolver;
  /** What is known of a probe by its compiled program. */
  readonly describe: (probe: number, compiled: CompiledProbe) => TracedProbe;
  readonly optionsOf: OptionsOf;
  readonly needsCallers: boolean;
  /** Sites at most. */
  readonly room: number;
}

/** Arms places and says which of them the kernel refused; when it throws none of them stands. */
export type Arm = (attachments: readonly Attachment[]) => readonly RefusedSite[];

/** What became of a file. */
export interface Taken {
  readonly places: number;
  readonly skipped: readonly SkippedPlace[];
  /** No descriptor was left for part of it: to be tried again. */
  readonly isCut: boolean;
}

/** What became of a file for one probe. */
type TakenPart = Omit<Taken, "isCut">;

const mostNear = 3;
/** Files of one probe, each of which is kept open. */
const mostFiles = 512;
/** Programs that are compiled for one file. Why so many: the markers of a JVM want 161 when all their arguments are shown. */
const mostFilePrograms = 256;

/** Returns undefined where no later file can be meant by any probe. */
export function growthOf(growing: Growing): Growth | undefined {
  const late = lateProbes(growing, growing);
  return late.length === 0 ? undefined : new Growth(growing, late);
}

export class Growth {
  readonly #growing: Growing;
  readonly #probes: readonly LateProbe[];
  readonly #compiled = new Map<string, CompiledProbe>();
  readonly #near = new Map<number, Set<string>>();

  constructor(growing: Growing, probes: readonly LateProbe[]) {
    this.#growing = growing;
    this.#probes = probes;
    growing.resolved.forEach((resolved, number) =>
      this.#compiled.set(keyOf(number, resolved), growing.compiled[number]!),
    );
  }

  /** Says whether each process that maps a file must be told. */
  get isByProcess(): boolean {
    return this.#growing.linkedPids.length > 0;
  }

  /** Says whether a probe still has no place at all. */
  get isWaiting(): boolean {
    return this.#probes.some(({ number }) => this.#growing.resolved[number]!.sites.length === 0);
  }

  /** Says by its path alone whether any probe may mean a file. */
  mayMean(path: string): boolean {
    return this.#probes.some((probe) => probe.mayMean(path));
  }

  /** A file of this path that is not taken, for each probe that may mean it. */
  skip(path: string, reason: string): readonly SkippedPlace[] {
    return this.#probes
      .filter((probe) => probe.mayMean(path))
      .map(({ number }) => ({ probe: number, name: path, reason }));
  }

  /** Has all places armed that probes mean in an opened file, which is kept, or closed when there are none. */
  async take(opened: Binary, pid: number, arm: Arm): Promise<Taken> {
    const { resolver } = this.#growing;
    const kept = resolver.findKept(opened);
    if (kept !== undefined && kept.stamp !== opened.stamp) {
      opened.close();
      return { places: 0, skipped: this.skip(opened.path, changed), isCut: false };
    }
    let places = 0;
    let isCut = false;
    const skipped: SkippedPlace[] = [];
    const binary = kept ?? opened;
    for (const probe of this.#probes) {
      if (!probe.mayMean(opened.path)) continue;
      try {
        const known = probe.files.find(
          (file) => isSameFile(file.binary, binary) || isTwinFile(file.binary, binary),
        );
        const taken =
          known === undefined
            ? await this.#addFile(probe, binary, pid, arm)
            : this.#addProcess(probe.number, known, pid, arm);
        places += taken.places;
        skipped.push(...taken.skipped);
      } catch (error) {
        if (!isUscopeError(error)) throw error;
        isCut ||= isOutOfDescriptors(error);
        skipped.push({ probe: probe.number, name: opened.path, reason: error.what });
      }
    }
    const isUsed = this.#probes.some(({ files }) => files.some((file) => file.binary === opened));
    if (isUsed) resolver.keep(opened);
    else opened.close();
    return { places, skipped, isCut };
  }

  #addProcess(number: number, { pids, attachments }: KnownFile, pid: number, arm: Arm): TakenPart {
    if (!this.isByProcess || pids.has(pid)) return nothingTaken;
    const refused = arm(attachments.map((attachment) => ({ ...attachment, pids: [pid] })));
    pids.add(pid);
    return this.#taken(number, countPlaces(attachments), refused);
  }

  #taken(probe: number, placed: number, refused: readonly RefusedSite[]): TakenPart {
    const skipped = refused.map(({ site, reason }) => ({
      probe,
      name: this.#growing.sites[site]!.label,
      reason,
    }));
    return { places: Math.max(0, placed - refused.length), skipped };
  }

  async #addFile({ number, files }: LateProbe, binary: Binary, pid: number, arm: Arm): Promise<TakenPart> {
    const { parts, probes, sites, resolver } = this.#growing;
    const own = [...parts.keys()].filter((part) => parts[part]!.probe === number);
    const found: ResolvedProbe[] = [];
    for (const part of own) {
      const { selector } = parts[part]!.parsed.tree;
      const places = await resolver.resolveIn(selector, binary, findProcess(pid));
      // Why silent only without a name: who names a library expects the marker there.
      if (places === undefined) {
        this.#learnNear(number, selector, binary);
        return selector.library === ""
          ? nothingTaken
          : { places: 0, skipped: [{ probe: number, name: binary.path, reason: "it has no such marker" }] };
      }
      if (places.architecture !== this.#growing.resolved[part]!.architecture)
        throw foreign(places.architecture);
      found[part] = this.#fit(part, places);
    }
    joinPairs(parts, found);
    if (files.length >= mostFiles) throw tooMany(`it has places in ${mostFiles} files already`);
    // Why before they are compiled: meanwhile nobody reads the events.
    this.#requireRoom(Math.min(...own.map((part) => found[part]!.sites.length)));
    for (const part of own) requireFewPrograms(parts[part]!, found[part]!);
    const compiled = this.#compile(own, found);
    const probe = probes[number]!;
    if (this.#growing.resolved[number]!.sites.length === 0) {
      // Why possible: an event of it cannot have come, and whoever prints one asks then.
      for (const part of own) this.#growing.compiled[part] = compiled[part]!;
      Object.assign(probe, this.#growing.describe(number, compiled[number]!));
    }
    for (const part of own)
      if (parts[part]!.parsed.shown === undefined)
        requireSameEvents(compiled[part]!, this.#growing.compiled[part]!);
    const placed = placeSites(
      [probe],
      {
        ...this.#growing,
        resolved: found,
        compiled,
        isEverywhere: !this.isByProcess,
        pidsOf: () => (this.isByProcess ? [pid] : []),
      },
      sites,
    );
    this.#requireRoom(placed.sites.length);
    const before = own.map((part) => this.#growing.resolved[part]!);
    for (const part of own) {
      const known = this.#growing.resolved[part]!;
      const all = [...known.sites, ...found[part]!.sites];
      this.#growing.resolved[part] = { ...(known.sites.length === 0 ? found[part]! : known), sites: all };
    }
    files.push({ binary, attachments: placed.attachments, pids: new Set([pid]) });
    // Why before they are armed: a place that is hit at once, or stays in part, needs its number.
    sites.push(...placed.sites);
    let refused: readonly RefusedSite[];
    try {
      refused = arm(placed.attachments);
    } catch (error) {
      files.pop();
      // Why the numbers of the sites stay given: places that stood for a moment may have been hit.
      for (const [index, part] of own.entries()) this.#growing.resolved[part] = before[index]!;
      throw error;
    }
    const taken = this.#taken(number, placed.sites.length, refused);
    const skipped = found[number]!.skipped.map(({ name, reason }) => ({ probe: number, name, reason }));
    return { ...taken, skipped: [...skipped, ...taken.skipped] };
  }

  /** Names of markers that are much like the one that a probe asks for, of files that lack it. */
  near(probe: number): readonly string[] {
    return [...(this.#near.get(probe) ?? [])].slice(0, mostNear);
  }

  #learnNear(probe: number, selector: Selector, { markers }: Binary): void {
    const known = this.#near.get(probe) ?? new Set<string>();
    if (selector.kind !== "marker" || known.size >= mostNear) return;
    const names = markers.markers.map(({ name }) => name);
    for (const name of nearestNames(selector.marker, names)) known.add(name);
    this.#near.set(probe, known);
  }

  #requireRoom(more: number): void {
    if (this.#growing.sites.length + more > this.#growing.room)
      throw tooMany("there is no room for more functions in what is gathered by function");
  }

  /** Gives the values of a marker the types that the probe's events have by now. */
  #fit(part: number, found: ResolvedProbe): ResolvedProbe {
    const known = this.#growing.resolved[part]!;
    const { tree, shown, declaration } = this.#growing.parts[part]!.parsed;
    if (known.sites.length === 0 || tree.selector.kind !== "marker") return found;
    // Why: where all arguments are shown each marker has events of its own, and the author's types are those of any file.
    if (shown !== undefined || declaration !== undefined) return found;
    return { ...found, layouts: fitArguments(found.layouts, known.layouts[0]!) };
  }

  /** Compiles the parts of a probe, the entry of a span first; equal places are compiled once. */
  #compile(own: readonly number[], found: readonly ResolvedProbe[]): CompiledProbe[] {
    const { parts, optionsOf } = this.#growing;
    const compiled: CompiledProbe[] = [];
    let kept: KeptLayout | undefined;
    for (const part of own.toSorted(
      (left, right) => Number(isEntry(parts[right]!)) - Number(isEntry(parts[left]!)),
    )) {
      const key = keyOf(part, found[part]!);
      let program = this.#compiled.get(key);
      if (program === undefined) {
        program = compileProbe(
          parts[part]!.parsed,
          { resolve: () => found[part]! },
          optionsOf(parts[part]!, part, kept),
        );
        this.#compiled.set(key, program);
      }
      kept ??= program.kept;
      compiled[part] = program;
    }
    return compiled;
  }
}

const nothingTaken: TakenPart = { places: 0, skipped: [] };

const changed =
  "it has changed in place since it was looked at: what is armed in it are the places of the content before";

/** Of a span the places of one end. */
function countPlaces(attachments: readonly Attachment[]): number {
  const counts = new Map<number, number>();
  for (const { probe, sites } of attachments) counts.set(probe, (counts.get(probe) ?? 0) + sites.length);
  return Math.max(0, ...counts.values());
}

function isEntry({ role }: ProbePart): boolean {
  return role === "span-entry";
}

function keyOf(part: number, { layouts }: ResolvedProbe): string {
  return JSON.stringify([part, layouts], (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );
}

function requireSameEvents(one: CompiledProbe, other: CompiledProbe): void {
  if (JSON.stringify([one.event, one.kept]) === JSON.stringify([other.event, other.kept])) return;
  throw new UnsupportedError({
    what: "its values have other types than those of the files before",
    at: one.event.fields.map(({ name }) => name).join(", "),
    fix: "trace it alone: name it by its path",
  });
}

function requireFewPrograms({ parsed }: ProbePart, { layouts }: ResolvedProbe): void {
  const isAllShown = parsed.shown !== undefined;
  const { length } = isAllShown ? layouts : distinctLayouts(parsed.tree, layouts).layouts;
  if (length > mostFilePrograms)
    throw tooMany(`its values lie in ${length} ways, and ${mostFilePrograms} are the most`);
}

function foreign(architecture: string): UnsupportedError {
  return new UnsupportedError({
    what: `it is for ${architecture}`,
    at: "another machine's file",
    fix: "run uscope there",
  });
}

function tooMany(what: string): UnsupportedError {
  return new UnsupportedError({
    what,
    at: "files that are mapped while the trace runs",
    fix: "trace fewer programs, or name the file",
  });
}
