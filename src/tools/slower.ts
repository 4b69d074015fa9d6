/**
 * Owns `uscope slower`: calls that took as long as a threshold or longer, with their arguments. docs/slower.md is the contract.
 * Does not own the options' spelling (cli/).
 */
import { observe, span } from "../index.js";
import type { EntryParameter, ScriptProbe } from "../index.js";
import { printJsonLine } from "./cells.js";
import { WallClock } from "./clock.js";
import { printDuration } from "./histogram.js";
import { Pace } from "./pace.js";
import { Watching, printName } from "./watching.js";
import type { WatchRequest } from "./watching.js";

export interface SlowerRequest extends WatchRequest {
  /** Nanoseconds. */
  readonly threshold: number;
  /** Arguments shown, from the first on, 0 to 6; undefined: 3 of functions, none of markers. */
  readonly words: number | undefined;
  /** Ends after so many calls. */
  readonly most: number | undefined;
}

/** Runs until it is stopped or nothing is left to watch; returns the exit code. */
export async function slower(request: SlowerRequest): Promise<number> {
  using watching = new Watching(request);
  const probes = request.patterns.map((pattern) =>
    isPair(pattern) ? watchPairs(pattern, request) : watchCalls(pattern, request),
  );
  await using observation = observe(Object.fromEntries(probes.entries()), request.options);
  await watching.begin(observation);
  const words = Math.max(...request.patterns.map((pattern) => wordsOf(pattern, request)));
  const print = request.json ? jsonPrinter() : columnPrinter(words, request.patterns.every(isPair));
  await watching.write(print.header);
  let shown = 0;
  let waiting = "";
  const pace = new Pace(async () => {
    const text = waiting;
    waiting = "";
    await watching.write(text);
  });
  for await (const { event } of observation) {
    waiting += print.line(event);
    if (++shown === request.most) break;
    const pause = pace.next();
    if (pause !== undefined) await pause;
  }
  await pace.flush();
  watching.remark(
    `${shown} ${shown === 1 ? "call" : "calls"} shown that took ${printDuration(request.threshold)} or longer`,
  );
  return await watching.finish(observation);
}

/** Two places that are no entry and return, as `uscope latency` has them too. */
function isPair(pattern: string): pattern is `u:${string}` {
  return pattern.startsWith("u:") || /\.\.[pru]:/.test(pattern);
}

const wordsOfFunctions = 3;

/** Why none of markers: many have fewer, and what they have may be texts. */
function wordsOf(pattern: string, { words }: SlowerRequest): number {
  return words ?? (isPair(pattern) ? 0 : wordsOfFunctions);
}

/** Why one by one: what is not shown is not read, so that the place may be chosen where a hit is cheapest. */
const keepWords = (p: EntryParameter, { words }: { readonly words: number }): bigint[] => {
  if (words === 0) return [];
  if (words === 1) return [p.arg(0)];
  if (words === 2) return [p.arg(0), p.arg(1)];
  if (words === 3) return [p.arg(0), p.arg(1), p.arg(2)];
  if (words === 4) return [p.arg(0), p.arg(1), p.arg(2), p.arg(3)];
  if (words === 5) return [p.arg(0), p.arg(1), p.arg(2), p.arg(3), p.arg(4)];
  return [p.arg(0), p.arg(1), p.arg(2), p.arg(3), p.arg(4), p.arg(5)];
};

function watchPairs(pattern: `u:${string}`, request: SlowerRequest) {
  return span(pattern, {
    entry: keepWords,
    exit: (p, { threshold }) => {
      if (p.durationNs < threshold) return;
      return {
        time: p.time,
        pid: p.pid,
        tid: p.tid,
        comm: p.comm,
        name: p.function,
        durationNs: p.durationNs,
        words: p.entry,
      };
    },
    using: { threshold: request.threshold, words: wordsOf(pattern, request) },
  });
}

function watchCalls(pattern: string, request: SlowerRequest) {
  return span(pattern, {
    entry: keepWords,
    exit: (p, { threshold }) => {
      if (p.durationNs < threshold) return;
      return {
        time: p.time,
        pid: p.pid,
        tid: p.tid,
        comm: p.comm,
        name: p.function,
        durationNs: p.durationNs,
        returned: p.returned(),
        words: p.entry,
      };
    },
    using: { threshold: request.threshold, words: wordsOf(pattern, request) },
  });
}

type EventOf<Probe> = Probe extends ScriptProbe<infer Event> ? Event : never;
/** A pair returns nothing. */
type SlowCall = EventOf<ReturnType<typeof watchPairs>> &
  Partial<Pick<EventOf<ReturnType<typeof watchCalls>>, "returned">>;

interface CallPrinter {
  readonly header: string;
  line(call: SlowCall): string;
}

const nameWidth = { least: 16, most: 40 };

/** Why without a column where all are pairs: these return nothing. */
function columnPrinter(words: number, arePairs: boolean): CallPrinter {
  const clock = new WallClock();
  let width = nameWidth.least;
  const layOut = (
    cells: readonly [string, string, string, string, string, string, string, string],
  ): string => {
    const [time, pid, tid, comm, name, took, returned, shown] = cells;
    if (name.length <= nameWidth.most) width = Math.max(width, name.length);
    const who = `${time} ${pid.padEnd(7)} ${tid.padEnd(7)} ${comm.padEnd(15)} ${name.padEnd(width)}`;
    return `${`${who} ${took.padStart(7)}${arePairs ? "" : ` ${returned.padEnd(14)}`} ${shown}`.trimEnd()}\n`;
  };
  return {
    header: layOut([
      "TIME    ",
      "PID",
      "TID",
      "COMM",
      "FUNC",
      "LATENCY",
      "RETURNED",
      words === 0 ? "" : "ARGS",
    ]),
    line: ({ time, pid, tid, comm, name, durationNs, returned, words }) =>
      layOut([
        clock.localTime(Number(time)),
        String(pid),
        String(tid),
        printName(comm),
        printName(name),
        // Why three digits: who looks for slow calls compares them.
        printDuration(durationNs, { digits: 3 }),
        returned === undefined ? "" : printWord(returned),
        words.map(printWord).join(" "),
      ]),
  };
}

function jsonPrinter(): CallPrinter {
  const clock = new WallClock();
  return {
    header: "",
    line: ({ time, pid, tid, comm, name, durationNs, returned, words }) =>
      printJsonLine({
        time_ns: time,
        unix_time: clock.unixSeconds(time),
        function: name,
        pid,
        tid,
        comm,
        latency_ns: durationNs,
        ...(returned === undefined ? {} : { returned }),
        args: words,
      }),
  };
}

/** Words that are this near below zero are taken for negative numbers of 32 or 64 bits. */
const nearZero = 1n << 16n;

/** A word of unknown type: what fits into 32 bits, and small negative numbers, in decimal; addresses and all else in hexadecimal. */
export function printWord(word: bigint): string {
  for (const bits of [32, 64]) {
    const whole = 1n << BigInt(bits);
    if (word < whole && word >= whole - nearZero) return String(word - whole);
  }
  return word < 1n << 32n ? String(word) : `0x${word.toString(16)}`;
}
