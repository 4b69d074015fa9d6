/**
 * Owns the watching of processes over the whole machine: fork, exec, exit and new executable mappings, in kernel-time
 * order, without tracefs. Does not own which of them matter, nor uprobes, which are uprobes.ts.
 */
import { readOnlineCpus } from "./cpus.js";
import { errno } from "./errno.js";
import { kernelError } from "./hints.js";
import { perfDummy } from "./layouts.js";
import { readPageSize } from "./ringbuffer.js";
import {
  attemptPerfEventOpen,
  closeDescriptor,
  mapMemory,
  unmapMemory,
  watchDescriptor,
} from "./syscalls.js";

/** What every event says. Ids are those of this process's pid namespace. */
export interface ProcessEvent {
  /** The process, not the thread. */
  readonly pid: number;
  readonly tid: number;
  /** Nanoseconds of CLOCK_MONOTONIC, as bpf_ktime_get_ns gives them. */
  readonly time: bigint;
}

/** A new process, or a new thread of one: then `parent` equals `pid`. */
export interface ForkEvent extends ProcessEvent {
  readonly parent: number;
}

export interface ExecEvent extends ProcessEvent {
  readonly comm: string;
}

/** A file was mapped executable. */
export interface MapEvent extends ProcessEvent {
  readonly path: string;
  readonly inode: bigint;
  /** Tells files apart that have had the same inode number one after the other, where the file system keeps it; else 0. */
  readonly generation: bigint;
  /** As /proc/PID/maps prints it: `fe:01`. */
  readonly device: string;
  readonly address: bigint;
  /** Bytes mapped, and where they begin in the file. */
  readonly length: bigint;
  readonly offset: bigint;
}

export interface ProcessListener {
  readonly onFork?: (event: ForkEvent) => void;
  readonly onExec?: (event: ExecEvent) => void;
  /** The end of a thread; of the whole process when `tid` equals `pid`, unless other threads outlive it. */
  readonly onExit?: (event: ProcessEvent) => void;
  /** Costs most: every library of every starting program. */
  readonly onMap?: (event: MapEvent) => void;
}

/** Events being watched; they come from the event loop, soon after they happen, and from `drain`. */
export interface ProcessEvents extends Disposable {
  /** Records that the kernel could not store. */
  readonly lost: number;
  /** Times that a processor's buffer was found full: the kernel tells of what it lost then only with the next record there. */
  readonly overflows: number;
  /** Delivers what has come until now; throws what a listener has thrown, since the last call too. */
  drain(): void;
}

/** Watches every process of the machine. Does not keep the process alive. Needs CAP_PERFMON. */
export function openProcessEvents(listener: ProcessListener): ProcessEvents {
  const rings: CpuRing[] = [];
  try {
    for (const cpu of readOnlineCpus()) {
      const ring = openCpuRing(cpu, listener);
      if (ring !== undefined) rings.push(ring);
    }
    return new Watcher(rings, listener);
  } catch (error) {
    for (const ring of rings) ring[Symbol.dispose]();
    throw error;
  }
}

// Spec: include/uapi/linux/perf_event.h: bits of perf_event_attr, PERF_SAMPLE_*, PERF_RECORD_*.
const attrBits = {
  exactMappings: 8,
  comm: 9,
  task: 13,
  watermark: 14,
  sampleIdAll: 18,
  mmap2: 23,
  commExec: 24,
  useClock: 25,
};
const sampleTidAndTime = (1 << 1) | (1 << 2);
const records = { lost: 2, comm: 3, exit: 4, fork: 7, mmap2: 10 } as const;
const execMisc = 1 << 13;
const dataPages = 64;

class Watcher implements ProcessEvents {
  readonly #rings: readonly CpuRing[];
  readonly #listener: ProcessListener;
  readonly #watches: Disposable[] = [];
  #lost = 0;
  #closed = false;
  /** What a listener threw when the event loop called. Why kept: above that call nobody could clean up; above `drain` somebody can. */
  #failure: { readonly error: unknown } | undefined;

