/**
 * Owns what the tools that print tables of functions have in common: a table for each interval and one of all, whose function each
 * row is, and the time above. Does not own the rows and how they look (count.ts, latency.ts).
 */
import type { Observation } from "../index.js";
import { printJsonLine } from "./cells.js";
import { printClock } from "./clock.js";
import { findPatternFiles } from "./pattern-files.js";
import type { PatternFile } from "./pattern-files.js";
import { inStep } from "./watching.js";
import type { WatchRequest, Watching } from "./watching.js";

export interface TablesRequest extends WatchRequest {
  /** Seconds between two tables; undefined: one table at the end. */
  readonly interval: number | undefined;
  readonly timestamps: boolean;
}

/** Rows by function, one list for each pattern. */
export interface Gathered<Row> {
  /** All since the start. */
  all(): Promise<readonly (readonly Row[])[]>;
  /** For each pattern what every interval has added. */
  intervals(seconds: number): readonly AsyncIterable<readonly Row[]>[];
}

/** A row of a function, and whose it is. */
export type Named<Row> = Row & {
  readonly pattern: string;
  /** The function's name; with patterns of several files `FILE:FUNCTION`, where the pattern names one. */
  readonly name: string;
};

/** How a tool shows its rows. */
export interface TableForm<Row, Shown> {
  /** Puts rows in their order. */
  arrange(rows: readonly Named<Row>[]): readonly Shown[];
  print(rows: readonly Shown[]): string;
  /** JSON objects, a line each; `when` belongs into each of them. */
  objects(rows: readonly Shown[], when: object): readonly object[];
  /** An interval's table drawn in place of the one before, where that is wanted. */
  readonly draw: ((rows: readonly Shown[]) => string) | undefined;
}

/** A run whose probes are armed. */
export interface TablesRun<Row, Shown> {
  readonly request: TablesRequest;
  readonly watching: Watching;
  readonly observation: Observation<unknown>;
  readonly gathered: Gathered<Row>;
  readonly form: TableForm<Row, Shown>;
}

/** Prints the tables of a run, until it is stopped or nothing is left to watch; returns the exit code. */
export async function printTables<Row extends { readonly key: string }, Shown>({
  request,
  watching,
  observation,
  gathered,
  form,
}: TablesRun<Row, Shown>): Promise<number> {
  const owners = new FunctionOwners(request);
  const heading = (): string => (request.timestamps ? `${printClock()}\n` : "");
  let printed = 0;
  if (request.interval !== undefined) {
    for await (const added of inStep(gathered.intervals(request.interval))) {
      const rows = form.arrange(owners.assign(added));
      printed++;
      await watching.write(
        request.json
          ? printObjects(form.objects(rows, { interval: printed, unix_time: Date.now() / 1000 }))
          : (form.draw?.(rows) ?? `${heading()}${form.print(rows)}\n`),
      );
    }
  }
  await observation.ended;
  const rows = form.arrange(owners.assign(await gathered.all()));
  if (request.json) await watching.write(printObjects(form.objects(rows, {})));
  else if (form.draw === undefined)
    await watching.write(`${printed > 0 ? "since the start\n" : heading()}${form.print(rows)}`);
  else await watching.write(`${printed > 0 ? clearScreen : ""}${form.print(rows)}`);
  return await watching.finish(observation);
}

/** Spec: ECMA-48: cursor home, erase to the end. */
export const clearScreen = "\u001b[H\u001b[J";

function printObjects(objects: readonly object[]): string {
  return objects.map((object) => printJsonLine(object)).join("");
}

/** Says which pattern a function belongs to: of several that mean it, the first that saw it. */
class FunctionOwners {
  readonly #patterns: readonly string[];
  readonly #files: readonly PatternFile[];
  readonly #isOfSeveralFiles: boolean;
  readonly #owners = new Map<string, number>();

  constructor({ patterns, options }: TablesRequest) {
    this.#patterns = patterns;
    this.#files = findPatternFiles(patterns, options.pids ?? []);
    this.#isOfSeveralFiles = new Set(this.#files.map(({ identity }) => identity)).size > 1;
  }

  /** The rows that count, with their names: each function's once. */
  assign<Row extends { readonly key: string }>(tables: readonly (readonly Row[])[]): readonly Named<Row>[] {
    return tables.flatMap((table, index) => {
      const pattern = this.#patterns[index]!;
      const file = this.#files[index]!;
      return table
        .filter(({ key }) => this.#ownerOf(`${file.identity}:${key}`, index) === index)
        .map((row) => ({
          ...row,
          pattern,
          name: this.#isOfSeveralFiles && file.name !== "" ? `${file.name}:${row.key}` : row.key,
        }));
    });
  }

  #ownerOf(name: string, index: number): number {
    const owner = this.#owners.get(name);
    if (owner === undefined) this.#owners.set(name, index);
    return owner ?? index;
  }
}
