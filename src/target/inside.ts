/**
 * Owns the proof that a place inside a function is the start of an instruction. Kernel: a probe in the middle of one
 * would corrupt the program, and the kernel cannot tell. Does not own the function's own first instruction.
 */
import { NotFoundError, UnsupportedError } from "../base/errors.js";
import type { VirtualAddress } from "../base/bytes.js";
import { isExecutable } from "../elf/address.js";
import { findBoundary, readBoundaries } from "../isa/function.js";
import type { Boundaries } from "../isa/function.js";
import type { Binary } from "./binary.js";
import { CodeReader } from "./code.js";
import { findUnwindEntry } from "./unwind-table.js";

/** A stretch of code whose first byte is known to be the start of an instruction. */
export interface CodeRange {
  /** For errors: `function f`, or `the code at 0x1234`. */
  readonly name: string;
  readonly start: VirtualAddress;
  readonly bytes: number;
}

/** Decodes from the range's start and throws an UnsupportedError unless an instruction starts at the address. */
export async function requireBoundary(
  binary: Binary,
  range: CodeRange,
  address: VirtualAddress,
): Promise<void> {
  const offset = address - range.start;
  const at = `${binary.path}, ${range.name}${offset === 0 ? "" : `+${hex(offset)}`}`;
  if (range.bytes === 0) {
    throw new UnsupportedError({
      what: `${range.name} has no size, so that no place inside it can be proved`,
      at,
      fix: "probe its entry (offset 0), or install the file's debug symbols",
    });
  }
  if (offset < 0 || offset >= range.bytes) {
    throw new UnsupportedError({
      what: `offset ${hex(offset)} lies outside ${range.name}, which has ${range.bytes} bytes`,
      at,
      fix: `give an offset from 0 to ${hex(range.bytes - 1)}`,
    });
  }
  const boundaries = await boundariesOf(binary, range);
  const { exact, before, after } = findBoundary(boundaries, offset);
  if (exact) return;
  if (boundaries.undecoded !== undefined && offset >= boundaries.undecoded) {
    throw new UnsupportedError({
      what: `offset ${hex(offset)} cannot be proved: the bytes at ${hex(boundaries.undecoded)} are no known instruction (data, perhaps)`,
      at,
      fix: `choose a place before ${hex(boundaries.undecoded)}`,
    });
  }
  const near = [before, after].filter((start) => start !== undefined);
  throw new UnsupportedError({
    what: `offset ${hex(offset)} is in the middle of an instruction: a probe there would corrupt the program`,
    at,
    fix: `the nearest instructions start at ${near.map((start) => printPlace(range, start)).join(" and ")}`,
  });
}

async function boundariesOf(binary: Binary, { start, bytes }: CodeRange): Promise<Boundaries> {
  const known = lastDecoded.get(binary);
  if (known?.start === start && known.bytes === bytes) return known.boundaries;
  const code = new CodeReader(binary).read(start, bytes);
  const boundaries = await readBoundaries(binary.elf.machine, code);
  lastDecoded.set(binary, { start, bytes, boundaries });
  return boundaries;
}

/** Why kept: thousands of markers may stand in one function. */
const lastDecoded = new WeakMap<
  Binary,
  Pick<CodeRange, "start" | "bytes"> & { readonly boundaries: Boundaries }
>();

/**
 * Finds the code around an address: its function's symbol, else (in stripped files) its entry in the unwind table.
 * Throws a NotFoundError for data and for code of which nothing is known.
 */
export function requireCodeRange(binary: Binary, address: VirtualAddress): CodeRange {
  const at = `${binary.path}, address ${hex(address)}`;
  if (!isExecutable(binary.elf, address)) {
    throw new NotFoundError({
      what: `${hex(address)} is no code of this file`,
      at,
      fix: `give an address as the file's symbols have it (nm, objdump -d), not as the process maps it: code lies at ${printCode(binary)}`,
    });
  }
  const range = findCodeRange(binary, address);
  if (range !== undefined) return range;
  throw new NotFoundError({
    what: `nothing is known of the code at ${hex(address)}: no function and no unwind entry covers it`,
    at,
    fix: "install the file's debug symbols, or choose the start of a function",
  });
}

/** Finds the code around an address in the same way; undefined where nothing is known. */
export function findCodeRange(binary: Binary, address: VirtualAddress): CodeRange | undefined {
  const symbol = binary.functions.covering(address);
  if (symbol !== undefined && symbol.size > 0 && address < symbol.address + symbol.size) {
    return { name: `function ${symbol.name}`, start: symbol.address, bytes: symbol.size };
  }
  const unwound = findUnwoundRange(binary, address);
  if (unwound !== undefined) return unwound;
  return symbol?.address === address
    ? { name: `function ${symbol.name}`, start: address, bytes: 1 }
    : undefined;
}

/** Finds the code around an address by the unwind table alone, which costs less than the symbols of a large file. */
export function findUnwoundRange({ elf }: Binary, address: VirtualAddress): CodeRange | undefined {
  const entry = findUnwindEntry(elf, address);
  return entry && { name: `the code at ${hex(entry.start)}`, start: entry.start, bytes: entry.bytes };
}

function printPlace(range: CodeRange, start: number): string {
  return range.name.startsWith("function ") ? `+${hex(start)}` : hex(range.start + start);
}

function printCode({ elf }: Binary): string {
  const executable = elf.segments.filter((segment) => segment.type === 1 && (segment.flags & 1) !== 0);
  return executable
    .map((segment) => `${hex(segment.address)} to ${hex(segment.address + segment.fileBytes)}`)
    .join(", ");
}

function hex(value: number): string {
  return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
