/**
 * Owns the values that registers and memory of the test machine hold, and every access to memory with its checks.
 * Does not own instructions; what a check refuses here, the kernel's verifier refuses when a program is loaded.
 */

/** A program did what the verifier would have refused, or what the machine cannot do. */
export class Refused extends Error {}

export function refuse(reason: string): never {
  throw new Refused(reason);
}

export type Value =
  | { readonly kind: "scalar"; readonly bits: bigint }
  | Pointer
  | { readonly kind: "map"; readonly name: string };

export interface Pointer {
  readonly kind: "pointer";
  readonly region: Region;
  /** In bytes from the region's start; may lie outside until it is used. */
  readonly offset: number;
  /** Shared by all copies: one comparison with zero clears them all. */
  readonly nullness: { checked: boolean };
}

/** Bytes that pointers can point into. */
export interface Region {
  readonly kind: "stack" | "context" | "map-value" | "record";
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Stack only: which bytes were written. */
  readonly written?: Uint8Array;
  /** Stack only: pointers that were saved there, by the offset of their 8 bytes. */
  readonly saved?: Map<number, Value>;
  /** Records only: submitted or discarded. */
  released: boolean;
}

export function scalar(bits: bigint | number): Value {
  return { kind: "scalar", bits: BigInt.asUintN(64, BigInt(bits)) };
}

export function pointer(region: Region, offset = 0, nullness = { checked: true }): Pointer {
  return { kind: "pointer", region, offset, nullness };
}

export function region(kind: Region["kind"], name: string, bytes: Uint8Array): Region {
  if (kind !== "stack") return { kind, name, bytes, released: false };
  return { kind, name, bytes, written: new Uint8Array(bytes.length), saved: new Map(), released: false };
}

/** Reads 1, 2, 4 or 8 bytes, zero-extended, or the pointer that was saved there. */
export function readValue(base: Value, offset: number, size: number): Value {
  const { region, at } = locate(base, offset, size);
  requireAligned(base, region, at, size);
  const saved = region.saved?.get(at & ~7);
  if (saved !== undefined) {
    return size === 8 ? saved : refuse(`part of a saved pointer is read, ${describe(region, at, size)}`);
  }
  requireWritten(region, at, size);
  return scalar(littleEndian(region.bytes.subarray(at, at + size)));
}

/** Writes the low bytes of a number, or saves a pointer on the stack. */
export function writeValue(base: Value, offset: number, size: number, value: Value): void {
  const { region, at } = locate(base, offset, size);
  requireAligned(base, region, at, size);
  if (region.kind === "context") refuse("the context is written");
  forgetSaved(region, at, size);
  if (value.kind === "scalar") {
    writeInto(region, at, bytesOf(value.bits, size));
    return;
  }
  if (region.saved === undefined) refuse(`a pointer leaks into ${describe(region, at, size)}`);
  if (size !== 8) refuse("part of a pointer is saved");
  region.saved.set(at, value);
  region.written?.fill(1, at, at + size);
}

/** Reads, changes and writes a number in place and returns the old one. */
export function exchangeValue(
  base: Value,
  offset: number,
  size: number,
  change: (old: bigint) => bigint,
): bigint {
  const { region, at } = locate(base, offset, size);
  // Verifier: atomics are aligned everywhere.
  if (at % size !== 0) refuse(`an atomic access is not aligned, ${describe(region, at, size)}`);
  if (region.kind === "context") refuse("the context is written");
  const old = readValue(base, offset, size);
  if (old.kind !== "scalar") return refuse("an atomic access to a saved pointer");
  writeValue(base, offset, size, scalar(BigInt.asUintN(size * 8, change(old.bits))));
  return old.bits;
}

/** Reads bytes for a helper; they must have been written and must not be saved pointers. */
export function readBytes(base: Value, size: number): Uint8Array {
  if (size === 0) return new Uint8Array(0);
  const { region, at } = locate(base, 0, size);
  requireWritten(region, at, size);
  for (const slot of region.saved?.keys() ?? []) {
    if (slot < at + size && slot + 8 > at)
      refuse(`a saved pointer is given to a helper, ${describe(region, at, size)}`);
  }
  return region.bytes.slice(at, at + size);
}

/** Requires room for `size` bytes that a helper will write. */
export function requireRoom(base: Value, size: number): void {
  if (size > 0 && locate(base, 0, size).region.kind === "context") refuse("the context is written");
}

/** Writes bytes for a helper; they need not have been written before. */
export function writeBytes(base: Value, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  requireRoom(base, bytes.length);
  const { region, at } = locate(base, 0, bytes.length);
  forgetSaved(region, at, bytes.length);
  writeInto(region, at, bytes);
}

export function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

export function bytesOf(bits: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number((bits >> BigInt(8 * index)) & 0xffn));
}

function locate(base: Value, offset: number, size: number): { region: Region; at: number } {
  if (base.kind === "map") return refuse(`the map "${base.name}" itself is read or written`);
  if (base.kind === "scalar") {
    return refuse(
      base.bits === 0n ? "a null pointer is used" : `the number ${base.bits} is used as a pointer`,
    );
  }
  const { region } = base;
  if (!base.nullness.checked) refuse(`${region.name} may be null and was not compared with zero`);
  if (region.released) refuse(`${region.name} was given back already`);
  const at = base.offset + offset;
  if (at < 0 || at + size > region.bytes.length) refuse(`out of bounds: ${describe(region, at, size)}`);
  return { region, at };
}

function requireAligned(base: Value, { kind, name, bytes }: Region, at: number, size: number): void {
  // Verifier: the stack is tracked in aligned pieces; pt_regs is read in aligned pieces and only through the unchanged pointer.
  if ((kind === "stack" || kind === "context") && at % size !== 0) {
    refuse(`not aligned: ${describe({ kind, name, bytes }, at, size)}`);
  }
  if (kind === "context" && base.kind === "pointer" && base.offset !== 0)
    refuse("a changed context pointer is used");
}

function requireWritten(region: Region, at: number, size: number): void {
  const unwritten = region.written?.subarray(at, at + size).indexOf(0) ?? -1;
  if (unwritten !== -1) refuse(`read before it was written: ${describe(region, at + unwritten, 1)}`);
}

function forgetSaved({ saved }: Region, at: number, size: number): void {
  for (const slot of saved?.keys() ?? []) {
    if (slot < at + size && slot + 8 > at) saved?.delete(slot);
  }
}

function writeInto(region: Region, at: number, bytes: Uint8Array): void {
  region.bytes.set(bytes, at);
  region.written?.fill(1, at, at + bytes.length);
}

function describe(
  { kind, name, bytes }: Pick<Region, "kind" | "name" | "bytes">,
  at: number,
  size: number,
): string {
  const start = kind === "stack" ? at - bytes.length : at;
  return `${name}, bytes ${start} to ${start + size - 1} of ${kind === "stack" ? -bytes.length : bytes.length}`;
}
