/**
 * Owns keeping the set of traced processes true while they fork and end, as the kernel reports it: a daemon stays one of them.
 * Does not own the first hit of a child whose parent still lives: programs find that themselves (lang/lowering/process-filter.ts).
 */
import { KernelError } from "../base/errors.js";
import { errno } from "../kernel/errno.js";
import { openProcessEvents } from "../kernel/perf-events.js";
import type { ForkEvent, ProcessEvent, ProcessEvents } from "../kernel/perf-events.js";
import { listProcesses } from "../target/process.js";
import { readThread } from "../target/thread.js";

/** The processes that programs look at; programs add to them as well, so that nobody else can say who is one. */
export interface Members {
  isMember(pid: number): boolean;
  addMember(pid: number): void;
  removeMember(pid: number): void;
}

export interface FollowedChildren extends Disposable {
  /** Forks and ends that were not seen, or not heeded because there are too many processes. */
  readonly lost: number;
  /** Takes in what has come until now. */
  drain(): void;
}

/** Follows the children of the members from now on, and those that the members have already. Needs CAP_PERFMON. */
export function followChildren(members: Members): FollowedChildren {
  return new Family(members);
}

class Family implements FollowedChildren {
  readonly #members: Members;
  readonly #events: ProcessEvents;
  /** Adding found the set full. */
  #refused = 0;
  /**
   * Children by parents who were no members, of this drain and of the one before. Why kept: CPUs are read one after the
   * other, so that a grandchild's fork may come one drain before its parent's.
   */
  #strangers: readonly [Map<number, number[]>, Map<number, number[]>] = [new Map(), new Map()];
  /** Processes whose first thread has ended, in this drain and before. Why kept: their last forks may come one drain later. */
  readonly #ended = new Set<number>();
  readonly #ending = new Set<number>();

  constructor(members: Members) {
    this.#members = members;
    this.#events = openProcessEvents({
      onFork: (event) => this.#takeFork(event),
      onExit: (event) => this.#takeExit(event),
    });
    try {
      this.#addDescendants();
    } catch (error) {
      this.#events[Symbol.dispose]();
      throw error;
    }
  }

  get lost(): number {
    return this.#events.lost + this.#refused;
  }

  drain(): void {
    this.#events.drain();
    for (const pid of this.#ending) if (!this.#keeps(pid)) this.#ending.delete(pid);
    for (const pid of this.#ended) this.#ending.add(pid);
    this.#ended.clear();
    this.#strangers = [new Map(), this.#strangers[0]];
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
  }

  #takeFork({ pid, parent }: ForkEvent): void {
    if (pid === parent) return;
    const hasEnded = this.#ended.delete(pid);
    const isReused = this.#ending.delete(pid) || hasEnded;
    if (this.#members.isMember(parent)) return this.#add(pid);
    if (isReused) this.#members.removeMember(pid);
    const [strangers] = this.#strangers;
    const siblings = strangers.get(parent);
    if (siblings === undefined) strangers.set(parent, [pid]);
    else siblings.push(pid);
  }

  #takeExit({ pid, tid }: ProcessEvent): void {
    if (pid === tid) this.#ended.add(pid);
  }

  /** Adds a process, and its children that were seen before it. */
  #add(pid: number): void {
    try {
      this.#members.addMember(pid);
    } catch (error) {
      if (!(error instanceof KernelError && error.errno === errno.E2BIG)) throw error;
      this.#refused++;
      return;
    }
    for (const strangers of this.#strangers) {
      const children = strangers.get(pid) ?? [];
      strangers.delete(pid);
      for (const child of children) this.#add(child);
    }
  }

  /**
   * Says whether a process whose first thread has ended is to be asked again; removes a member when all of it has ended.
   * Kernel: a first thread that another one replaces by exec is reported as ended too, and its pid lives on.
   */
  #keeps(pid: number): boolean {
    if (!this.#members.isMember(pid)) return false;
    const first = readThread(pid, pid);
    if (first?.isEnding === false) return false;
    if (first !== undefined && first.threads > 1) return true;
    this.#members.removeMember(pid);
    return false;
  }

  /** Why: a child that lost its parent before its first hit could not be found any more. */
  #addDescendants(): void {
    const children = new Map<number, number[]>();
    for (const [pid, parent] of readParents()) {
      const siblings = children.get(parent);
      if (siblings === undefined) children.set(parent, [pid]);
      else siblings.push(pid);
    }
    const addBelow = (parent: number): void => {
      const found = children.get(parent) ?? [];
      // Why: parents are read one after the other, so that a process id that is used again meanwhile can close a circle.
      children.delete(parent);
      for (const pid of found) {
        this.#add(pid);
        addBelow(pid);
      }
    };
    const known = [...children.keys()].filter((parent) => this.#members.isMember(parent));
    for (const parent of known) addBelow(parent);
  }
}

function readParents(): [number, number][] {
  return listProcesses().map((pid) => [pid, readThread(pid, pid)?.parent ?? 0]);
}