  constructor(rings: readonly CpuRing[], listener: ProcessListener) {
    this.#rings = rings;
    this.#listener = listener;
    try {
      for (const { fd } of rings) {
        this.#watches.push(
          watchDescriptor(fd, { keepAlive: false }, () => this.#drainUnasked(), "process events"),
        );
      }
    } catch (error) {
      for (const watch of this.#watches) watch[Symbol.dispose]();
      throw error;
    }
    // Kernel: perf_poll() forgets a wake-up when anybody looks, and epoll looks twice at what it takes in, telling the second answer: a
    // wake-up before that is lost. The event loop takes descriptors in when it next polls, for certain before its second check phase.
    setImmediate(() => setImmediate(() => this.#drainUnasked()));
  }

  get lost(): number {
    return this.#lost;
  }

  get overflows(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.overflows, 0);
  }

  drain(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    if (this.#closed) return;
    const found = this.#rings.flatMap((ring) => ring.read());
    found.sort((left, right) => (left.time < right.time ? -1 : left.time > right.time ? 1 : 0));
    for (const record of found) this.#deliver(record);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#watches) watch[Symbol.dispose]();
    for (const ring of this.#rings) ring[Symbol.dispose]();
  }

  #drainUnasked(): void {
    if (this.#failure !== undefined) return;
    try {
      this.drain();
    } catch (error) {
      this.#failure = { error };
    }
  }

  #deliver({ type, misc, view, time }: PerfRecord): void {
    if (type === records.lost) {
      // u64 id, u64 lost
      this.#lost += Number(view.getBigUint64(16, true));
    } else if (type === records.fork) {
      // u32 pid, ppid, tid, ptid
      this.#listener.onFork?.({
        pid: view.getUint32(8, true),
        parent: view.getUint32(12, true),
        tid: view.getUint32(16, true),
        time,
      });
    } else if (type === records.exit) {
      this.#listener.onExit?.({ pid: view.getUint32(8, true), tid: view.getUint32(16, true), time });
    } else if (type === records.comm && (misc & execMisc) !== 0) {
      // u32 pid, tid, char comm[]
      const comm = readText(view, 16);
      this.#listener.onExec?.({ pid: view.getUint32(8, true), tid: view.getUint32(12, true), comm, time });
    } else if (type === records.mmap2) {
      // u32 pid, tid, u64 address, length, page offset, u32 major, minor, u64 inode, generation, u32 protection, flags, char name[]
      this.#listener.onMap?.({
        pid: view.getUint32(8, true),
        tid: view.getUint32(12, true),
        address: view.getBigUint64(16, true),
        length: view.getBigUint64(24, true),
        offset: view.getBigUint64(32, true),
        device: `${printByte(view.getUint32(40, true))}:${printByte(view.getUint32(44, true))}`,
        inode: view.getBigUint64(48, true),
        generation: view.getBigUint64(56, true),
        path: readText(view, 72),
        time,
      });
    }
  }
}

function printByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** A record, header included: u32 type, u16 misc, u16 size. With sample_id_all its last 16 bytes are u32 pid, tid, u64 time. */
interface PerfRecord {
  readonly type: number;
  readonly misc: number;
  readonly time: bigint;
  readonly view: DataView;
}

interface CpuRing extends Disposable {
  readonly fd: number;
  /** Times that it had no room for another record. */
  readonly overflows: number;
  read(): PerfRecord[];
}

/** Bytes: an mmap2 record whose path has PATH_MAX bytes. */
const longestRecord = 72 + 4096 + 16;

/** Returns undefined for a CPU that went offline meanwhile. */
function openCpuRing(cpu: number, listener: ProcessListener): CpuRing | undefined {
  const at = `process events of CPU ${cpu}`;
  const attr = perfDummy({ flagBits: flagBitsFor(listener), sampleType: sampleTidAndTime });
  const fd = attemptPerfEventOpen(attr, { pid: -1, cpu });
  if (fd === -errno.ENODEV) return undefined;
  if (fd < 0) throw kernelError(attr.call, -fd, at);
  try {
    return mapCpuRing(fd, at);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

function flagBitsFor(listener: ProcessListener): number[] {
  const always = [attrBits.watermark, attrBits.sampleIdAll, attrBits.useClock, attrBits.task];
  const exec = listener.onExec === undefined ? [] : [attrBits.comm, attrBits.commExec];
  const maps = listener.onMap === undefined ? [] : [attrBits.exactMappings, attrBits.mmap2];
  return [...always, ...exec, ...maps];
}

/** Maps one control page (1024 head, 1032 tail) and the data; records may be cut in two at the data's end. */
function mapCpuRing(fd: number, at: string): CpuRing {
  const page = readPageSize();
  const buffer = mapMemory({ fd, offset: 0, length: page * (1 + dataPages), writable: true }, at);
  const positions = new BigUint64Array(buffer, 1024, 2);
  const bytes = new Uint8Array(buffer, page);
  const mask = bytes.length - 1;
  let tail = Number(Atomics.load(positions, 1));
  let overflows = 0;

  const copy = (position: number, length: number): DataView => {
    const whole = new Uint8Array(length);
    const start = position & mask;
    const untilEnd = bytes.subarray(start, start + length);
    whole.set(untilEnd);
    whole.set(bytes.subarray(0, length - untilEnd.length), untilEnd.length);
    return new DataView(whole.buffer);
  };
  const read = (): PerfRecord[] => {
    const head = Number(Atomics.load(positions, 0));
    const found: PerfRecord[] = [];
    if (head - tail > bytes.length - longestRecord) overflows++;
    while (tail < head) {
      const size = copy(tail, 8).getUint16(6, true);
      const view = copy(tail, size);
      const time = view.getBigUint64(size - 8, true);
      found.push({ type: view.getUint32(0, true), misc: view.getUint16(4, true), view, time });
      tail += size;
    }
    Atomics.store(positions, 1, BigInt(tail));
    return found;
  };
  return {
    fd,
    get overflows() {
      return overflows;
    },
    read,
    [Symbol.dispose]() {
      unmapMemory(buffer);
      closeDescriptor(fd);
    },
  };
}

function readText(view: DataView, start: number): string {
  const bytes = new Uint8Array(view.buffer, start);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}
