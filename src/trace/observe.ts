/**
 * Owns one run of probes: prepares, arms, hands on events, notices when there is nothing left to trace, cleans up.
 * Does not own what is shown (tools/) nor what stands in the kernel (session.ts).
 */
import { requireProcess } from "../target/process.js";
import { Budget } from "./budget.js";
import type { Ending } from "./ending.js";
import type { EventRecord } from "./events.js";
import { followMappings, type FollowedMappings } from "./mapped.js";
import { launch } from "./launch.js";
import type { LaunchedCommand } from "./launch.js";
import { prepare } from "./prepare.js";
import type { Prepared, PrepareRequest, SkippedPlace } from "./prepare.js";
import type { ProbeCounters, TracedProbe, TracedSite } from "./probe.js";
import { Session } from "./session.js";
import type { AttachWay } from "./session.js";
import { explainSilence } from "./silence.js";

export interface ObserveRequest extends Omit<PrepareRequest, "launched" | "statistics"> {
  /** A command to start when the probes are armed; the trace ends with it. */
  readonly command: readonly string[] | undefined;
  /** Percent of one core that the probes may cost the traced programs. */
  readonly budgetPercent: number | undefined;
  /** Keep the compiler's and the verifier's words. */
  readonly verbose: boolean;
}

export interface RunRequest {
  readonly signal: AbortSignal;
  /** Called for each event in kernel time; the record is valid during the call only. */
  readonly onEvent: (record: EventRecord) => void;
  /** Called after each batch of events. */
  readonly onPause?: () => void;
  /** Called about once a second with what the kernel side has counted, one per probe. */
  readonly onCounters?: (counters: readonly ProbeCounters[]) => void;
}

export interface Observation extends AsyncDisposable {
  readonly probes: readonly TracedProbe[];
  readonly sites: readonly TracedSite[];
  readonly armed: {
    readonly places: number;
    readonly files: number;
    readonly way: AttachWay;
    readonly pids: readonly number[];
  };
  readonly skipped: readonly SkippedPlace[];
  /** What a person should know about the targets. */
  readonly notes: readonly string[];
  /** With `verbose`, per probe: sites, tree, IR, bytecode. */
  readonly dumps: readonly string[];
  readonly verified: readonly { readonly name: string; readonly statistics: string }[];
  /** Names an address of a process; of the kernel with pid 0. */
  readonly printAddress: (pid: number, address: bigint) => string;
  run(request: RunRequest): Promise<Ending>;
  counters(): readonly ProbeCounters[];
  losses(): { readonly late: number; readonly unresolved: number; readonly recursionMisses: bigint };
  /** Why a probe may have had no hit, from what is known now. */
  explainSilence(probe: number): readonly string[];
}

/** Prepares and arms. When this fails nothing is left behind: no probe, no process. */
export async function observe(request: ObserveRequest): Promise<Observation> {
  const command = request.command === undefined ? undefined : await launch(request.command);
  try {
    const prepared = await prepare({
      ...request,
      pids: command === undefined ? request.pids : [command.pid],
      launched: command !== undefined,
      statistics: request.verbose,
    });
    try {
      return new Run(request, prepared, new Session(prepared.session), command);
    } catch (error) {
      prepared[Symbol.dispose]();
      throw error;
    }
  } catch (error) {
    command?.kill();
    throw error;
  }
}

/** Milliseconds between two looks at the ring buffer when programs do not ask for one. */
const idlePause = 20;
/** Milliseconds between two looks at processes and counters. */
const watchPause = 100;
const countersPause = 1000;
/** Events in one look that say that more are coming: then the next look follows at once. */
const busyEvents = 1000;

class Run implements Observation {
  readonly probes;
  readonly sites;
  readonly armed;
  readonly skipped;
  readonly notes;
  readonly dumps;
  readonly verified;
  readonly printAddress;
  readonly #request: ObserveRequest;
  readonly #prepared: Prepared;
  readonly #session: Session;
  readonly #command: LaunchedCommand | undefined;
  readonly #followed: FollowedMappings | undefined;

  constructor(
    request: ObserveRequest,
    prepared: Prepared,
    session: Session,
    command: LaunchedCommand | undefined,
  ) {
    this.#request = request;
    this.#prepared = prepared;
    this.#session = session;
    this.#command = command;
    this.probes = prepared.probes;
    this.sites = prepared.sites;
    this.armed = prepared.armed;
    this.skipped = prepared.skipped;
    this.notes = prepared.notes;
    this.dumps = prepared.dumps;
    this.verified = session.verified;
    this.#followed = this.#needsMappings() ? followMappings(prepared.symbolizer) : undefined;
    this.printAddress = (pid: number, address: bigint) => prepared.symbolizer.print(pid, address);
  }

