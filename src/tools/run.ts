/**
 * Owns `uscope run`: a user's script is loaded, and what its default export gives is printed until something ends it.
 * Does not own loading (script/loader.ts) nor how values are printed (rows.ts, cells.ts). docs/run.md is the contract.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { NotFoundError, UnsupportedError } from "../base/errors.js";
import { escapeLines, nearestNames } from "../base/text.js";
import { setHost } from "../index.js";
import { printJsonLine } from "./cells.js";
import { Output } from "./output.js";
import { Pace } from "./pace.js";
import { ValueStream } from "./rows.js";
import { ScriptError, explainFailure, showPath } from "./script/failure.js";
import { begins, loadScript } from "./script/loader.js";
import { stopSignal } from "./stop.js";
import type { StopSignal } from "./stop.js";

export interface RunScriptRequest {
  readonly file: string;
  /** What stands behind the file: the script's own. */
  readonly words: readonly string[];
  readonly json: boolean;
  /** Ends after this many printed values. */
  readonly most: number | undefined;
  readonly seconds: number | undefined;
}

/** Runs until the script has ended or is stopped; returns the exit code. */
export async function runScript(request: RunScriptRequest): Promise<number> {
  const path = requireScript(request.file);
  process.argv = [process.execPath, path, ...request.words];
  using stop = stopSignal();
  const output = new Output(1, { whenFull: "keep" });
  const remarks = new Output(2, { whenFull: "keep" });
  const ending = new Ending(stop, remarks, request.seconds);
  process.once(begins as "exit", () => ending.count());
  try {
    await Promise.race([ending.idle, follow(path, request, output, ending)]);
  } catch (error) {
    await output.drained(stop.interrupted);
    ending.leave(1);
    throw await explainFailure(error, path);
  }
  await output.drained(stop.interrupted);
  await remarks.drained(stop.interrupted);
  const code = Number(process.exitCode ?? 0);
  ending.leave(code);
  return code;
}

/** Loads the script and prints all that it gives. */
async function follow(
  path: string,
  request: RunScriptRequest,
  output: Output,
  ending: Ending,
): Promise<void> {
  const script = await ending.unlessStopped(loadScript(path));
  if (script === undefined) return;
  // Why: a script without a default export has done at its top level, or does in its timers, all that it is for.
  if (!hasDefault(script)) return await ending.unlessStopped(ending.idle);
  const values = await ending.unlessStopped(openValues(script["default"], request.words, path));
  if (values === undefined) return;
  ending.count();
  await printValues(values, request, output, ending);
}

const endings = [".ts", ".mts", ".js", ".mjs"];

/** Returns the absolute path. */
function requireScript(file: string): string {
  const path = resolve(file);
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.isDirectory()) {
    const what = status === undefined ? `there is no file ${file}` : `${file} is a folder, not a script`;
    const near = nearestNames(basename(path), scriptsBeside(path), 1)[0];
    const fix = near === undefined ? "name a script: uscope run probe.ts" : `did you mean ${near}?`;
    throw new NotFoundError({ what, at: showPath(dirname(path)), fix });
  }
  if (!endings.includes(extname(path)))
    throw new UnsupportedError({
      what: `${file} is no TypeScript or JavaScript module by its name`,
      at: showPath(path),
      fix: `name it with one of ${endings.join(" ")}`,
    });
  return path;
}

function scriptsBeside(path: string): readonly string[] {
  const folder = dirname(path);
  return existsSync(folder) ? readdirSync(folder).filter((name) => endings.includes(extname(name))) : [];
}

/** What a CommonJS file exports is its default; without exports it is an empty object. */
function hasDefault(script: Readonly<Record<string, unknown>>): boolean {
  if (!("default" in script)) return false;
  const value = script["default"];
  return typeof value !== "object" || value === null || value !== script["module.exports"] || !isEmpty(value);
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0 && Object.getPrototypeOf(value) === Object.prototype;
}

type Values = Partial<AsyncIterable<unknown> & Iterable<unknown> & AsyncDisposable>;

/** Finds what is to be printed in a default export; undefined when its function returns nothing. */
async function openValues(
  exported: unknown,
  words: readonly string[],
  path: string,
): Promise<Values | undefined> {
  let value = await exported;
  const isFunction = typeof value === "function";
  if (typeof value === "function") {
    value = await (value as (...words: readonly string[]) => unknown)(...words);
    if (value === undefined) return undefined;
  }
  if (
    typeof value === "object" &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value)
  )
    return value as Values;
  const kind = value === null || value === undefined ? String(value) : `a value of type ${typeof value}`;
  throw new ScriptError({
    what: `${isFunction ? "the function exported as default returns" : "the default export is"} ${kind}, which is nothing to go through`,
    at: showPath(path),
    fix: "export default observe(...), a list of rows, or a function that returns one of these or is an async generator",
  });
}

