/**
 * Owns the sites of one selector in one file: entries, returns by the kernel's return probes, proved places inside.
 * Does not own finding and opening the file (resolve.ts).
 */
import { UnsupportedError } from "../base/errors.js";
import type { VirtualAddress } from "../base/bytes.js";
import { isGlob } from "../base/text.js";
import { fileOffsetOf, isExecutable } from "../elf/address.js";
import { findSection } from "../elf/file.js";
import { classifyInstruction, longestInstruction } from "../isa/entry.js";
import type { Architecture, Layout, Target } from "../lang/target.js";
import { matchesMarkerName } from "../usdt/names.js";
import type { Binary } from "./binary.js";
import { entryLayout, insideLayout, returnLayout } from "./calling-convention.js";
import { CodeReader } from "./code.js";
import { matchFunctions, printFunctionName, type FunctionMatch } from "./functions.js";
import { returnHazards, type Hazard } from "./hazards.js";
import { requireBoundary, requireCodeRange } from "./inside.js";
import type { KernelVersion } from "./kernel-version.js";
import type { LayoutMarker } from "./marker-layouts.js";
import { wholeOfPiece } from "./pieces.js";
import type { ProcessInfo } from "./process.js";
import { becomesCall } from "./red-zone.js";
import type { Site, SkippedSite } from "./site.js";
import { findUnwindEntry } from "./unwind-table.js";

export interface SiteSearch {
  readonly binary: Binary;
  /** As the person named it. */
  readonly target: string;
  readonly processes: readonly ProcessInfo[];
  readonly kernel: KernelVersion;
  /** A person insists on return probes whatever the hazard. */
  readonly isForced: boolean;
  /** A person insists on markers that are a nop of five bytes wherever they stand. */
  readonly isNop5Forced: boolean;
}

export interface FoundSites {
  readonly architecture: Architecture;
  readonly layouts: readonly Layout[];
  readonly sites: readonly Site[];
  readonly skipped: readonly SkippedSite[];
  readonly notes: readonly string[];
  /** Of markers, for each of the layouts. */
  readonly markers?: readonly LayoutMarker[];
}

type Selector = Parameters<Target["resolve"]>[0];
type FunctionSelector = Extract<Selector, { kind: "function" }>;
type AddressSelector = Extract<Selector, { kind: "address" }>;

function markersNamed({ markers }: Binary, wanted: string): readonly string[] {
  const named = markers.markers.filter(({ name }) => matchesMarkerName(wanted, name));
  return [...new Set(named.map(({ provider, name }) => `${provider}:${name}`))];
}

/** Finds the sites of a function name or pattern. Several functions: what cannot be armed is skipped with its reason. */
export async function findFunctionSites(selector: FunctionSelector, search: SiteSearch): Promise<FoundSites> {
  const { binary, target } = search;
  const { symbol, offset, at } = selector;
  if (at === "return" && offset !== 0) throw returnInside(symbol, offset);
  const { path, isStripped } = binary;
  const findMarkers = (name: string): readonly string[] => markersNamed(binary, name);
  const matches = matchFunctions(binary.functions, symbol, { target, path, isStripped, findMarkers });
  // Why: a person may want to know when a piece is reached, but who asks for functions does not mean it.
  const arePieces = at === "entry" && matches.every(({ names }) => isPiece(names));
  const isInside = offset !== 0 || arePieces;
  const collector = new Collector(search, layoutOf(binary, at, isInside), trapOf(at));
  for (const match of matches) {
    const { address, names } = match;
    if (offset !== 0) await collector.addInside(match, offset, matches.length === 1);
    else if (arePieces) collector.add(address, address, names, "inside");
    else if (isPiece(names)) collector.skipPiece(match);
    else if (at === "return") collector.addReturn(match, matches.length === 1);
    else collector.add(address, address, names, "entry");
  }
  return collector.finish([...ifuncNotes(matches, symbol), ...languageNotes(binary, at)]);
}

