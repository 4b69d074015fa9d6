/**
 * Owns an event as one line of JSON; docs/json.md describes it field by field.
 * Does not own columns.
 */
import { assert } from "../base/assert.js";
import type { ShownArgument } from "../lang/probe.js";
import { fault, pidOf, readField, siteOf, tidOf, timeOf } from "../trace/events.js";
import type { EventRecord, FieldValue, StackValue, TextPrinter } from "../trace/events.js";
import { messagePrinter } from "../trace/message.js";
import type { AddressPrinter, MessagePrinter } from "../trace/message.js";
import { decodeText, printBytes } from "../trace/text.js";
import type { TracedProbe, TracedSite } from "../trace/probe.js";
import type { WallClock } from "./clock.js";

/** A value in JSON. 64-bit integers and addresses are strings, since JSON's readers keep only 53 bits. */
export type JsonValue =
  | number
  | string
  | null
  | boolean
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

const ownColumns = new Set(["cpu", "comm", "uid", "namespace_pid", "namespace_tid"]);

export class JsonPrinter {
  readonly #sites: readonly TracedSite[];
  readonly #clock: WallClock;
  readonly #printAddress: AddressPrinter;
  readonly #messages = new Map<TracedProbe, MessagePrinter>();

  constructor(sites: readonly TracedSite[], clock: WallClock, printAddress: AddressPrinter) {
    this.#sites = sites;
    this.#clock = clock;
    this.#printAddress = printAddress;
  }

  /** The message alone, for -f. */
  message(record: EventRecord): string {
    const { probe } = this.#siteOf(record);
    if (probe.template === undefined) return "";
    let printer = this.#messages.get(probe);
    if (printer === undefined) {
      printer = messagePrinter(probe.template, probe.event, printBytes, this.#printAddress);
      this.#messages.set(probe, printer);
    }
    return printer(record);
  }

  print(record: EventRecord): string {
    const site = this.#siteOf(record);
    const line: Record<string, JsonValue> = {
      time_ns: String(timeOf(record)),
      unix_time: this.#clock.unixSeconds(timeOf(record)),
      probe: site.probe.text,
      function: site.label,
      pid: pidOf(record),
      tid: tidOf(record),
    };
    const { shown } = site.probe;
    const values = new Map<number | string, JsonValue>();
    const faults: (number | string)[] = [];
    const cuts: (number | string)[] = [];
    const escaped: (number | string)[] = [];
    let isEscaped = false;
    const textOf: TextPrinter = (bytes, start, end) => {
      const text = decodeText(bytes.subarray(start, end));
      isEscaped = text === undefined;
      return text ?? printBytes(bytes, start, end);
    };
    site.probe.event.fields.forEach((field, index) => {
      isEscaped = false;
      const value = readField(record, field, index, textOf);
      if (field.value.kind === "stack")
        line[`${field.value.space}_stack`] = this.#stack(record, value as StackValue);
      else if (ownColumns.has(field.name)) line[field.name] = jsonOf(value);
      else {
        const argument = shown?.find(({ name }) => name === field.name);
        const key = argument?.name ?? values.size;
        if (value === fault) faults.push(key);
        if (isEscaped) escaped.push(key);
        if (typeof value === "object" && value !== null && "cut" in value && value.cut) cuts.push(key);
        const json =
          field.value.kind === "symbol" ? this.#symbol(field.value.space, record, value) : jsonOf(value);
        values.set(key, argument === undefined ? json : shownAs(argument, value, json));
      }
    });
    if (shown !== undefined)
      line["arguments"] = Object.fromEntries(shown.map(({ name }) => [name, values.get(name) ?? null]));
    else if (values.size > 0) line["values"] = [...values.values()];
    if (faults.length > 0) line["faults"] = faults;
    if (cuts.length > 0) line["cut"] = cuts;
    if (escaped.length > 0) line["escaped"] = escaped;
    if (site.probe.template !== undefined) line["message"] = this.message(record);
    return `${printJson(line)}\n`;
  }

  #siteOf(record: EventRecord): TracedSite {
    const site = this.#sites[siteOf(record)];
    assert(site, "an event of an unknown site");
    return site;
  }

  #stack(record: EventRecord, stack: StackValue): JsonValue {
    if (stack.errno !== undefined) return { errno: -stack.errno };
    return stack.addresses.map((address) => this.#symbol(stack.space, record, address));
  }

  #symbol(space: "user" | "kernel", record: EventRecord, value: FieldValue): JsonValue {
    if (typeof value !== "bigint") return jsonOf(value);
    return {
      address: `0x${value.toString(16)}`,
      symbol: this.#printAddress(space === "user" ? pidOf(record) : 0, value),
    };
  }
}

/** JSON whose text can be shown on a terminal: JSON.stringify leaves 0x7f to 0x9f as they are. */
export function printJson(value: JsonValue): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Why a string for what is hexadecimal: JSON has no such numbers. */
function shownAs({ display }: ShownArgument, value: FieldValue, json: JsonValue): JsonValue {
  if (typeof value !== "number" && typeof value !== "bigint") return json;
  if (display === "boolean") return value !== 0;
  return display === "hex" ? `0x${value.toString(16)}` : json;
}

function jsonOf(value: FieldValue): JsonValue {
  if (value === fault || value === null) return null;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object") return "text" in value ? value.text : null;
  return value;
}
