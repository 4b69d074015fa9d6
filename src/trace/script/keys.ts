/**
 * Owns reading an aggregate's keys back into what their author wrote: one value, an object or an array.
 * Does not own their layout (lang/aggregates.ts).
 */
import { unreachable } from "../../base/assert.js";
import { bytesThere, nullText, placeKey, sizeOf } from "../../lang/aggregates.js";
import type { AggregateSpec, KeyPartSpec } from "../../lang/aggregates.js";
import type { KeyForm } from "../../lang/script/handed-over.js";
import { readInteger } from "../events.js";
import type { StackNames } from "../stacks.js";
import { readBytes } from "../text.js";

/** Reads a key into a value. */
export type KeyReader = (key: Uint8Array) => unknown;

/** What names the parts of keys that programs keep as numbers. */
export interface KeyNames {
  /** What a site is called. */
  siteName(site: number): string;
  readonly stacks: Pick<StackNames, "find">;
}

/** Makes the reader of an aggregate's keys. */
export function keyReader({ key }: AggregateSpec, form: KeyForm, names: KeyNames): KeyReader {
  const { offsets } = placeKey(key);
  const parts = key.map((part, index) => partReader(part, offsets[index]!, names));
  const shaped = groupParts(form, parts);
  switch (form.kind) {
    case "none":
      return () => undefined;
    case "value":
      return shaped[0]!;
    case "array":
      return (bytes) => shaped.map((read) => read(bytes));
    case "object":
      return (bytes) =>
        Object.fromEntries(form.parts.map(({ name }, index) => [name, shaped[index]!(bytes)]));
    default:
      return unreachable(form);
  }
}

/** Brings the two parts of each process together. */
function groupParts(form: KeyForm, parts: readonly KeyReader[]): KeyReader[] {
  let next = 0;
  return kindsOf(form).map((kind) => {
    const first = parts[next++]!;
    if (kind === "single") return first;
    const second = parts[next++]!;
    return (bytes) => ({ pid: first(bytes), comm: second(bytes) });
  });
}

function kindsOf(form: KeyForm): readonly ("single" | "process")[] {
  switch (form.kind) {
    case "none":
      return [];
    case "value":
      return [form.part];
    case "array":
      return form.parts;
    case "object":
      return form.parts.map(({ part }) => part);
    default:
      return unreachable(form);
  }
}

/**
 * Makes what is equal for keys that are read alike. Why: a stack is one key in each process, and of each order in which its
 * libraries were loaded; as names it is the same.
 */
export function identityReader({ key }: AggregateSpec, { stacks }: KeyNames): (bytes: Uint8Array) => string {
  const { offsets } = placeKey(key);
  return (bytes) =>
    key
      .map((part, index) => {
        const own = bytes.subarray(offsets[index]!, offsets[index]! + sizeOf(part));
        return part.kind === "stack" ? stacks.find(part, own).join("\n") : bufferOf(own).toString("latin1");
      })
      .join("\0");
}

function partReader(part: KeyPartSpec, offset: number, { siteName, stacks }: KeyNames): KeyReader {
  switch (part.kind) {
    case "integer":
      return (bytes) => readInteger(viewOf(bytes), offset, part.type.bytes, part.type.signed);
    case "site":
      return (bytes) => siteName(viewOf(bytes).getUint32(offset, true));
    case "comm":
      return (bytes) => textOf(bytes.subarray(offset, offset + 16));
    case "text":
      return (bytes) => readText(bytes, offset, part.bytes);
    case "stack":
      return (bytes) => stacks.find(part, bytes.subarray(offset, offset + sizeOf(part)));
    default:
      return unreachable(part);
  }
}

function readText(bytes: Uint8Array, offset: number, limit: number): string {
  const length = viewOf(bytes).getUint16(offset, true);
  if (length === nullText) return "(null)";
  const start = offset + 2;
  const text = readBytes(bufferOf(bytes), start, start + bytesThere(limit, length));
  return length > limit ? `${text}...` : text;
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return readBytes(bufferOf(bytes), 0, end === -1 ? bytes.length : end);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
