/**
 * Owns the notes of a file: records with an owner's name, a type and bytes; and the build-id among them.
 * Does not own what other owners' notes mean (stapsdt markers: see usdt/).
 */
import { readRange } from "../base/bytes.js";
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
}

/** Reads all notes, by way of the sections, or of the program headers where there are no sections. */
export function readNotes(elf: ElfFile): Note[] {
  // Why: sections of a hostile file may all claim the same bytes; honest ones do not add up to more than the file.
  let budget = elf.source.size;
  return noteRanges(elf).flatMap((range) => {
    budget -= range.size;
    if (budget < 0)
      throw damaged(elf.source.path, range.place, "the notes claim more bytes than the file has");
    return parseNotes(elf.source.path, range, readRange(elf.source, range.offset, range.size, range.place));
  });
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

// Spec: 0 name bytes u32 | 4 descriptor bytes u32 | 8 type u32 | 12 name, NUL, padding | descriptor, padding
// Padding is to 4 bytes, or to 8 where the section or segment is aligned so (GNU properties).
function parseNotes(path: string, range: NoteRange, bytes: Uint8Array): Note[] {
  const align = range.align === 8 ? 8 : 4;
  const view = viewOf(bytes);
  const notes: Note[] = [];
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameBytes, descriptorBytes] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const descriptorAt = roundUp(at + 12 + nameBytes, align);
    if (descriptorAt + descriptorBytes > bytes.length) {
      throw damaged(
        path,
        `${range.place}, note at ${at}`,
        `a note of ${nameBytes} + ${descriptorBytes} bytes reaches beyond its ${bytes.length}`,
      );
    }
    const name = decoder.decode(bytes.subarray(at + 12, at + 12 + nameBytes)).replace(/\0+$/, "");
    const descriptor = bytes.subarray(descriptorAt, descriptorAt + descriptorBytes);
    if (notes.length === mostNotes) throw damaged(path, range.place, "far too many notes");
    notes.push({ name, type: view.getUint32(at + 8, true), descriptor, section: range.section });
    at = roundUp(descriptorAt + descriptorBytes, align);
  }
  return notes;
}

const decoder = new TextDecoder();

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}
