/**
 * Owns the notes that markers leave in a file: their records, their correction for prelinked files, and which belong together.
 * Does not own what an argument string means (arguments.ts) nor whether a site can be armed (target/).
 */
import type { VirtualAddress } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import { DataSymbols } from "../elf/data-symbols.js";
import type { ElfFile } from "../elf/file.js";
import { readWord64, viewOf } from "../elf/layout.js";
import { readSoundNotes, type Note } from "../elf/notes.js";
import { parseArguments } from "./arguments.js";
import type { MarkerArgument, MarkerSite, MarkerTable } from "./marker.js";
import type { OperandFile } from "./operand.js";

/**
 * Reads the markers of a file; the arguments of a site are parsed when they are first asked for. `findDebugFile` is asked
 * once an argument names a variable: static ones of a stripped file stand only there.
 */
export function readMarkers(
  elf: ElfFile,
  findDebugFile: () => ElfFile | undefined = () => undefined,
): MarkerTable {
  const { notes, damages } = readSoundNotes(elf, (section) => section.startsWith(notePrefix));
  const damaged = damages.map(({ at, error }) => ({ at, reason: error.what }));
  const markers = new Map<string, { provider: string; name: string; sites: MarkerSite[] }>();
  const file = operandFile(elf, findDebugFile);
  const linkedBase = elf.sections.find(({ name }) => name === baseSection)?.address;
  for (const note of notes) {
    if (note.name !== owner && note.section !== markerSection) continue;
    const record = readRecord(note);
    if (typeof record === "string") {
      damaged.push({ at: `${note.place}, note at ${note.at}`, reason: record });
      continue;
    }
    const { provider, name } = record;
    const key = `${provider}\0${name}`;
    let marker = markers.get(key);
    if (marker === undefined) markers.set(key, (marker = { provider, name, sites: [] }));
    marker.sites.push(new NotedSite(record, linkedBase, file));
  }
  return { markers: [...markers.values()], damaged };
}

const owner = "stapsdt";
/** Why a prefix: linker scripts merge sections, but the notes of compilers (.gnu.build.attributes) can be many thousands. */
const notePrefix = ".note";
const markerSection = ".note.stapsdt";
/** Spec: a byte of code's segment; where it lies now, and where a note says it lay, tell by how much prelink moved the file. */
const baseSection = ".stapsdt.base";
/** Spec: the third form of the note, the only one since 2010. */
const noteType = 3;

interface NoteRecord {
  readonly address: number;
  readonly base: number;
  /** 0 for none. */
  readonly semaphore: number;
  readonly provider: string;
  readonly name: string;
  readonly arguments: string;
}

// Spec: 0 address u64 | 8 base u64 | 16 semaphore u64 | provider NUL name NUL arguments NUL
/** Reads what a note says, or returns what is wrong with it. */
function readRecord({ name: noteOwner, type, descriptor }: Note): NoteRecord | string {
  if (noteOwner !== owner) return `a note of "${noteOwner}" among those of markers`;
  if (type !== noteType) return `a marker's note of the unknown type ${type}`;
  if (descriptor.length < addressBytes)
    return `a note of ${descriptor.length} bytes has no room for a marker`;
  const view = viewOf(descriptor);
  const [address, base, semaphore] = [0, 8, 16].map((at) => readWord64(view, at)) as [number, number, number];
  if (![address, base, semaphore].every(Number.isSafeInteger)) return "an address that no program can have";
  const [provider, name, argumentText, ...rest] = decoder
    .decode(descriptor.subarray(addressBytes))
    .split("\0");
  if (provider === undefined || name === undefined || argumentText === undefined || rest.length === 0)
    return "its texts have no end";
  // Why: a length that lies can make the notes behind it a part of this one. Padding may be counted in.
  if (rest.some((text) => text !== "")) return "there are bytes behind its texts";
  if (name === "") return "it has no name";
  return { address, base, semaphore, provider, name, arguments: argumentText };
}

const addressBytes = 24;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

class NotedSite implements MarkerSite {
  readonly address: VirtualAddress;
  readonly semaphore: VirtualAddress | undefined;
  readonly rawArguments: string;
  readonly #file: OperandFile;
  #arguments: readonly MarkerArgument[] | undefined;

  constructor(record: NoteRecord, linkedBase: number | undefined, file: OperandFile) {
    const { address, base, semaphore } = record;
    // Why not for 0: the linker had left the base out, with the code that it dropped.
    const moved = linkedBase === undefined || base === 0 ? 0 : linkedBase - base;
    this.address = (address + moved) as VirtualAddress;
    this.semaphore = semaphore === 0 ? undefined : ((semaphore + moved) as VirtualAddress);
    this.rawArguments = record.arguments;
    this.#file = file;
  }

  get arguments(): readonly MarkerArgument[] {
    return (this.#arguments ??= parseArguments(this.rawArguments, this.#file));
  }
}

function operandFile(elf: ElfFile, findDebugFile: () => ElfFile | undefined): OperandFile {
  const symbols = new DataSymbols(() => [elf, findDebugFile()].filter((file) => file !== undefined));
  let damage: string | undefined;
  return {
    machine: elf.machine,
    isFixed: elf.type === "executable",
    findVariables(name) {
      if (damage !== undefined) return damage;
      try {
        return symbols.find(name);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        // Why kept: else each of many arguments would read the same damage again.
        return (damage = `the symbols of the file are damaged (${error.what})`);
      }
    },
  };
}