/** Finds the one site of an address, as the file's symbols count addresses. */
export async function findAddressSites(selector: AddressSelector, search: SiteSearch): Promise<FoundSites> {
  const { binary } = search;
  const address = Number(selector.address) as VirtualAddress;
  const range = requireCodeRange(binary, address);
  const isStart = range.start === address;
  if (!isStart) await requireBoundary(binary, range, address);
  const names = isStart
    ? binary.functions.at(address).map((symbol) => symbol.name)
    : namesAround(binary, address);
  const isEntry = isStart && !(names.length > 0 ? isPiece(names) : startsInFrame(binary, address));
  const collector = new Collector(search, layoutOf(binary, "entry", !isEntry), "uprobe");
  collector.add(address, range.start, [...new Set(names)], isEntry ? "entry" : "inside");
  return collector.finish(languageNotes(binary, "entry"));
}

class Collector {
  readonly #search: SiteSearch;
  readonly #layout: Layout;
  readonly #trap: Site["trap"];
  readonly #code: CodeReader;
  readonly #sites: Site[] = [];
  readonly #skipped: SkippedSite[] = [];
  #hazards: ((match: FunctionMatch) => Hazard[]) | undefined;

  constructor(search: SiteSearch, layout: Layout, trap: Site["trap"]) {
    this.#search = search;
    this.#layout = layout;
    this.#trap = trap;
    this.#code = new CodeReader(search.binary);
  }

  /** Adds a place that is known to be the start of an instruction, unless the kernel would not take it. */
  add(address: VirtualAddress, start: VirtualAddress, names: readonly string[], role: Site["role"]): void {
    const { binary, kernel } = this.#search;
    const offset = fileOffsetOf(binary.elf, address);
    if (offset === undefined || !isExecutable(binary.elf, address)) {
      const reason = "the file has no code at its address";
      return this.#skip(
        address,
        start,
        names,
        reason,
        "name a function; this one is data, whatever its symbol says",
      );
    }
    const bytes = this.#code.read(address, longestInstruction);
    const { length, cost, refused, harmful } = classifyInstruction(binary.elf.machine, bytes, {
      release: kernel,
      position: offset,
    });
    if (role === "inside" && cost === "nop5") {
      const neighbours = "probe the instruction before or behind it";
      return this.#skip(address, start, names, becomesCall, neighbours);
    }
    const reason = refused ?? harmful ?? (length === undefined ? unknownInstruction(bytes) : undefined);
    if (reason !== undefined) return this.#skip(address, start, names, reason, elsewhere[this.#trap]);
    this.#sites.push({
      binary,
      offset,
      address,
      role,
      trap: this.#trap,
      semaphore: undefined,
      layout: 0,
      names,
      cost,
    });
  }

  /** Adds the return of a function, by way of its entry, unless that would harm the program. */
  addReturn(match: FunctionMatch, isOnly: boolean): void {
    const { binary, processes, kernel, isForced } = this.#search;
    this.#hazards ??= returnHazards(binary, processes, kernel);
    const hazard = isForced ? undefined : this.#hazards(match)[0];
    if (hazard === undefined) return this.add(match.address, match.address, match.names, "return");
    if (isOnly) throw hazardous(binary, match, hazard);
    this.#skip(match.address, match.address, match.names, hazard.reason, hazard.alternative);
  }

  skipPiece({ address, names }: FunctionMatch): void {
    const reason = `it is a piece of ${printFunctionName(wholeOfPiece(names[0]!)!)} that is reached by a jump, not called`;
    const alternative =
      "probe the function itself, or, to see when the piece is reached, p: with its exact name";
    this.#skip(address, address, names, reason, alternative);
  }

  /** Adds a place at a distance from the function's start, when it is proved to be the start of an instruction. */
  async addInside(match: FunctionMatch, offset: number, isOnly: boolean): Promise<void> {
    const { binary } = this.#search;
    const address = (match.address + offset) as VirtualAddress;
    const range = { name: `function ${match.names[0]!}`, start: match.address, bytes: match.symbol.size };
    try {
      await requireBoundary(binary, range, address);
    } catch (error) {
      if (isOnly || !(error instanceof UnsupportedError)) throw error;
      return this.#skip(address, match.address, match.names, error.what, error.fix);
    }
    this.add(address, match.address, match.names, "inside");
  }

  finish(notes: readonly string[]): FoundSites {
    const { machine } = this.#search.binary.elf;
    return {
      architecture: machine,
      layouts: [this.#layout],
      sites: this.#sites,
      skipped: this.#skipped,
      notes,
    };
  }

  #skip(
    address: VirtualAddress,
    start: VirtualAddress,
    names: readonly string[],
    reason: string,
    alternative: string,
  ): void {
    const distance = address - start;
    const name = names.length === 0 ? `0x${start.toString(16)}` : printFunctionName(names[0]!);
    this.#skipped.push({
      name: distance === 0 ? name : `${name}+0x${distance.toString(16)}`,
      address,
      reason,
      alternative,
    });
  }
}

