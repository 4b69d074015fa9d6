/**
 * Owns rows of named values as columns: a table at once, or a stream whose columns widen as it goes on while what is printed
 * stays. Does not own what a value looks like (cells.ts), where its column stands (table.ts), nor where lines go.
 */
import { escapeControls } from "../base/text.js";
import { flatten, isPlainObject, printCell } from "./cells.js";
import type { FlatRow, PlainObject } from "./cells.js";
import { drawHistogram, printDuration } from "./histogram.js";
import type { Bucket } from "./histogram.js";
import { layOut } from "./table.js";
import type { ColumnForm } from "./table.js";

/** Prints rows as one table with its header; a row with `buckets` as a histogram below the row's other values. */
export function printRows(rows: readonly PlainObject[]): string {
  if (rows.length === 0) return "no rows\n";
  if (rows.some(isHistogram)) return rows.map((row) => printRow(row)).join("\n");
  const columns = new Columns();
  return columns.print(rows.map((row) => flatten(row)));
}

/** Prints values one after another as they come: objects in columns, lists of objects as tables, text as it is. */
export class ValueStream {
  #columns = new Columns(roomy);
  #rows: FlatRow[] = [];
  #text = "";
  #last: "line" | "block" = "line";
  #isFirst = true;

  /** Takes a value; how wide its columns are is decided when the text is taken. */
  add(value: unknown): void {
    if (value === undefined) return;
    if (isPlainObject(value) && !isHistogram(value)) {
      this.#separate("line");
      this.#rows.push(flatten(value));
      return;
    }
    this.#printRows();
    const isBlock = isPlainObject(value) || isTable(value);
    this.#separate(isBlock ? "block" : "line");
    if (isBlock) this.#columns = new Columns(roomy);
    this.#text += isPlainObject(value)
      ? printRow(value)
      : isTable(value)
        ? printRows(value)
        : printLine(value);
  }

  /** The text of all values since the last time. */
  take(): string {
    this.#printRows();
    const text = this.#text;
    this.#text = "";
    return text;
  }

  #printRows(): void {
    if (this.#rows.length === 0) return;
    this.#text += this.#columns.print(this.#rows);
    this.#rows = [];
  }

  /** A block stands between blank lines, lines follow each other. */
  #separate(next: "line" | "block"): void {
    if (!this.#isFirst && (next === "block" || this.#last === "block")) this.#text += "\n";
    this.#last = next;
    this.#isFirst = false;
  }
}

type HistogramRow = PlainObject & { readonly buckets: readonly Bucket[] };

function isHistogram(row: PlainObject): row is HistogramRow {
  const { buckets } = row;
  return (
    Array.isArray(buckets) &&
    buckets.every(
      (bucket) => isPlainObject(bucket) && "from" in bucket && "to" in bucket && "count" in bucket,
    )
  );
}

function isTable(value: unknown): value is readonly PlainObject[] {
  return Array.isArray(value) && value.every((row) => isPlainObject(row));
}

/** One row apart from others: its histogram, headed by its other values, and with its average, sum and count below. */
function printRow(row: PlainObject): string {
  if (!isHistogram(row)) return printRows([row]);
  const { buckets, unit, average, sum, count, ...others } = row;
  const kind = unit === "ns" ? "ns" : "none";
  const print = (value: unknown): string =>
    kind === "ns" && (typeof value === "number" || typeof value === "bigint")
      ? printDuration(Number(value))
      : printCell(value);
  const heading = [...flatten(others).cells].filter(([, { text }]) => text !== "");
  const ending = [`average ${print(average)}`, `total ${print(sum)}`, `count ${printCell(count)}`];
  const known = ending.filter((_, index) => [average, sum, count][index] !== undefined).join("  ");
  return [
    heading.length === 0
      ? ""
      : `${heading.map(([name, { text }]) => `${escapeControls(name)}=${text}`).join(" ")}\n`,
    drawHistogram(buckets, kind),
    known === "" ? "" : `${known}\n`,
  ].join("");
}

/** Text keeps its own line ends; other control bytes never reach the terminal. */
function printLine(value: unknown): string {
  if (typeof value !== "string")
    return `${Array.isArray(value) ? value.map((item) => printCell(item)).join(" ") : printCell(value)}\n`;
  const shown = value
    .split(/([\n\t])/)
    .map((piece, index) => (index % 2 === 1 ? piece : escapeControls(piece)));
  return `${shown.join("").replace(/\n$/, "")}\n`;
}

interface Column extends ColumnForm {
  readonly name: string;
  readonly title: string;
  width: number;
}

/** Characters that a text column grows to by itself; longer text pushes the rest of its line away. */
const widest = 40;

/** Least widths where the rows to come are not known. */
const roomy = { number: 7, text: 12 };

class Columns {
  readonly #least: { readonly number: number; readonly text: number };
  #columns: Column[] = [];

  constructor(least = { number: 0, text: 0 }) {
    this.#least = least;
  }

  /** Prints rows, with a header before them when they have names that were not there before. */
  print(rows: readonly FlatRow[]): string {
    const known = new Set(this.#columns.map(({ name }) => name));
    const fresh = [...new Set(rows.flatMap(({ cells }) => [...cells.keys()]))].filter(
      (name) => !known.has(name),
    );
    const isFirst = this.#columns.length === 0;
    for (const name of fresh) this.#columns.push(this.#open(name, rows));
    for (const column of this.#columns)
      for (const { cells } of rows)
        column.width = Math.max(column.width, widthOf(column, cells.get(column.name)?.text));
    const header = fresh.length === 0 ? "" : `${isFirst ? "" : "\n"}${this.#header()}`;
    return `${header}${rows.map((row) => this.#line(row)).join("")}`;
  }

  #open(name: string, rows: readonly FlatRow[]): Column {
    const cells = rows.flatMap(({ cells }) => cells.get(name) ?? []);
    const isNumber = cells.every(({ isNumber }) => isNumber);
    const title = escapeControls(name).toUpperCase();
    return {
      name,
      title,
      isNumber,
      width: Math.max(title.length, this.#least[isNumber ? "number" : "text"]),
    };
  }

  #header(): string {
    return layOut(
      this.#columns,
      this.#columns.map(({ title }) => title),
    );
  }

  #line({ cells, below }: FlatRow): string {
    const line = layOut(
      this.#columns,
      this.#columns.map(({ name }) => cells.get(name)?.text ?? ""),
    );
    return below.length === 0 ? line : `${line}${below.map((frame) => `        ${frame}\n`).join("")}\n`;
  }
}

function widthOf({ isNumber }: Column, text = ""): number {
  return isNumber || text.length <= widest ? text.length : 0;
}
