/**
 * Owns maps in the kernel: making one from its spec, and reading and writing its elements.
 * Does not own what the bytes mean, nor ring buffers' contents, which are ringbuffer.ts.
 */
import { assert } from "../base/assert.js";
import type { MapSpec } from "../bpf/spec.js";
import { readPossibleCpus } from "./cpus.js";
import { errno } from "./errno.js";
import { kernelError } from "./hints.js";
import {
  batchCount,
  mapCreate,
  mapDelete,
  mapLookup,
  mapLookupBatch,
  mapNextKey,
  mapTypes,
  mapUpdate,
} from "./layouts.js";
import { attemptBpf, bpf, closeDescriptor } from "./syscalls.js";

/** One element. In per-CPU maps the value holds one part per possible CPU: see `splitPerCpu`. */
export interface MapEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A map in the kernel; lives until it is disposed and no program uses it. */
export interface KernelMap extends Disposable {
  readonly spec: MapSpec;
  readonly fd: number;
  /** Returns a copy of the value, or undefined when there is no such key. */
  lookup(key: Uint8Array): Uint8Array | undefined;
  /** Writes a value; in per-CPU maps the same one for every CPU. */
  update(key: Uint8Array, value: Uint8Array): void;
  /** Says whether there was such a key. */
  delete(key: Uint8Array): boolean;
  /** Returns every element, in batches where the kernel can. Elements added or deleted meanwhile may be missed. */
  entries(): MapEntry[];
  /** Returns the elements of an array that are not all zeros. */
  touchedEntries(): MapEntry[];
  /** Cuts a value of a per-CPU map into one view per possible CPU. */
  splitPerCpu(value: Uint8Array): Uint8Array[];
}

/** Makes a map in the kernel. A ring buffer's `entries` are its bytes. */
export function createMap(spec: MapSpec): KernelMap {
  const fd = bpf(mapCreate({ ...spec, type: mapTypes[spec.kind] }), `map ${spec.name}`);
  try {
    return new OpenMap(spec, fd, isPerCpu(spec) ? readPossibleCpus() : 1);
  } catch (error) {
    closeDescriptor(fd);
    throw error;
  }
}

/** Adds up the 64-bit fields of a value's parts, field by field. */
export function sumPerCpu(parts: readonly Uint8Array[]): bigint[] {
  const fields = (parts[0]?.length ?? 0) >> 3;
  const views = parts.map((part) => new DataView(part.buffer, part.byteOffset, part.byteLength));
  return Array.from({ length: fields }, (_, field) =>
    views.reduce((sum, view) => BigInt.asUintN(64, sum + view.getBigUint64(field * 8, true)), 0n),
  );
}

class OpenMap implements KernelMap {
  readonly spec: MapSpec;
  readonly fd: number;
  /** Bytes that the kernel reads and writes for one value. */
  readonly #valueBytes: number;
  readonly #cpus: number;
  #closed = false;

  constructor(spec: MapSpec, fd: number, cpus: number) {
    this.spec = spec;
    this.fd = fd;
    this.#cpus = cpus;
    // Kernel: each CPU's part is rounded up to 8 bytes.
    this.#valueBytes = isPerCpu(spec) ? roundUp8(spec.valueBytes) * cpus : spec.valueBytes;
  }

