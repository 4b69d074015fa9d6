/**
 * Owns noticing the files that traced processes map while a trace runs, and having their places armed: a library that is loaded later,
 * another program, a file of the same name in a container. Does not own what a probe means in a file (growth.ts).
 */
import { isUscopeError } from "../base/errors.js";
import { openProcessEvents } from "../kernel/perf-events.js";
import type { MapEvent, ProcessEvents } from "../kernel/perf-events.js";
import { mappedFiles } from "../target/find.js";
import { findStamp, openMapped } from "../target/mapped-binaries.js";
import type { Mapping } from "../target/mappings.js";
import { isOutOfDescriptors, listProcesses, requireProcess } from "../target/process.js";
import type { Arm, Growth } from "./growth.js";
import { mappingOf } from "./mapped.js";
import type { SkippedPlace } from "./plan.js";

/** Whose files count. */
export interface Latecoming {
  readonly growth: Growth;
  /** The processes that are traced; empty: all. */
  readonly pids: readonly number[];
  /** Says whether a process has become one of them; undefined: only `pids` are. */
  readonly isMember: ((pid: number) => boolean) | undefined;
  /** A process that is still the launcher of a command: what it maps before its next exec says nothing. */
  readonly launcher: number | undefined;
  readonly includeSelf: boolean;
  /** Forks that went unseen until now: who is a member may be known only from its first hit on. */
  readonly lostChildren: () => number;
  readonly arm: Arm;
}

/** A file whose places were armed while the trace ran. */
export interface LateFile {
  readonly path: string;
  /** The process that mapped it first. */
  readonly pid: number;
  readonly places: number;
  /** From when it was mapped until it was armed; undefined where only that it is mapped was seen. */
  readonly milliseconds: number | undefined;
}

export interface Latecomers extends Disposable {
  /** What could not be armed: places, or whole files. */
  readonly skippedLate: readonly SkippedPlace[];
  /** How many there are beyond these. */
  readonly moreSkippedLate: number;
  /** Takes in what has come until now. */
  drain(): void;
  /** Looks at what has come, for some milliseconds at most, and returns the files that were armed. */
  look(): Promise<readonly LateFile[]>;
}

/** Watches from now on, and looks at what is mapped already. Needs CAP_PERFMON. */
export function watchLatecomers(latecoming: Latecoming): Latecomers {
  return new Watcher(latecoming);
}

/** Milliseconds that one look may take, so that events of the trace are read in time. */
const mostTime = 50;
/** Milliseconds from the end of one look at all that is mapped to the next, when records were lost. */
const rescanPause = 1000;
/** Milliseconds in which a file is not looked at twice for having been overwritten. */
const stampPause = 100;
const mostWaiting = 10_000;
const mostLooked = 65_536;
const mostSkipped = 100;

/** Who maps a file that may be meant. */
interface Sighting {
  readonly pid: number;
  readonly mapping: Mapping;
  /** Looks at whether the process is a member. Why two: the fork of its parent may come one look later. */
  readonly looks: number;
  /** When it was mapped, in nanoseconds of CLOCK_MONOTONIC. */
  readonly time?: bigint;
}

/** A file that was looked at: its content as far as that is known, and when that was asked. */
interface Looked {
  readonly stamp: string | undefined;
  asked: number;
}

class Watcher implements Latecomers {
  /** Each once, however often its file is looked at. */
  readonly #skipped = new Map<string, SkippedPlace>();
  #moreSkipped = 0;
  /** Files that are to be tried again, by their paths. */
  readonly #failed = new Map<string, readonly SkippedPlace[]>();
  readonly #given: Latecoming;
  readonly #events: ProcessEvents;
  /** Processes whose mappings do not count before their next exec. */
  readonly #launchers = new Set<number>();
  /**
   * By file, and where each process is armed by itself by process: who maps it, of whom the first that is still there is looked at.
   */
  readonly #waiting = new Map<string, Map<number, Sighting>>();
  #sightings = 0;
  /** Processes that a look at all that is mapped has not come to yet, and what tells it from the others. */
  #unscanned: number[] = [];
  #round = 0;
  /** Files that were looked at. */
  readonly #looked = new Map<string, Looked>();
  #lost = 0;
  #lostChildren = 0;
  #rescanned = Number.NEGATIVE_INFINITY;
  #mustRescan = true;