  async run(request: RunRequest): Promise<Ending> {
    const session = this.#session;
    let isWanted = true;
    let wake = (): void => {};
    using readable = session.onReadable(() => wake());
    const onAbort = (): void => wake();
    request.signal.addEventListener("abort", onAbort);
    const command = this.#command;
    let ending: Ending | undefined;
    void command?.ended.then((exitCode) => {
      ending ??= { kind: "command ended", exitCode };
      wake();
    });
    command?.release();
    const watch = new Watch(this.#request, this.armed.pids, command !== undefined, this.#prepared.costs);
    while (isWanted) {
      this.#followed?.drain();
      const count = session.drain(request.onEvent);
      request.onPause?.();
      ending ??= request.signal.aborted
        ? { kind: "stopped" }
        : watch.look(() => this.counters(), request.onCounters);
      isWanted = ending === undefined;
      if (isWanted && count < busyEvents) await pause(idlePause, (resume) => (wake = resume));
      else if (isWanted) await new Promise<void>((resolve) => void setImmediate(resolve));
    }
    request.signal.removeEventListener("abort", onAbort);
    readable[Symbol.dispose]();
    session.disarm();
    this.#followed?.drain();
    session.drain(request.onEvent, 0);
    request.onPause?.();
    if (ending?.kind !== "command ended") command?.kill();
    return ending ?? { kind: "stopped" };
  }

  counters(): readonly ProbeCounters[] {
    return this.probes.map(({ number }) => this.#session.counters(number));
  }

  losses(): { readonly late: number; readonly unresolved: number; readonly recursionMisses: bigint } {
    return {
      late: this.#session.late,
      unresolved: this.#prepared.symbolizer.unresolved,
      recursionMisses: this.#session.recursionMisses(),
    };
  }

  explainSilence(probe: number): readonly string[] {
    return explainSilence(this.#prepared.binariesOf(probe), this.armed.pids, this.#command !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#followed?.[Symbol.dispose]();
    this.#session[Symbol.dispose]();
    this.#prepared[Symbol.dispose]();
    this.#command?.kill();
  }

  /** Why not with -p alone: what a process maps that is there already is read when it is asked for. */
  #needsMappings(): boolean {
    const isNamed = this.armed.pids.length > 0 && this.#command === undefined && !this.#request.children;
    return (
      !isNamed &&
      this.probes.some(({ event }) =>
        event.fields.some(({ value }) => "space" in value && value.space === "user"),
      )
    );
  }
}

/** Looks now and then whether there is still something to trace, and whether it costs too much. */
class Watch {
  readonly #request: ObserveRequest;
  readonly #pids: readonly number[];
  readonly #budget: Budget;
  #looked = performance.now();
  #counted = performance.now();

  constructor(
    request: ObserveRequest,
    pids: readonly number[],
    isCommand: boolean,
    costs: readonly number[],
  ) {
    this.#request = request;
    // Why: the end of a command comes as an event, with its exit code.
    this.#pids = isCommand ? [] : pids;
    this.#budget = new Budget(costs, performance.now() * 1e6);
  }

  look(countersOf: () => readonly ProbeCounters[], onCounters: RunRequest["onCounters"]): Ending | undefined {
    const now = performance.now();
    if (now - this.#looked < watchPause) return undefined;
    this.#looked = now;
    if (this.#pids.length > 0 && !this.#request.children && !this.#pids.some(isAlive))
      return { kind: "processes ended" };
    const { budgetPercent } = this.#request;
    const isCounting = onCounters !== undefined && now - this.#counted >= countersPause;
    if (!isCounting && budgetPercent === undefined) return undefined;
    const counters = countersOf();
    if (isCounting) {
      this.#counted = now;
      onCounters(counters);
    }
    const percent = this.#budget.share(
      counters.map(({ hits }) => hits),
      now * 1e6,
    );
    return percent !== undefined && budgetPercent !== undefined && percent > budgetPercent
      ? { kind: "over budget", percent }
      : undefined;
  }
}

/** Waits, or goes on at once when what `take` was given is called. */
async function pause(milliseconds: number, take: (resume: () => void) => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    take(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function isAlive(pid: number): boolean {
  try {
    return requireProcess(pid).isAlive();
  } catch {
    return false;
  }
}
