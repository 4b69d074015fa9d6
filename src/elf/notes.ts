/**
 * Owns the notes of a file: records with an owner's name, a type and bytes; and the build-id among them.
 * Does not own what other owners' notes mean (stapsdt markers: see usdt/).
 */
import { readRange } from "../base/bytes.js";
import { FormatError } from "../base/errors.js";
import type { ElfFile } from "./file.js";
import { damaged, sectionFlag, sectionType, segmentType, viewOf } from "./layout.js";
import { sectionPlace } from "./sections.js";
import { segmentPlace } from "./segments.js";

export interface Note {
  /** The owner: `GNU`, `stapsdt`, `Go` ... */
  readonly name: string;
  /** Means something only together with the name. */
  readonly type: number;
  readonly descriptor: Uint8Array;
  /** The name of the section that holds the note; undefined where section headers were stripped. */
  readonly section: string | undefined;
  /** What holds the note, in the words of errors ... */
  readonly place: string;
  /** ... and the bytes before it there. */
  readonly at: number;
}

/** Reads all notes, by way of the sections, or of the program headers where there are no sections. */
export function readNotes(elf: ElfFile): Note[] {
  const { notes, damages } = readSoundNotes(elf);
  if (damages[0] !== undefined) throw damages[0].error;
  return notes;
}

/** The notes of a file that may be damaged in part: those before the damage in each section, and what is wrong. */
export interface SoundNotes {
  readonly notes: Note[];
  readonly damages: readonly NoteDamage[];
}

export interface NoteDamage {
  /** The place within the file, as in the error. */
  readonly at: string;
  readonly error: FormatError;
}

/** Reads the notes that can be read, of all sections or those whose names are wanted; the way to them is that of readNotes(). */
export function readSoundNotes(
  elf: ElfFile,
  isWanted: (section: string) => boolean = () => true,
): SoundNotes {
  const notes: Note[] = [];
  const damages: NoteDamage[] = [];
  // Why: sections of a hostile file may all claim the same bytes; honest ones do not add up to more than the file.
  let budget = elf.source.size;
  for (const range of noteRanges(elf)) {
    if (range.section !== undefined && !isWanted(range.section)) continue;
    budget -= range.size;
    const damage =
      budget < 0
        ? damageAt(elf, range.place, "the notes claim more bytes than the file has")
        : readNotesOf(elf, range, notes);
    if (damage !== undefined) damages.push(damage);
    if (budget < 0) break;
  }
  return { notes, damages };
}

/** Reads the build-id, the name that the linker gave to exactly this build, as hexadecimal digits. */
export function readBuildId(elf: ElfFile): string | undefined {
  const note = readNotes(elf).find(
    (note) => note.name === "GNU" && note.type === buildIdType && note.descriptor.length > 0,
  );
  return note && Array.from(note.descriptor, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const buildIdType = 3;
/** Why: the largest programs have tens of thousands; empty ones of 12 bytes could fill all memory. */
const mostNotes = 0x4_0000;

interface NoteRange {
  readonly place: string;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
  readonly section: string | undefined;
}

function noteRanges(elf: ElfFile): NoteRange[] {
  if (elf.sections.length > 1) {
    return elf.sections
      .filter(
        (section) => section.type === sectionType.note && (section.flags & sectionFlag.compressed) === 0,
      )
      .map((section) => ({ ...section, place: sectionPlace(section), section: section.name }));
  }
  return elf.segments
    .filter((segment) => segment.type === segmentType.note)
    .map((segment) => ({
      ...segment,
      place: `${segmentPlace(segment)} (notes)`,
      size: segment.fileBytes,
      section: undefined,
    }));
}

function readNotesOf(elf: ElfFile, range: NoteRange, into: Note[]): NoteDamage | undefined {
  try {
    return parseNotes(elf, range, readRange(elf.source, range.offset, range.size, range.place), into);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { at: range.place, error };
  }
}

// Spec: 0 name bytes u32 | 4 descriptor bytes u32 | 8 type u32 | 12 name, NUL, padding | descriptor, padding
// Padding is to 4 bytes, or to 8 where the section or segment is aligned so (GNU properties).
function parseNotes(
  elf: ElfFile,
  { place, section, align }: NoteRange,
  bytes: Uint8Array,
  into: Note[],
): NoteDamage | undefined {
  const step = align === 8 ? 8 : 4;
  const view = viewOf(bytes);
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameBytes, descriptorBytes] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const descriptorAt = roundUp(at + 12 + nameBytes, step);
    if (descriptorAt + descriptorBytes > bytes.length) {
      const what = `a note of ${nameBytes} + ${descriptorBytes} bytes reaches beyond its ${bytes.length}`;
      return damageAt(elf, `${place}, note at ${at}`, what);
    }
    const name = decoder.decode(bytes.subarray(at + 12, at + 12 + nameBytes)).replace(/\0+$/, "");
    const descriptor = bytes.subarray(descriptorAt, descriptorAt + descriptorBytes);
    if (into.length === mostNotes) return damageAt(elf, place, "far too many notes");
    into.push({ name, type: view.getUint32(at + 8, true), descriptor, section, place, at });
    at = roundUp(descriptorAt + descriptorBytes, step);
  }
  return undefined;
}

function damageAt(elf: ElfFile, at: string, what: string): NoteDamage {
  return { at, error: damaged(elf.source.path, at, what) };
}

const decoder = new TextDecoder();

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
