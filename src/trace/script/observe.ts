/**
 * Owns observing with probes written as functions: events as an async iterable, aggregates as rows, and a clean end.
 * Does not own preparing and arming (arm.ts) nor the run (run.ts).
 */
import { UsageError } from "../../base/errors.js";
import { setAlarm } from "../alarm.js";
import { arm } from "../arm.js";
import type { ArmRequest, Trace } from "../arm.js";
import type { Ending } from "../ending.js";
import { siteOf } from "../events.js";
import type { EventRecord } from "../events.js";
import type { SkippedPlace } from "../plan.js";
import type { Losses } from "../probe.js";
import { findHost } from "../host.js";
import { printArmed, printEnding, printLateFile, printVerbose } from "../remarks.js";
import type { Aggregate } from "./aggregate.js";
import { pause, requireIntervals } from "./intervals.js";
import type { IntervalOptions } from "./intervals.js";
import { AggregateReader } from "./reader.js";
import type { ReadOptions, RowsOf } from "./reader.js";
import { EventQueue } from "./queue.js";
import { observeOptions, requireOptions } from "./requests.js";
import type { ScriptProbe } from "./probe.js";
import { eventDecoders } from "./decoders.js";

/** Whom to observe, and for how long; all processes until the end unless said. */
export interface ObserveOptions extends Pick<
  Partial<ArmRequest>,
  | "pids"
  | "tid"
  | "uid"
  | "cgroup"
  | "children"
  | "command"
  | "includeSelf"
  | "textLimit"
  | "bufferPages"
  | "budgetPercent"
  | "force"
  | "verbose"
> {
  /** Ends the observation after this time. */
  readonly seconds?: number;
  /** Ends the observation when it is aborted. */
  readonly signal?: AbortSignal;
}

/** What one probe has seen and lost until now. */
export interface ProbeStatistics {
  /** `LIBRARY:FUNCTION`, as it was given. */
  readonly target: string;
  /** The probe's name, where several are observed. */
  readonly name: string | undefined;
  /** Hits in the processes that are observed. */
  readonly hits: bigint;
  /** Events that found the ring buffer full. */
  readonly lost: bigint;
  /** Values that could not be read, and hits that ended for it. */
  readonly faulted: bigint;
  /** Places that were left out: `armed` names them. */
  readonly skipped: number;
}

/** What is armed. */
export interface Armed {
  /** Places that are armed. */
  readonly places: number;
  /** Files that hold them. */
  readonly files: number;
  /** Places that were left out, and why. */
  readonly skipped: readonly SkippedPlace[];
  /** What a person should know about the targets. */
  readonly notes: readonly string[];
}

/**
 * Probes that run. Iterating gives their events in the order of their times; leaving the loop disarms them. When it has ended, nothing
 * of it is left in the kernel; what it has seen and lost and what its aggregates held can be read until it is disposed.
 */
export interface Observation<Event> extends AsyncIterable<Event>, AsyncDisposable {
  /** Fulfilled when all is armed; rejected, as iterating is, when it cannot be. */
  readonly armed: Promise<Armed>;
  /** Fulfilled when the observation has ended, with the reason. */
  readonly ended: Promise<Ending>;
  /** What an aggregate holds now: rows, largest first; without a key one row. */
  read<Source extends Aggregate>(aggregate: Source, options?: ReadOptions): Promise<RowsOf<Source>>;
  /**
   * What was added in each interval, until the observation ends; the last may be shorter. Leaving the loop ends the observation,
   * unless its events or other intervals are being looked at.
   */
  intervals<Source extends Aggregate>(
    aggregate: Source,
    options: IntervalOptions,
  ): AsyncIterable<RowsOf<Source>>;
  /** Additions that an aggregate had no room for. */
  dropped(aggregate: Aggregate): Promise<bigint>;
  /** One row per probe. */
  statistics(): Promise<readonly ProbeStatistics[]>;
  /** What was lost besides events: late ones, names, returns without an entry, additions without room. */
  losses(): Promise<Losses>;
  /** Why a probe may have seen nothing, one sentence each. */
  explainSilence(probe: number): Promise<readonly string[]>;
  /** Ends the observation: probes are gone when it is fulfilled, events and aggregates can still be read. */
  stop(): Promise<void>;
}

/** Several probes by name: each event says whose it is. */
export type NamedProbes = Readonly<Record<string, ScriptProbe>>;

type EventOfProbe<Probe> = Probe extends ScriptProbe<infer Event> ? Event : never;

/** An event with the name of its probe. */
export type NamedEvent<Probes extends NamedProbes> = {
  [Name in keyof Probes & string]: { readonly name: Name; readonly event: EventOfProbe<Probes[Name]> };
}[keyof Probes & string];

/** Arms probes and runs them. Never throws: what is wrong rejects `armed`, and iterating. */
export function observe<Event>(probe: ScriptProbe<Event>, options?: ObserveOptions): Observation<Event>;
export function observe<const Probes extends NamedProbes>(
  probes: Probes,
  options?: ObserveOptions,
): Observation<NamedEvent<Probes>>;
export function observe(
  asked: ScriptProbe | NamedProbes,
  options: ObserveOptions = {},
): Observation<unknown> {
  return new RunningObservation(isProbe(asked) ? [[undefined, asked]] : Object.entries(asked ?? {}), options);
}

function isProbe(asked: unknown): asked is ScriptProbe {
  return typeof asked === "object" && asked !== null && "work" in asked && "target" in asked;
}

