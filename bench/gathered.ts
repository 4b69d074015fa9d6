/**
 * Owns the question what a hit costs when the kernel gathers: counting, a histogram, a span; beside an empty program and bpftrace.
 * Does not own what it costs to send an event (cost.ts).
 */
import { assert } from "../src/base/assert.js";
import { counter, histogram, observe, span, uprobe } from "../src/index.js";
import type { Counter, Histogram, ScriptProbe } from "../src/index.js";
import { findPeers, gatherByBpftrace } from "./peers.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Row, Section } from "./table.js";
import { callTraced, emptyProgram } from "./traced.js";
import type { Site, Workplace } from "./workplace.js";

const rounds = 9;
const calls = 300_000;
const manyKeys = 1_000_000;

/** Measures site g with aggregates filled at each call. */
export async function measureGathered(workplace: Workplace): Promise<Section> {
  const target = `${workplace.loop}:g`;
  const { bpftrace } = findPeers();
  const peer = (program: string) => () => gatherByBpftrace(workplace, program, calls);
  const place = `uprobe:${target}`;
  const returns = `uretprobe:${target}`;
  const measured = await interleave<string>(rounds, {
    empty: () => callTraced(workplace, emptyProgram, calls),
    count: () => gather(workplace, countCalls(target)),
    histogram: () => gather(workplace, sortArguments(target)),
    span: () => gather(workplace, sortDurations(target)),
    ...(bpftrace
      ? {
          "bpftrace count": peer(`${place} { @ = count(); }`),
          "bpftrace histogram": peer(`${place} { @ = hist(arg0); }`),
          "bpftrace span": peer(
            `${place} { @s[tid] = nsecs; } ${returns} /@s[tid]/ { @ = hist(nsecs - @s[tid]); delete(@s[tid]); }`,
          ),
        }
      : {}),
  });
  const empty = measured["empty"]!;
  const rowsOf = (name: "count" | "histogram" | "span", what: string): Row[] => {
    const own = measured[name]!;
    const row = {
      what,
      measured: `${medianOf(own).toFixed(0)} ns/call`,
      ratio: { value: ratioOf(own, empty), of: "empty" },
    };
    const theirs = measured[`bpftrace ${name}`];
    if (theirs === undefined) return [row, { what: "  bpftrace, the same", measured: "not installed" }];
    const value = ratioOf(own, theirs);
    return [
      row,
      {
        what: "  bpftrace, the same; uscope against it",
        measured: `${medianOf(theirs).toFixed(0)} ns/call`,
        ratio: { value, of: "bpftrace" },
        bar: atMost(1.1, value),
      },
    ];
  };
  return {
    title: "Gathering in the kernel",
    rows: [
      { what: "empty program", measured: `${medianOf(empty).toFixed(0)} ns/call` },
      ...rowsOf("count", "count of calls, without a key"),
      ...rowsOf("histogram", "log2 histogram of an argument"),
      ...rowsOf("span", "log2 histogram of durations, entry to return"),
      await fillWithKeys(workplace, target),
    ],
    notes: [
      `probe functions on g, ${calls.toLocaleString("en")} calls, each gathered exactly; medians of ${rounds} interleaved rounds, ratios within a round`,
    ],
  };
}

export interface Gathering {
  readonly probe: ScriptProbe;
  readonly aggregate: Counter | Histogram;
}

function countCalls(target: string): Gathering {
  const aggregate = counter();
  return {
    probe: uprobe(target, (_, { aggregate }) => aggregate.add(), { using: { aggregate } }),
    aggregate,
  };
}

function sortArguments(target: string): Gathering {
  const aggregate = histogram();
  const probe = uprobe(target, (p, { aggregate }) => aggregate.add(p.i32(0)), { using: { aggregate } });
  return { probe, aggregate };
}

function sortDurations(target: string): Gathering {
  const aggregate = histogram();
  const probe = span(target, {
    exit: (p, { aggregate }) => aggregate.add(p.durationNs),
    using: { aggregate },
  });
  return { probe, aggregate };
}

/** Returns nanoseconds per call; fails when a call is missing. */
export async function gather(
  workplace: Workplace,
  { probe, aggregate }: Gathering,
  site: Site = "g",
): Promise<number> {
  await using observation = observe(probe);
  await observation.armed;
  const cost = await workplace.call(site, calls);
  const { count } = await (aggregate.kind === "counter"
    ? observation.read(aggregate)
    : observation.read(aggregate));
  assert(count === calls, `${calls} calls, ${count} gathered`);
  return cost;
}

/** More keys than there is room for: what is kept and what is dropped are all calls. */
async function fillWithKeys(workplace: Workplace, target: string): Promise<Row> {
  const numbers = counter({ key: "i32", entries: 100_000 });
  const probe = uprobe(target, (p, { numbers }) => numbers.add(p.i32(0)), { using: { numbers } });
  await using observation = observe(probe);
  await observation.armed;
  const cost = await workplace.call("g", manyKeys);
  const kept = (await observation.read(numbers)).reduce((sum, { count }) => sum + count, 0);
  const dropped = Number(await observation.dropped(numbers));
  return {
    what: `${count(manyKeys)} distinct keys, room for 100,000`,
    measured: `${cost.toFixed(0)} ns/call, ${count(kept)} kept, ${count(dropped)} counted as dropped`,
    bar: { text: "all accounted for", held: kept + dropped === manyKeys },
  };
}

function count(number: number): string {
  return number.toLocaleString("en");
}
