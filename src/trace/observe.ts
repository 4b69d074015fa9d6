/**
 * Owns one run of probes: prepares, arms, hands on events, notices when there is nothing left to trace, cleans up.
 * Does not own what is shown (tools/) nor what stands in the kernel (session.ts).
 */
import { NoMultiLinksError } from "../kernel/uprobes.js";
import { requireProcess } from "../target/process.js";
import { Budget } from "./budget.js";
import type { Ending } from "./ending.js";
import { holdsUserAddresses } from "./events.js";
import type { EventRecord } from "./events.js";
import { followMappings, type FollowedMappings } from "./mapped.js";
import { launch } from "./launch.js";
import type { LaunchedCommand } from "./launch.js";
import { prepare } from "./prepare.js";
import type { Prepared, PrepareRequest, SkippedPlace } from "./prepare.js";
import type { ProbeCounters, TracedProbe, TracedSite } from "./probe.js";
import { Session } from "./session.js";
import { explainSilence } from "./silence.js";
import type { AttachWay } from "./way.js";

/** What is to be traced, in full; a request may leave out all but the probes. */
interface Wanted extends Omit<PrepareRequest, "launched" | "statistics"> {
  /** A command to start when the probes are armed; the trace ends with it. */
  readonly command: readonly string[] | undefined;
  /** Percent of one core that the probes may cost the traced programs. */
  readonly budgetPercent: number | undefined;
  /** Keep the compiler's and the verifier's words. */
  readonly verbose: boolean;
}

export type ObserveRequest = Pick<Wanted, "probes"> & Partial<Wanted>;

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

export interface RunRequest {
  /** Ends the run when it is aborted. */
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
export async function observe(asked: ObserveRequest): Promise<Observation> {
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
      return new Run(request, prepared, session, command);
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

/** Milliseconds between two looks at processes and counters. */
const watchPause = 100;
const countersPause = 1000;

/**
 * Milliseconds until the next look at the ring buffer, after one that found so many events. Why so short when there were
 * some: a program that finds much waiting wakes us at every hit, which costs the traced thread more than the event.
 */
function pauseAfter(events: number): number {
  if (events > 1000) return 0;
  return events > 10 ? 2 : 20;
}

class Run implements Observation {
  readonly probes;
  readonly sites;
  readonly armed;
  readonly skipped;
  readonly notes;
  readonly dumps;
  readonly verified;
  readonly printAddress;
  readonly #request: Wanted;
  readonly #prepared: Prepared;
  readonly #session: Session;
  readonly #command: LaunchedCommand | undefined;
  readonly #followed: FollowedMappings | undefined;

  constructor(request: Wanted, prepared: Prepared, session: Session, command: LaunchedCommand | undefined) {
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
    let wake: (() => void) | undefined;
    using readable = session.onReadable(() => wake?.());
    const onAbort = (): void => wake?.();
    request.signal.addEventListener("abort", onAbort);
    const command = this.#command;
    let ending: Ending | undefined;
    void command?.ended.then((exitCode) => {
      ending ??= { kind: "command ended", exitCode };
      return wake?.();
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
      if (isWanted) await pause(pauseAfter(count), (resume) => (wake = resume));
    }
    request.signal.removeEventListener("abort", onAbort);
    readable[Symbol.dispose]();
    session.disarm();
    this.#followed?.drain();
    session.drain(request.onEvent, 0);
    request.onPause?.();
    if (command === undefined || ending?.kind === "command ended") return ending ?? { kind: "stopped" };
    // Why asked: Ctrl-C goes to the command as well, and may have ended it already.
    const isKilled = ending?.kind === "stopped" && isAlive(command.pid);
    command.kill();
    return isKilled ? { kind: "stopped", command: "killed" } : (ending ?? { kind: "stopped" });
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
    return !isNamed && this.probes.some(({ event }) => holdsUserAddresses(event));
  }
}

/** Looks now and then whether there is still something to trace, and whether it costs too much. */
class Watch {
  readonly #request: Wanted;
  readonly #pids: readonly number[];
  readonly #budget: Budget;
  #looked = performance.now();
  #counted = performance.now();

  constructor(request: Wanted, pids: readonly number[], isCommand: boolean, costs: readonly number[]) {
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
    if (milliseconds === 0) return void setImmediate(resolve);
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