  lookup(key: Uint8Array): Uint8Array | undefined {
    this.#assertKey(key);
    const value = new Uint8Array(this.#valueBytes);
    const attr = mapLookup(this.fd, key, value);
    return this.#orMissing(attemptBpf(attr), attr.call) ? value : undefined;
  }

  update(key: Uint8Array, value: Uint8Array): void {
    this.#assertKey(key);
    assert(
      value.length === this.spec.valueBytes,
      `a value of ${this.spec.valueBytes} bytes for ${this.#at()}`,
    );
    bpf(mapUpdate(this.fd, key, isPerCpu(this.spec) ? this.#spread(value) : value, 0), this.#at());
  }

  delete(key: Uint8Array): boolean {
    this.#assertKey(key);
    const attr = mapDelete(this.fd, key);
    return this.#orMissing(attemptBpf(attr), attr.call);
  }

  entries(): MapEntry[] {
    this.#assertOpen();
    return this.#entriesByBatch() ?? this.#entriesOneByOne();
  }

  /** The elements of an array that are not all zeros. Why apart: of tens of thousands few are touched, and each takes objects. */
  touchedEntries(): MapEntry[] {
    this.#assertOpen();
    return (
      this.#entriesByBatch(isTouched) ??
      this.#entriesOneByOne().filter(({ value }) => isTouched(value, 0, value.length))
    );
  }

  splitPerCpu(value: Uint8Array): Uint8Array[] {
    assert(value.length === this.#valueBytes, `a value of ${this.#at()}`);
    const stride = value.length / this.#cpus;
    return Array.from({ length: this.#cpus }, (_, cpu) =>
      value.subarray(cpu * stride, cpu * stride + this.spec.valueBytes),
    );
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeDescriptor(this.fd);
  }

  /** Returns undefined where the kernel has no batches for this kind of map. */
  #entriesByBatch(isWanted: typeof isTouched = () => true): MapEntry[] | undefined {
    const { keyBytes } = this.spec;
    const found: MapEntry[] = [];
    let from: Uint8Array | undefined;
    let count = Math.min(this.spec.entries, 1024);
    for (;;) {
      // Kernel: the position is 4 bytes for hashes and arrays; a whole key's room serves every kind.
      const next = new Uint8Array(Math.max(8, keyBytes));
      const keys = new Uint8Array(count * keyBytes);
      const values = new Uint8Array(count * this.#valueBytes);
      const attr = mapLookupBatch({ fd: this.fd, from, next, keys, values, count });
      const result = attemptBpf(attr);
      // Kernel: the next bucket of a hash does not fit; nothing is lost, ask again with more room.
      if (result === -errno.ENOSPC && count < this.spec.entries) {
        count = Math.min(this.spec.entries, count * 4);
        continue;
      }
      if (result < 0 && result !== -errno.ENOENT) {
        const noBatches = [errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUPP].some((code) => result === -code);
        if (from === undefined && noBatches) return undefined;
        throw kernelError(attr.call, -result, this.#at());
      }
      const read = batchCount(attr);
      for (let index = 0; index < read; index++) {
        if (!isWanted(values, index * this.#valueBytes, (index + 1) * this.#valueBytes)) continue;
        found.push({
          key: keys.subarray(index * keyBytes, (index + 1) * keyBytes),
          value: values.subarray(index * this.#valueBytes, (index + 1) * this.#valueBytes),
        });
      }
      if (result === -errno.ENOENT) return found;
      from = next;
    }
  }

  #entriesOneByOne(): MapEntry[] {
    const found: MapEntry[] = [];
    let key: Uint8Array | undefined;
    // Kernel: deleting the current key restarts the walk, so a busy map could go round for ever.
    for (let steps = 0; steps < this.spec.entries * 2; steps++) {
      const next = new Uint8Array(this.spec.keyBytes);
      const attr = mapNextKey(this.fd, key, next);
      if (!this.#orMissing(attemptBpf(attr), attr.call)) break;
      const value = this.lookup(next);
      if (value !== undefined) found.push({ key: next, value });
      key = next;
    }
    return found;
  }

  #spread(value: Uint8Array): Uint8Array {
    const all = new Uint8Array(this.#valueBytes);
    for (let cpu = 0; cpu < this.#cpus; cpu++) all.set(value, (cpu * all.length) / this.#cpus);
    return all;
  }

  #orMissing(result: number, call: Parameters<typeof kernelError>[0]): boolean {
    if (result >= 0) return true;
    if (result === -errno.ENOENT) return false;
    throw kernelError(call, -result, this.#at());
  }

  /** Why: the kernel reads as many bytes as the spec says, however short the buffer. */
  #assertKey(key: Uint8Array): void {
    this.#assertOpen();
    assert(key.length === this.spec.keyBytes, `a key of ${this.spec.keyBytes} bytes for ${this.#at()}`);
  }

  /** Why: the kernel gives the number of a closed descriptor to the next map. */
  #assertOpen(): void {
    assert(!this.#closed, `${this.#at()} is closed`);
  }

  #at(): string {
    return `map ${this.spec.name}`;
  }
}

function isPerCpu(spec: MapSpec): boolean {
  return spec.kind === "percpu-array" || spec.kind === "percpu-hash";
}

function roundUp8(bytes: number): number {
  return (bytes + 7) & ~7;
}

function isTouched(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return true;
  return false;
}
