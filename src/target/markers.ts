/**
 * Owns the sites of a marker (USDT) in one file: which notes are meant, in which layout each place is.
 * Does not own reading the notes (usdt/), what stands at a place (marker-places.ts), nor which files are looked at (marker-files.ts).
 */
import { NotFoundError } from "../base/errors.js";
import type { VirtualAddress } from "../base/bytes.js";
import { isGlob, nearestNames } from "../base/text.js";
import type { Layout, Target } from "../lang/target.js";
import type { Marker, MarkerSite } from "../usdt/marker.js";
import { findDeclaration } from "../usdt/providers/index.js";
import { findCondition } from "../usdt/providers/silence.js";
import { matchesMarkerName } from "../usdt/names.js";
import type { Binary } from "./binary.js";
import { entryLayout } from "./calling-convention.js";
import { CodeReader } from "./code.js";
import { markerLayout } from "./marker-layouts.js";
import { endNames, findMarkerPairs, pairName } from "./marker-pairs.js";
import type { LayoutMarker } from "./marker-layouts.js";
import { MarkerPlaces } from "./marker-places.js";
import type { FoundSites, SiteSearch } from "./places.js";
import type { Site, SkippedSite } from "./site.js";
import { findUnwindEntry } from "./unwind-table.js";

export type MarkerSelector = Extract<Parameters<Target["resolve"]>[0], { kind: "marker" }>;

/** What a selector says of the markers that it means. */
type MarkerNames = Pick<MarkerSelector, "library" | "provider" | "marker" | "half">;

/** Finds the sites in one file; none where it has no such marker. What cannot be armed is skipped with its reason. */
export async function findMarkerSites(selector: MarkerSelector, search: SiteSearch): Promise<FoundSites> {
  const { binary } = search;
  const found = new MarkerSites(search);
  const wanted = matchHalves(selector, binary).flatMap(({ marker, pair }) =>
    marker.sites.map((site) => ({ site, marker, pair })),
  );
  for (const { site, marker, pair } of inOrder(wanted)) await found.add(site, marker, pair);
  return found.finish(damageNotes(binary));
}

/** The markers of a file that a selector means. */
export function matchMarkers(selector: MarkerSelector, binary: Binary): readonly Marker[] {
  return matchHalves(selector, binary).map(({ marker }) => marker);
}

/** `pair`: what the pair is called, where a marker is meant as one end of it. */
function matchHalves(
  selector: MarkerSelector,
  binary: Binary,
): readonly { readonly marker: Marker; readonly pair: readonly string[] }[] {
  const { half } = selector;
  const matched = matchNames(selector, binary);
  return half === undefined
    ? matched.map((marker) => ({ marker, pair: [] }))
    : findMarkerPairs(matched, binary.markers.markers).map((pair) => ({
        marker: pair[half],
        pair: [pairName(pair)],
      }));
}

function matchNames({ provider, marker }: MarkerNames, { markers }: Binary): readonly Marker[] {
  return markers.markers.filter(
    (known) =>
      matchesMarkerName(marker, known.name) &&
      (provider === undefined || provider === "" || matchesMarkerName(provider, known.provider)),
  );
}

/**
 * Puts notes in rising order of address, so that a function with many is decoded once; of those about one place the ones with a
 * semaphore go first: as long as nobody raises it, the program goes around the place.
 */
function inOrder<Note extends { readonly site: MarkerSite }>(notes: readonly Note[]): readonly Note[] {
  const rank = ({ site }: Note): number => (site.semaphore === undefined ? 1 : 0);
  return notes.toSorted((left, right) => left.site.address - right.site.address || rank(left) - rank(right));
}

class MarkerSites {
  readonly #search: SiteSearch;
  readonly #places: MarkerPlaces;
  readonly #sites = new Map<
    VirtualAddress,
    { readonly site: Omit<Site, "names">; readonly names: Set<string>; readonly note: MarkerSite }
  >();
  readonly #layouts: Layout[] = [];
  readonly #skipped: SkippedSite[] = [];
  readonly #markers: LayoutMarker[] = [];

  constructor(search: SiteSearch) {
    this.#search = search;
    this.#places = new MarkerPlaces(search);
  }

  /** `pair`: the name of the pair that the marker is one of, which comes before its own. */
  async add(site: MarkerSite, { provider, name: own }: Marker, pair: readonly string[]): Promise<void> {
    const { address } = site;
    const name = `${provider}:${own}`;
    const known = this.#sites.get(address);
    // Why: two notes about one place are one place; armed twice it would report each hit twice.
    const difference = known && differenceOf(site, known.note);
    if (known !== undefined && difference === undefined) {
      known.names.add(name);
      return;
    }
    const { offset, cost, semaphore, refusal } = await this.#places.look(site);
    if (refusal !== undefined) {
      this.#skipped.push({ name, address, ...refusal });
      return;
    }
    if (known !== undefined) {
      const [first] = known.names;
      const reason = `it stands at the place of ${first}, with ${difference}`;
      this.#skipped.push({
        name,
        address,
        reason,
        alternative: "trace it by its own name, without the other",
      });
      return;
    }
    const { binary } = this.#search;
    this.#sites.set(address, {
      site: {
        binary,
        // Proof: a place without a byte in the file is refused.
        offset: offset!,
        address,
        role: "marker",
        trap: "uprobe",
        semaphore: semaphore?.kind === "found" ? semaphore.offset : undefined,
        layout: this.#layouts.length,
        cost,
      },
      names: new Set([...pair, name]),
      note: site,
    });
    this.#markers.push({ name, declared: findDeclaration(provider, own, site.arguments.length) });
    this.#layouts.push(
      markerLayout(binary.elf.machine, address, {
        argumentsOf: site.arguments,
        returnAddress: beginsFunction(binary, address)
          ? entryLayout(binary.elf.machine).returnAddress
          : undefined,
      }),
    );
  }

  finish(notes: readonly string[]): FoundSites {
    return {
      architecture: this.#search.binary.elf.machine,
      layouts: this.#layouts,
      sites: [...this.#sites.values()].map(({ site, names }) => ({ ...site, names: [...names] })),
      skipped: this.#skipped,
      notes,
      markers: this.#markers,
    };
  }
}

