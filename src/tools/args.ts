/**
 * Owns `uscope args`: how often values occur, counted or in histograms, printed at intervals. docs/args.md is the contract.
 * Does not own the language of its specs (lang/oneliner/distribution.ts) nor the options' spelling (cli/).
 */
import { distribution, observe } from "../index.js";
import type { Distribution, Gathering, Observation } from "../index.js";
import { isEmpty, printDistributions, printDistributionsAsJson } from "./distributions.js";
import type { Found } from "./distributions.js";
import { Watching, inStep } from "./watching.js";
import type { WatchRequest } from "./watching.js";

export interface ArgsRequest extends Omit<WatchRequest, "patterns"> {
  readonly specs: readonly { readonly text: string; readonly gathering: Gathering }[];
  /** Bytes of each text at most. */
  readonly textLimit: number;
  /** Seconds. */
  readonly interval: number;
  /** Prints this often at most, then ends. */
  readonly times: number | undefined;
  /** Prints all since the start each time. */
  readonly isCumulative: boolean;
  /** Rows of a count at most, those with the largest counts. */
  readonly top: number | undefined;
  readonly verbose: boolean;
}

/** Runs until it is stopped or nothing is left to watch; returns the exit code. */
export async function args(request: ArgsRequest): Promise<number> {
  const { specs, top, interval, isCumulative, json, verbose } = request;
  const { times, seconds } = lengthOf(request);
  const distributions = specs.map(({ text, gathering }) => distribution(text, gathering, request));
  using watching = new Watching({ seconds });
  const probes = Object.fromEntries(distributions.map(({ probe }, index) => [index, probe]));
  await using observation = observe(probes, { ...request.options, verbose });
  await watching.begin(observation);
  let isOver = false;
  const over = observation.ended.then(() => (isOver = true));
  over.catch(() => {});
  const steps = distributions.map((one) => addedTo(one, observation, { seconds: interval, times }));
  let printed = 0;
  for await (const step of inStep(steps)) {
    const found = isCumulative
      ? await Promise.all(distributions.map(async (one) => await readAll(one, observation)))
      : step.flat();
    // Why: what came since the last time is shown when somebody ends it, but not that nothing came.
    if (isOver && printed > 0 && printed + 1 !== times && step.flat().every(isEmpty)) continue;
    await watching.write(json ? printDistributionsAsJson(found, top) : printDistributions(found, top));
    printed++;
  }
  return await watching.finish(observation);
}

/** Why both: what is a whole number of intervals ends with the last of them, and not in the middle of a moment later. */
function lengthOf({
  seconds,
  interval,
  times,
}: Pick<ArgsRequest, "seconds" | "interval" | "times">): Pick<ArgsRequest, "seconds" | "times"> {
  if (seconds === undefined) return { seconds, times };
  const intervals = Math.round(seconds / interval);
  if (intervals < 1 || Math.abs(intervals * interval - seconds) > 1e-6) return { seconds, times };
  return { seconds: undefined, times: Math.min(intervals, times ?? Number.POSITIVE_INFINITY) };
}

interface Intervals {
  readonly seconds: number;
  readonly times: number | undefined;
}

/** What each interval adds, a list of one. */
async function* addedTo(
  one: Distribution,
  observation: Observation<unknown>,
  intervals: Intervals,
): AsyncGenerator<readonly Found[]> {
  if (one.gathering === "count") {
    for await (const rows of observation.intervals(one.aggregate, intervals))
      yield [{ kind: "count", of: one, rows: [rows].flat() }];
  } else {
    for await (const row of observation.intervals(one.aggregate, intervals))
      yield [{ kind: "histogram", of: one, row }];
  }
}

async function readAll(one: Distribution, observation: Observation<unknown>): Promise<Found> {
  if (one.gathering === "count") {
    const rows = await observation.read(one.aggregate);
    return { kind: "count", of: one, rows: [rows].flat() };
  }
  return { kind: "histogram", of: one, row: await observation.read(one.aggregate) };
}
