/**
 * Owns `uscope trace`: a line, or a JSON object, for each event of the probes given.
 * Does not own how events are made (trace/) nor the options' spelling (cli/).
 */
import { assert } from "../base/assert.js";
import { escapeLines } from "../base/text.js";
import { arm } from "../trace/arm.js";
import type { Trace, ArmRequest } from "../trace/arm.js";
import { readComm, siteOf } from "../trace/events.js";
import type { EventRecord } from "../trace/events.js";
import { printBytes, rawBytes } from "../trace/text.js";
import { Aggregate } from "./aggregate.js";
import { WallClock } from "./clock.js";
import { ColumnPrinter, joinLines } from "./columns.js";
import type { ColumnOptions } from "./columns.js";
import { JsonPrinter } from "./json.js";
import { Output } from "./output.js";
import { printArmed, printEnding, printLateFile, printLosses, printVerbose } from "../trace/remarks.js";
import { stopSignal } from "./stop.js";

export interface TraceRequest extends ArmRequest {
  /** Part of the thread's name. */
  readonly comm: string | undefined;
  readonly maxEvents: number | undefined;
  readonly seconds: number | undefined;
  readonly messageFilter: string | undefined;
  readonly aggregate: boolean;
  readonly columns: ColumnOptions;
  readonly json: boolean;
  readonly raw: boolean;
  readonly verbose: boolean;
}

/** Runs until it is stopped or nothing is left to trace; returns the exit code. */
export async function trace(request: TraceRequest): Promise<number> {
  using stop = stopSignal();
  // Why here: places are hit while others are still being armed, and no event is older than the start.
  const clock = new WallClock();
  await using armed = await arm(request);
  const remarks = new Output(2, { whenFull: "keep" });
  const say = (text: string): void => {
    remarks.write(escapeLines(text));
    remarks.flush();
  };
  if (request.verbose) say(printVerbose(armed));
  say(printArmed(armed));
  using _small = await keepHeapSmall();
  const output = new Output(1, { encoding: request.raw ? "latin1" : "utf8", whenFull: "keep" });
  const printer = makePrinter(request, armed, clock);
  const aggregate = request.aggregate ? new Aggregate() : undefined;
  output.write(printer.header);
  output.flush();
  // Why here: the time to find and arm places on a busy machine is not the reader's.
  if (request.seconds !== undefined) stop.after(request.seconds);
  let shown = 0;
  let leftOut = 0;
  let lost = 0n;
  const ending = await armed.run({
    signal: stop.signal,
    onEvent(record) {
      if (shown === request.maxEvents) return;
      const text = printer.print(record);
      if (text === undefined) return void leftOut++;
      if (aggregate === undefined) output.write(text);
      else aggregate.add(text);
      if (++shown === request.maxEvents) stop.now();
    },
    onLateFile: (file) => say(printLateFile(file)),
    isReady: () => output.flush(),
    onPause() {
      output.flush();
      if (output.closed) stop.now();
    },
    onCounters(counters) {
      const now = counters.reduce((sum, counter) => sum + counter.lost, 0n);
      if (now > lost) say(printLosses(armed, counters));
      lost = now;
    },
  });
  aggregate?.print((text) => output.write(text));
  // Why: events that were shown wait for their reader, but a person who presses Ctrl-C does not.
  await output.drained(stop.interrupted);
  say(printEnding(armed, ending, { shown, leftOut }));
  await remarks.drained(stop.interrupted);
  return ending.kind === "over budget" ? 1 : 0;
}

/**
 * Why the first: an event leaves only short-lived strings; a young generation that grows for them costs 20 MB and saves no time. Why
 * the second: those that a collection meets alive become old, and are collected at 15 MB then, not at 30; no time that shows either.
 */
const smallHeap = ["--semi-space-growth-factor=1", "--optimize-for-size"];
/** What V8 has without being told; the last is what optimize-for-size implies. */
const ordinaryHeap = ["--semi-space-growth-factor=2", "--no-optimize-for-size", "--max-semi-space-size=0"];

/** Why not at the start: node:v8 takes 3 ms to load. Why undone: V8 takes compiled code only from a process with the same flags. */
async function keepHeapSmall(): Promise<Disposable> {
  const { setFlagsFromString } = await import("node:v8");
  for (const flag of smallHeap) setFlagsFromString(flag);
  return {
    [Symbol.dispose]() {
      for (const flag of ordinaryHeap) setFlagsFromString(flag);
    },
  };
}

interface EventPrinter {
  readonly header: string;
  /** The event's lines, or undefined when -n or -f leave it out. */
  print(record: EventRecord): string | undefined;
}

function makePrinter(request: TraceRequest, armed: Trace, clock: WallClock): EventPrinter {
  const { comm, messageFilter } = request;
  const isShown = (record: EventRecord, message: () => string): boolean =>
    (comm === undefined || commOf(armed, record).includes(comm)) &&
    (messageFilter === undefined || message().includes(messageFilter));
  if (request.json) {
    const json = new JsonPrinter(armed.sites, clock, armed.printAddress);
    return {
      header: "",
      print: (record) => (isShown(record, () => json.message(record)) ? json.print(record) : undefined),
    };
  }
  const columns = new ColumnPrinter({
    probes: armed.probes,
    sites: armed.sites,
    columns: request.columns,
    clock,
    textOf: request.raw ? rawBytes : printBytes,
    printAddress: armed.printAddress,
  });
  return {
    header: columns.header(),
    print(record) {
      const lines = columns.print(record);
      return isShown(record, () => lines.message) ? joinLines(lines) : undefined;
    },
  };
}

function commOf({ sites }: Trace, record: EventRecord): string {
  const field = sites[siteOf(record)]?.probe.event.fields.find(({ value }) => value.kind === "comm");
  assert(field, "an event without comm");
  return readComm(record, record.at + field.offset, printBytes);
}
