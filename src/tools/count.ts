/**
 * Owns `uscope count`: how often each function was called. docs/count.md is the contract.
 * Does not own the options' spelling (cli/).
 */
import { isatty } from "node:tty";
import { counter, observe, uprobe } from "../index.js";
import type { CountRow } from "../index.js";
import { printClock } from "./clock.js";
import { printTable } from "./table.js";
import { clearScreen, printTables } from "./tables.js";
import type { Named, TableForm, TablesRequest } from "./tables.js";
import { Watching, printName } from "./watching.js";

export interface CountRequest extends TablesRequest {
  /** Rows at most, those with the largest counts. */
  readonly top: number | undefined;
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
  return await printTables({
    request,
    watching,
    observation,
    gathered: {
      all: () => Promise.all(counters.map((counter) => observation.read(counter))),
      intervals: (seconds) => counters.map((counter) => observation.intervals(counter, { seconds })),
    },
    form: new CountTables(request),
  });
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

type Row = Named<CountRow<string>>;

/** Lines of a terminal that are no rows of the table: heading, header, total, cursor. */
const otherLines = 4;

class CountTables implements TableForm<CountRow<string>, Row> {
  readonly draw: ((rows: readonly Row[]) => string) | undefined;
  readonly #request: CountRequest;

  constructor(request: CountRequest) {
    this.#request = request;
    const isLive = request.interval !== undefined && !request.json && isatty(1);
    this.draw = isLive ? (rows) => this.#screen(rows) : undefined;
  }

  /** The smallest count first. */
  arrange(rows: readonly Row[]): readonly Row[] {
    return rows.toSorted((left, right) => left.count - right.count);
  }

  print(rows: readonly Row[]): string {
    return printTable([["FUNC", "COUNT"], ...this.#shown(rows).map(cellsOf), totalOf(rows)]);
  }

  objects(rows: readonly Row[], when: object): readonly object[] {
    const objects = this.#shown(rows).map(({ pattern, name, count }) => ({
      function: name,
      count,
      pattern,
      ...when,
    }));
    return [...objects, { total: sumOf(rows), functions: rows.length, ...when }];
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
    const cells = shown.map(cellsOf).map(([name, count]) => [cut(name, nameWidth), count]);
    const heading = `${printClock()}  calls in ${this.#request.interval} s  ${this.#request.patterns.join(" ")}`;
    const table = printTable([["FUNC", "COUNT"], ...cells, totalOf(rows)]);
    return `${clearScreen}${cut(heading, width)}\n${table}`;
  }

  #shown(rows: readonly Row[]): readonly Row[] {
    return this.#request.top === undefined ? rows : rows.slice(-this.#request.top);
  }
}

function cellsOf({ name, count }: Row): [name: string, count: string] {
  return [printName(name), String(count)];
}

function totalOf(rows: readonly Row[]): [heading: string, total: string] {
  return ["total", String(sumOf(rows))];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 3)}...`;
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { count }) => sum + count, 0);
}
