/**
 * Owns the question which stretch of code the unwind table (.eh_frame_hdr) gives for an address: it survives stripping.
 * Does not own unwinding. Reads the list of its entries as a whole, and of the entries those that are asked for.
 */
import { readRange, type VirtualAddress } from "../base/bytes.js";
import { fileOffsetOf, fileRangeFrom } from "../elf/address.js";
import type { ElfFile } from "../elf/file.js";
import type { Machine } from "../isa/instruction-class.js";

export interface UnwindEntry {
  readonly start: VirtualAddress;
  readonly bytes: number;
  /** Has landing pads: something that it calls may throw. */
  readonly hasHandlers: boolean;
  /** Its first instruction finds a frame on the stack already: a piece that is reached by a jump. */
  readonly startsInFrame: boolean;
  /** How its frame is found at each of its instructions: frame-rules.ts reads it. */
  readonly rules: UnwindRules;
}

/** The instructions of .eh_frame about one entry, as bytes. */
export interface UnwindRules {
  /** What the first ones hold for all functions of a kind. */
  readonly common: readonly number[];
  readonly own: Uint8Array;
  /** What their distances count, in bytes of code. */
  readonly unit: number;
}

/** Finds the entry whose code holds an address; undefined where there is none or the table has an unusual form. */
export function findUnwindEntry(elf: ElfFile, address: VirtualAddress): UnwindEntry | undefined {
  const table = tables.get(elf) ?? new UnwindTable(elf);
  tables.set(elf, table);
  return table.find(address);
}

/** Why kept: hundreds of markers ask, one by one. */
const tables = new WeakMap<ElfFile, UnwindTable>();

/** For many addresses: reads the list of entries once, at the first question. */
export class UnwindTable {
  readonly #elf: ElfFile;
  readonly #commons = new Map<number, Common | undefined>();
  #list: EntryList | undefined;

  constructor(elf: ElfFile) {
    this.#elf = elf;
  }

