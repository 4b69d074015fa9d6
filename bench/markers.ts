/**
 * Owns the question what a hit of a marker costs: one at a nop of one byte, as sys/sdt.h makes them, counted; beside bpftrace's count.
 * Does not own other places (cost.ts, gathered.ts).
 */
import { counter, usdt } from "../src/index.js";
import { gather } from "./gathered.js";
import type { Gathering } from "./gathered.js";
import { findPeers, gatherByBpftrace } from "./peers.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Row, Section } from "./table.js";
import { callTraced, emptyProgram } from "./traced.js";
import type { Workplace } from "./workplace.js";

const rounds = 15;
const calls = 300_000;

/** Measures function h, which passes marker loop:hit. */
export async function measureMarkers(workplace: Workplace): Promise<Section> {
  const { bpftrace } = findPeers();
  const peer = `usdt:${workplace.loop}:loop:hit { @ = count(); }`;
  const measured = await interleave<string>(rounds, {
    untraced: () => workplace.call("h", calls),
    empty: () => callTraced(workplace, emptyProgram, calls, "h"),
    count: () => gather(workplace, countHits(workplace), "h"),
    ...(bpftrace ? { bpftrace: () => gatherByBpftrace(workplace, peer, calls, "h") } : {}),
  });
  const nanoseconds = (name: string, digits = 0): string =>
    `${medianOf(measured[name]!).toFixed(digits)} ns/call`;
  const count = measured["count"]!;
  const theirs = measured["bpftrace"];
  return {
    title: "Markers",
    rows: [
      { what: "untraced", measured: nanoseconds("untraced", 1) },
      { what: "empty program", measured: nanoseconds("empty") },
      {
        what: "count of hits",
        measured: nanoseconds("count"),
        ratio: { value: ratioOf(count, measured["empty"]!), of: "empty" },
      },
      theirs === undefined ? missingPeer : besidePeer(nanoseconds("bpftrace"), ratioOf(count, theirs)),
    ],
    notes: [
      `loop.c, function h (marker loop:hit at a nop of one byte), ${calls.toLocaleString("en")} calls, every hit counted; medians of ${rounds} interleaved rounds, ratios within a round`,
    ],
  };
}

function countHits(workplace: Workplace): Gathering {
  const aggregate = counter();
  const probe = usdt(`${workplace.loop}:loop:hit`, (_, { aggregate }) => aggregate.add(), {
    using: { aggregate },
  });
  return { probe, aggregate };
}

const missingPeer: Row = { what: "  bpftrace, the same", measured: "not installed" };

function besidePeer(measured: string, value: number): Row {
  return {
    what: "  bpftrace, the same; uscope against it",
    measured,
    ratio: { value, of: "bpftrace" },
    bar: atMost(1.05, value),
  };
}
