/**
 * Owns `uscope count`: how often each function was called. docs/count.md is the contract.
 * Does not own the options' spelling (cli/).
 */
import { isatty } from "node:tty";
import { counter, observe, uprobe } from "../index.js";
import type { CountRow } from "../index.js";
import { printJsonLine } from "./cells.js";
import { Watching, clockTime, fileOf, inStep, printTable, wholeHeading } from "./watching.js";
import type { WatchRequest } from "./watching.js";

export interface CountRequest extends WatchRequest {
  readonly interval: number | undefined;
  /** Rows at most, those with the largest counts. */
  readonly top: number | undefined;
  readonly timestamps: boolean;
  /** Calls on this processor only. */
  readonly cpu: number | undefined;
}

/** Runs until it is stopped or nothing is left to watch; returns the exit code. */
export async function count(request: CountRequest): Promise<number> {
  using watching = new Watching(request);
  const counters = request.patterns.map(() => counter({ key: "function" }));
  const probes = request.patterns.map((pattern, index) => countCalls(pattern, counters[index]!, request.cpu));
  await using observation = observe(Object.fromEntries(probes.entries()), request.options);
  await watching.begin(observation);
  const tables = new Tables(request);
  const { interval: seconds } = request;
  if (seconds !== undefined) {
    const intervals = counters.map((counter) => observation.intervals(counter, { seconds }));
    for await (const added of inStep(intervals)) await watching.write(tables.next(added));
  }
  await observation.ended;
  await watching.write(tables.last(await Promise.all(counters.map((counter) => observation.read(counter)))));
  return await watching.finish(observation);
}

type Calls = ReturnType<typeof counter<"function">>;

function countCalls(pattern: string, calls: Calls, cpu: number | undefined) {
  if (cpu === undefined)
    return uprobe(pattern, (p, { calls }) => calls.add(p.function), { using: { calls } });
  return uprobe(
    pattern,
    (p, { calls, cpu }) => {
      if (p.cpu === cpu) calls.add(p.function);
    },
    { using: { calls, cpu } },
  );
}

/** A function with its calls, and the pattern that means it. */
interface Row {
  readonly pattern: string;
  readonly name: string;
  readonly count: number;
}

/** Lines of a terminal that are no rows of the table: heading, header, total, cursor. */
const otherLines = 4;

/** The tables of a run, one after another. */
class Tables {
  readonly #request: CountRequest;
  readonly #isLive: boolean;
  readonly #isOfSeveralFiles: boolean;
  /** The pattern that counts a function which several patterns mean. */
  readonly #owners = new Map<string, number>();
  #printed = 0;

  constructor(request: CountRequest) {
    this.#request = request;
    this.#isLive = request.interval !== undefined && !request.json && isatty(1);
    this.#isOfSeveralFiles = new Set(request.patterns.map(fileOf)).size > 1;
  }

  /** The table of an interval. */
  next(added: readonly (readonly CountRow<string>[])[]): string {
    this.#printed++;
    const rows = this.#join(added);
    if (this.#isLive) return this.#screen(rows);
    if (this.#request.json) return this.#json(rows, this.#printed);
    return `${this.#heading()}${this.#text(rows)}\n`;
  }

  /** The table of the whole run. */
  last(all: readonly (readonly CountRow<string>[])[]): string {
    const rows = this.#join(all);
    if (this.#request.json) return this.#json(rows, undefined);
    const heading =
      this.#printed > 0 && !this.#isLive ? `${wholeHeading}\n` : this.#isLive ? "" : this.#heading();
    return `${this.#isLive && this.#printed > 0 ? clearScreen : ""}${heading}${this.#text(rows)}`;
  }

  /** All rows, the smallest count first; a function that several patterns mean is counted for the first that saw it. */
  #join(tables: readonly (readonly CountRow<string>[])[]): readonly Row[] {
    const rows = tables.flatMap((table, index) => {
      const pattern = this.#request.patterns[index]!;
      const own = table.filter(({ key }) => this.#ownerOf(`${fileOf(pattern)}:${key}`, index) === index);
      return own.map(({ key, count }) => ({ pattern, name: key, count }));
    });
    return rows.sort((left, right) => left.count - right.count);
  }

  #ownerOf(name: string, index: number): number {
    const owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, index);
    return owner ?? index;
  }

  #heading(): string {
    return this.#request.timestamps ? `${clockTime()}\n` : "";
  }

  #text(rows: readonly Row[]): string {
    return printTable([
      ["FUNC", "COUNT"],
      ...this.#shown(rows).map((row) => this.#cells(row)),
      this.#total(rows),
    ]);
  }

  /** Largest first, as many as the terminal has lines for. */
  #screen(rows: readonly Row[]): string {
    // Why not only undefined: a terminal that nobody has told its size has none.
    const height = process.stdout.rows || 24;
    const width = process.stdout.columns || 80;
    const shown = this.#shown(rows)
      .slice(-Math.max(1, height - otherLines))
      .toReversed();
    const nameWidth = Math.max(8, width - 12);
    const cells = shown.map((row) => this.#cells(row)).map(([name, count]) => [cut(name, nameWidth), count]);
    const heading = `${clockTime()}  calls in ${this.#request.interval} s  ${this.#request.patterns.join(" ")}`;
    const lines = [`${cut(heading, width)}\n`, printTable([["FUNC", "COUNT"], ...cells, this.#total(rows)])];
    return `${clearScreen}${lines.join("")}`;
  }

  #json(rows: readonly Row[], interval: number | undefined): string {
    const when = interval === undefined ? {} : { interval, unix_time: Date.now() / 1000 };
    const objects = this.#shown(rows).map(({ pattern, name, count }) => ({
      function: name,
      count,
      pattern,
      ...when,
    }));
    const total = { total: sumOf(rows), functions: rows.length, ...when };
    return [...objects, total].map((object) => printJsonLine(object)).join("");
  }

  #shown(rows: readonly Row[]): readonly Row[] {
    return this.#request.top === undefined ? rows : rows.slice(-this.#request.top);
  }

  #cells({ pattern, name, count }: Row): [name: string, count: string] {
    return [this.#isOfSeveralFiles ? `${fileOf(pattern)}:${name}` : name, String(count)];
  }

  #total(rows: readonly Row[]): readonly string[] {
    return ["total", String(sumOf(rows))];
  }
}

/** Spec: ECMA-48: cursor home, erase to the end. */
const clearScreen = "\u001b[H\u001b[J";

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
