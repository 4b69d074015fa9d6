/**
 * Owns the markers in what `uscope list` prints: rows beside functions, names alone, all that is known in words, or as JSON.
 * Does not own which markers there are (usdt/), nor what stands at their places (target/).
 */
import type { FileOffset, VirtualAddress } from "../base/bytes.js";
import { escapeControls } from "../base/text.js";
import { fileOffsetOf } from "../elf/address.js";
import type { Binary } from "../target/binary.js";
import { readKernelVersion } from "../target/kernel-version.js";
import { MarkerPlaces } from "../target/marker-places.js";
import type { MarkerPlace } from "../target/marker-places.js";
import { SemaphoreValues } from "../target/semaphore-values.js";
import type { ProcessInfo } from "../target/process.js";
import type { Marker, MarkerArgument, MarkerSite } from "../usdt/marker.js";
import { findDeclaration } from "../usdt/providers/index.js";
import type { DeclaredArgument } from "../usdt/providers/index.js";
import { printJson } from "./json.js";
import type { JsonValue } from "./json.js";
import { costOf, hex, printCost, printInstruction, printMeaning, printPlace } from "./marker-words.js";
import type { Output } from "./output.js";

/** Rows are those of the table of functions. */
export type MarkerForm = "rows" | "names" | "words" | "json";

export interface MarkerListStyle {
  readonly form: MarkerForm;
  /** Behind each marker the file that has it: of several. */
  readonly showsFile: boolean;
  /** Whose memory has the semaphores. */
  readonly process: ProcessInfo | undefined;
}

export class MarkerList implements Disposable {
  readonly #output: Output;
  readonly #style: MarkerListStyle;
  readonly #semaphores: SemaphoreValues | undefined;

  constructor(output: Output, style: MarkerListStyle) {
    this.#output = output;
    this.#style = style;
    const { form, process } = style;
    const showsValues = process !== undefined && (form === "words" || form === "json");
    this.#semaphores = showsValues ? new SemaphoreValues(process) : undefined;
  }

  [Symbol.dispose](): void {
    this.#semaphores?.[Symbol.dispose]();
  }

  /** Writes markers of one file, until nobody reads any more. */
  async write(binary: Binary, markers: readonly Marker[]): Promise<void> {
    const { form } = this.#style;
    const places = form === "words" || form === "json" ? await findPlaces(binary, markers) : noPlaces;
    for (const marker of markers) {
      if (this.#output.closed) return;
      if (form === "rows") for (const site of marker.sites) this.#output.write(rowOf(site, marker));
      else if (form === "json") this.#output.write(`${printJson(this.#object(binary, marker, places))}\n`);
      else this.#output.write(this.#nameLine(binary, marker));
      if (form === "words") this.#writeSites(binary, marker, places);
    }
  }

  #nameLine({ path }: Binary, marker: Marker): string {
    const name = nameOf(marker);
    return this.#style.showsFile ? `${name.padEnd(nameWidth)} ${escapeControls(path)}\n` : `${name}\n`;
  }

  /** Why one by one: a marker may have as many as a file has room for. */
  #writeSites(binary: Binary, marker: Marker, places: Places): void {
    for (const site of marker.sites) {
      const lines = this.#siteLines(binary, site, { marker, place: places.get(site)! });
      this.#output.write(`${lines.join("\n")}\n`);
      if (this.#output.closed) return;
    }
  }

