/**
 * Owns a histogram as lines of text: ranges, counts, bars, and estimates of percentiles. Pure functions of its buckets.
 * Does not own where buckets come from.
 */

/** How often a value from `from` on, below `to`, was seen. Both ends may be infinite. */
export interface Bucket {
  readonly from: number | bigint;
  readonly to: number | bigint;
  readonly count: number | bigint;
}

/** What the values are: nanoseconds become us, ms, s; others K, M, G: of 1024 where the buckets are powers of two. */
export type HistogramUnit = "ns" | "none";

const barWidth = 40;
/** Rows that are put in for ranges that nothing fell into; of a wider hole one row tells. */
const mostEmpty = 70;

/**
 * Draws the rows from the first to the last that count something, and a line of percentiles:
 *
 *     [1K, 2K)      2 |@@@@@@@@@@@@@                           |
 *     [2K, 4K)      6 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
 *     p50 ~2.7K  p90 ~3.7K  p99 ~4K
 */
export function drawHistogram(buckets: readonly Bucket[], unit: HistogramUnit = "none"): string {
  const rows = filledRows(buckets);
  if (rows.length === 0) return "no values\n";
  const print = printerOf(rows, unit);
  const labels = rows.map((row) => labelOf(row, print));
  const counts = rows.map(({ count }) => String(count));
  const labelWidth = Math.max(...labels.map((label) => label.length));
  const countWidth = Math.max(...counts.map((count) => count.length));
  const most = Math.max(...rows.map(({ count }) => Number(count)));
  const lines = rows.map(({ count }, index) => {
    const bar = "@".repeat(barLength(Number(count), most)).padEnd(barWidth);
    return `${labels[index]!.padEnd(labelWidth)} ${counts[index]!.padStart(countWidth)} |${bar}|\n`;
  });
  const shares = [50, 90, 99].map((share) => {
    const { value, sign } = estimate(rows, share / 100);
    return `p${share} ${sign}${print(value)}`;
  });
  return `${lines.join("")}${shares.join("  ")}\n`;
}

/**
 * Estimates the value that this share (0 to 1) of the values do not exceed, as if they lay evenly in their bucket; of a bucket
 * without an end, its finite end. undefined without values.
 */
export function percentile(buckets: readonly Bucket[], share: number): number | undefined {
  const rows = filledRows(buckets);
  return rows.length === 0 ? undefined : estimate(rows, share).value;
}

/**
 * Prints nanoseconds in the unit that leaves one to three digits before the point, with two digits that count at least: 850ns, 1.2us,
 * 34ms, 5s; or with three, for those who compare: 850ns, 1.20us, 34.0ms, 5.00s.
 */
export function printDuration(
  nanoseconds: number,
  { digits }: { readonly digits: 2 | 3 } = { digits: 2 },
): string {
  return scaled(nanoseconds, 1000, ["ns", "us", "ms", "s"], digits);
}

/** Prints a number with K, M, G, T, P or E for each factor of 1024 or 1000. */
export function printQuantity(value: number, factor: 1000 | 1024): string {
  return scaled(value, factor, ["", "K", "M", "G", "T", "P", "E"]);
}

function scaled(value: number, factor: number, units: readonly string[], digits: 2 | 3 = 2): string {
  const places = (rest: number): number => Math.max(0, digits - (rest < 10 ? 1 : rest < 100 ? 2 : 3));
  let rest = Math.abs(value);
  let step = 0;
  // Why not 1: what rounding would make 1000 or 1024 belongs to the next unit.
  while (step < units.length - 1 && Number(rest.toFixed(places(rest))) >= factor) {
    rest /= factor;
    step++;
  }
  const isWhole = Number.isInteger(rest) && (digits === 2 || step === 0);
  const text = isWhole ? rest.toFixed(0) : rest.toFixed(places(rest));
  return `${value < 0 ? "-" : ""}${digits === 2 ? text.replace(/\.0$/, "") : text}${units[step]!}`;
}

/** In order, without empty rows at both ends, with empty rows where ranges are left out. */
function filledRows(buckets: readonly Bucket[]): readonly Bucket[] {
  const rows = buckets
    .filter(({ count }) => Number(count) > 0)
    .sort((left, right) => Number(left.from) - Number(right.from));
  const isLog2 = rows.some(isDoubling) && rows.every((row) => isDoubling(row) || Number(row.to) <= 2);
  return rows.flatMap((row, index) => {
    const previous = rows[index - 1];
    return previous === undefined ? [row] : [...gap(previous, row, isLog2), row];
  });
}

function gap(previous: Bucket, next: Bucket, isLog2: boolean): readonly Bucket[] {
  const end = Number(next.from);
  let from = Number(previous.to);
  if (!(from < end)) return [];
  const finite = Number.isFinite(Number(previous.from)) ? previous : next;
  const width = Number(finite.to) - Number(finite.from);
  const empty: Bucket[] = [];
  while (from < end && empty.length < mostEmpty) {
    const to = Math.min(end, isLog2 ? Math.max(1, from * 2) : from + width);
    if (!(to > from)) break;
    empty.push({ from, to, count: 0 });
    from = to;
  }
  return from < end ? [{ from: Number(previous.to), to: end, count: 0 }] : empty;
}

function isDoubling({ from, to }: Bucket): boolean {
  return Number(from) >= 1 && Number(to) === 2 * Number(from);
}

type NumberPrinter = (value: number) => string;

function printerOf(rows: readonly Bucket[], unit: HistogramUnit): NumberPrinter {
  if (unit === "ns") return printDuration;
  if (rows.some((row) => isDoubling(row) && Number(row.from) >= 1024))
    return (value) => printQuantity(value, 1024);
  const ends = rows.flatMap(({ from, to }) => [Number(from), Number(to)]);
  // Why: ends of steps are exact; K is for those that stay so.
  const short = ends.every((end) => !Number.isFinite(end) || end % 1000 === 0);
  return (value) =>
    short
      ? printQuantity(value, 1000)
      : String(Math.abs(value) < 10 ? Number(value.toFixed(1)) : Math.round(value));
}

function labelOf({ from, to }: Bucket, print: NumberPrinter): string {
  if (Number(from) === -Infinity) return `(..., ${print(Number(to))})`;
  if (Number(to) === Infinity) return `[${print(Number(from))}, ...)`;
  return Number(to) - Number(from) === 1
    ? `[${print(Number(from))}]`
    : `[${print(Number(from))}, ${print(Number(to))})`;
}

/** Whatever counts at all shows. */
function barLength(count: number, most: number): number {
  return count === 0 ? 0 : Math.max(1, Math.round((count / most) * barWidth));
}

/** The sign says how sure the value is: `=` in a bucket of one value, `<` and `>=` in one without an end, else `~`. */
function estimate(
  rows: readonly Bucket[],
  share: number,
): { readonly value: number; readonly sign: "=" | "~" | "<" | ">=" } {
  const total = rows.reduce((sum, { count }) => sum + Number(count), 0);
  const wanted = Math.max(share * total, Number.MIN_VALUE);
  let below = 0;
  for (const row of rows) {
    const count = Number(row.count);
    if (count > 0 && below + count >= wanted) {
      const from = Number(row.from);
      const to = Number(row.to);
      if (from === -Infinity) return { value: to, sign: "<" };
      if (to === Infinity) return { value: from, sign: ">=" };
      if (to - from === 1) return { value: from, sign: "=" };
      return { value: from + ((to - from) * (wanted - below)) / count, sign: "~" };
    }
    below += count;
  }
  const last = rows.at(-1)!;
  return { value: Number(last.to), sign: "~" };
}