/**
 * What a note says otherwise than the one about the same place that is armed.
 * Kernel: a place has one semaphore (alloc_uprobe, ref_ctr_mismatch_warn). Why arguments: a place sends one kind of event.
 */
function differenceOf(note: MarkerSite, armed: MarkerSite): string | undefined {
  if (note.semaphore !== undefined && note.semaphore !== armed.semaphore) return "another semaphore";
  return note.rawArguments === armed.rawArguments ? undefined : "other arguments";
}

/** Says whether nothing of a function has run yet, so that its return address is where its caller left it. */
function beginsFunction(binary: Binary, address: VirtualAddress): boolean {
  const entry = findUnwindEntry(binary.elf, address);
  if (entry === undefined) return binary.functions.at(address).length > 0;
  const isBehindEndbr =
    address - entry.start === endbrBytes &&
    new CodeReader(binary).read(entry.start, endbrBytes).join(" ") === endbr64;
  return (address === entry.start || isBehindEndbr) && !entry.startsInFrame;
}

/** Spec: f3 0f 1e fa, which does nothing but mark a place that may be jumped to. */
const endbr64 = "243 15 30 250";
const endbrBytes = 4;

function damageNotes({ path, markers: { damaged } }: Binary): string[] {
  const [first] = damaged;
  if (first === undefined) return [];
  const more = damaged.length === 1 ? "" : ` (and ${damaged.length - 1} more)`;
  return [`${path}: a damaged marker note was left out: ${first.at}: ${first.reason}${more}`];
}

/** What has to be done before a runtime passes its marker `provider:name`, where that is known. */
export function conditionOf(marker: string): string | undefined {
  const [, provider = "", name = ""] = /^([^:]*):(.*)$/s.exec(marker) ?? [];
  return findCondition(provider, name);
}

/** Says what was not found. `looked`: the files with markers, or those that were named; `where`: all that were looked at. */
export function noSuchMarker(selector: MarkerNames, looked: readonly Binary[], where: string): NotFoundError {
  const { library, provider, marker } = selector;
  const known = looked.flatMap(({ markers }) => markers.markers);
  const name = provider ? `${provider}:${marker}` : marker;
  if (selector.half !== undefined) {
    const matched = looked.flatMap((binary) => matchNames(selector, binary));
    if (matched.length > 0) return noSuchPair(selector, { matched, known, where });
  }
  const what = isGlob(name) ? `no marker matches "${name}"` : `no marker "${name}"`;
  const damages = looked.flatMap(damageNotes);
  return new NotFoundError({
    what: library === "" ? what : `${what} in ${library}`,
    at: [`${where}, ${known.length} ${known.length === 1 ? "marker" : "markers"}`, ...damages].join("; "),
    fix:
      known.length === 0 && damages.length > 0
        ? "install the file again: its notes of markers are damaged"
        : fixOf(selector, known),
  });
}

/** Says of markers that are there why they make no pair. */
function noSuchPair(
  { library, provider, marker }: MarkerNames,
  {
    matched,
    known,
    where,
  }: { readonly matched: readonly Marker[]; readonly known: readonly Marker[]; readonly where: string },
): NotFoundError {
  const name = provider ? `${provider}:${marker}` : marker;
  const ends = matched.length === 1 ? endNames(matched[0]!.name) : [];
  const begins = known.filter(({ name: begin }) =>
    matched.some(({ name: end }) => endNames(begin).includes(end)),
  );
  const sought = ends.length === 0 ? "" : ` (${ends.join(", ")})`;
  const list = `uscope list -u ${library === "" ? "-p PID" : library}`;
  const few = known.slice(0, 5).map((one) => one.name);
  return new NotFoundError({
    what: isGlob(name)
      ? `no marker that matches "${name}" begins what another one ends`
      : `"${name}" begins nothing that another marker ends${sought}`,
    at: where,
    fix: isGlob(name)
      ? `name both ends: u:${library}:BEGIN..END, of ${few.join(", ")}${known.length > few.length ? `, ...: ${list}` : ""}`
      : `${begins.length === 0 ? "" : `name what begins, "${begins[0]!.name}"; or `}name both ends: u:${library}:${name}..END; list them: ${list}`,
  });
}

function fixOf({ library, marker }: MarkerNames, known: readonly Marker[]): string {
  const providers = new Set(
    known.filter(({ name }) => matchesMarkerName(marker, name)).map(({ provider }) => provider),
  );
  const list = `list them: uscope list -u ${library === "" ? "-p PID" : library}`;
  if (providers.size > 0)
    return `it is a marker of another provider: ${[...providers]
      .slice(0, 3)
      .map((provider) => `u:${library}:${provider}:${marker}`)
      .join(" or ")}`;
  if (known.length === 0)
    return library === ""
      ? "name the file that has it (u:FILE:MARKER): perhaps nobody runs it now"
      : "this file has no markers: a library that the program loads may have them; u::MARKER with -p PID or -- COMMAND looks at all that it maps";
  const near = nearestNames(
    marker,
    known.map(({ name }) => name),
  );
  return near.length === 0 ? list : `did you mean ${near.map((one) => `"${one}"`).join(" or ")}? ${list}`;
}
