/**
 * Owns making the value that a probe function returned out of the event that its program sent.
 * Does not own the shape (lang/script/shape.ts) nor the record (trace/events.ts).
 */
import { unreachable } from "../../base/assert.js";
import type { EventField } from "../../lang/event.js";
import type { Shape, Shown } from "../../lang/script/shape.js";
import { fault, isFault, readField } from "../events.js";
import type { EventRecord, FieldValue } from "../events.js";
import { readBytes } from "../text.js";

/** What values need that do not stand in the record itself. */
export interface Names {
  /** An address of the process of this record. */
  readonly address: (record: EventRecord, address: bigint) => string;
  /** What a site is called. */
  readonly site: (site: number) => string;
}

/** What is wrong with a text of an event: it was longer, it could not be read, or the pointer was null. */
export interface Flaw {
  /** As in `event.a.b`. Of an event that is a text itself there are none: texts have no identity. */
  readonly path: string;
  /** What is wrong with it. */
  readonly kind: "cut" | "faulted" | "null";
}

/** Reads a record into the value that the author expects. */
export type Decoder = (record: EventRecord) => unknown;

/** Flaws of events that have any. Why beside them: an event has exactly the type that its function returns. */
const flaws = new WeakMap<object, readonly Flaw[]>();

/** Says which texts of an event are not whole: those that end in "...", and those shown as "<fault>" or "(null)". */
export function flawsOf(event: unknown): readonly Flaw[] {
  return (typeof event === "object" && event !== null ? flaws.get(event) : undefined) ?? [];
}

/** Makes the decoder of one shape; `fields` are those of the shape, `first` is the number of the first in its event. */
export function decoderOf(shape: Shape, fields: readonly EventField[], first: number, names: Names): Decoder {
  const found: Flaw[] = [];
  const decode = build(shape, "", { fields, first, names, found });
  return (record) => {
    const value = decode(record);
    if (found.length > 0) {
      if (typeof value === "object" && value !== null) flaws.set(value, found.slice());
      found.length = 0;
    }
    return value;
  };
}

interface Reading {
  readonly fields: readonly EventField[];
  readonly first: number;
  readonly names: Names;
  /** Of the record that is being read. */
  readonly found: Flaw[];
}

function build(shape: Shape, path: string, reading: Reading): Decoder {
  switch (shape.kind) {
    case "constant": {
      const { value } = shape;
      return () => value;
    }
    case "field":
      return fieldDecoder(shape.field, shape.as, path, reading);
    case "choice": {
      const read = fieldDecoder(shape.field, "bigint", path, reading);
      const shown = new Map(shape.choices.map((choice) => [choice.value, choice.shown]));
      return (record) => {
        const value = BigInt(read(record) as number | bigint);
        if (shown.has(value)) return shown.get(value);
        return shape.as === "bigint" ? value : Number(value);
      };
    }
    case "array": {
      const items = shape.items.map((item, index) => build(item, `${path}[${index}]`, reading));
      return (record) => items.map((item) => item(record));
    }
    case "object": {
      const entries = shape.entries.map(
        ({ name, shape: inner }) =>
          [name, build(inner, path === "" ? name : `${path}.${name}`, reading)] as const,
      );
      // Why one by one: objects that get the same names in the same order share one hidden class.
      return (record) => {
        const value: Record<string, unknown> = {};
        for (const [name, read] of entries) value[name] = read(record);
        return value;
      };
    }
    default:
      return unreachable(shape);
  }
}

function fieldDecoder(
  index: number,
  shown: Shown,
  path: string,
  { fields, first, names, found }: Reading,
): Decoder {
  const field = fields[index]!;
  const number = first + index;
  const read = (record: EventRecord): FieldValue => readField(record, field, number, readBytes);
  switch (shown) {
    // Why exact: what is no safe integer is no event (lang/lowering/safe-integers.ts).
    case "number":
      return (record) => Number(read(record) as number | bigint);
    case "bigint":
      return (record) => BigInt(read(record) as number | bigint);
    case "boolean":
      return (record) => Number(read(record)) !== 0;
    case "function":
      return (record) => names.site(Number(read(record)));
    case "symbol":
      return (record) => names.address(record, BigInt(read(record) as bigint));
    case "bytes":
      return (record) => {
        const value = read(record);
        if (value instanceof Uint8Array) return value;
        found.push({ path, kind: "faulted" });
        return new Uint8Array(0);
      };
    case "stack":
      return (record) => {
        const value = read(record);
        if (typeof value !== "object" || value === null || !("addresses" in value)) return [];
        return value.addresses.map((address) => names.address(record, address));
      };
    case "text":
      return (record) => {
        const value = read(record);
        if (typeof value === "string") return value;
        if (value === fault || isFault(record, number)) {
          found.push({ path, kind: "faulted" });
          return "<fault>";
        }
        if (value === null || typeof value !== "object" || !("text" in value)) {
          found.push({ path, kind: "null" });
          return "(null)";
        }
        if (!value.cut) return value.text;
        found.push({ path, kind: "cut" });
        return `${value.text}...`;
      };
    default:
      return unreachable(shown);
  }
}
