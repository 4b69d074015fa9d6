/**
 * Owns the library's door to tracing: prepares and arms what is asked for, and cleans up after it.
 * Does not own the run (run.ts), what stands in the kernel (session.ts), nor what is shown (tools/).
 */
import { NoMultiLinksError } from "../kernel/uprobes.js";
import type { Ending } from "./ending.js";
import { launch } from "./launch.js";
import type { LaunchedCommand } from "./launch.js";
import type { Plan } from "./plan.js";
import { prepare } from "./prepare.js";
import type { Prepared, PrepareRequest } from "./prepare.js";
import type { Losses, ProbeCounters } from "./probe.js";
import { Run } from "./run.js";
import type { RunRequest } from "./run.js";
import type { Aggregate } from "./script/aggregate.js";
import { Session } from "./session.js";
import type { MapElement } from "./session.js";
import { aggregateMap, missedReturns } from "./shared-maps.js";
import { explainSilence } from "./silence.js";

/** What is to be traced, in full; a request may leave out all but the probes. */
interface Wanted extends Omit<PrepareRequest, "launched" | "statistics"> {
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
  /** Names an address of a process; of the kernel with pid 0. */
  readonly printAddress: (pid: number, address: bigint) => string;
  /** Lets a command begin, hands on events until there is nothing left to trace, and disarms. */
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
}

/** Prepares and arms. When this fails nothing is left behind: no probe, no process. */
export async function arm(asked: ArmRequest): Promise<Trace> {
  const request: Wanted = { ...unsaid, ...asked };
  const command = request.command === undefined ? undefined : await launch(request.command);
  try {
    const { prepared, session } = await prepareAndArm({
      ...request,
      pids: command === undefined ? request.pids : [command.pid],
      launched: command !== undefined,
      statistics: request.verbose,
    });
    try {
      return present(prepared, session, command, new Run(request, prepared, session, command));
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
  command: LaunchedCommand | undefined,
  run: Run,
): Trace {
  const { plan, symbolizer, shared } = prepared;
  const tuned = shared.tunables.map((tunable, number) =>
    tunable.watch((value) => session.tune(number, value)),
  );
  return {
    ...plan,
    armed: { ...plan.armed, ...session.armed },
    skipped: [
      ...plan.skipped,
      ...session.refused.map(({ site, reason }) => ({ name: plan.sites[site]!.label, reason })),
    ],
    verified: session.verified,
    printAddress: (pid, address) => symbolizer.print(pid, address),
    run: (request) => run.untilEnd(request),
    counters: () => run.counters(),
    losses: () => ({
      late: session.late,
      unresolved: symbolizer.unresolved,
      recursionMisses: session.recursionMisses(),
      lostMappings: run.lostMappings,
      familyChanges: run.lostChildren,
      dropped: sumOf(shared.aggregates.map((_, number) => session.drops(number))),
      missedReturns: sumOf(prepared.spans.map((probe) => session.drops(missedReturns(probe)))),
    }),
    explainSilence: (probe) =>
      explainSilence(prepared.searched(probe), plan.armed.pids, {
        isCommand: command !== undefined,
        isWithChildren: run.isWithChildren,
      }),
    elements: (aggregate) => session.elements(aggregateMap(shared.requireNumber(aggregate))),
    dropped: (aggregate) => session.drops(shared.requireNumber(aggregate)),
    siteName: (site) => plan.sites[site]?.label ?? `site ${site}`,
    async [Symbol.asyncDispose]() {
      for (const watch of tuned) watch[Symbol.dispose]();
      run[Symbol.dispose]();
      session[Symbol.dispose]();
      prepared[Symbol.dispose]();
      command?.kill();
    },
  };
}

function sumOf(numbers: readonly bigint[]): bigint {
  return numbers.reduce((sum, number) => sum + number, 0n);
}
