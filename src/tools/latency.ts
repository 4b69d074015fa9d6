/**
 * Owns `uscope latency`: how long functions take, as histograms and as a table. docs/latency.md is the contract.
 * Does not own the options' spelling (cli/) nor drawing (histogram.ts).
 */
import { histogram, observe, span, summary } from "../index.js";
import type { HistogramRow, SummaryRow } from "../index.js";
import { printJsonLine } from "./cells.js";
import { drawHistogram, percentile, printDuration } from "./histogram.js";
import { Watching, clockTime, fileOf, inStep, printName, printTable, wholeHeading } from "./watching.js";
import type { WatchRequest } from "./watching.js";

export interface LatencyRequest extends WatchRequest {
  readonly interval: number | undefined;
  readonly timestamps: boolean;
  /** What buckets are powers of two of. */
  readonly unit: "ns" | "us" | "ms";
  /** all: one histogram of all calls; each: of every function; few: of those that took most time, and a table of every one. */
  readonly detail: "all" | "each" | "few";
  /** Histograms at most with "few". */
  readonly top: number;
}

/** Runs until it is stopped or nothing is left to watch; returns the exit code. */
export async function latency(request: LatencyRequest): Promise<number> {
  using watching = new Watching(request);
  const gathered = request.patterns.map((pattern) => timeCalls(pattern, request));
  const probes = Object.fromEntries(gathered.map(({ probe }, index) => [index, probe]));
  await using observation = observe(probes, request.options);
  await watching.begin(observation);
  const report = new Report(request);
  const { interval: seconds } = request;
  const sources = gathered.flatMap(({ times, exact }) => (exact === undefined ? [times] : [times, exact]));
  if (seconds !== undefined) {
    const intervals = sources.map((source) => observation.intervals<Times | Exact>(source, { seconds }));
    for await (const added of inStep(intervals)) await watching.write(report.next(added));
  }
  await observation.ended;
  const all = await Promise.all(sources.map((source) => observation.read<Times | Exact>(source)));
  await watching.write(report.last(all));
  return await watching.finish(observation);
}

type Times = ReturnType<typeof histogram<"function">>;
type Exact = ReturnType<typeof summary<"function">>;

const nanosecondsOf = { ns: 1, us: 1000, ms: 1_000_000 } as const;

function timeCalls(pattern: string, { unit }: LatencyRequest) {
  const times = histogram({ key: "function" });
  if (unit === "ns") {
    const probe = span(pattern, {
      exit: (p, { times }) => {
        times.add(p.function, p.durationNs);
      },
      using: { times },
    });
    return { probe, times, exact: undefined };
  }
  // Why beside: what was divided for the buckets has lost what the average and the total need.
  const exact = summary({ key: "function" });
  const probe = span(pattern, {
    exit: (p, { times, exact, divisor }) => {
      times.add(p.function, p.durationNs / divisor);
      exact.add(p.function, p.durationNs);
    },
    using: { times, exact, divisor: nanosecondsOf[unit] },
  });
  return { probe, times, exact };
}

type Row = HistogramRow<string> | SummaryRow<string>;

/** The calls of one function, or of all together. */
interface Calls {
  readonly pattern: string | undefined;
  readonly name: string;
  readonly count: number;
  /** In nanoseconds. */
  readonly total: number;
  readonly buckets: HistogramRow<string>["buckets"];
}

/** What a run prints, one report after another. */
class Report {
  readonly #request: LatencyRequest;
  readonly #isOfSeveralFiles: boolean;
  /** The pattern that times a function which several patterns mean. */
  readonly #owners = new Map<string, number>();
  #printed = 0;

  constructor(request: LatencyRequest) {
    this.#request = request;
    this.#isOfSeveralFiles = new Set(request.patterns.map(fileOf)).size > 1;
  }

