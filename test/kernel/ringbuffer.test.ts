import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import type { KernelMap } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { openRingBuffer } from "../../src/kernel/ringbuffer.js";
import type { RingBuffer } from "../../src/kernel/ringbuffer.js";
import { attachMulti } from "../../src/kernel/uprobes.js";
import { converse, fileOffsetOf, fits, needs } from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { countsMap, ringMap, sendArgument } from "./programs.js";

// Why: the kernel emulates a nop; stepping the `lea` that would stand there costs twenty times as much.
const binary = compile("calls.c", ["-O2", "-fpatchable-function-entry=1"]);
const alpha = fileOffsetOf(binary, "alpha");
const mebibyte = 1 << 20;

describe.runIf(needs("ring buffer", "uprobe_multi"))("a ring buffer", () => {
  test("brings a million events, in order and whole, and loses none", async () => {
    await using scene = await stage({ bytes: 8 * mebibyte, wakeBytes: 1n << 20n });
    const { ring, target, lost } = scene;
    const calls = 1_000_000;
    const seen = new InOrder(ring);
    let wakeUps = 0;
    using _readable = ring.onReadable(() => {
      wakeUps++;
      seen.read();
    });
    const timer = setInterval(() => seen.read(), 20);
    target.say(`${calls} 0`);
    await target.line();
    clearInterval(timer);
    seen.read();
    expect(seen.count).toBe(calls);
    expect(seen.wrong).toBe(0);
    expect(lost()).toBe(0n);
    expect(ring.waiting).toBe(0);
    // Why: one wake-up an event would cost the target four times as much; so many happen only when edges are not used.
    expect(wakeUps).toBeLessThan(2000);
  });

  test("that nobody reads is full, and the program counts what did not fit", async () => {
    const bytes = 64 * 1024;
    await using scene = await stage({ bytes, wakeBytes: 1n << 30n });
    const { ring, target, lost } = scene;
    target.say("100000 0");
    await target.line();
    const seen = new InOrder(ring);
    seen.read();
    // Kernel: 16 bytes of record and 8 of header each; the last byte of the ring is never used.
    expect(seen.count).toBe(Math.floor((bytes - 1) / 24));
    expect(seen.wrong).toBe(0);
    expect(lost()).toBe(BigInt(100_000 - seen.count));
    target.say("10 0");
    await target.line();
    expect(ring.waiting).toBe(240);
  });

  test.runIf(fits(availableParallelism() > 1 ? undefined : "one processor alone"))(
    "shows no record before it is complete",
    async () => {
      await using scene = await stage({ bytes: mebibyte, wakeBytes: 1n << 30n, slow: true });
      const { ring, target } = scene;
      const seen = new InOrder(ring);
      // Why: on one CPU the kernel may not switch within a program, and no record is ever seen half done.
      using _there = pinned(target.child.pid!, 0);
      using _here = pinned(process.pid, 1);
      target.say("5000 0");
      const deadline = Date.now() + 20_000;
      // Why: reads all the time, so that many a record is met while the program still fills it in.
      while (seen.count < 5000 && Date.now() < deadline) {
        for (let turn = 0; turn < 1000; turn++) seen.read();
        await new Promise(setImmediate);
      }
      expect(seen.count).toBe(5000);
      expect(seen.wrong).toBe(0);
    },
  );

  test("keeps records until they are released", async () => {
    await using scene = await stage({ bytes: 4096, wakeBytes: 1n << 30n });
    const { ring, target, lost } = scene;
    const positions: number[] = [];
    target.say("100 0");
    await target.line();
    ring.read(() => positions.push(ring.position));
    expect(positions).toHaveLength(100);
    target.say("100 0");
    await target.line();
    expect(lost()).toBe(BigInt(100 - (170 - 100)));
    ring.release(240);
    target.say("10 0");
    await target.line();
    expect(ring.read(() => {})).toBe(70 + 10);
    expect(() => ring.release(0)).toThrow("in order");
    ring.release();
    expect(() => ring.release(ring.position + 24)).toThrow("in order");
  });

  test("skips discarded records", async () => {
    await using scene = await stage({ bytes: 64 * 1024, wakeBytes: 1n << 30n, discardOdd: true });
    const { ring, target } = scene;
    target.say("1001 0");
    await target.line();
    const view = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
    const odd: bigint[] = [];
    const count = ring.read((start) => {
      const argument = view.getBigUint64(start, true);
      if (argument % 2n === 1n) odd.push(argument);
    });
    expect(count).toBe(501);
    expect(odd).toEqual([]);
  });

  test("wakes its reader above the threshold and not below", async () => {
    await using scene = await stage({ bytes: 64 * 1024, wakeBytes: 2400n });
    const { ring, target } = scene;
    let wakeUps = 0;
    using _readable = ring.onReadable(() => wakeUps++);
    target.say("100 0");
    await target.line();
    await sleep(50);
    expect(wakeUps).toBe(0);
    target.say("2 0");
    await target.line();
    await sleep(50);
    expect(wakeUps).toBeGreaterThanOrEqual(1);
    expect(wakeUps).toBeLessThanOrEqual(2);
  });

  test("can be disposed while it is being read, and again", async () => {
    await using scene = await stage({ bytes: 64 * 1024, wakeBytes: 1n << 30n });
    const { ring, target } = scene;
    target.say("100 0");
    await target.line();
    const { bytes } = ring;
    expect(ring.read(() => ring[Symbol.dispose]())).toBe(1);
    ring[Symbol.dispose]();
    expect(bytes.length).toBe(0);
    expect(bytes[0]).toBeUndefined();
    expect(ring.read(() => {})).toBe(0);
    ring.release();
  });
});