  constructor(given: Latecoming) {
    this.#given = given;
    if (given.launcher !== undefined) this.#launchers.add(given.launcher);
    this.#events = openProcessEvents({
      onExec: ({ pid }) => this.#launchers.delete(pid),
      onMap: (event) => this.#notice(event),
    });
  }

  get skippedLate(): readonly SkippedPlace[] {
    return [...this.#skipped.values(), ...[...this.#failed.values()].flat()];
  }

  get moreSkippedLate(): number {
    return this.#moreSkipped;
  }

  drain(): void {
    this.#events.drain();
  }

  async look(): Promise<readonly LateFile[]> {
    const lostChildren = this.#given.lostChildren();
    const lost = this.#events.lost + this.#events.overflows;
    if (lost > this.#lost || lostChildren > this.#lostChildren) this.#mustRescan = true;
    this.#lost = lost;
    this.#lostChildren = lostChildren;
    const start = performance.now();
    this.#rescan(start);
    const armed: LateFile[] = [];
    // Why a copy: what is to be looked at again waits for the next look.
    const waiting = [...this.#waiting];
    for (const [key, sightings] of waiting) {
      if (performance.now() - start >= mostTime) break;
      this.#waiting.delete(key);
      this.#sightings -= sightings.size;
      for (const sighting of sightings.values()) {
        if (!this.#isTraced(sighting.pid)) {
          if (sighting.looks === 0 && this.#given.isMember !== undefined)
            this.#queue(key, { ...sighting, looks: 1 });
          continue;
        }
        const file = await this.#take(key, sighting);
        if (file === undefined) continue;
        if (file.places > 0) armed.push(file);
        // Why: others who map it were queued again before it was known.
        this.#forget(key);
        break;
      }
    }
    return armed;
  }

  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
  }

  #notice(event: MapEvent): void {
    const { pid, path, inode, generation, device, time } = event;
    if (inode === 0n || !this.#mayCount(pid)) return;
    const deleted = path.endsWith(deletedMark);
    const mapping = {
      ...mappingOf(event),
      path: deleted ? path.slice(0, -deletedMark.length) : path,
      deleted,
    };
    // Why the generation: a file system gives the number of a file that is gone to the next one.
    this.#add(pid, `${device} ${inode} ${generation}`, mapping, time);
  }

  #add(pid: number, file: string, mapping: Mapping, time?: bigint): void {
    if (!this.#given.growth.mayMean(mapping.path)) return;
    const key = this.#given.growth.isByProcess ? `${pid} ${file}` : file;
    const looked = this.#looked.get(key);
    if (looked !== undefined) {
      const now = performance.now();
      if (now - looked.asked < stampPause) return;
      looked.asked = now;
      const stamp = findStamp(pid, mapping);
      if (stamp === undefined || stamp === looked.stamp) return;
      this.#looked.delete(key);
    }
    this.#queue(key, { pid, mapping, looks: 0, ...(time === undefined ? {} : { time }) });
  }

  #queue(key: string, sighting: Sighting): void {
    if (this.#sightings >= mostWaiting) {
      this.#mustRescan = true;
      return;
    }
    const others = this.#waiting.get(key) ?? new Map<number, Sighting>();
    // Why replaced: after an exec the process maps it elsewhere.
    if (!others.has(sighting.pid)) this.#sightings++;
    others.set(sighting.pid, sighting);
    this.#waiting.set(key, others);
  }

  #forget(key: string): void {
    this.#sightings -= this.#waiting.get(key)?.size ?? 0;
    this.#waiting.delete(key);
  }

  /**
   * Looks at all that is mapped now, a few processes at a time, as long as there is room to wait: so a look leaves nothing out, however
   * much is mapped. Why with keys of their own: /proc does not tell generations.
   */
  #rescan(start: number): void {
    const { pids, isMember } = this.#given;
    if (this.#unscanned.length === 0 && this.#mustRescan && start - this.#rescanned > rescanPause) {
      this.#mustRescan = false;
      this.#unscanned =
        pids.length > 0 && isMember === undefined ? [...pids] : this.#attempt(listProcesses, []);
      this.#round++;
      this.#rescanned = start;
    }
    while (this.#unscanned.length > 0 && this.#sightings < mostWaiting / 2) {
      if (performance.now() - start >= mostTime / 2) break;
      const pid = this.#unscanned.pop()!;
      if (!this.#mayCount(pid) || !this.#isTraced(pid)) continue;
      for (const mapping of this.#attempt(() => mappedFiles(requireProcess(pid)), []))
        if (mapping.executable) this.#add(pid, `${mapping.device} ${mapping.inode} ${this.#round}`, mapping);
      this.#rescanned = start;
    }
  }

  #mayCount(pid: number): boolean {
    return !this.#launchers.has(pid) && (this.#given.includeSelf || pid !== process.pid);
  }

  #isTraced(pid: number): boolean {
    const { pids, isMember } = this.#given;
    return pids.length === 0 || (isMember?.(pid) ?? pids.includes(pid));
  }

  /** What may not be looked at is left out; for want of a descriptor it is looked at again later. */
  #attempt<Result>(action: () => Result, otherwise: Result): Result {
    try {
      return action();
    } catch (error) {
      if (!isUscopeError(error)) throw error;
      if (isOutOfDescriptors(error)) this.#mustRescan = true;
      return otherwise;
    }
  }

  /** Undefined where the process has ended before it was looked at; another one may map the file. */
  async #take(key: string, { pid, mapping, time }: Sighting): Promise<LateFile | undefined> {
    const { growth, arm } = this.#given;
    const { path } = mapping;
    try {
      const binary = openMapped(pid, mapping);
      if (binary === undefined) return undefined;
      const { stamp } = binary;
      const { places, skipped, isCut } = await growth.take(binary, pid, arm);
      const milliseconds = time === undefined ? undefined : Number(process.hrtime.bigint() - time) / 1e6;
      const file = { path, pid, places, milliseconds };
      if (isCut) {
        this.#fail(path, skipped);
        return file;
      }
      this.#failed.delete(path);
      if (this.#looked.size >= mostLooked) this.#looked.clear();
      this.#looked.set(key, { stamp, asked: Number.NEGATIVE_INFINITY });
      for (const place of skipped) {
        const said = `${place.probe} ${place.name} ${place.reason}`;
        if (this.#skipped.size < mostSkipped || this.#skipped.has(said)) this.#skipped.set(said, place);
        else this.#moreSkipped++;
      }
      return file;
    } catch (error) {
      if (!isUscopeError(error)) throw error;
      // Why only then: a process may end at any moment, or not be ours to look at.
      if (isOutOfDescriptors(error)) this.#fail(path, growth.skip(path, error.what));
      return undefined;
    }
  }

  /** A file that is to be tried again, for want of a descriptor. */
  #fail(path: string, skipped: readonly SkippedPlace[]): void {
    this.#mustRescan = true;
    if (this.#failed.size < mostSkipped || this.#failed.has(path)) this.#failed.set(path, skipped);
    else this.#moreSkipped += skipped.length;
  }
}

const deletedMark = " (deleted)";