  #siteLines(
    binary: Binary,
    site: MarkerSite,
    { marker, place }: { readonly marker: Marker; readonly place: MarkerPlace },
  ): string[] {
    const { machine } = binary.elf;
    const declared = declarationOf(marker, site);
    return [
      `  at ${printSpot(site.address, place.offset)}: ${printInstruction(machine, place)}; ${printCost(place)}`,
      ...this.#semaphoreLine(binary, site, place),
      ...site.arguments.map((argument, index) => {
        const { title, words } = explain(binary, argument, { index, declared: declared?.[index] });
        return `    ${title}: ${words} (${escapeControls(argument.raw)})`;
      }),
    ];
  }

  #semaphoreLine(binary: Binary, { semaphore }: MarkerSite, place: MarkerPlace): string[] {
    if (semaphore === undefined) return [];
    const { offset, value } = this.#readSemaphore(binary, semaphore);
    const off = place.semaphore?.kind === "found" ? "off until watched" : "nobody can raise it";
    const state =
      typeof value === "number" ? `${value} now: ${value === 0 ? off : "watched"}` : (value ?? off);
    return [`    semaphore at ${printSpot(semaphore, offset)}: ${state}`];
  }

  /** The value is that in the process; or why it is not known there. */
  #readSemaphore(
    binary: Binary,
    address: VirtualAddress,
  ): { readonly offset: FileOffset | undefined; readonly value: number | string | undefined } {
    const offset = fileOffsetOf(binary.elf, address);
    return { offset, value: offset === undefined ? undefined : this.#semaphores?.read(binary, offset) };
  }

  #object(binary: Binary, marker: Marker, places: Places): JsonValue {
    const { provider, name } = marker;
    return {
      file: binary.path,
      kind: "marker",
      provider,
      name,
      sites: marker.sites.map((site) => this.#siteObject(binary, site, { marker, place: places.get(site)! })),
    };
  }

  #siteObject(
    binary: Binary,
    site: MarkerSite,
    { marker, place }: { readonly marker: Marker; readonly place: MarkerPlace },
  ): JsonValue {
    const { offset, cost, refusal } = place;
    const declared = declarationOf(marker, site);
    return {
      address: hex(site.address),
      offset: offset === undefined ? null : hex(offset),
      instruction: printInstruction(binary.elf.machine, place),
      ...(refusal === undefined
        ? { cost, cost_ns: costOf(cost) }
        : { refused: refusal.reason, fix: refusal.alternative }),
      ...(site.semaphore === undefined ? {} : { semaphore: this.#semaphoreObject(binary, site.semaphore) }),
      arguments: site.arguments.map((argument, index) =>
        argumentObject(binary, argument, { index, declared: declared?.[index] }),
      ),
      raw_arguments: site.rawArguments,
    };
  }

  #semaphoreObject(binary: Binary, address: VirtualAddress): JsonValue {
    const { offset, value } = this.#readSemaphore(binary, address);
    return {
      address: hex(address),
      offset: offset === undefined ? null : hex(offset),
      ...(value === undefined ? {} : { value: typeof value === "number" ? value : null }),
    };
  }
}

function nameOf({ provider, name }: Marker): string {
  return escapeControls(`${provider}:${name}`);
}

/** Why not as wide as the longest: files are written one after the other. */
const nameWidth = 40;

type Places = ReadonlyMap<MarkerSite, MarkerPlace>;

const noPlaces: Places = new Map();

/** Why sorted: the code of many places is read, and functions that hold several are decoded, once. */
async function findPlaces(binary: Binary, markers: readonly Marker[]): Promise<Places> {
  const places = new MarkerPlaces({ binary, kernel: readKernelVersion(), isNop5Forced: false });
  const found = new Map<MarkerSite, MarkerPlace>();
  const sites = markers.flatMap((marker) => marker.sites);
  for (const site of sites.sort((left, right) => left.address - right.address))
    found.set(site, await places.look(site));
  return found;
}

/** In the columns of function-lines.ts. */
function rowOf({ address }: MarkerSite, marker: Marker): string {
  const columns = [
    address.toString(16).padStart(16, "0"),
    "-".padStart(8),
    "-".padEnd(6),
    "marker".padEnd(8),
  ];
  return `${columns.join(" ")} ${nameOf(marker)}\n`;
}

function printSpot(address: number, offset: number | undefined): string {
  return `${hex(address)} (${offset === undefined ? "not in the file" : `file offset ${hex(offset)}`})`;
}

function declarationOf(
  { provider, name }: Marker,
  site: MarkerSite,
): readonly DeclaredArgument[] | undefined {
  return findDeclaration(provider, name, site.arguments.length);
}

interface Declared {
  /** 0 for the first. */
  readonly index: number;
  readonly declared: DeclaredArgument | undefined;
}

function explain(
  { elf }: Binary,
  argument: MarkerArgument,
  { index, declared }: Declared,
): { readonly title: string; readonly words: string } {
  const place = escapeControls(printPlace(elf.machine, argument));
  if (declared === undefined) return { title: `arg${index + 1}`, words: place };
  const meaning = printMeaning(declared, { index, size: argument.size });
  return {
    title: `arg${index + 1} ${declared.name}`,
    words: meaning === undefined ? place : `${place}, ${meaning}`,
  };
}

function argumentObject(binary: Binary, argument: MarkerArgument, declared: Declared): JsonValue {
  const { raw, size, signed, isFloat, place } = argument;
  return {
    raw,
    ...(declared.declared === undefined
      ? {}
      : { name: declared.declared.name, form: formOf(declared.declared) }),
    bytes: size,
    signed,
    float: isFloat,
    place: placeObject(place),
    words: explain(binary, argument, declared).words,
  };
}

function placeObject(place: MarkerArgument["place"]): JsonValue {
  if (place.kind === "static") return { kind: place.kind, address: hex(place.address) };
  const fields = Object.entries(place).map(([key, value]) => [
    key,
    typeof value === "bigint" ? String(value) : (value ?? null),
  ]);
  return Object.fromEntries(fields) as JsonValue;
}

function formOf({ form }: DeclaredArgument): string {
  return form.kind === "integer" ? form.display : form.kind;
}
