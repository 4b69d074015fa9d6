/**
 * Owns joining the two ends of a span: the functions of which entry and return can be armed; of any two places which are one pair, and
 * by what a beginning is found again at the end. Does not own finding places (target/resolve.ts).
 */
import { UnsupportedError } from "../base/errors.js";
import type { FramePlace, Layout } from "../lang/target.js";
import type { Binary } from "../target/binary.js";
import { findFramePlace } from "../target/frame-rules.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { Site } from "../target/site.js";
import { UnwindTable } from "../target/unwind-table.js";
import type { ProbePart } from "./parts.js";

export interface SitePair {
  readonly entry: Site;
  readonly exit: Site;
}

/** Pairs by file and function; what has only one of the two is left out, since its calls would never end or never begin. */
export function pairSites(entries: ResolvedProbe, exits: ResolvedProbe): readonly SitePair[] {
  const byPlace = new Map(exits.sites.map((site) => [placeOf(site), site]));
  const pairs = entries.sites.flatMap((entry) => {
    const exit = byPlace.get(placeOf(entry));
    return exit === undefined ? [] : [{ entry, exit }];
  });
  if (pairs.length > 0) return pairs;
  const reason = exits.skipped[0] ?? entries.skipped[0];
  throw new UnsupportedError({
    what: `no function of this span can be watched at both its ends${reason === undefined ? "" : `: ${reason.reason}`}`,
    at: entries.sites[0]?.names[0] ?? "no place",
    fix: reason?.alternative ?? "watch its entry with uprobe()",
  });
}

function placeOf({ binary, address }: Site): string {
  return `${binary.fd} ${address}`;
}

/**
 * Joins the ends of spans that are any two places, in place of what was found for their parts. Afterwards the first name of each
 * site is that of its pair, and layouts have the frame where that joins a pair.
 */
export function joinPairs(parts: readonly ProbePart[], resolved: ResolvedProbe[]): void {
  for (const [entry, { probe, role, pair }] of parts.entries()) {
    const begins = resolved[entry];
    const ends = resolved[probe];
    if (role !== "span-entry" || pair === undefined || begins === undefined || ends === undefined) continue;
    const joined = joinEnds({ begins, ends }, pair === "by name");
    resolved[entry] = joined.begins;
    resolved[probe] = joined.ends;
  }
}

/** The places of the two ends of a span. */
interface Ends {
  readonly begins: ResolvedProbe;
  readonly ends: ResolvedProbe;
}

/** `isByName`: the sites have the names of their pairs already; else all are one pair. */
function joinEnds({ begins, ends }: Ends, isByName: boolean): Ends {
  if (begins.sites.length === 0 || ends.sites.length === 0) return { begins, ends };
  // Why: a pattern of what ends, `transaction__*`, may mean what begins as well.
  const beginnings = new Set(begins.sites.map(trapOf));
  const others = ends.sites.filter((site) => !beginnings.has(trapOf(site)));
  const label = `${nameOf(begins.sites)}..${nameOf(others, providerOf(begins))}`;
  const named = (sites: readonly Site[]): readonly Site[] =>
    isByName ? sites : sites.map((site) => ({ ...site, names: [label, ...site.names] }));
  const both = { begins: named(begins.sites), ends: named(others) };
  const joined = pairsOf(both.begins).filter((pair) => pairsOf(both.ends).includes(pair));
  if (others.length === 0) throw onePlace(begins);
  if (joined.length === 0) throw noWholePair(begins, ends);
  const frames = new Frames();
  const framed = new Set(joined.filter((pair) => frames.join(both.begins, both.ends, pair)));
  const finish = (target: ResolvedProbe, sites: readonly Site[]): ResolvedProbe =>
    withFrames({ ...target, sites: sites.filter((site) => joined.includes(site.names[0]!)) }, (site) =>
      framed.has(site.names[0]!) ? frames.find(site)?.place : undefined,
    );
  return { begins: finish(begins, both.begins), ends: finish(ends, both.ends) };
}

