/**
 * Owns reading one event out of the ring buffer's memory: its header, and its fields as typed values.
 * Does not own the record's shape (lang/event.ts) nor lines and columns (tools/).
 */
import { unreachable } from "../base/assert.js";
import { callerRules, faultsAt, pidAt, ruleOf, siteAt, stackParts, tidAt, timeAt } from "../lang/event.js";
import type { EventField, EventLayout, FieldKind } from "../lang/event.js";
import { printBytes } from "./text.js";

/** A record where it lies; valid only until the stream's callback returns. */
export interface EventRecord {
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Where the record begins in both. */
  readonly at: number;
}

/** A value that could not be computed: a read that faulted, or a division by zero. */
export const fault: unique symbol = Symbol("fault");

/** Text from the traced process. */
export interface TextValue {
  readonly text: string;
  /** More followed, beyond the limit. */
  readonly cut: boolean;
}

/** Innermost first; at an entry the caller is there although it has no frame yet, unless its address could not be read. */
export interface StackValue {
  readonly space: "user" | "kernel";
  readonly addresses: readonly bigint[];
  /** Negative errno of bpf_get_stack, when there is no stack. */
  readonly errno: number | undefined;
}

/** Integers of 64 bits, and addresses, are bigint; narrower ones are numbers. NULL text is null. */
export type FieldValue = number | bigint | string | Uint8Array | TextValue | StackValue | null | typeof fault;

/** Nanoseconds of CLOCK_MONOTONIC, exact. */
export function timeOf({ view, at }: EventRecord): bigint {
  return view.getBigUint64(at + timeAt, true);
}

/** Nanoseconds of CLOCK_MONOTONIC for ordering: exact for 104 days after boot (2^53 ns), then to a few ns. */
export function roughTimeOf({ view, at }: EventRecord): number {
  return view.getUint32(at + timeAt, true) + view.getUint32(at + timeAt + 4, true) * 0x1_0000_0000;
}

export const pidOf = ({ view, at }: EventRecord): number => view.getUint32(at + pidAt, true);
export const tidOf = ({ view, at }: EventRecord): number => view.getUint32(at + tidAt, true);
export const siteOf = ({ view, at }: EventRecord): number => view.getUint32(at + siteAt, true);

/** Says whether field number `index` could not be computed. */
export function isFault({ view, at }: EventRecord, index: number): boolean {
  return ((view.getUint32(at + faultsAt, true) >>> index) & 1) === 1;
}

/** Says whether events hold addresses of the traced process, which somebody will want named. */
export function holdsUserAddresses({ fields }: EventLayout): boolean {
  return fields.some(({ value }) => "space" in value && value.space === "user");
}

/** Says whether events hold stacks of the traced process. */
export function holdsUserStacks({ fields }: EventLayout): boolean {
  return fields.some(({ value }) => value.kind === "stack" && value.space === "user");
}

/** Shows bytes of a text field; `printBytes` unless the caller wants them raw. */
export type TextPrinter = (bytes: Buffer, start: number, end: number) => string;

/** Reads field number `index` of the record. */
export function readField(
  record: EventRecord,
  field: EventField,
  index: number,
  textOf: TextPrinter = printBytes,
): FieldValue {
  const at = record.at + field.offset;
  const kind = field.value;
  // Why: a stack without its caller still is one.
  if (kind.kind !== "stack" && isFault(record, index)) return fault;
  switch (kind.kind) {
    case "integer":
      return readInteger(record.view, at, kind.type.bytes, kind.type.signed);
    case "text":
      return readTextField(record, at, kind, textOf);
    case "comm":
      return readComm(record, at, textOf);
    case "bytes":
      return Uint8Array.from(record.bytes.subarray(at, at + kind.count));
    case "symbol":
      return record.view.getBigUint64(at, true);
    case "stack":
      return readStack(record.view, at, kind);
    default:
      return unreachable(kind);
  }
}

/** Why: a program's start is called by nobody, and finds a count where a return address would be. No code lies so low. */
const lowestCode = 4096n;

export function readInteger(view: DataView, at: number, bytes: number, signed: boolean): number | bigint {
  switch (bytes) {
    case 1:
      return signed ? view.getInt8(at) : view.getUint8(at);
    case 2:
      return signed ? view.getInt16(at, true) : view.getUint16(at, true);
    case 4:
      return signed ? view.getInt32(at, true) : view.getUint32(at, true);
    default:
      return signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true);
  }
}

/** A thread's name: at most 15 bytes and a zero. */
export function readComm({ bytes }: EventRecord, at: number, textOf: TextPrinter): string {
  let end = at;
  while (end < at + 16 && bytes[end] !== 0) end++;
  return textOf(bytes, at, end);
}

function readTextField(
  { bytes, view }: EventRecord,
  at: number,
  { limit }: Extract<FieldKind, { kind: "text" }>,
  textOf: TextPrinter,
): TextValue | null {
  const length = view.getInt32(at, true);
  if (length < 0) return null;
  const cut = length > limit;
  return { text: textOf(bytes, at + 4, at + 4 + Math.min(length, limit)), cut };
}

/** Reads a stack as event.ts draws it. */
export function readStack(
  view: DataView,
  at: number,
  { space, depth }: Extract<FieldKind, { kind: "stack" }>,
): StackValue {
  const written = view.getInt32(at, true);
  if (written < 0) return { space, addresses: [], errno: written };
  const addresses: bigint[] = [];
  for (let frame = 0; frame < Math.min(written / 8, depth); frame++)
    addresses.push(view.getBigUint64(at + stackParts.addresses + frame * 8, true));
  const caller = view.getBigUint64(at + stackParts.returnAddress, true);
  const rule = ruleOf(view.getUint32(at + stackParts.rule, true));
  const isMissing = rule === callerRules.missing || (rule === callerRules.compare && addresses[1] !== caller);
  // Why: a frame pointer that was never set leads to address 0, which is nobody's code.
  while (addresses.at(-1) === 0n) addresses.pop();
  if (isMissing && caller >= lowestCode && addresses.length > 0) addresses.splice(1, 0, caller);
  return { space, addresses, errno: undefined };
}
