/**
 * Owns the maps of the test machine: tables by key and processor, and the ring buffer with its wake-ups.
 * Does not own who may call what; calls.ts reads the arguments.
 */
import type { MapSpec } from "../../../src/bpf/spec.js";
import { region } from "./memory.js";
import type { Region } from "./memory.js";

/** Negative numbers as the kernel returns them. */
export const errors = { ENOENT: -2, E2BIG: -7, EFAULT: -14, EEXIST: -17, EINVAL: -22, EAGAIN: -11 } as const;

interface RingRecord {
  readonly region: Region;
  readonly position: number;
  state: "reserved" | "submitted" | "discarded";
}

export class Ring {
  readonly spec: MapSpec;
  readonly records: RingRecord[] = [];
  wakeups = 0;
  produced = 0;
  consumed = 0;

  constructor(spec: MapSpec) {
    this.spec = spec;
  }

  /** Kernel: a record takes 8 bytes more than asked for, rounded up to 8; one byte always stays free. */
  reserve(size: number): RingRecord | undefined {
    const taken = Math.ceil((size + 8) / 8) * 8;
    if (this.produced + taken - this.consumed >= this.spec.entries) return undefined;
    // Why: the kernel gives out what the last lap left there, so a field that was not written must show.
    const record: RingRecord = {
      region: region(
        "record",
        `the record of ${size} bytes in ${this.spec.name}`,
        new Uint8Array(size).fill(0xa5),
      ),
      position: this.produced,
      state: "reserved",
    };
    this.records.push(record);
    this.produced += taken;
    return record;
  }

  /** Kernel: bpf_ringbuf_commit(): 1 is BPF_RB_NO_WAKEUP, 2 BPF_RB_FORCE_WAKEUP; without either it wakes a reader that has caught up. */
  release(record: RingRecord, state: "submitted" | "discarded", flags: bigint): void {
    record.state = state;
    record.region.released = true;
    const caughtUp = this.consumed === record.position;
    if ((flags & 2n) !== 0n || (caughtUp && (flags & 1n) === 0n)) this.wakeups++;
  }

  /** Does what the reader does: everything there is is taken. */
  consume(): void {
    this.consumed = this.produced;
  }
}

export class Table {
  readonly spec: MapSpec;
  /** By key in hexadecimal, one value a processor; tables that are not per processor have one. */
  readonly values = new Map<string, Uint8Array[]>();

  constructor(spec: MapSpec) {
    this.spec = spec;
  }

  find(key: Uint8Array, processor: number): Uint8Array | undefined {
    const name = hexadecimal(key);
    if (isArray(this.spec) && !this.values.has(name) && arrayIndex(key) < this.spec.entries)
      this.values.set(name, []);
    const values = this.values.get(name);
    if (values === undefined) return undefined;
    return (values[this.#slot(processor)] ??= new Uint8Array(this.spec.valueBytes));
  }

  /** Flags: 1 is BPF_NOEXIST, 2 BPF_EXIST. */
  update(key: Uint8Array, value: Uint8Array, flags: bigint, processor: number): number {
    if (flags > 2n) return errors.EINVAL;
    if (isArray(this.spec)) {
      if (arrayIndex(key) >= this.spec.entries) return errors.E2BIG;
      if (flags === 1n) return errors.EEXIST;
      this.find(key, processor)?.set(value);
      return 0;
    }
    const name = hexadecimal(key);
    const values = this.values.get(name);
    if (values !== undefined && flags === 1n) return errors.EEXIST;
    if (values === undefined && flags === 2n) return errors.ENOENT;
    if (values === undefined && !this.#makeRoom()) return errors.E2BIG;
    const renewed = values ?? [];
    // Kernel: a hash replaces the element; who still holds the old value keeps it.
    renewed[this.#slot(processor)] = value.slice();
    this.values.set(name, renewed);
    return 0;
  }

  delete(key: Uint8Array): number {
    if (isArray(this.spec)) return errors.EINVAL;
    return this.values.delete(hexadecimal(key)) ? 0 : errors.ENOENT;
  }

  #slot(processor: number): number {
    return this.spec.kind.startsWith("percpu-") ? processor : 0;
  }

  #makeRoom(): boolean {
    if (this.values.size < this.spec.entries) return true;
    const [oldest] = this.values.keys();
    return this.spec.kind === "lru-hash" && oldest !== undefined && this.values.delete(oldest);
  }
}

/** The maps of a program; they keep their content from one run to the next. */
export class Maps {
  readonly #byName = new Map<string, Ring | Table>();

  constructor(specs: readonly MapSpec[]) {
    for (const spec of specs)
      this.#byName.set(spec.name, spec.kind === "ringbuf" ? new Ring(spec) : new Table(spec));
  }

  find(name: string): Ring | Table | undefined {
    return this.#byName.get(name);
  }

  rings(): Ring[] {
    return [...this.#byName.values()].filter((map) => map instanceof Ring);
  }

  ring(name: string): Ring {
    const map = this.#byName.get(name);
    if (map instanceof Ring) return map;
    throw new Error(`no ring buffer "${name}"`);
  }

  table(name: string): Table {
    const map = this.#byName.get(name);
    if (map instanceof Table) return map;
    throw new Error(`no table "${name}"`);
  }

  /** Returns the value's bytes at a key, where a number stands for its little-endian bytes. */
  value(name: string, key: number | Uint8Array, processor = 0): Uint8Array | undefined {
    return this.table(name).find(this.#key(name, key), processor);
  }

  /** Puts a value before a run. */
  set(name: string, key: number | Uint8Array, value: Uint8Array, processor = 0): void {
    const error = this.table(name).update(this.#key(name, key), value, 0n, processor);
    if (error !== 0) throw new Error(`"${name}" refuses the value: ${error}`);
  }

  #key(name: string, key: number | Uint8Array): Uint8Array {
    if (key instanceof Uint8Array) return key;
    const bytes = new Uint8Array(Math.max(4, this.table(name).spec.keyBytes));
    new DataView(bytes.buffer).setUint32(0, key, true);
    return bytes.subarray(0, this.table(name).spec.keyBytes);
  }
}

function isArray({ kind }: MapSpec): boolean {
  return kind === "array" || kind === "percpu-array";
}

function arrayIndex(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true);
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
