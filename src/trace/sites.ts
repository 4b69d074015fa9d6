/**
 * Owns the sites of a session: their numbers, what they are called, and which are armed together.
 * Does not own finding them (target/places.ts) nor arming them (session.ts).
 */
import { escapeControls, isGlob } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import type { UprobeSite } from "../kernel/uprobes.js";
import type { CompiledEvent, CompiledProbe } from "../lang/compile.js";
import { cookieOf } from "../lang/event.js";
import type { CallerRule } from "../lang/target.js";
import type { Selector } from "../lang/tree.js";
import { isTwinFile } from "../target/binary.js";
import type { Binary } from "../target/binary.js";
import { findCallerRules } from "../target/entry-caller.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { Site } from "../target/site.js";
import { joinAttachments } from "./joined.js";
import { pairSites } from "./pairs.js";
import type { ProbePart } from "./parts.js";
import type { TracedProbe, TracedSite } from "./probe.js";
import type { Attachment } from "./session.js";

/** All parts of a session, with what was found and compiled for each. */
export interface FoundParts {
  readonly parts: readonly ProbePart[];
  readonly resolved: readonly ResolvedProbe[];
  readonly compiled: readonly CompiledProbe[];
  /** Stacks are taken, and their callers must be completed. */
  readonly needsCallers: boolean;
  /** The places are armed in all processes. */
  readonly isEverywhere: boolean;
  /** Processes to arm the sites of a file in; empty: in all. */
  readonly pidsOf: (target: ResolvedProbe, binary: Binary) => readonly number[];
}

/** The sites of a session by number, and what is to be armed, in this order. */
export interface PlacedSites {
  readonly sites: TracedSite[];
  readonly attachments: readonly Attachment[];
}

/**
 * Numbers the sites of all probes, behind those that there are already. Of a span both ends have one number: that of the
 * function. So have all places of one marker: what is gathered by function holds a marker once.
 */
export function placeSites(
  probes: readonly TracedProbe[],
  found: FoundParts,
  earlier: readonly TracedSite[] = [],
): PlacedSites {
  const before = earlier.length;
  const sites: TracedSite[] = [];
  const attachments: Attachment[] = [];
  for (const probe of probes) {
    const first = before + sites.length;
    const ends = endsOf(probe.number, found);
    const { selector } = found.parts[ends[0]!.part]!.parsed.tree;
    const shownAt = shownProbes(probe, found.compiled[probe.number]!);
    const isPair = found.parts[probe.number]!.pair !== undefined;
    for (const site of ends[0]!.sites)
      sites.push(tracedSite(shownAt(site), isPair ? "pair" : selector, site));
    const isMarker = selector.kind === "marker" && ends.length === 1;
    const numbers = isMarker || isPair ? numberTwins([...earlier, ...sites], first) : undefined;
    const numberOf = isPair ? numbersOfPairs(ends[0]!.sites, numbers!) : undefined;
    for (const { part, sites: placed } of ends) {
      const target = found.resolved[part]!;
      // Why only then: it reads each entry's first bytes.
      const rules = found.needsCallers ? findCallerRules(placed) : [];
      const pidsOf = (binary: Binary): readonly number[] => found.pidsOf(target, binary);
      const groups = groupSites(
        placed,
        {
          probe: part,
          first,
          numbers: numberOf === undefined ? numbers : placed.map(numberOf),
          rules,
          pidsOf,
        },
        found.compiled[part]!,
      );
      attachments.push(...joinAttachments(groups));
    }
  }
  return { sites, attachments };
}

/** A probe as its sites show it: without a format each marker of a pattern has events of its own. */
function shownProbes(probe: TracedProbe, { events }: CompiledProbe): (site: Site) => TracedProbe {
  // Why the same object for the same events: there is one printer for each.
  const known = new Map<CompiledEvent, TracedProbe>();
  return ({ layout }) => {
    const event = events[layout];
    if (probe.shown === undefined || event === undefined) return probe;
    const shown = known.get(event) ?? { ...probe, ...event };
    known.set(event, shown);
    return shown;
  };
}

