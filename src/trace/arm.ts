/**
 * Owns the library's door to tracing: prepares and arms what is asked for, and cleans up after it.
 * Does not own the run (run.ts), what stands in the kernel (session.ts), nor what is shown (tools/).
 */
import { UsageError } from "../base/errors.js";
import { NoMultiLinksError } from "../kernel/uprobes.js";
import type { Ending } from "./ending.js";
import { siteOf } from "./events.js";
import { launch } from "./launch.js";
import type { LaunchedCommand } from "./launch.js";
import type { Plan } from "./plan.js";
import { prepare } from "./prepare.js";
import type { Prepared, PrepareRequest } from "./prepare.js";
import type { Losses, ProbeCounters } from "./probe.js";
import { Run } from "./run.js";
import type { RunRequest } from "./run.js";
import type { Aggregate } from "./script/aggregate.js";
import type { MapElement } from "./gathered.js";
import { holdsStack } from "../lang/aggregates.js";
import { firstKeyRecord } from "../lang/event.js";
import { Session } from "./session.js";
import { aggregateMap, deepCalls, missedReturns } from "./shared-maps.js";
import { explainSilence } from "./silence.js";
import { StackNames } from "./stacks.js";

/** What is to be traced, in full; a request may leave out all but the probes. */
interface Wanted extends Omit<PrepareRequest, "launched" | "program" | "statistics"> {
  /** A command to start when the probes are armed; the trace ends with it. */
  readonly command: readonly string[] | undefined;
  /** Percent of one core that the probes may cost the traced programs. */
  readonly budgetPercent: number | undefined;
  /** Keep the compiler's and the verifier's words. */
  readonly verbose: boolean;
}

export type ArmRequest = Pick<Wanted, "probes"> & Partial<Wanted>;

/** What a request means that says nothing else: every process, no stacks, texts of 80 bytes. */
const unsaid: Omit<Wanted, "probes"> = {
  pids: [],
  children: false,
  includeSelf: false,
  textLimit: 80,
  stacks: { user: false, kernel: false },
  cpuColumn: false,
  force: [],
  attach: undefined,
  bufferPages: undefined,
  command: undefined,
  budgetPercent: undefined,
  verbose: false,
};

export interface Trace extends Plan, AsyncDisposable {
  /** With `verbose`, per program: what the verifier says. */
  readonly verified: readonly { readonly name: string; readonly statistics: string }[];
  /** Names an address of a process; of the kernel with pid 0. Only until the run has ended. */
  readonly printAddress: (pid: number, address: bigint) => string;
  /**
   * Lets a command begin, hands on events until there is nothing left to trace, and closes all; what was counted and gathered can
   * still be read until the trace is disposed.
   */
  run(request: RunRequest): Promise<Ending>;
  /** What the kernel side has counted until now, one per probe. */
  counters(): readonly ProbeCounters[];
  losses(): Losses;
  /** Why a probe may have had no hit, from what is known now. */
  explainSilence(probe: number): readonly string[];
  /** All elements of an aggregate that a probe of this trace uses. */
  elements(aggregate: Aggregate): readonly MapElement[];
  /** Additions that an aggregate had no room for. */
  dropped(aggregate: Aggregate): bigint;
  /** What a site is called. */
  siteName(site: number): string;
  /** The stacks that keys of aggregates hold, as names. */
  readonly stacks: StackNames;
}

