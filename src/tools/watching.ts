/**
 * Owns what the tools that watch functions have in common: whom they watch, their output and remarks, intervals, the end and its exit code.
 * Does not own what each gathers and shows (count.ts, latency.ts, slower.ts).
 */
import { escapeControls, escapeLines } from "../base/text.js";
import { setHost } from "../index.js";
import type { Observation, ObserveOptions } from "../index.js";
import { Output } from "./output.js";
import { stopSignal } from "./stop.js";
import type { StopSignal } from "./stop.js";

/** What the command line says for each of these tools. */
export interface WatchRequest {
  /** `FILE:FUNCTION`, globs among them; at least one. */
  readonly patterns: readonly string[];
  readonly json: boolean;
  readonly seconds: number | undefined;
  /** Without `pids`: all processes. */
  readonly options: Pick<ObserveOptions, "pids"> &
    Required<
      Pick<
        ObserveOptions,
        "tid" | "uid" | "cgroup" | "children" | "command" | "budgetPercent" | "force" | "verbose"
      >
    >;
}

/** One run of a tool: its signals, its streams, and what is said about it on stderr. */
export class Watching implements Disposable {
  readonly output = new Output(1, { whenFull: "keep" });
  readonly stop: StopSignal = stopSignal();
  readonly #seconds: number | undefined;
  readonly #remarks = new Output(2, { whenFull: "keep" });
  /** Why kept: how it ended stands below the last table. */
  #held = "";
  #isArmed = false;

  constructor({ seconds }: Pick<WatchRequest, "seconds">) {
    this.#seconds = seconds;
    setHost({
      stop: this.stop.signal,
      say: (text) => {
        if (this.#isArmed) this.#held += text;
        else this.#say(text);
        this.#isArmed = true;
      },
    });
  }

  /** Fulfilled when all is armed; the time that it took is not the reader's. */
  async begin({ armed }: Observation<unknown>): Promise<void> {
    await armed;
    if (this.#seconds !== undefined) this.stop.after(this.#seconds);
  }

  /** Writes, and waits for a slow reader; a reader that has gone ends the run. */
  async write(text: string): Promise<void> {
    this.output.write(text);
    if (!this.output.flush()) await this.output.drained(this.stop.interrupted);
    if (this.output.closed) this.stop.now();
  }

  /** Says a line together with how the run ended. */
  remark(line: string): void {
    this.#held += `  ${line}\n`;
  }

  /** Waits for the end, says how it came, and returns the exit code. */
  async finish({ ended }: Observation<unknown>): Promise<number> {
    const ending = await ended;
    await this.output.drained(this.stop.interrupted);
    this.#say(this.#held);
    this.#held = "";
    await this.#remarks.drained(this.stop.interrupted);
    return ending.kind === "over budget" ? 1 : 0;
  }

  [Symbol.dispose](): void {
    this.stop[Symbol.dispose]();
  }

  #say(text: string): void {
    this.#remarks.write(escapeLines(text));
    this.#remarks.flush();
  }
}

/**
 * Goes through several sources of rows at one pace: what each has added in each interval, one list per source. The last interval is
 * shorter, and what is added until the end is in it.
 */
export async function* inStep<Row>(
  sources: readonly AsyncIterable<readonly Row[]>[],
): AsyncGenerator<readonly (readonly Row[])[]> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  for (;;) {
    const steps = await Promise.all(iterators.map((iterator) => iterator.next()));
    if (steps.every(({ done }) => done === true)) return;
    // Why empty: of two that look at the same moment, one may have seen the end and the other not yet.
    yield steps.map(({ done, value }) => (done === true ? [] : (value as readonly Row[])));
  }
}

/** Names of traced programs never drive a terminal. */
export const printName = escapeControls;
