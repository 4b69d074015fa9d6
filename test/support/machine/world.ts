/**
 * Owns everything around a program that helpers can ask for: the process, its memory, the clock, the stacks.
 * Does not own the helpers, which are calls.ts.
 */
import { Maps } from "./maps.js";

/** Bytes at an address; everything outside of all ranges faults. */
export interface MemoryRange {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  /** The page was not touched yet: a plain read faults, a read that may sleep brings it in. */
  absent?: boolean;
}

export interface World {
  /** The bytes of struct pt_regs. */
  readonly context: Uint8Array;
  readonly maps: Maps;
  readonly memory: readonly MemoryRange[];
  readonly kernelMemory: readonly MemoryRange[];
  /** The process, which the kernel calls tgid. */
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
  /** All clocks, in nanoseconds. */
  readonly time: bigint;
  readonly cpu: number;
  readonly cookie: bigint;
  /** Ids from the root to the process's own cgroup. */
  readonly cgroups: readonly bigint[];
  /** The address of the task_struct, in kernel memory. */
  readonly task: bigint;
  readonly userStack: readonly bigint[];
  readonly kernelStack: readonly bigint[];
  /** The program was loaded as one that may sleep. */
  readonly sleepable: boolean;
  /** What another program does with the same memory right before each compare-and-exchange. */
  readonly interrupt: (memory: Uint8Array) => void;
  /** Instructions until the machine gives up. */
  readonly limit: number;
}

export function world(given: Partial<World>): World {
  return {
    context: new Uint8Array(168),
    maps: new Maps([]),
    kernelMemory: [],
    pid: 1000,
    tid: 1001,
    uid: 500,
    gid: 501,
    comm: "program",
    time: 1_000_000_000n,
    cpu: 0,
    cookie: 0n,
    cgroups: [1n],
    task: 0xffff_8880_0000_0000n,
    userStack: [],
    kernelStack: [],
    sleepable: false,
    interrupt: () => {},
    limit: 1_000_000,
    ...given,
    // Why: reading brings absent pages in, for this run only.
    memory: (given.memory ?? []).map((range) => ({ ...range })),
  };
}

/** Reads memory that may span several ranges; undefined when any byte of it faults. */
export function readRanges(
  ranges: readonly MemoryRange[],
  address: bigint,
  size: number,
  maySleep: boolean,
): Uint8Array | undefined {
  const bytes = new Uint8Array(size);
  let done = 0;
  while (done < size) {
    const at = address + BigInt(done);
    const range = ranges.find((range) => covers(range, at) && (maySleep || range.absent !== true));
    if (range === undefined) return undefined;
    if (maySleep) range.absent = false;
    const piece = range.bytes.subarray(Number(at - range.address)).subarray(0, size - done);
    bytes.set(piece, done);
    done += piece.length;
  }
  return bytes;
}

/** Reads up to a zero byte, which is part of what is returned, or `size` bytes when there is none among them. */
export function readText(
  ranges: readonly MemoryRange[],
  address: bigint,
  size: number,
): Uint8Array | undefined {
  const bytes: number[] = [];
  while (bytes.length < size) {
    const [byte] = readRanges(ranges, address + BigInt(bytes.length), 1, false) ?? [];
    if (byte === undefined) return undefined;
    bytes.push(byte);
    if (byte === 0) break;
  }
  return Uint8Array.from(bytes);
}

function covers({ address, bytes }: MemoryRange, at: bigint): boolean {
  return at >= address && at < address + BigInt(bytes.length);
}