  /** Of an interval. */
  next(added: readonly (readonly Row[])[]): string {
    this.#printed++;
    const calls = this.#join(added);
    if (this.#request.json) return this.#json(calls, this.#printed);
    return `${this.#heading()}${this.#text(calls)}\n`;
  }

  /** Of the whole run. */
  last(all: readonly (readonly Row[])[]): string {
    const calls = this.#join(all);
    if (this.#request.json) return this.#json(calls, undefined);
    return `${this.#printed > 0 ? `${wholeHeading}\n` : this.#heading()}${this.#text(calls)}`;
  }

  /** Functions in the order of their total times, the largest last. */
  #join(tables: readonly (readonly Row[])[]): readonly Calls[] {
    const { patterns, unit, detail } = this.#request;
    const perPattern = tables.length / patterns.length;
    const calls = patterns.flatMap((pattern, index) => {
      const [times = [], exact = []] = tables.slice(index * perPattern, (index + 1) * perPattern);
      const own = times.filter(({ key }) => this.#ownerOf(`${fileOf(pattern)}:${key}`, index) === index);
      const sums = unit === "ns" ? own : inOrderOf(own, exact);
      return own.flatMap((row, place) => {
        if (!("buckets" in row)) return [];
        const { key, count } = row;
        const buckets = row.buckets.map(({ from, to, count }) => ({ from: Math.max(0, from), to, count }));
        const name = this.#isOfSeveralFiles ? `${fileOf(pattern)}:${key}` : key;
        return [{ pattern, name, count, total: Number(sums[place]?.sum ?? 0n), buckets }];
      });
    });
    const sorted = calls.sort((left, right) => left.total - right.total);
    return detail === "all" && sorted.length > 1 ? [mergeCalls(sorted)] : sorted;
  }

  #ownerOf(name: string, index: number): number {
    const owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, index);
    return owner ?? index;
  }

  #heading(): string {
    return this.#request.timestamps ? `${clockTime()}\n` : "";
  }

  #text(calls: readonly Calls[]): string {
    if (calls.length === 0) return "no call returned\n";
    const { detail, top } = this.#request;
    const drawn = detail === "each" ? calls : calls.slice(-top);
    const parts = drawn.map((one) => this.#draw(one));
    if (calls.length > 1) parts.push(this.#table(calls));
    return parts.join("\n");
  }

  #draw(calls: Calls): string {
    const { unit } = this.#request;
    const { name, count, total, buckets } = calls;
    const heading = `${printName(name)}${unit === "ns" ? "" : ` (${unit === "us" ? "usecs" : "msecs"})`}`;
    const sums = `average ${printDuration(total / count)}  total ${printDuration(total)}  count ${count}`;
    return `${heading}\n${drawHistogram(buckets, unit === "ns" ? "ns" : "none")}${sums}\n`;
  }

  #table(calls: readonly Calls[]): string {
    const rows = calls.map((one) => {
      const shares = [0.5, 0.9, 0.99].map((share) => printDuration(this.#percentile(one, share)));
      const { name, count, total } = one;
      return [printName(name), String(count), printDuration(total / count), ...shares, printDuration(total)];
    });
    return printTable([["FUNC", "COUNT", "AVERAGE", "P50", "P90", "P99", "TOTAL"], ...rows]);
  }

  #percentile({ buckets }: Calls, share: number): number {
    return (percentile(buckets, share) ?? 0) * nanosecondsOf[this.#request.unit];
  }

  #json(calls: readonly Calls[], interval: number | undefined): string {
    const when = interval === undefined ? {} : { interval, unix_time: Date.now() / 1000 };
    const { unit } = this.#request;
    const objects = calls.map(({ pattern, name, count, total, buckets }) => ({
      function: name,
      count,
      total_ns: total,
      average_ns: total / count,
      unit,
      ...Object.fromEntries([50, 90, 99].map((share) => [`p${share}`, percentile(buckets, share / 100)])),
      buckets,
      ...(pattern === undefined ? {} : { pattern }),
      ...when,
    }));
    return objects.map((object) => printJsonLine(object)).join("");
  }
}

/** For each row that of others which has the same key; of several the one that comes as late among them. */
function inOrderOf(rows: readonly Row[], others: readonly Row[]): readonly (Row | undefined)[] {
  const left = new Map<string, Row[]>();
  for (const row of others) left.set(row.key, [...(left.get(row.key) ?? []), row]);
  return rows.map(({ key }) => left.get(key)?.shift());
}

/** All calls as those of one function. */
function mergeCalls(calls: readonly Calls[]): Calls {
  const counts = new Map<number, HistogramRow<string>["buckets"][number]>();
  for (const { from, to, count } of calls.flatMap(({ buckets }) => buckets))
    counts.set(from, { from, to, count: count + (counts.get(from)?.count ?? 0) });
  return {
    pattern: undefined,
    name: `${calls.length} functions`,
    count: calls.reduce((sum, { count }) => sum + count, 0),
    total: calls.reduce((sum, { total }) => sum + total, 0),
    buckets: [...counts.values()].sort((left, right) => left.from - right.from),
  };
}
