/**
 * Owns values of any kind as the text of a cell, and as JSON; control bytes of traced text become escapes in both.
 * Does not own how cells stand beside each other (rows.ts).
 */
import { escapeControls } from "../base/text.js";
import { printJson } from "./json.js";
import type { JsonValue } from "./json.js";

export interface Cell {
  readonly text: string;
  /** Numbers stand to the right in their column. */
  readonly isNumber: boolean;
}

/** A row that is ready for columns: cells by the path of their names, and lists that stand below the line. */
export interface FlatRow {
  readonly cells: ReadonlyMap<string, Cell>;
  readonly below: readonly string[];
}

export type PlainObject = Readonly<Record<string, unknown>>;

/** Objects whose names are columns: literals and instances, nothing that Node shows in a way of its own. */
export function isPlainObject(value: unknown): value is PlainObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof Date) &&
    !(value instanceof Map) &&
    !(value instanceof Set) &&
    !(value instanceof Error)
  );
}

/**
 * Objects in objects become names with dots: { peer: { port: 1 } } is a column PEER.PORT. What aggregates and named probes wrap
 * is unwrapped: { key: { pid: 1 }, count: 2 } has the columns PID and COUNT.
 */
export function flatten(row: PlainObject): FlatRow {
  const cells = new Map<string, Cell>();
  const below: string[] = [];
  const add = (object: PlainObject, prefix: string, depth: number): void => {
    for (const [name, value] of Object.entries(object)) {
      if (typeof value === "function") continue;
      if (isStack(name, value)) below.push(...value.map((frame) => escapeControls(frame)));
      else if (isPlainObject(value) && depth < deepest)
        add(value, depth === 0 && isWrapper(name, value, row) ? "" : `${prefix}${name}.`, depth + 1);
      else if (name === "key" && Array.isArray(value))
        cells.set(name, { text: value.map((part) => printCell(part)).join(", "), isNumber: false });
      else cells.set(`${prefix}${name}`, cellOf(value));
    }
  };
  add(row, "", 0);
  return { cells, below };
}

/** A value on one line. */
export function printCell(value: unknown): string {
  return cellOf(value).text;
}

/** A value as one line of JSON; bigint is a string, since many readers of JSON keep only 53 bits. */
export function printJsonLine(value: unknown): string {
  return `${printJson(jsonOf(value, []))}\n`;
}

/** Names below this many others are shown within their cell. */
const deepest = 8;

function isWrapper(name: string, value: PlainObject, row: PlainObject): boolean {
  return (
    (name === "key" || name === "event") && Object.keys(value).every((inner) => !Object.hasOwn(row, inner))
  );
}

function isStack(name: string, value: unknown): value is readonly string[] {
  return (
    /(?:^s|S)tack$/.test(name) && Array.isArray(value) && value.every((frame) => typeof frame === "string")
  );
}

function cellOf(value: unknown): Cell {
  switch (typeof value) {
    case "number":
      return { text: printNumber(value), isNumber: true };
    case "bigint":
      return { text: String(value), isNumber: true };
    case "string":
      return { text: escapeControls(value), isNumber: false };
    case "undefined":
      // Why: a value that is missing in the first rows does not make text of a column.
      return { text: "", isNumber: true };
    case "object":
      return { text: value === null ? "null" : printObject(value), isNumber: false };
    default:
      return { text: escapeControls(String(value)), isNumber: false };
  }
}

function printObject(value: object): string {
  if (value instanceof Error) return escapeControls(value.message);
  const json = jsonOf(value, []);
  return typeof json === "string" ? escapeControls(json) : printJson(json);
}

/** Three digits behind the point are enough for people; JSON has them all. */
function printNumber(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return String(Math.abs(value) < 1 ? Number(value.toPrecision(3)) : Number(value.toFixed(3)));
}

function jsonOf(value: unknown, around: readonly object[]): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return String(value);
    case "symbol":
      return value.description ?? null;
    case "object":
      return value === null ? null : jsonOfObject(value, around);
    default:
      return null;
  }
}

function jsonOfObject(value: object, around: readonly object[]): JsonValue {
  if (around.includes(value)) return "[circular]";
  const inside = [...around, value];
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Error) return value.message;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (ArrayBuffer.isView(value) && Symbol.iterator in value)
    return Array.from(value as Iterable<number | bigint>, (item) => jsonOf(item, inside));
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, (item) => jsonOf(item, inside));
  if (value instanceof Map) return Array.from(value, (entry) => jsonOf(entry, inside));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined && typeof member !== "function")
      .map(([name, member]) => [name, jsonOf(member, inside)]),
  );
}
