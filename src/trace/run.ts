/**
 * Owns one run: looks at the ring buffer, hands on events, notices when there is nothing left to trace or it costs too much.
 * Does not own preparing and arming (arm.ts) nor what is shown (tools/).
 */
import { KernelError, isUscopeError } from "../base/errors.js";
import type { ProcessEvents } from "../kernel/perf-events.js";
import { findProcess } from "../target/process.js";
import type { ProcessInfo } from "../target/process.js";
import { readThread } from "../target/thread.js";
import { Budget } from "./budget.js";
import { followChildren, type FollowedChildren } from "./children.js";
import type { Ending } from "./ending.js";
import type { EventRecord } from "./events.js";
import { watchLatecomers, type LateFile, type Latecomers } from "./latecomers.js";
import type { LaunchedCommand } from "./launch.js";
import { followMappings, type FollowedMappings } from "./mapped.js";
import type { SkippedPlace } from "./plan.js";
import type { Prepared } from "./prepare.js";
import type { ProbeCounters } from "./probe.js";
import { watchReplaced } from "./replaced.js";
import type { Session } from "./session.js";
import type { Drained } from "./stream.js";

export interface RunRequest {
  /** Ends the run when it is aborted. */
  readonly signal: AbortSignal;
  /** Called for each event in kernel time; the record is valid during the call only. */
  readonly onEvent: (record: EventRecord) => void;
  /** Says whether more events can be taken now; else they stay in the ring buffer, and what finds it full counts as lost. */
  readonly isReady?: () => boolean;
  /** Called after each batch of events. */
  readonly onPause?: () => void;
  /** Called about once a second with what the kernel side has counted, one per probe. */
  readonly onCounters?: (counters: readonly ProbeCounters[]) => void;
  /** Called when places of a file were armed that a process has mapped meanwhile. */
  readonly onLateFile?: (file: LateFile) => void;
}

/** Milliseconds between two looks at processes and counters. */
const watchPause = 100;
const countersPause = 1000;

const mostUnseen = 100;

const nothing: Drained = { events: 0, isMore: false };

/**
 * Milliseconds until the next look at the ring buffer, after one that found so many events. Why so short when there were
 * some: a program that finds much waiting wakes us at every hit, which costs the traced thread more than the event.
 */
function pauseAfter({ events, isMore }: Drained): number {
  if (isMore || events > 1000) return 0;
  return events > 10 ? 2 : 20;
}

/** What a run is to heed, beside its probes. */
export interface RunLimits {
  readonly children: boolean;
  readonly includeSelf: boolean;
  readonly tid?: number | undefined;
  readonly budgetPercent: number | undefined;
}

export class Run implements Disposable {
  readonly #limits: RunLimits;
  readonly #prepared: Prepared;
  readonly #session: Session;
  readonly #command: LaunchedCommand | undefined;
  /** The processes that are traced, as they were when the probes were armed. */
  readonly #processes: readonly ProcessInfo[];
  readonly #followed: FollowedMappings | undefined;
  readonly #children: FollowedChildren | undefined;
  readonly #latecomers: Latecomers | undefined;
  readonly #replaced: ProcessEvents | undefined;
  /** What of processes that another thread has taken over was not seen. */
  readonly #unseen: SkippedPlace[] = [];
  /** The first by each path that was armed meanwhile. */
  readonly lateFiles = new Map<string, LateFile>();
  /** What a person should know of what is not followed. */
  notes: readonly string[] = [];

