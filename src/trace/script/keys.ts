/**
 * Owns reading an aggregate's keys back into what their author wrote: one value, an object or an array.
 * Does not own their layout (lang/aggregates.ts).
 */
import { unreachable } from "../../base/assert.js";
import { bytesThere, nullText, placeKey } from "../../lang/aggregates.js";
import type { AggregateSpec, KeyPartSpec } from "../../lang/aggregates.js";
import type { KeyForm } from "../../lang/script/handed-over.js";
import { readInteger } from "../events.js";
import { readBytes } from "../text.js";

/** Reads a key into a value. */
export type KeyReader = (key: Uint8Array) => unknown;

/** Makes the reader of an aggregate's keys; `siteName` names functions. */
export function keyReader(
  { key }: AggregateSpec,
  form: KeyForm,
  siteName: (site: number) => string,
): KeyReader {
  const { offsets } = placeKey(key);
  const parts = key.map((part, index) => partReader(part, offsets[index]!, siteName));
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

function partReader(part: KeyPartSpec, offset: number, siteName: (site: number) => string): KeyReader {
  switch (part.kind) {
    case "integer":
      return (bytes) => readInteger(viewOf(bytes), offset, part.type.bytes, part.type.signed);
    case "site":
      return (bytes) => siteName(viewOf(bytes).getUint32(offset, true));
    case "comm":
      return (bytes) => textOf(bytes.subarray(offset, offset + 16));
    case "text":
      return (bytes) => readText(bytes, offset, part.bytes);
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
