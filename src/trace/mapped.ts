/**
 * Owns telling the symbolizer what processes map, in time with the events whose addresses it names: a process may have become
 * another program, or have ended, when an event of it is printed. Does not own naming them (target/symbolize.ts).
 */
import { openProcessEvents } from "../kernel/perf-events.js";
import type { MapEvent, ProcessEvent, ProcessEvents } from "../kernel/perf-events.js";
import type { Mapping } from "../target/mappings.js";
import type { Symbolizer } from "../target/symbolize.js";
import { roughTimeOf } from "./events.js";
import type { EventRecord } from "./events.js";

export interface FollowedMappings extends Disposable {
  /** Records of processes that the kernel could not store: names may be missing. */
  readonly lost: number;
  /** Takes in what has come until now. */
  drain(): void;
  /** A visitor of events that finds, for each, what was known of processes at its time. */
  inTime(visit: (record: EventRecord) => void): (record: EventRecord) => void;
}

/**
 * Follows these processes, or with none every process of the machine, from now on. Kernel: mmap2 records without
 * PERF_RECORD_MISC_MMAP_DATA are executable mappings.
 */
export function followMappings(symbolizer: Symbolizer, pids: readonly number[] = []): FollowedMappings {
  return new Follower(symbolizer, pids);
}

/** What a process has mapped, as an event tells it. */
export function mappingOf({ address, length, offset, device, inode, path }: MapEvent): Mapping {
  const start = Number(address);
  return {
    start,
    end: start + Number(length),
    readable: true,
    writable: false,
    executable: true,
    offset: Number(offset),
    device,
    inode,
    path,
    deleted: false,
  };
}

/** Happenings that wait for the events before them; when there are more, no event comes that could ask for older ones. */
const mostWaiting = 10_000;

interface Happening {
  /** Nanoseconds of CLOCK_MONOTONIC. */
  readonly time: number;
  /** The process that is another from then on, or all; undefined when it stays what it is. */
  readonly renews: number | "all" | undefined;
  readonly tell: () => void;
}

class Follower implements FollowedMappings {
  readonly #symbolizer: Symbolizer;
  readonly #events: ProcessEvents;
  readonly #isFollowed: (pid: number) => boolean;
  #waiting: Happening[] = [];
  /** Those of `#waiting` that have been told. */
  #told = 0;
  #lost = 0;
  #drained = 0;

  constructor(symbolizer: Symbolizer, pids: readonly number[]) {
    const followed = new Set(pids);
    this.#isFollowed = (pid) => followed.size === 0 || followed.has(pid);
    this.#symbolizer = symbolizer;
    this.#events = openProcessEvents({
      onFork: ({ pid, parent, time }) => {
        if (pid !== parent) this.#renew({ pid, time }, () => symbolizer.inherit(pid, parent));
      },
      onExec: ({ pid, time }) => this.#renew({ pid, time }, () => symbolizer.forget(pid)),
      onExit: ({ pid, tid, time }) => {
        if (pid === tid) this.#add({ pid, time }, () => symbolizer.end(pid));
      },
      onMap: (event) => {
        const { pid, time } = event;
        const mapping = mappingOf(event);
        this.#add({ pid, time }, () => symbolizer.learn(pid, mapping));
      },
    });
    symbolizer.isStale = (pid) => this.#isStale(pid);
    // Why again: what happened since they were looked at is not heard.
    for (const pid of pids) symbolizer.warm(pid);
  }

  get lost(): number {
    return this.#events.lost;
  }

  drain(): void {
    this.#drained = now();
    this.#events.drain();
    this.#noticeLosses(now());
  }

  inTime(visit: (record: EventRecord) => void): (record: EventRecord) => void {
    return (record) => {
      const time = roughTimeOf(record);
      if (time > this.#drained) this.drain();
      this.#tellUntil(time);
      visit(record);
    };
  }

  [Symbol.dispose](): void {
    this.#symbolizer.isStale = () => false;
    this.#events[Symbol.dispose]();
  }

  /** Adds what makes the process another one. */
  #renew(event: Pick<ProcessEvent, "pid" | "time">, tell: () => void): void {
    this.#add(event, tell, event.pid);
  }

  #add(event: Pick<ProcessEvent, "pid" | "time">, tell: () => void, renews?: number): void {
    const time = Number(event.time);
    this.#noticeLosses(time);
    if (!this.#isFollowed(event.pid)) return;
    this.#waiting.push({ time, renews, tell });
    if (this.#waiting.length - this.#told > mostWaiting) this.#tellNext();
  }

  /** Why all: every process may have become another in what was lost. */
  #noticeLosses(time: number): void {
    if (this.#events.lost === this.#lost) return;
    this.#lost = this.#events.lost;
    this.#waiting.push({ time, renews: "all", tell: () => this.#symbolizer.forgetAll() });
  }

  #tellUntil(time: number): void {
    while (this.#told < this.#waiting.length && this.#waiting[this.#told]!.time <= time) this.#tellNext();
  }

  #tellNext(): void {
    this.#waiting[this.#told++]!.tell();
    if (this.#told < mostWaiting && this.#told < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#told);
    this.#told = 0;
  }

  #isStale(pid: number): boolean {
    this.drain();
    return this.#waiting.slice(this.#told).some(({ renews }) => renews === pid || renews === "all");
  }
}

function now(): number {
  return Number(process.hrtime.bigint());
}
