import fc from "fast-check";
import { expect, test } from "vitest";
import { roughTimeOf, siteOf } from "../../src/trace/events.js";
import type { EventRecord } from "../../src/trace/events.js";
import { EventStream } from "../../src/trace/stream.js";
import type { RecordSource } from "../../src/trace/stream.js";

/** Records of 24 bytes in memory; `release` overwrites what was read, as the kernel does. */
class MemorySource implements RecordSource {
  readonly bytes = Buffer.alloc(24 * 100_000);
  readonly view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
  #written = 0;
  #read = 0;
  #sent = 0;

  add(time: number): void {
    const at = this.#written++ * 24;
    this.view.setBigUint64(at, BigInt(time), true);
    this.view.setUint32(at + 16, this.#sent++, true);
  }

  read(visit: (offset: number, length: number) => void, limit: number): number {
    const count = Math.min(limit, this.#written - this.#read);
    for (let index = 0; index < count; index++) visit((this.#read + index) * 24, 24);
    this.#read += count;
    return count;
  }

  release(): void {
    this.bytes.fill(0xee, 0, this.#read * 24);
    this.bytes.copyWithin(0, this.#read * 24, this.#written * 24);
    this.#written -= this.#read;
    this.#read = 0;
  }
}

const now = (): number => Number(process.hrtime.bigint());

test("hands on events in the order of time, each once, whatever order they come in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 300 }),
      fc.array(fc.nat(50), { minLength: 1, maxLength: 10 }),
      (delays, cuts) => {
        const source = new MemorySource();
        const stream = new EventStream(source);
        const start = now() - 200_000_000;
        const seen: { time: number; site: number }[] = [];
        let next = 0;
        for (const cut of [...cuts, delays.length]) {
          for (; next < Math.min(cut, delays.length); next++) source.add(start + delays[next]!);
          if (cut === delays.length)
            stream.drain((record) => seen.push({ time: roughTimeOf(record), site: siteOf(record) }), 0);
          else stream.drain(() => expect.unreachable("all events are younger than the window"), 400_000_000);
        }
        expect(seen.map(({ time }) => time)).toEqual(
          delays.map((delay) => start + delay).sort((left, right) => left - right),
        );
        expect(new Set(seen.map(({ site }) => site)).size).toBe(delays.length);
        expect(stream.late).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});

test("holds back what is younger than the window", () => {
  const source = new MemorySource();
  const stream = new EventStream(source);
  source.add(now() - 5_000_000_000);
  source.add(now() + 3_600_000_000_000);
  const seen: number[] = [];
  expect(stream.drain((record) => seen.push(siteOf(record))).events).toBe(1);
  expect(stream.drain((record) => seen.push(siteOf(record))).events).toBe(0);
  expect(stream.drain((record) => seen.push(siteOf(record)), -7_200_000_000_000).events).toBe(1);
  expect(seen).toEqual([0, 1]);
});

test("counts an event that comes too late, and hands it on", () => {
  const source = new MemorySource();
  const stream = new EventStream(source);
  const start = now() - 1_000_000_000;
  source.add(start + 500);
  stream.drain(() => {});
  source.add(start);
  expect(stream.drain(() => {}).events).toBe(1);
  expect(stream.late).toBe(1);
});

test.each([undefined, 0])(
  "sorts across slices of a large backlog, one slice a call, with a window of %s",
  (window) => {
    const source = new MemorySource();
    const stream = new EventStream(source);
    const start = now() - 2_000_000_000;
    const count = 60_000;
    for (let index = 0; index < count; index++)
      source.add(start + (index % 3 === 0 ? index + 40_000 : index));
    let last = 0;
    let seen = 0;
    const visit = (record: EventRecord): void => {
      if (roughTimeOf(record) < last) expect.unreachable("an event out of order");
      last = roughTimeOf(record);
      seen++;
    };
    let calls = 1;
    for (; stream.drain(visit, window).isMore; calls++) expect(seen).toBeLessThan(count);
    expect(calls).toBe(4);
    expect(seen).toBe(count);
    expect(stream.late).toBe(0);
  },
);