  find(address: VirtualAddress): UnwindEntry | undefined {
    const { base, pairs } = (this.#list ??= readList(this.#elf));
    let low = 0;
    let high = pairs.byteLength >> 3;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (base + pairs.getInt32(middle * 8, true) <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const start = (base + pairs.getInt32(low * 8 - 8, true)) as VirtualAddress;
    const entry = this.#readEntry((base + pairs.getInt32(low * 8 - 4, true)) as VirtualAddress, start);
    return entry !== undefined && address < start + entry.bytes ? entry : undefined;
  }

  // Spec: FDE: 0 length u32 | 4 distance back to its CIE u32 | 8 start | range | augmentation length | handler data ...
  #readEntry(place: VirtualAddress, start: VirtualAddress): UnwindEntry | undefined {
    const reader = Reader.at(this.#elf, place);
    if (reader === undefined) return undefined;
    const length = reader.u32();
    if (length < 12 || length >= 0xffff_fff0) return undefined;
    const common = this.#common((place + 4 - reader.u32()) as VirtualAddress);
    if (common === undefined) return undefined;
    reader.skipPointer(common.pointer);
    const bytes = reader.unsigned(common.pointer);
    if (bytes === undefined) return undefined;
    let hasHandlers = false;
    if (common.hasAugmentation) {
      const augmentation = reader.uleb();
      const rules = reader.position + augmentation;
      if (common.handlers !== omitted && augmentation > 0)
        hasHandlers = reader.unsigned(common.handlers) !== 0;
      reader.position = rules;
    }
    const rulesAt = reader.position;
    const movesFrame = rulesAt < length + 4 && frameRules.has(reader.u8());
    const startsInFrame = movesFrame || common.rules !== rulesOfCall[this.#elf.machine];
    const elf = this.#elf;
    const rules: UnwindRules = {
      common: common.rules.split(" ").map(Number),
      // Why a getter: they may be long, and few ask for them.
      get own() {
        return bytesAt(elf, (place + rulesAt) as VirtualAddress, Math.max(0, length + 4 - rulesAt));
      },
      unit: common.unit,
    };
    return { start, bytes, hasHandlers, startsInFrame, rules };
  }

  #common(place: VirtualAddress): Common | undefined {
    if (!this.#commons.has(place)) this.#commons.set(place, readCommon(this.#elf, place));
    return this.#commons.get(place);
  }
}

interface EntryList {
  /** What all addresses in the list are relative to: its own. */
  readonly base: number;
  readonly pairs: DataView;
}

function readList(elf: ElfFile): EntryList {
  const none = { base: 0, pairs: new DataView(new ArrayBuffer(0)) };
  const segment = elf.segments.find((segment) => segment.type === unwindSegment);
  if (segment === undefined || segment.fileBytes < 12) return none;
  // Spec: LSB, .eh_frame_hdr: 0 version u8 | 1 pointer, 2 count, 3 table encoding u8 | 4 .eh_frame i32 | 8 count u32
  // | 12: pairs of i32, function start and FDE, both relative to the header's address, sorted by the first
  const header = viewAt(elf, segment.address, 12);
  if (header === undefined || header.getUint8(0) !== 1) return none;
  if (header.getUint8(2) !== udata4 || header.getUint8(3) !== tableEncoding) return none;
  const count = header.getUint32(8, true);
  if (12 + count * 8 > segment.fileBytes) return none;
  const pairs = viewAt(elf, (segment.address + 12) as VirtualAddress, count * 8);
  return pairs === undefined || pairs.byteLength < count * 8 ? none : { base: segment.address, pairs };
}

/**
 * Spec: DW_CFA_def_cfa, _register, _offset and _expression: a frame that is not as a call leaves it. A function has them
 * only behind an advance of the location, which comes first there.
 */
const frameRules: ReadonlySet<number> = new Set([0x0c, 0x0d, 0x0e, 0x0f]);
/**
 * The first rules of all functions: the frame lies at sp + 8 and the return address below it, or at sp.
 * Why to be compared: the assembler moves the first rules of a function that starts otherwise into a CIE of its own.
 */
const rulesOfCall: Readonly<Record<Machine, string>> = { "x86-64": "12 7 8 144 1", arm64: "12 31" };

interface Common {
  /** What distances in rules count, in bytes of code. */
  readonly unit: number;
  readonly pointer: number;
  readonly handlers: number;
  readonly hasAugmentation: boolean;
  /** The bytes of its first rules, as decimal numbers, without padding. */
  readonly rules: string;
}

// Spec: CIE: 0 length u32 | 4 zero u32 | 8 version u8 | 9 augmentation, NUL | code and data alignment, return register
// | augmentation length, then one field per letter: P encoding and personality, L encoding of handler data, R of pointers
function readCommon(elf: ElfFile, place: VirtualAddress): Common | undefined {
  const reader = Reader.at(elf, place);
  if (reader === undefined) return undefined;
  const end = reader.u32() + 4;
  if (reader.u32() !== 0) return undefined;
  const version = reader.u8();
  const letters = reader.text();
  const unit = reader.uleb();
  reader.uleb();
  if (version === 1) reader.u8();
  else reader.uleb();
  let pointer = 0;
  let handlers = omitted;
  const hasAugmentation = letters.startsWith("z");
  if (!hasAugmentation) return { unit, pointer, handlers, hasAugmentation, rules: reader.rules(end) };
  const fieldBytes = reader.uleb();
  const first = reader.position + fieldBytes;
  for (const letter of letters.slice(1)) {
    if (letter === "R") pointer = reader.u8();
    else if (letter === "L") handlers = reader.u8();
    else if (letter === "P") reader.skipPointer(reader.u8());
    else if (letter !== "S" && letter !== "B") return undefined;
  }
  reader.position = first;
  return { unit, pointer, handlers, hasAugmentation, rules: reader.rules(end) };
}

/** Reads one entry; behind the end all bytes are zero. */
class Reader {
  readonly #view: DataView;
  /** Of the next byte. */
  position = 0;

  constructor(view: DataView) {
    this.#view = view;
  }

  static at(elf: ElfFile, address: VirtualAddress): Reader | undefined {
    const view = viewAt(elf, address, longestEntry);
    return view === undefined ? undefined : new Reader(view);
  }

  u8(): number {
    const at = this.position++;
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

  /** Reads to the end, which is padded with zeros. */
  rules(end: number): string {
    const bytes: number[] = [];
    while (this.position < Math.min(end, longestEntry)) bytes.push(this.u8());
    return bytes.join(" ").replace(/(?: 0)+$/, "");
  }
}

function bytesAt(elf: ElfFile, address: VirtualAddress, bytes: number): Uint8Array {
  const view = bytes === 0 ? undefined : viewAt(elf, address, bytes);
  return view === undefined
    ? new Uint8Array()
    : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
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