/** What to do about an instruction that the kernel does not take, by what was wanted there. */
const elsewhere: Readonly<Record<Site["trap"], string>> = {
  uprobe: "probe a place further inside (FUNCTION+OFFSET), or another function on the same path",
  uretprobe:
    "probe a place further inside (p: and FUNCTION+OFFSET), or the return of a function that calls it",
};

function layoutOf(binary: Binary, at: FunctionSelector["at"], isInside: boolean): Layout {
  const { machine } = binary.elf;
  if (at === "return") return returnLayout(machine);
  return isInside ? insideLayout(machine) : entryLayout(machine);
}

/** Why all: an empty piece lies where the next function begins. */
function isPiece(names: readonly string[]): boolean {
  return names.every((name) => wholeOfPiece(name) !== undefined);
}

/** Says of code without a name that its stack frame stands already when it begins. */
function startsInFrame({ elf }: Binary, address: VirtualAddress): boolean {
  const entry = findUnwindEntry(elf, address);
  return entry?.start === address && entry.startsInFrame;
}

function trapOf(at: FunctionSelector["at"]): Site["trap"] {
  return at === "return" ? "uretprobe" : "uprobe";
}

function namesAround(binary: Binary, address: VirtualAddress): string[] {
  const symbol = binary.functions.covering(address);
  return symbol === undefined ? [] : [symbol.name];
}

export function unknownInstruction(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length === 0
    ? "the file has no code there"
    : `its first bytes (${shown}) are no known instruction`;
}

function ifuncNotes(matches: readonly FunctionMatch[], symbol: string): string[] {
  const resolvers = matches.filter((match) => match.symbol.kind === "ifunc");
  if (resolvers.length === 0) return [];
  const who = isGlob(symbol)
    ? `${resolvers.length} of the functions (${resolvers[0]!.names[0]} ...) are ifuncs`
    : `${symbol} is an ifunc`;
  return [
    `${who}: the symbol is a resolver, which runs once per process and returns the function that is called from then on; calls of that one are not seen here`,
  ];
}

function languageNotes(binary: Binary, at: FunctionSelector["at"]): string[] {
  const isGo = findSection(binary.elf, ".go.buildinfo") !== undefined;
  if (!isGo || at === "return") return [];
  return [
    "this is a Go program: arg1, arg2 ... are read as C passes them, which is right only for C functions in it",
  ];
}

function hazardous(binary: Binary, match: FunctionMatch, hazard: Hazard): UnsupportedError {
  return new UnsupportedError({
    what: `the return of ${printFunctionName(match.names[0]!)} cannot be probed safely: ${hazard.reason}`,
    at: `${binary.path} (hazard: ${hazard.name})`,
    fix: hazard.alternative,
  });
}

function returnInside(symbol: string, offset: number): UnsupportedError {
  return new UnsupportedError({
    what: "a return probe has no offset: it stands at the function's return",
    at: `r:...:${symbol}+0x${offset.toString(16)}`,
    fix: `leave the offset out (r:...:${symbol}), or probe the place itself (p:)`,
  });
}
