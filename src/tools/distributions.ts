/**
 * Owns distributions as text in the form of BCC's argdist, and as JSON: the time, then each one's counts or histogram.
 * Does not own when they are read (args.ts) nor how a histogram is drawn (histogram.ts).
 */
import { escapeControls } from "../base/text.js";
import type { CountRow, Distribution, HistogramRow, KeyValue } from "../index.js";
import { printJsonLine } from "./cells.js";
import { printClock } from "./clock.js";
import { printRows } from "./rows.js";

/** What was found of one distribution. A count without values has one row, whose key is left out. */
export type Found =
  | { readonly kind: "count"; readonly of: Distribution; readonly rows: readonly Counted[] }
  | {
      readonly kind: "histogram";
      readonly of: Distribution;
      readonly row: Omit<HistogramRow<undefined>, "key">;
    };

type Counted = Omit<CountRow<unknown>, "key"> & { readonly key?: readonly KeyValue[] };

/** Says whether nothing was counted. */
export function isEmpty(found: Found): boolean {
  return found.kind === "count" ? found.rows.every(({ count }) => count === 0) : found.row.count === 0;
}

/** The time, and what was found of each: the `top` largest counts, the largest last. */
export function printDistributions(found: readonly Found[], top: number | undefined): string {
  return [`[${printClock()}]\n`, ...found.map((one) => printOne(one, top))].join("");
}

function printOne(found: Found, top: number | undefined): string {
  const { label, text, values } = found.of;
  const title = `${escapeControls(label ?? text)}\n`;
  if (found.kind === "histogram") {
    const unit = values[0]?.shown === "duration" ? { unit: "ns" } : {};
    return `${title}${found.row.count === 0 ? "no values\n" : printRows([{ ...found.row, ...unit }])}`;
  }
  const lines = sorted(found, top).map(({ count, event }) => `\t${String(count).padEnd(10)} ${event}\n`);
  return `${title}\tCOUNT      EVENT\n${lines.join("")}`;
}

/** A row of a count with its text. */
interface Line {
  readonly count: number;
  readonly key: readonly KeyValue[];
  readonly event: string;
}

/** Of equal counts in the order of their texts. */
function sorted({ of, rows }: Extract<Found, { kind: "count" }>, top: number | undefined): readonly Line[] {
  const lines = rows
    .filter(({ count }) => count > 0)
    .map(({ count, key = [] }) => ({ count, key, event: printEvent(of, key) }))
    .sort((one, other) => one.count - other.count || compareTexts(one.event, other.event));
  return top === undefined ? lines : lines.slice(-top);
}

function printEvent({ values }: Distribution, key: readonly KeyValue[]): string {
  if (values.length === 0) return "total calls";
  return values
    .map((value, index) => `${value.name} = ${escapeControls(String(shownPart(value, key[index]!)))}`)
    .join(", ");
}

/** Why only those: other numbers mean more in tens. */
function shownPart({ shown }: Distribution["values"][number], value: KeyValue): KeyValue {
  return shown === "address" ? `0x${value.toString(16)}` : value;
}

/** By code units, so that it is the same in every language. */
function compareTexts(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

/** One object a line for each distribution. */
export function printDistributionsAsJson(found: readonly Found[], top: number | undefined): string {
  const unix_time = Date.now() / 1000;
  return found
    .map((one) => {
      const { text: spec, label } = one.of;
      return printJsonLine({ unix_time, spec, label, ...jsonOf(one, top) });
    })
    .join("");
}

function jsonOf(found: Found, top: number | undefined): object {
  const { values } = found.of;
  if (found.kind === "histogram") {
    const [value] = values;
    return { value: value?.name, unit: value?.shown === "duration" ? "ns" : undefined, ...found.row };
  }
  const rows = sorted(found, top).map(({ count, key }) => ({
    values: Object.fromEntries(values.map((value, index) => [value.name, shownPart(value, key[index]!)])),
    count,
  }));
  return { rows };
}