/** Checks that arguments come as 0, 1, 2 ... and that each record's second half is the complement of its first. */
class InOrder {
  count = 0;
  wrong = 0;
  readonly #ring: RingBuffer;
  readonly #view: DataView;

  constructor(ring: RingBuffer) {
    this.#ring = ring;
    this.#view = new DataView(ring.bytes.buffer, ring.bytes.byteOffset);
  }

  read(): void {
    this.#ring.read((start, length) => {
      const low = this.#view.getUint32(start, true);
      const complement = this.#view.getUint32(start + 8, true);
      if (length !== 16 || low !== this.count || complement !== ~low >>> 0) this.wrong++;
      this.count++;
    });
    this.#ring.release();
  }
}

/** Keeps a thread on one CPU until disposed. */
function pinned(tid: number, cpu: number): Disposable {
  const before = taskset("-c", "-p", `${tid}`).trim().split(": ")[1]!;
  taskset("-c", "-p", `${cpu}`, `${tid}`);
  return { [Symbol.dispose]: () => void taskset("-c", "-p", before, `${tid}`) };
}

function taskset(...args: readonly string[]): string {
  return execFileSync("taskset", args, { encoding: "utf8" });
}

async function stage(options: { bytes: number; wakeBytes: bigint; discardOdd?: boolean; slow?: boolean }) {
  const counts = createMap(countsMap);
  const events = createMap(ringMap(options.bytes));
  const maps = new Map([
    ["counts", counts],
    ["events", events],
  ]);
  const program = loadProgram(sendArgument(options), maps, { multi: true });
  const ring = openRingBuffer(events);
  const target = converse(binary);
  await target.line();
  const link = attachMulti({
    program,
    openPath: binary,
    shownPath: binary,
    sites: [{ offset: alpha, semaphore: undefined, cookie: 0 }],
    returns: false,
    pid: undefined,
  });
  return {
    ring,
    target,
    lost: () => lostIn(counts),
    async [Symbol.asyncDispose]() {
      for (const owned of [link, ring, program, events, counts]) owned[Symbol.dispose]();
      await target[Symbol.asyncDispose]();
    },
  };
}

function lostIn(counts: KernelMap): bigint {
  return sumPerCpu(counts.splitPerCpu(counts.lookup(new Uint8Array(4))!))[0]!;
}
