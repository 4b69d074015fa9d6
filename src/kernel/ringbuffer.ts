/**
 * Owns reading a ring buffer map: finding committed records in place, and giving their room back.
 * Does not own what a record means, nor when to read: that is for whoever runs the trace, and wake-ups are rare.
 */
import { readFileSync } from "node:fs";
import { assert } from "../base/assert.js";
import type { KernelMap } from "./maps.js";
import { mapMemory, unmapMemory, watchDescriptor } from "./syscalls.js";

/**
 * An open ring buffer. Records are read where the kernel wrote them: `read` tells start and length in `bytes`, and they
 * stay valid until `release`, or until the ring is disposed, when `bytes` has length 0.
 *
 *     bytes   [ data, `size` bytes ][ its first bytes once more ]      so that no record is ever cut in two
 */
export interface RingBuffer extends Disposable {
  /** Bytes of the ring. */
  readonly size: number;
  readonly bytes: Uint8Array;
  /** Where the next read begins, in bytes since the ring was made. */
  readonly position: number;
  /** Bytes that wait, those of records still being written included. */
  readonly waiting: number;
  /** Visits committed records since the last read, at most `limit`, and returns how many; stops at one that is still being written. */
  read(visit: (start: number, length: number) => void, limit?: number): number;
  /** Gives back the room of all records before the position; of all that were read, when none is named. */
  release(position?: number): void;
  /** Calls back once per wake-up of the program until disposed. Does not keep the process alive. */
  onReadable(callback: () => void): Disposable;
}

/** Maps the memory of a ring buffer map; `spec.entries` are its bytes. */
export function openRingBuffer(map: KernelMap): RingBuffer {
  return new MappedRing(map);
}

// Spec: include/uapi/linux/bpf.h, BPF_RINGBUF_*. A record is u32 length and bits, u32 page offset, then its bytes.
const headerBytes = 8;
/** Bytes of a record, header and all, at most: programs send no more than 32,767. The second view of the data is as long. */
const longestRecord = 1 << 16;
const discardBit = 0x40000000;
const lengthMask = 0x3fffffff;

class MappedRing implements RingBuffer {
  readonly size: number;
  readonly bytes: Uint8Array;
  readonly #map: KernelMap;
  readonly #mask: number;
  readonly #control: ArrayBuffer;
  readonly #shared: ArrayBuffer;
  readonly #consumer: BigInt64Array;
  readonly #producer: BigInt64Array;
  readonly #words: Int32Array;
  readonly #watches = new Set<Disposable>();
  #position = 0;
  #released = 0;
  #closed = false;

  constructor(map: KernelMap) {
    const size = map.spec.entries;
    assert(map.spec.kind === "ringbuf", `map ${map.spec.name} is no ring buffer`);
    assert(size <= 1 << 30 && (size & (size - 1)) === 0, "a ring of a power of two, at most 1 GiB");
    const at = `map ${map.spec.name}, ${size} bytes`;
    const page = readPageSize();
    // Kernel: page 0 is the consumer's and writable; then the producer's page and the data twice, read-only.
    const overlap = Math.min(size, longestRecord);
    this.#control = mapMemory({ fd: map.fd, offset: 0, length: page, writable: true }, at);
    try {
      this.#shared = mapMemory(
        { fd: map.fd, offset: page, length: page + size + overlap, writable: false },
        at,
      );
    } catch (error) {
      unmapMemory(this.#control);
      throw error;
    }
    this.#map = map;
    this.size = size;
    this.#mask = size - 1;
    this.#consumer = new BigInt64Array(this.#control, 0, 1);
    this.#producer = new BigInt64Array(this.#shared, 0, 1);
    this.bytes = new Uint8Array(this.#shared, page, size + overlap);
    this.#words = new Int32Array(this.#shared, page, size >> 2);
    this.#position = this.#released = Number(Atomics.load(this.#consumer, 0));
  }

  get position(): number {
    return this.#position;
  }

  get waiting(): number {
    return this.#closed ? 0 : Number(Atomics.load(this.#producer, 0)) - this.#position;
  }

  read(visit: (start: number, length: number) => void, limit: number = Number.POSITIVE_INFINITY): number {
    const begin = this.#position;
    const remaining = this.waiting;
    let at = begin & this.#mask;
    let done = 0;
    let count = 0;
    try {
      while (remaining > done && count < limit && !this.#closed) {
        // Why: the load orders the header before the record's bytes; the kernel clears the busy bit (the sign) last.
        const header = Atomics.load(this.#words, at >> 2);
        if (header < 0) break;
        const length = header & lengthMask;
        const start = at + headerBytes;
        const step = (length + headerBytes + 7) & ~7;
        done += step;
        at = (at + step) & this.#mask;
        if ((header & discardBit) === 0) {
          count++;
          visit(start, length);
        }
      }
    } finally {
      this.#position = begin + done;
    }
    return count;
  }

  release(position = this.#position): void {
    if (this.#closed) return;
    assert(
      position >= this.#released && position <= this.#position,
      "room is given back in order, once read",
    );
    this.#released = position;
    Atomics.store(this.#consumer, 0, BigInt(position));
  }

  onReadable(callback: () => void): Disposable {
    const watch = watchDescriptor(this.#map.fd, { keepAlive: false }, callback, `map ${this.#map.spec.name}`);
    this.#watches.add(watch);
    return {
      [Symbol.dispose]: () => {
        watch[Symbol.dispose]();
        this.#watches.delete(watch);
      },
    };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const watch of this.#watches) watch[Symbol.dispose]();
    unmapMemory(this.#control);
    unmapMemory(this.#shared);
  }
}

/** Returns the bytes of a memory page. Source: the auxiliary vector, AT_PAGESZ; Node has no call for it. */
export function readPageSize(): number {
  const pageSizeType = 6n;
  const bytes = readFileSync("/proc/self/auxv");
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    if (bytes.readBigUInt64LE(at) === pageSizeType) return Number(bytes.readBigUInt64LE(at + 8));
  }
  return 4096;
}
