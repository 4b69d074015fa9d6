/**
 * Owns the order of events: takes records from the ring buffer and hands them on in kernel time, held back by a small window.
 * Does not own what is done with an event, nor when to look for new ones (run.ts).
 *
 * Why: a ring buffer's order is the order of reservations, not of time; of 1,000,000 events 650 were older than their
 * predecessor, by at most 47 us. What is older than an event already handed on when it arrives is handed on and counted as late.
 */
import { headerBytes } from "../lang/event.js";
import { roughTimeOf } from "./events.js";
import type { EventRecord } from "./events.js";

/** Events wait this long for older ones, in nanoseconds. */
const holdBackNanoseconds = 1_000_000;

/** Records sorted at once: bounds the memory, and frees ring space while a large backlog is printed. */
const sliceRecords = 16_384;
/** Room for held records at first: twice what arrives in a window at two million events a second. */
const heldBytes = 1 << 18;

/** Where records come from: kernel/ringbuffer.ts, or memory in tests. */
export interface RecordSource {
  /** The memory that record offsets point into. */
  readonly bytes: Buffer;
  readonly view: DataView;
  /** Calls back with offset and length of each committed record, up to `limit`, and returns how many there were. */
  read(visit: (offset: number, length: number) => void, limit: number): number;
  /** Gives the memory of all records read so far back to the kernel. */
  release(): void;
}

export interface Drained {
  /** Handed on. */
  readonly events: number;
  /** More records wait than were taken. */
  readonly isMore: boolean;
}

export class EventStream {
  /** Events handed on after a younger one. */
  late = 0;
  /** Nanoseconds of CLOCK_MONOTONIC of the youngest event handed on. */
  #lastTime = 0;
  readonly #source: RecordSource;
  readonly #batch = new Batch();
  #held: Uint8Array = new Uint8Array(0);
  /** Where held records are copied to; the other one holds those of the last slice. Why kept: they are copied all the time. */
  #room = [Buffer.alloc(heldBytes), Buffer.alloc(heldBytes)] as [Buffer, Buffer];

  constructor(source: RecordSource) {
    this.#source = source;
  }

  /**
   * Hands on what is older than the window, oldest first; a record is valid only during its call. Takes one slice at most, so
   * that whoever runs the trace comes to its other business however much arrives.
   */
  drain(visit: (record: EventRecord) => void, window: number = holdBackNanoseconds): Drained {
    const batch = this.#batch;
    const now = monotonicNow();
    batch.clear();
    batch.addHeld(this.#held);
    const isMore = batch.addFresh(this.#source, sliceRecords) === sliceRecords;
    batch.sort();
    // Why: behind a full slice there may be events up to one window older than its youngest.
    const due = batch.countUntil(isMore ? batch.youngest - holdBackNanoseconds : now - window);
    for (let index = 0; index < due; index++) this.#hand(batch.record(index), visit);
    this.#holdFrom(due);
    this.#source.release();
    return { events: due, isMore };
  }

  #holdFrom(first: number): void {
    const [, target] = this.#room;
    const size = this.#batch.sizeFrom(first);
    const room = target.length < size ? Buffer.alloc(2 * size) : target;
    this.#room = [room, this.#room[0]];
    this.#batch.copyFrom(first, room);
    this.#held = room.subarray(0, size);
  }

  #hand(record: EventRecord, visit: (record: EventRecord) => void): void {
    const time = roughTimeOf(record);
    if (time < this.#lastTime) this.late++;
    else this.#lastTime = time;
    visit(record);
  }
}

/** Records of one slice, by time. Held records lie one after another in a buffer of their own, each behind a u64 with its length. */
class Batch {
  #count = 0;
  #times = new Float64Array(2 * sliceRecords);
  /** Offset in the source's memory, or -1 - offset in the held buffer. */
  #places = new Int32Array(2 * sliceRecords);
  #lengths = new Int32Array(2 * sliceRecords);
  readonly #fresh = emptyRecord();
  readonly #held = emptyRecord();

  get youngest(): number {
    return this.#count === 0 ? 0 : this.#times[this.#count - 1]!;
  }

  clear(): void {
    this.#count = 0;
  }

  addHeld(held: Uint8Array): void {
    const bytes = Buffer.from(held.buffer, held.byteOffset, held.length);
    this.#held.bytes = bytes;
    this.#held.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length;) {
      const length = this.#held.view.getUint32(at, true);
      this.#add(-1 - (at + 8), length);
      at += 8 + length;
    }
  }

  addFresh(source: RecordSource, limit: number): number {
    this.#fresh.bytes = source.bytes;
    this.#fresh.view = source.view;
    return source.read((offset, length) => {
      if (length >= headerBytes) this.#add(offset, length);
    }, limit);
  }

  /** Insertion sort: records are nearly in order, so that each moves a few places at most. */
  sort(): void {
    const times = this.#times;
    const places = this.#places;
    const lengths = this.#lengths;
    for (let index = 1; index < this.#count; index++) {
      const time = times[index]!;
      if (times[index - 1]! <= time) continue;
      const place = places[index]!;
      const length = lengths[index]!;
      let hole = index;
      for (; hole > 0 && times[hole - 1]! > time; hole--) {
        times[hole] = times[hole - 1]!;
        places[hole] = places[hole - 1]!;
        lengths[hole] = lengths[hole - 1]!;
      }
      times[hole] = time;
      places[hole] = place;
      lengths[hole] = length;
    }
  }

  /** How many records are not younger than `time`. */
  countUntil(time: number): number {
    let count = this.#count;
    while (count > 0 && this.#times[count - 1]! > time) count--;
    return count;
  }

  record(index: number): EventRecord {
    const place = this.#places[index]!;
    const record = place < 0 ? this.#held : this.#fresh;
    record.at = place < 0 ? -1 - place : place;
    return record;
  }

  /** Bytes that the records from `first` on take when they are copied. */
  sizeFrom(first: number): number {
    let size = 0;
    for (let index = first; index < this.#count; index++) size += 8 + this.#lengths[index]!;
    return size;
  }

  /** Copies the records from `first` on, since the ring's memory goes back to the kernel. */
  copyFrom(first: number, target: Buffer): void {
    let at = 0;
    for (let index = first; index < this.#count; index++) {
      const { bytes, at: from } = this.record(index);
      const length = this.#lengths[index]!;
      target.writeUInt32LE(length, at);
      bytes.copy(target, at + 8, from, from + length);
      at += 8 + length;
    }
  }

  #add(place: number, length: number): void {
    if (this.#count === this.#times.length) this.#grow();
    const record = place < 0 ? this.#held : this.#fresh;
    record.at = place < 0 ? -1 - place : place;
    this.#times[this.#count] = roughTimeOf(record);
    this.#places[this.#count] = place;
    this.#lengths[this.#count] = length;
    this.#count++;
  }

  #grow(): void {
    const size = this.#times.length * 2;
    const times = new Float64Array(size);
    times.set(this.#times);
    this.#times = times;
    const places = new Int32Array(size);
    places.set(this.#places);
    this.#places = places;
    const lengths = new Int32Array(size);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}

function emptyRecord(): { bytes: Buffer; view: DataView; at: number } {
  return { bytes: Buffer.alloc(0), view: new DataView(new ArrayBuffer(0)), at: 0 };
}

/** CLOCK_MONOTONIC in nanoseconds, the clock of bpf_ktime_get_ns. */
function monotonicNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e9 + nanoseconds;
}
