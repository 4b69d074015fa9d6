/**
 * Owns the sites of a session: their numbers, what they are called, and which are armed together.
 * Does not own finding them (target/places.ts) nor arming them (session.ts).
 */
import { escapeControls, isGlob } from "../base/text.js";
import { demangle } from "../demangle/demangle.js";
import type { UprobeSite } from "../kernel/uprobes.js";
import type { CompiledProbe } from "../lang/compile.js";
import { cookieOf } from "../lang/event.js";
import type { CallerRule } from "../lang/target.js";
import type { Selector } from "../lang/tree.js";
import { isTwinFile } from "../target/binary.js";
import type { Binary } from "../target/binary.js";
import { findCallerRules } from "../target/entry-caller.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { Site } from "../target/site.js";
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
  readonly sites: readonly TracedSite[];
  readonly attachments: readonly Attachment[];
}

/** Numbers the sites of all probes. Of a span both ends have one number: that of the function. */
export function placeSites(probes: readonly TracedProbe[], found: FoundParts): PlacedSites {
  const sites: TracedSite[] = [];
  const attachments: Attachment[] = [];
  for (const probe of probes) {
    const first = sites.length;
    const ends = endsOf(probe.number, found);
    const { selector } = found.parts[ends[0]!.part]!.parsed.tree;
    for (const site of ends[0]!.sites) sites.push(tracedSite(probe, selector, site));
    for (const { part, sites: placed } of ends) {
      const target = found.resolved[part]!;
      // Why only then: it reads each entry's first bytes.
      const rules = found.needsCallers ? findCallerRules(placed) : [];
      const pidsOf = (binary: Binary): readonly number[] => found.pidsOf(target, binary);
      attachments.push(...groupSites(placed, { probe: part, first, rules, pidsOf }, found.compiled[part]!));
    }
  }
  return { sites, attachments };
}

/** The parts of a probe with their sites, in the order in which they are armed. Why the entry first: a return without one is worth nothing. */
function endsOf(probe: number, { parts, resolved, isEverywhere }: FoundParts) {
  const only = (sites: readonly Site[]): readonly Site[] => (isEverywhere ? withoutTwins(sites) : sites);
  const entry = parts.findIndex((part) => part.role === "span-entry" && part.probe === probe);
  if (entry === -1) return [{ part: probe, sites: only(resolved[probe]!.sites) }];
  const pairs = pairSites({ ...resolved[entry]!, sites: only(resolved[entry]!.sites) }, resolved[probe]!);
  return [
    { part: entry, sites: pairs.map((pair) => pair.entry) },
    { part: probe, sites: pairs.map((pair) => pair.exit) },
  ];
}

/** What a session knows of the sites of one part. */
interface SiteNumbers {
  readonly probe: number;
  /** Number of the first site among those of all probes. */
  readonly first: number;
  /** One per site, or none. */
  readonly rules: readonly CallerRule[];
  readonly pidsOf: (binary: Binary) => readonly number[];
}

/** Sites that share program, file and kind of trap are armed together; a site's number, with its rule, is its cookie. */
function groupSites(
  sites: readonly Site[],
  { probe, first, rules, pidsOf }: SiteNumbers,
  { programs }: CompiledProbe,
): Attachment[] {
  const groups = new Map<string, { readonly attachment: Attachment; readonly members: UprobeSite[] }>();
  sites.forEach((site, index) => {
    const { binary, layout, trap } = site;
    const key = `${layout} ${binary.fd} ${trap}`;
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
    const cookie = cookieOf(first + index, rules[index] ?? "complete");
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
function tracedSite(probe: TracedProbe, selector: Selector, site: Site): TracedSite {
  let label: string | undefined;
  return {
    probe,
    get label() {
      return (label ??= escapeControls(labelOf(selector, site)));
    },
  };
}

/** What the FUNC column shows: an exact name as it was typed, of a pattern each function's own. */
function labelOf(selector: Selector, site: Site): string {
  if (selector.kind === "address") return `0x${selector.address.toString(16)}`;
  if (selector.kind === "marker") return `${selector.provider ?? ""}:${selector.marker}`;
  if (isGlob(selector.symbol)) return demangle(site.names[0]!) ?? site.names[0]!;
  return selector.offset === 0 ? selector.symbol : `${selector.symbol}+0x${selector.offset.toString(16)}`;
}