  constructor(limits: RunLimits, prepared: Prepared, session: Session, command: LaunchedCommand | undefined) {
    this.#limits = limits;
    this.#prepared = prepared;
    this.#session = session;
    this.#command = command;
    this.#processes = prepared.plan.armed.pids.flatMap((pid) => findProcess(pid) ?? []);
    this.#followed = this.#needsMappings()
      ? followMappings(prepared.symbolizer, this.#fixedPids())
      : undefined;
    try {
      this.#children = this.#limits.children ? followChildren(session) : undefined;
      this.#replaced = this.#watchReplaced();
      this.#latecomers = this.#watchLatecomers();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Runs until it is stopped or nothing is left to trace; then disarms, and hands on what had come until then. */
  async untilEnd(request: RunRequest): Promise<Ending> {
    const session = this.#session;
    let wake: (() => void) | undefined;
    const onAbort = (): void => wake?.();
    const command = this.#command;
    let ending: Ending | undefined;
    void command?.ended.then((exitCode) => {
      ending ??= { kind: "command ended", exitCode };
      return wake?.();
    });
    const onEvent = this.#followed?.inTime(request.onEvent) ?? request.onEvent;
    try {
      using _readable = session.onReadable(() => wake?.());
      request.signal.addEventListener("abort", onAbort);
      command?.release();
      const watch = new Watch(
        this.#limits,
        // Why: the end of a command comes as an event, with its exit code.
        command === undefined && this.#prepared.plan.armed.pids.length > 0 ? this.#processes : undefined,
        this.#limits.budgetPercent === undefined ? [] : this.#prepared.costs,
      );
      for (;;) {
        this.#followed?.drain();
        this.#replaced?.drain();
        // Why before: who maps a file was forked before.
        this.#latecomers?.drain();
        this.#children?.drain();
        for (const file of (await this.#latecomers?.look()) ?? []) {
          if (!this.lateFiles.has(file.path)) this.lateFiles.set(file.path, file);
          request.onLateFile?.(file);
          if (this.#limits.budgetPercent !== undefined) watch.costs = this.#prepared.costs;
        }
        const drained = request.isReady?.() === false ? nothing : session.drain(onEvent);
        request.onPause?.();
        ending ??= request.signal.aborted ? { kind: "stopped" } : watch.look(this, request.onCounters);
        if (ending !== undefined) break;
        await pause(pauseAfter(drained), (resume) => (wake = resume));
      }
    } finally {
      // Why here: whoever is handed events or counters may throw.
      request.signal.removeEventListener("abort", onAbort);
      session.disarm();
    }
    this.#followed?.drain();
    this.#children?.drain();
    while (session.drain(onEvent, 0).isMore) request.onPause?.();
    request.onPause?.();
    if (command === undefined || ending.kind === "command ended") return ending;
    // Why asked: Ctrl-C goes to the command as well, and may have ended it already.
    const isKilled = this.#processes.some((process) => process.isAlive());
    command.kill();
    if (ending.kind !== "stopped" && ending.kind !== "over budget") return ending;
    return isKilled ? { ...ending, command: "killed" } : ending;
  }

  /** Forks and ends of processes that went unseen. */
  get lostChildren(): number {
    return this.#children?.lost ?? 0;
  }

  /** Places of files that were mapped meanwhile and could not be armed. */
  get lateSkipped(): Pick<Latecomers, "skippedLate" | "moreSkippedLate"> {
    const { skippedLate = [], moreSkippedLate = 0 } = this.#latecomers ?? {};
    return { skippedLate: [...this.#unseen, ...skippedLate], moreSkippedLate };
  }

  /** Records of what processes map that the kernel could not store. */
  get lostMappings(): number {
    return this.#followed?.lost ?? 0;
  }

  /** Children of the traced processes are traced too. */
  get isWithChildren(): boolean {
    return this.#limits.children;
  }

  /** One per probe: what the program with its events has counted, and what both ends of a span could not read. */
  counters(): readonly ProbeCounters[] {
    const { plan, parts } = this.#prepared;
    const counted = parts.map((_, part) => this.#session.gathered.counters(part));
    return plan.probes.map(({ number }) => {
      const own = counted.filter((_, part) => parts[part]!.probe === number);
      return { ...counted[number]!, faults: own.reduce((sum, { faults }) => sum + faults, 0n) };
    });
  }

  /** The processes that are traced with their children, and these. */
  members(): readonly number[] {
    return this.#session.members();
  }

  /** Hits of each part in all processes, as far as they are counted. */
  partHits(): readonly bigint[] {
    return this.#prepared.parts.map((_, part) => {
      const { reached, hits } = this.#session.gathered.counters(part);
      return reached ?? hits;
    });
  }

  [Symbol.dispose](): void {
    this.#replaced?.[Symbol.dispose]();
    this.#latecomers?.[Symbol.dispose]();
    this.#children?.[Symbol.dispose]();
    this.#followed?.[Symbol.dispose]();
  }

  /** Why not with children: no place stands in one process by itself then, and those heed whatever thread. */
  #watchReplaced(): ProcessEvents | undefined {
    const session = this.#session;
    if (this.#limits.children || this.#processes.length === 0) return undefined;
    try {
      return watchReplaced(this.#processes, (pid) => {
        let reason =
          "one of its threads but the first called exec: what it did until it was armed anew is not seen";
        try {
          if (session.renew(pid) === 0) return;
        } catch (error) {
          if (!isUscopeError(error)) throw error;
          reason = `one of its threads but the first called exec, and it could not be armed anew: ${error.what}`;
        }
        if (this.#unseen.length < mostUnseen) this.#unseen.push({ probe: 0, name: `process ${pid}`, reason });
      });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return undefined;
    }
  }

  /** Why no error where places stand: they are traced all the same. */
  #watchLatecomers(): Latecomers | undefined {
    const { growth, plan } = this.#prepared;
    if (growth === undefined) return undefined;
    const session = this.#session;
    try {
      return watchLatecomers({
        growth,
        pids: plan.armed.pids,
        isMember: this.#limits.children ? (pid) => session.isMember(pid) : undefined,
        launcher: this.#command?.pid,
        includeSelf: this.#limits.includeSelf,
        lostChildren: () => this.lostChildren,
        arm: (attachments) => session.add(attachments),
      });
    } catch (error) {
      if (growth.isWaiting || !(error instanceof KernelError)) throw error;
      this.notes = [`files that are mapped while the trace runs are not looked at: ${error.what}`];
      return undefined;
    }
  }

  /** Why with -p too: a process becomes another program, and then has other functions at the same addresses. */
  #needsMappings(): boolean {
    return this.#prepared.isNaming;
  }

  /** The processes that alone are traced; empty when others can join them. */
  #fixedPids(): readonly number[] {
    return this.#limits.children ? [] : this.#prepared.plan.armed.pids;
  }
}

/** Looks now and then whether there is still something to trace, and whether it costs too much. */
class Watch {
  readonly #limits: RunLimits;
  readonly #processes: readonly ProcessInfo[] | undefined;
  readonly #budget: Budget;
  #looksWithoutHeirs = 0;
  #looked = performance.now();
  #counted = performance.now();

  /** With no processes, others than a few may be traced, and their end is no end. */
  constructor(limits: RunLimits, processes: readonly ProcessInfo[] | undefined, costs: readonly number[]) {
    this.#limits = limits;
    this.#processes = processes;
    this.#budget = new Budget(costs, performance.now() * 1e6);
  }

  set costs(costs: readonly number[]) {
    this.#budget.costs = costs;
  }

  look(
    run: Pick<Run, "counters" | "partHits" | "members">,
    onCounters: RunRequest["onCounters"],
  ): Ending | undefined {
    const now = performance.now();
    if (now - this.#looked < watchPause) return undefined;
    this.#looked = now;
    const processes = this.#processes;
    if (
      processes !== undefined &&
      !processes.some((process) => process.isAlive()) &&
      !this.#mayHaveHeirs(run)
    )
      return { kind: "processes ended" };
    const { tid } = this.#limits;
    if (tid !== undefined && processes?.every(({ pid }) => readThread(pid, tid)?.isEnding !== false))
      return { kind: "thread ended" };
    const { budgetPercent } = this.#limits;
    const isCounting = onCounters !== undefined && now - this.#counted >= countersPause;
    if (!isCounting && budgetPercent === undefined) return undefined;
    if (isCounting) {
      this.#counted = now;
      onCounters(run.counters());
    }
    if (budgetPercent === undefined) return undefined;
    const percent = this.#budget.share(run.partHits(), now * 1e6);
    return percent !== undefined && percent > budgetPercent ? { kind: "over budget", percent } : undefined;
  }

  /** Why more than once: the fork of a child may be told after the end of its parent. */
  #mayHaveHeirs(run: Pick<Run, "members">): boolean {
    if (!this.#limits.children) return false;
    this.#looksWithoutHeirs = run.members().some((pid) => isAlive(pid)) ? 0 : this.#looksWithoutHeirs + 1;
    return this.#looksWithoutHeirs < 3;
  }
}

/** A zombie will do nothing more. */
function isAlive(pid: number): boolean {
  return findProcess(pid)?.isAlive() === true;
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