function trapOf(site: Site): string {
  return `${placeOf(site)} ${site.trap}`;
}

/** The names of the pairs that sites belong to. */
export function pairsOf(sites: readonly Site[]): readonly string[] {
  return [...new Set(sites.map(({ names }) => names[0]!))];
}

/** The name that all sites have, or their names; without the provider that is said already. */
function nameOf(sites: readonly Site[], said = ""): string {
  const names = new Set(
    sites.map(({ names: [name = "?"] }) => (name.startsWith(said) ? name.slice(said.length) : name)),
  );
  return names.size === 1 ? [...names][0]! : `(${[...names].join("|")})`;
}

/** `provider:` of the markers, where it is one. */
function providerOf({ sites }: ResolvedProbe): string {
  const providers = new Set(
    sites.map(({ role, names: [name = ""] }) =>
      role === "marker" ? name.slice(0, name.indexOf(":") + 1) : "",
    ),
  );
  return providers.size === 1 ? [...providers][0]! : "";
}

function onePlace({ sites }: ResolvedProbe): UnsupportedError {
  const name = nameOf(sites);
  return new UnsupportedError({
    what: `${name} is both ends of this pair`,
    at: name,
    fix: "name another place where it ends; from one hit to the next: keep p.time in a script (docs/scripts.md)",
  });
}

function noWholePair(begins: ResolvedProbe, ends: ResolvedProbe): UnsupportedError {
  const [skipped] = [...ends.skipped, ...begins.skipped];
  return new UnsupportedError({
    what: `no pair can be watched at both its ends${skipped === undefined ? "" : `: ${skipped.name}: ${skipped.reason}`}`,
    at: begins.sites[0]!.names[0]!,
    fix: skipped?.alternative ?? "name both ends",
  });
}

interface FunctionFrame {
  /** Of the function, among all files. */
  readonly owner: string;
  readonly place: FramePlace;
}

class Frames {
  readonly #tables = new Map<Binary, UnwindTable>();
  readonly #found = new Map<Site, FunctionFrame | undefined>();

  /**
   * Says whether each call of a function that begins a pair ends it itself, so that its frame joins the two. Why the same functions
   * at both ends: where one of them has an end more, a call may end what another has begun, as interpreters do.
   */
  join(begins: readonly Site[], ends: readonly Site[], pair: string): boolean {
    const [first, second] = [begins, ends].map((sites) => {
      const owners = sites.filter(({ names }) => names[0] === pair).map((site) => this.find(site)?.owner);
      return new Set(owners);
    }) as [Set<string | undefined>, Set<string | undefined>];
    return !first.has(undefined) && first.size === second.size && [...first].every((one) => second.has(one));
  }

  find(site: Site): FunctionFrame | undefined {
    if (!this.#found.has(site)) this.#found.set(site, this.#read(site));
    return this.#found.get(site);
  }

  #read({ binary, address, role }: Site): FunctionFrame | undefined {
    // Why: at a return the function's frame is gone.
    if (role === "return") return undefined;
    const table = this.#tables.get(binary) ?? new UnwindTable(binary.elf);
    this.#tables.set(binary, table);
    const entry = table.find(address);
    const place = entry && findFramePlace(entry, address, binary.elf.machine);
    return place && { owner: `${binary.fd} ${entry.start}`, place };
  }
}

/** Gives each site a layout that has its frame. */
function withFrames(target: ResolvedProbe, frameOf: (site: Site) => FramePlace | undefined): ResolvedProbe {
  const layouts: Layout[] = [];
  const known = new Map<string, number>();
  const sites = target.sites.map((site) => {
    const frame = frameOf(site);
    const key = `${site.layout} ${frame?.register} ${frame?.distance}`;
    const number =
      known.get(key) ?? layouts.push({ ...target.layouts[site.layout]!, ...(frame && { frame }) }) - 1;
    known.set(key, number);
    return { ...site, layout: number };
  });
  return { ...target, sites, layouts };
}