async function printValues(
  values: Values,
  { json, most }: RunScriptRequest,
  output: Output,
  ending: Ending,
): Promise<void> {
  const iterator = values[Symbol.asyncIterator]?.() ?? values[Symbol.iterator]!();
  const stream = new ValueStream();
  const pace = new Pace(async () => {
    output.write(stream.take());
    if (!output.flush()) await output.drained(ending.stop.interrupted);
  });
  const state = { isOver: false };
  const read = async (): Promise<void> => {
    let shown = 0;
    while (!state.isOver && !output.closed && shown !== most) {
      const { done, value } = await iterator.next();
      if (done === true) return;
      if (state.isOver) break;
      const shownValue: unknown = value instanceof Promise ? await value : value;
      if (shownValue === undefined) continue;
      if (json) output.write(printJsonLine(shownValue));
      else stream.add(shownValue);
      shown++;
      const pause = pace.next();
      if (pause !== undefined) await pause;
    }
    await pace.flush();
    ending.stop.now();
  };
  try {
    await ending.unlessStopped(read(), () => {
      state.isOver = true;
      // Why not awaited: a generator that waits for something answers only when that comes.
      void close(iterator, values);
    });
    if (!state.isOver)
      await Promise.race([close(iterator, values), sleep(patience, undefined, { ref: false })]);
  } finally {
    await pace.flush();
  }
}

async function close(iterator: AsyncIterator<unknown> | Iterator<unknown>, values: Values): Promise<void> {
  await iterator.return?.();
  await values[Symbol.asyncDispose]?.();
}

/** Milliseconds in which a script that was told to stop may say its last words. */
const patience = 1000;

/** How a run ends other than by the script's own end. */
class Ending {
  readonly stop: StopSignal;
  /** Rejects with what the script threw where nobody catches it. */
  readonly crash: Promise<never>;
  /** Fulfilled when the process has nothing left to wait for. */
  readonly idle: Promise<void>;
  /** An observation has asked for the signal, and so ends by itself. */
  #isHeard = false;
  readonly #seconds: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stop: StopSignal, remarks: Output, seconds: number | undefined) {
    this.stop = stop;
    this.#seconds = seconds;
    this.crash = new Promise((_, reject) => {
      process.on("uncaughtException", (error) => {
        // Why: the reader of what the script itself prints has gone; that is no mistake of the script.
        if ("code" in error && error.code === "EPIPE") stop.now();
        else reject(error);
      });
    });
    this.idle = new Promise((fulfil) => void process.once("beforeExit", () => fulfil()));
    const askForSignal = (): AbortSignal => {
      if (!this.#isHeard) this.count();
      this.#isHeard = true;
      return stop.signal;
    };
    setHost({
      get stop() {
        return askForSignal();
      },
      say(text) {
        remarks.write(escapeLines(text));
        remarks.flush();
      },
    });
  }

  /**
   * Counts the duration from now on: again when the script begins, when it has given something to print, and when what it
   * observes is armed, since the time that took is not the reader's. Why not with the signal's own timer: a script that ends
   * earlier must not wait for it.
   */
  count(): void {
    if (this.#seconds === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.stop.now(), Math.min(this.#seconds * 1000, 2 ** 31 - 1)).unref();
  }

  /**
   * What the promise gives, or undefined when the script is stopped before: at once, or when an observation in it knows of
   * that, as late as the script's patience lasts.
   */
  async unlessStopped<Result>(promise: Promise<Result>, cut?: () => void): Promise<Result | undefined> {
    const { signal } = this.stop;
    const over = new AbortController();
    const stopped = async (): Promise<undefined> => {
      await aborted(signal, over.signal);
      if (over.signal.aborted) return;
      if (!this.#isHeard) cut?.();
      if (this.#isHeard || cut !== undefined)
        await sleep(patience, undefined, { signal: over.signal, ref: false }).catch(() => {});
      if (this.#isHeard && !over.signal.aborted) cut?.();
    };
    try {
      return await Promise.race([promise, stopped(), this.crash]);
    } finally {
      over.abort();
    }
  }

  /** Ends the process soon: what a script has left open (timers, sockets) must not keep alive what is over. */
  leave(code: number): void {
    setTimeout(() => process.exit(code), 100).unref();
  }
}

function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((fulfil) => {
    for (const signal of signals) {
      if (signal.aborted) return fulfil();
      signal.addEventListener("abort", () => fulfil(), { once: true });
    }
  });
}
