/**
 * Owns the question which stretch of code the unwind table (.eh_frame_hdr) gives for an address: it survives stripping.
 * Does not own unwinding. Reads a few entries by binary search, never the table as a whole.
 */
import { readRange, type VirtualAddress } from "../base/bytes.js";
import { fileOffsetOf, fileRangeFrom } from "../elf/address.js";
import type { ElfFile } from "../elf/file.js";

export interface UnwindEntry {
  readonly start: VirtualAddress;
  readonly bytes: number;
  /** Has landing pads: something that it calls may throw. */
  readonly hasHandlers: boolean;
}

/** Finds the entry whose code holds an address; undefined where there is none or the table has an unusual form. */
export function findUnwindEntry(elf: ElfFile, address: VirtualAddress): UnwindEntry | undefined {
  const segment = elf.segments.find((segment) => segment.type === unwindSegment);
  if (segment === undefined || segment.fileBytes < 12) return undefined;
  // Spec: LSB, .eh_frame_hdr: 0 version u8 | 1 pointer, 2 count, 3 table encoding u8 | 4 .eh_frame i32 | 8 count u32
  // | 12: pairs of i32, function start and FDE, both relative to the header's address, sorted by the first
  const header = viewAt(elf, segment.address, 12);
  if (header === undefined || header.getUint8(0) !== 1) return undefined;
  if (header.getUint8(2) !== udata4 || header.getUint8(3) !== tableEncoding) return undefined;
  const count = header.getUint32(8, true);
  if (12 + count * 8 > segment.fileBytes) return undefined;
  const pairAt = (index: number): DataView | undefined =>
    viewAt(elf, (segment.address + 12 + index * 8) as VirtualAddress, 8);
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const pair = pairAt(middle);
    if (pair === undefined) return undefined;
    if (segment.address + pair.getInt32(0, true) <= address) low = middle + 1;
    else high = middle;
  }
  const pair = low === 0 ? undefined : pairAt(low - 1);
  if (pair === undefined) return undefined;
  const start = (segment.address + pair.getInt32(0, true)) as VirtualAddress;
  const entry = readEntry(elf, (segment.address + pair.getInt32(4, true)) as VirtualAddress, start);
  return entry !== undefined && address < start + entry.bytes ? entry : undefined;
}

// Spec: FDE: 0 length u32 | 4 distance back to its CIE u32 | 8 start | range | augmentation length | handler data ...
function readEntry(elf: ElfFile, place: VirtualAddress, start: VirtualAddress): UnwindEntry | undefined {
  const reader = Reader.at(elf, place);
  if (reader === undefined) return undefined;
  const length = reader.u32();
  if (length < 12 || length >= 0xffff_fff0) return undefined;
  const cieDistance = reader.u32();
  const cie = readCommon(elf, (place + 4 - cieDistance) as VirtualAddress);
  if (cie === undefined) return undefined;
  reader.skipPointer(cie.pointer);
  const bytes = reader.unsigned(cie.pointer);
  if (bytes === undefined) return undefined;
  let hasHandlers = false;
  if (cie.hasAugmentation) {
    const augmentation = reader.uleb();
    if (cie.handlers !== omitted && augmentation > 0) hasHandlers = reader.unsigned(cie.handlers) !== 0;
  }
  return { start, bytes, hasHandlers };
}

interface Common {
  readonly pointer: number;
  readonly handlers: number;
  readonly hasAugmentation: boolean;
}

// Spec: CIE: 0 length u32 | 4 zero u32 | 8 version u8 | 9 augmentation, NUL | code and data alignment, return register
// | augmentation length, then one field per letter: P encoding and personality, L encoding of handler data, R of pointers
function readCommon(elf: ElfFile, place: VirtualAddress): Common | undefined {
  const reader = Reader.at(elf, place);
  if (reader === undefined) return undefined;
  reader.u32();
  if (reader.u32() !== 0) return undefined;
  const version = reader.u8();
  const letters = reader.text();
  reader.uleb();
  reader.uleb();
  if (version === 1) reader.u8();
  else reader.uleb();
  let pointer = 0;
  let handlers = omitted;
  if (!letters.startsWith("z")) return { pointer, handlers, hasAugmentation: false };
  reader.uleb();
  for (const letter of letters.slice(1)) {
    if (letter === "R") pointer = reader.u8();
    else if (letter === "L") handlers = reader.u8();
    else if (letter === "P") reader.skipPointer(reader.u8());
    else if (letter !== "S" && letter !== "B") return undefined;
  }
  return { pointer, handlers, hasAugmentation: true };
}

/** Reads one entry; behind the end all bytes are zero. */
class Reader {
  readonly #view: DataView;
  #at = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  static at(elf: ElfFile, address: VirtualAddress): Reader | undefined {
    const view = viewAt(elf, address, longestEntry);
    return view === undefined ? undefined : new Reader(view);
  }

  u8(): number {
    const at = this.#at++;
    return at < this.#view.byteLength ? this.#view.getUint8(at) : 0;
  }

  u32(): number {
    return this.u8() + this.u8() * 0x100 + this.u8() * 0x1_0000 + this.u8() * 0x100_0000;
  }

  uleb(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }

  text(): string {
    let text = "";
    for (let byte = this.u8(); byte !== 0 && text.length < 16; byte = this.u8())
      text += String.fromCharCode(byte);
    return text;
  }

  /** Reads a value of the size that a pointer encoding (DW_EH_PE) has, as a plain number. */
  unsigned(encoding: number): number | undefined {
    switch (encoding & 0x0f) {
      case 0x01:
      case 0x09:
        return this.uleb();
      case 0x02:
      case 0x0a:
        return this.u8() + this.u8() * 0x100;
      case 0x03:
      case 0x0b:
        return this.u32();
      case 0x00:
      case 0x04:
      case 0x0c:
        return this.u32() + this.u32() * 0x1_0000_0000;
      default:
        return undefined;
    }
  }

  skipPointer(encoding: number): void {
    this.unsigned(encoding);
  }
}

function viewAt(elf: ElfFile, address: VirtualAddress, bytes: number): DataView | undefined {
  const offset = fileOffsetOf(elf, address);
  const range = offset === undefined ? undefined : fileRangeFrom(elf, address);
  if (range === undefined) return undefined;
  const part = readRange(elf.source, range.offset, Math.min(bytes, range.bytes), "unwind table");
  return new DataView(part.buffer, part.byteOffset, part.byteLength);
}

/** PT_GNU_EH_FRAME. */
const unwindSegment = 0x6474_e550;
const udata4 = 0x03;
/** DW_EH_PE_datarel | DW_EH_PE_sdata4: what every linker writes. */
const tableEncoding = 0x3b;
const omitted = 0xff;
const longestEntry = 128;
