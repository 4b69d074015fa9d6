/**
 * Owns `uscope latency`: how long functions take, as histograms and as a table. docs/latency.md is the contract.
 * Does not own the options' spelling (cli/) nor drawing (histogram.ts).
 */
import { histogram, observe, span, summary } from "../index.js";
import type { HistogramRow, Observation, SummaryRow } from "../index.js";
import { drawHistogram, percentile, printDuration } from "./histogram.js";
import { printTable } from "./table.js";
import { printTables } from "./tables.js";
import type { Named, TableForm, TablesRequest } from "./tables.js";
import { Watching, inStep, printName } from "./watching.js";

export interface LatencyRequest extends TablesRequest {
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
  return await printTables({
    request,
    watching,
    observation,
    gathered: {
      all: () => Promise.all(gathered.map((one) => readAll(one, observation))),
      intervals: (seconds) => gathered.map((one) => addedTo(one, observation, seconds)),
    },
    form: new Report(request),
  });
}

/** What is gathered for a pattern. */
interface Gathered {
  readonly times: ReturnType<typeof histogram<"function">>;
  /** How many nanoseconds the values of `times` count, and what was lost by that. */
  readonly exact:
    | { readonly sums: ReturnType<typeof summary<"function">>; readonly unit: number }
    | undefined;
}

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
  const exact = { sums: summary({ key: "function" }), unit: nanosecondsOf[unit] };
  const probe = span(pattern, {
    exit: (p, { times, sums, unit }) => {
      times.add(p.function, p.durationNs / unit);
      sums.add(p.function, p.durationNs);
    },
    using: { times, ...exact },
  });
  return { probe, times, exact };
}

/** The calls of a function. */
interface Timed {
  readonly key: string;
  readonly count: number;
  /** In nanoseconds. */
  readonly total: number;
  readonly average: number;
  readonly buckets: HistogramRow<string>["buckets"];
}

async function readAll(
  { times, exact }: Gathered,
  observation: Observation<unknown>,
): Promise<readonly Timed[]> {
  if (exact === undefined) return (await observation.read(times)).map((row) => timedOf(row, row));
  const rows = await Promise.all([observation.read(times), observation.read(exact.sums)]);
  return join(...rows, exact.unit);
}

async function* addedTo(
  { times, exact }: Gathered,
  observation: Observation<unknown>,
  seconds: number,
): AsyncGenerator<readonly Timed[]> {
  if (exact === undefined) {
    for await (const rows of observation.intervals(times, { seconds }))
      yield rows.map((row) => timedOf(row, row));
    return;
  }
  const sources = [times, exact.sums].map((source) =>
    observation.intervals<typeof times | typeof exact.sums>(source, { seconds }),
  );
  for await (const [rows = [], sums = []] of inStep(sources))
    yield join(rows as readonly HistogramRow<string>[], sums as readonly SummaryRow<string>[], exact.unit);
}

function timedOf(
  { key, count, buckets }: HistogramRow<string>,
  { sum, average }: Pick<HistogramRow<string>, "sum" | "average">,
): Timed {
  const shown = buckets.map(({ from, to, count }) => ({ from: Math.max(0, from), to, count }));
  return { key, count, total: Number(sum), average, buckets: shown };
}

/**
 * Joins the buckets of functions with their exact sums. Of several functions of one name the sum is that which the buckets' own,
 * where each value is less than a unit short, can be; the two are read one after the other, so that there may be none yet.
 */
function join(
  rows: readonly HistogramRow<string>[],
  sums: readonly SummaryRow<string>[],
  unit: number,
): readonly Timed[] {
  const left = new Map<string, SummaryRow<string>[]>();
  for (const row of sums) left.set(row.key, [...(left.get(row.key) ?? []), row]);
  return rows.map((row) => {
    const others = left.get(row.key) ?? [];
    const least = Number(row.sum) * unit;
    const place = others.findIndex(
      ({ count, sum }) => count === row.count && Number(sum) >= least && Number(sum) < least + count * unit,
    );
    const [exact] = others.splice(Math.max(0, place), 1);
    return timedOf(row, exact ?? { sum: row.sum * BigInt(unit), average: row.average * unit });
  });
}

/** The calls of one function, or of all together. */
type Calls = Omit<Named<Timed>, "key" | "pattern"> & { readonly pattern: string | undefined };

/** How what was timed is shown. */
class Report implements TableForm<Timed, Calls> {
  readonly draw = undefined;
  readonly #request: LatencyRequest;

  constructor(request: LatencyRequest) {
    this.#request = request;
  }

  /** In the order of their total times, the largest last. */
  arrange(rows: readonly Named<Timed>[]): readonly Calls[] {
    const sorted = rows.toSorted((left, right) => left.total - right.total);
    return this.#request.detail === "all" && sorted.length > 1 ? [mergeCalls(sorted)] : sorted;
  }

  print(calls: readonly Calls[]): string {
    if (calls.length === 0) return "no call returned\n";
    const { detail, top } = this.#request;
    const drawn = detail === "each" ? calls : calls.slice(-top);
    const parts = drawn.map((one) => this.#draw(one));
    if (calls.length > 1) parts.push(this.#table(calls));
    return parts.join("\n");
  }

  #draw(calls: Calls): string {
    const { unit } = this.#request;
    const { name, count, total, average, buckets } = calls;
    const heading = `${printName(name)}${unit === "ns" ? "" : ` (${unit === "us" ? "usecs" : "msecs"})`}`;
    const sums = `average ${printDuration(average)}  total ${printDuration(total)}  count ${count}`;
    return `${heading}\n${drawHistogram(buckets, unit === "ns" ? "ns" : "none")}${sums}\n`;
  }

  #table(calls: readonly Calls[]): string {
    const rows = calls.map((one) => {
      const shares = [0.5, 0.9, 0.99].map((share) => printDuration(this.#percentile(one, share)));
      const { name, count, total, average } = one;
      return [printName(name), String(count), printDuration(average), ...shares, printDuration(total)];
    });
    return printTable([["FUNC", "COUNT", "AVERAGE", "P50", "P90", "P99", "TOTAL"], ...rows]);
  }

  #percentile({ buckets }: Calls, share: number): number {
    return (percentile(buckets, share) ?? 0) * nanosecondsOf[this.#request.unit];
  }

  objects(calls: readonly Calls[], when: object): readonly object[] {
    const { unit } = this.#request;
    return calls.map(({ pattern, name, count, total, average, buckets }) => ({
      function: name,
      count,
      total_ns: total,
      average_ns: average,
      unit,
      ...Object.fromEntries([50, 90, 99].map((share) => [`p${share}`, percentile(buckets, share / 100)])),
      buckets,
      ...(pattern === undefined ? {} : { pattern }),
      ...when,
    }));
  }
}

/** All calls as those of one function. */
function mergeCalls(calls: readonly Calls[]): Calls {
  const counts = new Map<number, HistogramRow<string>["buckets"][number]>();
  for (const { from, to, count } of calls.flatMap(({ buckets }) => buckets))
    counts.set(from, { from, to, count: count + (counts.get(from)?.count ?? 0) });
  const count = calls.reduce((sum, { count }) => sum + count, 0);
  const total = calls.reduce((sum, { total }) => sum + total, 0);
  return {
    pattern: undefined,
    name: `${calls.length} functions`,
    count,
    total,
    average: total / count,
    buckets: [...counts.values()].sort((left, right) => left.from - right.from),
  };
}