/** Prepares and arms. When this fails nothing is left behind: no probe, no process. */
export async function arm(asked: ArmRequest): Promise<Trace> {
  // Why filtered: what is given as undefined is not said.
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  const request: Wanted = { ...unsaid, ...(Object.fromEntries(said) as ArmRequest) };
  const command = request.command === undefined ? undefined : await launch(request.command);
  try {
    const { prepared, session } = await prepareAndArm({
      ...request,
      pids: command === undefined ? request.pids : [command.pid],
      launched: command !== undefined,
      program: request.command?.[0],
      statistics: request.verbose,
    });
    try {
      const { shared, symbolizer } = prepared;
      const stacks = new StackNames(shared.aggregates, (pid, address) => symbolizer.print(pid, address));
      const run = new Run(request, prepared, session, command);
      return present(prepared, session, { command, run, stacks });
    } catch (error) {
      session[Symbol.dispose]();
      prepared[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    command?.kill();
    throw error;
  }
}

async function prepareAndArm(request: PrepareRequest): Promise<{ prepared: Prepared; session: Session }> {
  const prepared = await prepare(request);
  try {
    return { prepared, session: new Session(prepared.session) };
  } catch (error) {
    prepared[Symbol.dispose]();
    if (!(error instanceof NoMultiLinksError) || request.attach !== undefined) throw error;
    // Why here: a kernel that was not to be asked beforehand says it now, and the PMU wants programs of its own.
    return prepareAndArm({ ...request, attach: "pmu" });
  }
}

function present(
  prepared: Prepared,
  session: Session,
  {
    command,
    run,
    stacks,
  }: { readonly command: LaunchedCommand | undefined; readonly run: Run; readonly stacks: StackNames },
): Trace {
  const { plan, symbolizer, shared } = prepared;
  const { gathered } = session;
  const tuned = shared.tunables.map((tunable, number) =>
    tunable.watch((value) => session.tune(number, value)),
  );
  const spans = prepared.parts.filter(({ role }) => role === "span-return");
  const calls = spans.filter(({ pair }) => pair === undefined);
  const pairs = spans.filter(({ pair }) => pair !== undefined);
  const explain = (probe: number): readonly string[] =>
    explainSilence(prepared.searched(probe), plan.armed.pids, {
      isCommand: command !== undefined,
      isWithChildren: run.isWithChildren,
      lateFiles: run.lateFiles,
    });
  let silence: readonly (readonly string[])[] | undefined;
  let state: "open" | "settled" | "disposed" = "open";
  const close = (): void => {
    for (const watch of tuned.splice(0)) watch[Symbol.dispose]();
    run[Symbol.dispose]();
    session[Symbol.dispose]();
    prepared[Symbol.dispose]();
  };
  /** Names all stacks while that can be done. */
  const nameStacks = (): void => {
    for (const [number, aggregate] of shared.aggregates.entries()) {
      if (!holdsStack(aggregate.spec)) continue;
      for (const { key } of gathered.elements(aggregateMap(number))) stacks.learnKey(aggregate, key);
    }
  };
  /** Takes away what programs say of new keys. */
  const learning = (onEvent: RunRequest["onEvent"]): RunRequest["onEvent"] => {
    if (!shared.aggregates.some(({ spec }) => holdsStack(spec))) return onEvent;
    return (record) => {
      if (siteOf(record) < firstKeyRecord) onEvent(record);
      else stacks.learn(record);
    };
  };
  /** Keeps what can be read afterwards, and closes all. */
  const settle = (): void => {
    if (state !== "open") return;
    try {
      silence = run.counters().map(({ hits }, probe) => (hits === 0n ? explain(probe) : []));
      session.settle();
      nameStacks();
      state = "settled";
    } finally {
      close();
    }
  };
  const read = <Value>(value: () => Value): Value => {
    if (state === "disposed")
      throw readTooLate("nothing of an observation can be read after it was disposed");
    return value();
  };
  return {
    ...plan,
    notes: [...plan.notes, ...run.notes],
    armed: { ...plan.armed, ...session.armed },
    skipped: [
      ...plan.skipped,
      ...session.refused.map(({ site, reason }) => ({
        probe: plan.sites[site]!.probe.number,
        name: plan.sites[site]!.label,
        reason,
      })),
    ],
    verified: session.verified,
    printAddress(pid, address) {
      if (state !== "open") throw readTooLate("addresses can be named only until the observation has ended");
      return symbolizer.print(pid, address);
    },
    async run(request) {
      try {
        return await run.untilEnd({ ...request, onEvent: learning(request.onEvent) });
      } catch (error) {
        command?.kill();
        throw error;
      } finally {
        settle();
      }
    },
    counters: () => read(() => run.counters()),
    losses: () =>
      read(() => ({
        late: session.late,
        unresolved: symbolizer.unresolved,
        recursionMisses: session.recursionMisses(),
        lostMappings: run.lostMappings,
        familyChanges: run.lostChildren,
        ...run.lateSkipped,
        dropped: sumOf(shared.aggregates.map((_, number) => gathered.drops(number))),
        missedReturns: sumOf(calls.map(({ probe }) => gathered.drops(missedReturns(probe, shared)))),
        deepCalls: sumOf(calls.map(({ probe }) => gathered.drops(deepCalls(probe, shared)))),
        missedEnds: sumOf(pairs.map(({ probe }) => gathered.drops(missedReturns(probe, shared)))),
        deepPairs: sumOf(pairs.map(({ probe }) => gathered.drops(deepCalls(probe, shared)))),
      })),
    explainSilence: (probe) => read(() => silence?.[probe] ?? explain(probe)),
    elements: (aggregate) => read(() => gathered.elements(aggregateMap(shared.requireNumber(aggregate)))),
    dropped: (aggregate) => read(() => gathered.drops(shared.requireNumber(aggregate))),
    siteName: (site) => plan.sites[site]?.label ?? `site ${site}`,
    stacks,
    async [Symbol.asyncDispose]() {
      state = "disposed";
      close();
      command?.kill();
    },
  };
}

function readTooLate(what: string): UsageError {
  return new UsageError({
    what,
    at: "an observation",
    fix: "read it before; what its aggregates hold can be read from its end until it is disposed",
  });
}

function sumOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((sum, number) => sum + number, 0n);
}