/** Probes with their names, if they have any. */
type NamedList = readonly (readonly [string | undefined, ScriptProbe])[];

class RunningObservation implements Observation<unknown> {
  readonly armed: Promise<Armed>;
  readonly ended: Promise<Ending>;
  readonly #probes: NamedList;
  readonly #trace: Promise<Trace>;
  readonly #queue: EventQueue<unknown>;
  readonly #stop = new AbortController();
  /** Loops over events and intervals that have begun and were not left. */
  #readers = 0;
  #isDisposed = false;

  constructor(probes: NamedList, options: ObserveOptions) {
    this.#probes = probes;
    this.#queue = new EventQueue(() => this.stop());
    this.#trace = armProbes(probes, options);
    this.armed = this.#trace.then(presentArmed);
    this.ended = this.#trace.then((trace) => this.#run(trace, options));
    // Why: whoever iterates, reads or waits hears of it there; a rejection that nobody waits for would end the process.
    for (const promise of [this.#trace, this.armed, this.ended]) promise.catch(() => {});
    this.ended.then(
      () => this.#queue.end(),
      (error: unknown) => this.#queue.end({ error }),
    );
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    // Why never less: leaving that loop ends the observation itself.
    this.#readers++;
    return this.#queue;
  }

  async read<Source extends Aggregate>(
    aggregate: Source,
    options: ReadOptions = {},
  ): Promise<RowsOf<Source>> {
    return await (await this.#reader(aggregate)).rows(options);
  }

  async *intervals<Source extends Aggregate>(
    aggregate: Source,
    options: IntervalOptions,
  ): AsyncGenerator<RowsOf<Source>> {
    this.#readers++;
    try {
      requireIntervals(options);
      // Why now: what is not known, or disposed, is so from the beginning.
      await this.dropped(aggregate);
      const reader = await this.#reader(aggregate);
      const over = new AbortController();
      const end = this.ended.finally(() => over.abort());
      // Why: the consumer hears of it below.
      end.catch(() => {});
      // Why decided before reading: what ends while the consumer looks at a part still has another one.
      let isLast = false;
      for (let number = 1; !isLast; number++) {
        await pause(options.seconds * 1000, over.signal);
        // Why before reading: what is added until the probes are gone belongs to the last interval.
        if (options.times !== undefined && number >= options.times) await this.stop();
        isLast = over.signal.aborted;
        if (this.#isDisposed) return;
        yield await reader.added(options);
      }
      await end;
    } finally {
      // Why: whoever leaves the only loop may have no other handle on what is armed.
      if (--this.#readers === 0) await this.stop();
    }
  }

  async dropped(aggregate: Aggregate): Promise<bigint> {
    return (await this.#trace).dropped(aggregate);
  }

  async statistics(): Promise<readonly ProbeStatistics[]> {
    const trace = await this.#trace;
    const counters = trace.counters();
    return this.#probes.map(([name, { target }], number) => {
      const { hits, lost, faults } = counters[number]!;
      const skipped = trace.skipped.filter(({ probe }) => probe === number).length;
      return { target, name, hits, lost, faulted: faults, skipped };
    });
  }

  async losses(): Promise<Losses> {
    return (await this.#trace).losses();
  }

  async explainSilence(probe: number): Promise<readonly string[]> {
    return (await this.#trace).explainSilence(probe);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#isDisposed = true;
    await (await this.#trace.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  async #reader<Source extends Aggregate>(aggregate: Source): Promise<AggregateReader<Source>> {
    return new AggregateReader(aggregate, await this.#trace);
  }

  async #run(trace: Trace, { seconds, signal, verbose }: ObserveOptions): Promise<Ending> {
    const stop = this.#stop.signal;
    const limits = [stop, ...(signal === undefined ? [] : [signal])];
    const timeout = new AbortController();
    if (seconds !== undefined) limits.push(timeout.signal);
    using _alarm = seconds === undefined ? undefined : setAlarm(seconds * 1000, () => timeout.abort());
    const host = findHost();
    if (host !== undefined) limits.push(host.stop);
    host?.say(`${verbose === true ? printVerbose(trace) : ""}${printArmed(trace)}`);
    const decode = eventDecoders(
      trace,
      this.#probes.map(([name]) => name),
    );
    const ending = await trace.run({
      signal: AbortSignal.any(limits),
      isReady: () => !this.#queue.isFull,
      onEvent: (record: EventRecord) => this.#queue.push(decode(siteOf(record), record)),
      onLateFile: (file) => host?.say(printLateFile(file)),
    });
    host?.say(printEnding(trace, ending));
    return ending;
  }
}

async function armProbes(probes: NamedList, options: ObserveOptions): Promise<Trace> {
  requireOptions(options, observeOptions, "observe");
  if (probes.length === 0)
    throw new UsageError({ what: "nothing to observe", at: "observe", fix: "give at least one probe" });
  const strange = probes.find(([, probe]) => !isProbe(probe));
  if (strange !== undefined)
    throw new UsageError({
      what: `"${strange[0] ?? ""}" is no probe`,
      at: "observe",
      fix: "make it with uprobe(), uretprobe(), usdt() or span()",
    });
  const { seconds, signal: _signal, ...request } = options;
  if (seconds !== undefined && !(seconds > 0))
    throw new UsageError({ what: `${seconds} seconds are no time`, at: "observe", fix: "give more than 0" });
  return arm({ ...request, probes: probes.map(([, probe]) => probe) });
}

function presentArmed({ armed, skipped, notes }: Trace): Armed {
  return { places: armed.places, files: armed.files, skipped, notes };
}
