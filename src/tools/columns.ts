/**
 * Owns an event as columns, as BCC's trace prints them: [TIME] [CPU] PID TID COMM FUNC message, and stacks below.
 * Does not own where events come from or where lines go.
 */
import { assert } from "../base/assert.js";
import type { EventField } from "../lang/event.js";
import { pidOf, readComm, readField, roughTimeOf, siteOf, tidOf, timeOf } from "../trace/events.js";
import type { EventRecord, StackValue, TextPrinter } from "../trace/events.js";
import { messagePrinter } from "../trace/message.js";
import type { AddressPrinter, MessagePrinter } from "../trace/message.js";
import type { TracedProbe, TracedSite } from "../trace/probe.js";
import type { WallClock } from "./clock.js";

export interface ColumnOptions {
  /** `start`: seconds since the start; `unix`: seconds since 1970; `local`: HH:MM:SS of the event. */
  readonly time: "none" | "start" | "unix" | "local";
  readonly cpu: boolean;
  /** Show addresses in stacks. */
  readonly addresses: boolean;
}

/** An event as lines: the head is without the time, so that equal heads can be told. */
export interface EventLines {
  readonly time: string;
  readonly head: string;
  readonly message: string;
  /** Ends in newlines; empty without stacks. */
  readonly stacks: string;
}

const timeWidths = { none: 0, start: 8, unix: 17, local: 8 } as const;
/** Least characters of the FUNC column, as in BCC, and most, so that a C++ name does not push the message away. */
const functionWidths = { least: 16, most: 48 };
/** Characters of the COMM column, as many as the kernel keeps bytes of a thread's name. */
const nameWidth = 15;
/** Places whose names are measured for the column's width; more would cost time before the first event. */
const mostMeasured = 1000;

/** What is printed and how its parts are made into text. */
export interface ColumnSources {
  readonly probes: readonly TracedProbe[];
  readonly sites: readonly TracedSite[];
  readonly columns: ColumnOptions;
  readonly clock: WallClock;
  readonly textOf: TextPrinter;
  readonly printAddress: AddressPrinter;
}

export class ColumnPrinter {
  readonly #sources: ColumnSources;
  readonly #functionWidth: number;
  readonly #printers = new Map<TracedProbe, ProbePrinter>();
  readonly #paddedNames: string[] = [];

  constructor(sources: ColumnSources) {
    this.#sources = sources;
    const { sites } = sources;
    const longest =
      sites.length > mostMeasured
        ? functionWidths.most
        : Math.max(functionWidths.least, ...sites.map(({ label }) => label.length));
    this.#functionWidth = Math.min(longest, functionWidths.most);
  }

  header(): string {
    const { probes, columns } = this.#sources;
    const { time, cpu } = columns;
    const withMessage = probes.some(({ template }) => template !== undefined);
    const first = `${time === "none" ? "" : `${"TIME".padEnd(timeWidths[time])} `}${cpu ? "CPU " : ""}`;
    const line = `${first}${"PID".padEnd(7)} ${"TID".padEnd(7)} ${"COMM".padEnd(nameWidth)} ${"FUNC".padEnd(this.#functionWidth)} ${withMessage ? "-" : ""}`;
    return `${line.trimEnd()}\n`;
  }