/** The parts of a probe with their sites, in the order in which they are armed. Why the entry first: a return without one is worth nothing. */
function endsOf(probe: number, { parts, resolved, isEverywhere }: FoundParts) {
  const only = (sites: readonly Site[]): readonly Site[] => (isEverywhere ? withoutTwins(sites) : sites);
  const entry = parts.findIndex((part) => part.role === "span-entry" && part.probe === probe);
  if (entry === -1) return [{ part: probe, sites: only(resolved[probe]!.sites) }];
  // Why: of a file that is still to come there is nothing to pair.
  if (resolved[entry]!.users.size === 0)
    return [
      { part: entry, sites: [] },
      { part: probe, sites: [] },
    ];
  if (parts[probe]!.pair !== undefined)
    return [
      { part: entry, sites: only(resolved[entry]!.sites) },
      { part: probe, sites: only(resolved[probe]!.sites) },
    ];
  const pairs = pairSites({ ...resolved[entry]!, sites: only(resolved[entry]!.sites) }, resolved[probe]!);
  return [
    { part: entry, sites: pairs.map((pair) => pair.entry) },
    { part: probe, sites: pairs.map((pair) => pair.exit) },
  ];
}

/** The numbers of the sites from `first` on: that of the first site that shows the same. */
function numberTwins(sites: readonly TracedSite[], first: number): readonly number[] {
  const known = new Map<TracedProbe, Map<string, number>>();
  const numbers = sites.map(({ probe, label }, number) => {
    const labels = known.get(probe) ?? new Map<string, number>();
    known.set(probe, labels);
    const twin = labels.get(label) ?? number;
    labels.set(label, twin);
    return twin;
  });
  return numbers.slice(first);
}

/** The number of a pair, by the places where it begins, for all its places. */
function numbersOfPairs(begins: readonly Site[], numbers: readonly number[]): (site: Site) => number {
  const byName = new Map(begins.map(({ names }, index) => [names[0], numbers[index]!]));
  return ({ names }) => byName.get(names[0])!;
}

/** What a session knows of the sites of one part. */
interface SiteNumbers {
  readonly probe: number;
  /** Number of the first site among those of all probes. */
  readonly first: number;
  /** Where sites share numbers. */
  readonly numbers: readonly number[] | undefined;
  /** One per site, or none. */
  readonly rules: readonly CallerRule[];
  readonly pidsOf: (binary: Binary) => readonly number[];
}

/** Sites that share program, file and kind of trap are armed together; a site's number, with its rule, is its cookie. */
function groupSites(
  sites: readonly Site[],
  { probe, first, numbers: given, rules, pidsOf }: SiteNumbers,
  { programs }: CompiledProbe,
): Attachment[] {
  const groups = new Map<string, { readonly attachment: Attachment; readonly members: UprobeSite[] }>();
  const numbers = new Map(programs.map((program, number) => [program, number]));
  sites.forEach((site, index) => {
    const { binary, layout, trap } = site;
    const key = `${numbers.get(programs[layout]!)} ${binary.fd} ${trap}`;
    let group = groups.get(key);
    if (group === undefined) {
      const members: UprobeSite[] = [];
      const { openPath, path: shownPath } = binary;
      const returns = trap === "uretprobe";
      group = {
        attachment: {
          probe,
          program: programs[layout]!,
          openPath,
          shownPath,
          returns,
          sites: members,
          pids: pidsOf(binary),
        },
        members,
      };
      groups.set(key, group);
    }
    const cookie = cookieOf(given?.[index] ?? first + index, rules[index] ?? "complete");
    group.members.push({ offset: site.offset, semaphore: site.semaphore, cookie });
  });
  return [...groups.values()].map(({ attachment }) => attachment);
}

/**
 * Leaves out the sites of files that are earlier ones seen through another overlay mount: what is armed in all processes at
 * once would report each hit through each of them.
 */
function withoutTwins(sites: readonly Site[]): readonly Site[] {
  const binaries = [...new Set(sites.map(({ binary }) => binary))];
  if (binaries.length < 2) return sites;
  const twins = new Set(
    binaries.filter((binary, index) => binaries.slice(0, index).some((other) => isTwinFile(other, binary))),
  );
  return twins.size === 0 ? sites : sites.filter(({ binary }) => !twins.has(binary));
}

/** Why a getter: of 78,000 places of a pattern few are hit, and a demangled name costs more than arming its place. */
function tracedSite(probe: TracedProbe, selector: Selector | "pair", site: Site): TracedSite {
  let label: string | undefined;
  return {
    probe,
    get label() {
      return (label ??= escapeControls(labelOf(selector, site)));
    },
  };
}

/** What the FUNC column shows: an exact name as it was typed, of a pattern each function's own, of a marker as its note has it. */
function labelOf(selector: Selector | "pair", site: Site): string {
  if (selector === "pair") return site.names[0]!;
  if (selector.kind === "address") return `0x${selector.address.toString(16)}`;
  if (selector.kind === "marker") return site.names[0]!;
  if (isGlob(selector.symbol)) return demangle(site.names[0]!) ?? site.names[0]!;
  return selector.offset === 0 ? selector.symbol : `${selector.symbol}+0x${selector.offset.toString(16)}`;
}