  print(record: EventRecord): EventLines {
    const number = siteOf(record);
    const site = this.#sources.sites[number];
    assert(site, "an event of an unknown site");
    let printer = this.#printers.get(site.probe);
    if (printer === undefined) {
      printer = new ProbePrinter(site.probe, this.#sources);
      this.#printers.set(site.probe, printer);
    }
    const name = (this.#paddedNames[number] ??= site.label.padEnd(this.#functionWidth));
    const message = printer.message(record);
    return {
      time: this.#printTime(record),
      head: `${printer.process(record)}${name}`,
      message,
      stacks: printer.stacks(record),
    };
  }

  #printTime(record: EventRecord): string {
    const { columns, clock } = this.#sources;
    switch (columns.time) {
      case "none":
        return "";
      case "start":
        return `${((roughTimeOf(record) - clock.start) / 1e9).toFixed(6).slice(0, 8).padEnd(8)} `;
      case "unix":
        return `${clock.unixSeconds(timeOf(record)).padEnd(17)} `;
      case "local":
        return `${clock.localTime(roughTimeOf(record))} `;
    }
  }
}

/** Joins the parts of an event as they are printed. */
export function joinLines({ time, head, message, stacks }: EventLines): string {
  const line = message === "" ? `${time}${head}`.trimEnd() : `${time}${head} ${message}`;
  return `${line}\n${stacks}`;
}

/** Cuts a name that escapes have made longer than its column, between two characters or escapes. */
function fitName(name: string): string {
  if (name.length <= nameWidth) return name;
  let shown = "";
  for (const [piece] of name.matchAll(/\\x..|\\.|./gsu)) {
    if (shown.length + piece.length > nameWidth - 3) break;
    shown += piece;
  }
  return `${shown}...`;
}

/** Prints the parts of one probe's events. Consecutive events of one thread share the text of its process columns. */
class ProbePrinter {
  readonly message: MessagePrinter;
  readonly #cpu: EventField | undefined;
  readonly #comm: EventField;
  /** What the process and the thread call themselves, where that was asked for. */
  readonly #pid: EventField | undefined;
  readonly #tid: EventField | undefined;
  readonly #stacks: readonly { readonly field: EventField; readonly index: number }[];
  readonly #addresses: boolean;
  readonly #textOf: TextPrinter;
  readonly #printAddress: AddressPrinter;
  readonly #last = { pid: -1, tid: -1, comm: [0, 0, 0, 0], text: "" };

  constructor(probe: TracedProbe, { columns, textOf, printAddress }: ColumnSources) {
    const comm = probe.event.fields.find((field) => field.value.kind === "comm");
    assert(comm, "columns without comm");
    this.#comm = comm;
    this.#pid = probe.event.fields.find((field) => field.name === "namespace_pid");
    this.#tid = probe.event.fields.find((field) => field.name === "namespace_tid");
    this.#cpu = columns.cpu ? probe.event.fields.find((field) => field.name === "cpu") : undefined;
    this.#stacks = probe.event.fields.flatMap((field, index) =>
      field.value.kind === "stack" ? [{ field, index }] : [],
    );
    this.#addresses = columns.addresses;
    this.#textOf = textOf;
    this.#printAddress = printAddress;
    this.message =
      probe.template === undefined
        ? () => ""
        : messagePrinter(probe.template, probe.event, textOf, printAddress);
  }

  process(record: EventRecord): string {
    const { view, at } = record;
    const cpu =
      this.#cpu === undefined ? "" : `${String(view.getUint32(at + this.#cpu.offset, true)).padEnd(3)} `;
    const last = this.#last;
    const pid = this.#pid === undefined ? pidOf(record) : view.getUint32(at + this.#pid.offset, true);
    const tid = this.#tid === undefined ? tidOf(record) : view.getUint32(at + this.#tid.offset, true);
    const commAt = at + this.#comm.offset;
    let same = last.pid === pid && last.tid === tid;
    for (let word = 0; word < 4; word++) {
      const value = view.getUint32(commAt + 4 * word, true);
      same = same && last.comm[word] === value;
      last.comm[word] = value;
    }
    if (!same) {
      last.pid = pid;
      last.tid = tid;
      const comm = fitName(readComm(record, commAt, this.#textOf));
      last.text = `${String(pid).padEnd(7)} ${String(tid).padEnd(7)} ${comm.padEnd(nameWidth)} `;
    }
    return cpu + last.text;
  }

  stacks(record: EventRecord): string {
    let text = "";
    for (const { field, index } of this.#stacks)
      text += this.#printStack(record, readField(record, field, index) as StackValue);
    return text === "" ? "" : `${text}\n`;
  }

  #printStack(record: EventRecord, stack: StackValue): string {
    if (stack.errno !== undefined)
      return `        <no ${stack.space} stack: bpf_get_stack answers ${stack.errno}>\n`;
    const pid = stack.space === "kernel" ? 0 : pidOf(record);
    return stack.addresses
      .map((address) => {
        const shown = this.#addresses ? `${address.toString(16).padStart(16)} ` : "";
        return `        ${shown}${this.#printAddress(pid, address)}\n`;
      })
      .join("");
  }
}
