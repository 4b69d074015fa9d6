/** Probe functions on a real program whose calls are known: events, spans, aggregates, and how an observation ends. */
import { basename } from "node:path";
import { Worker } from "node:worker_threads";
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  counter,
  flawsOf,
  histogram,
  observe,
  span,
  summary,
  table,
  tunable,
  uprobe,
  uretprobe,
} from "../../../src/index.js";
import type { Observation } from "../../../src/index.js";
import { bpftoolCounts, bundleChild, converse, needs, settledCounts } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

const observed = compile("observed.c", ["-O1", "-pthread"]);

/** As the kernel cuts it. */
const name = basename(observed).slice(0, 15);

async function all<Event>(observation: Observation<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of observation) events.push(event);
  return events;
}

describe.runIf(needs("ring buffer"))("events", () => {
  it("have the values and types that the function returns", async () => {
    const says = uprobe(`${observed}:say`, (p) => ({
      pid: p.pid,
      comm: p.comm,
      text: p.text(p.arg(0), { length: p.arg(1) }),
      where: { code: p.i32(2), length: p.u64(1) },
      pair: [p.i32(2), p.i32(2) + 1],
    }));
    await using observation = observe(says, { command: [observed, "texts", "5"] });
    const events = await all(observation);
    expect(events.map(({ text }) => text)).toEqual(["octi", "fest", "set", "(null)", "<fault>"]);
    expect(events.map(({ where }) => where.code)).toEqual([1, 2, 3, 4, 5]);
    expect(events.map(({ where }) => where.length)).toEqual([4n, 4n, 3n, 4n, 4n]);
    expect(events.map(({ pair }) => pair)).toEqual([1, 2, 3, 4, 5].map((code) => [code, code + 1]));
    expect(new Set(events.map(({ pid }) => pid)).size).toBe(1);
    expect(events[0]!.comm).toBe(name);
    expect(events.map((event) => flawsOf(event))).toEqual([
      [],
      [],
      [],
      [{ path: "text", kind: "null" }],
      [{ path: "text", kind: "faulted" }],
    ]);
    expect(await observation.statistics()).toMatchObject([{ hits: 5n, lost: 0n, faulted: 1n }]);
  });

  it("are cut at their limit, and say so", async () => {
    const says = uprobe(`${observed}:say`, (p) => ({ text: p.text(p.arg(0), { limit: 3 }) }));
    await using observation = observe(says, { command: [observed, "texts", "3"] });
    const events = await all(observation);
    expect(events.map(({ text }) => text)).toEqual(["oct...", "fes...", "set"]);
    expect(events.map((event) => flawsOf(event).length)).toEqual([1, 1, 0]);
  });

  it("come only when something is returned, in several shapes", async () => {
    const says = uprobe(`${observed}:say`, (p) => {
      const code = p.i32(2);
      if (code % 2 === 0) return;
      if (code === 1) return { first: true as const, code };
      return { text: p.text(p.arg(0)), code };
    });
    await using observation = observe(says, { command: [observed, "texts", "4"] });
    expect(await all(observation)).toEqual([
      { first: true, code: 1 },
      { text: "set", code: 3 },
    ]);
  });

  it("of several probes say whose they are, in the order of their times", async () => {
    const entry = uprobe(`${observed}:step`, (p) => p.i64(0));
    const exit = uretprobe(`${observed}:step`, (p) => ({ next: p.returned("i64") }));
    await using observation = observe({ entry, exit }, { command: [observed, "keys", "3"] });
    expect(await all(observation)).toEqual(
      [0n, 1n, 2n].flatMap((i) => [
        { name: "entry", event: i },
        { name: "exit", event: { next: i + 1n } },
      ]),
    );
  });

  it("follow a tunable number while they run", async () => {
    const least = tunable(10);
    const steps = uprobe(`${observed}:step`, (p, { least }) => (p.i64(0) >= least ? p.i64(0) : undefined), {
      using: { least },
    });
    await using target = converse(observed, ["wait"]);
    await target.line();
    await using observation = observe(steps, { pids: [target.child.pid!] });
    await observation.armed;
    for (const number of [9, 10]) {
      target.say(String(number));
      await target.line();
    }
    least.set(9);
    target.say("9");
    await target.line();
    await observation.stop();
    expect(await all(observation)).toEqual([10n, 9n]);
  });

  it("of the children come when they are asked for", async () => {
    const steps = uprobe(`${observed}:step`, (p) => ({ pid: p.pid }));
    await using alone = observe(steps, { command: [observed, "fork", "50"] });
    expect((await all(alone)).length).toBe(50);
    await using both = observe(steps, { command: [observed, "fork", "50"], children: true });
    const events = await all(both);
    expect(events.length).toBe(100);
    expect(new Set(events.map(({ pid }) => pid)).size).toBe(2);
  });
});

describe.runIf(needs("ring buffer"))("spans", () => {
  it("are right in recursion: a call at depth d gives d samples", async () => {
    const calls = span(`${observed}:recurse`, {
      entry: (p) => ({ depth: p.i64(0) }),
      exit: (p) => ({ depth: p.entry.depth, returned: p.returned("i64"), ns: p.durationNs }),
    });
    await using observation = observe(calls, { command: [observed, "recurse", "9", "3"] });
    const events = await all(observation);
    expect(events.length).toBe(30);
    for (const { depth, returned, ns } of events) {
      expect(returned).toBe(depth);
      expect(ns).toBeGreaterThan(0);
    }
    const outermost = events.filter(({ depth }) => depth === 9n).map(({ ns }) => ns);
    const innermost = events.filter(({ depth }) => depth === 0n).map(({ ns }) => ns);
    expect(Math.min(...outermost)).toBeGreaterThan(Math.max(...innermost.slice(1)));
  });

  it("survive calls that never return", async () => {
    const calls = span(`${observed}:leaps`, {
      entry: (p) => ({ i: p.i32(0) }),
      exit: (p) => ({ i: p.entry.i, returned: p.returned("i32") }),
    });
    const outside = span(`${observed}:outer`, {
      entry: (p) => ({ i: p.i32(0) }),
      exit: (p) => ({ i: p.entry.i, returned: p.returned("i32") }),
    });
    await using observation = observe({ calls, outside }, { command: [observed, "leap", "10"] });
    const events = await all(observation);
    const even = [0, 2, 4, 6, 8];
    expect(events.filter(({ name }) => name === "calls").map(({ event }) => event)).toEqual(
      even.map((i) => ({ i, returned: 2 * i })),
    );
    expect(events.filter(({ name }) => name === "outside").map(({ event }) => event)).toEqual(
      even.map((i) => ({ i, returned: 2 * i + 1 })),
    );
  });

  it("leave out what their entry does not keep, and are kept apart by thread", async () => {
    const times = histogram();
    const calls = span(`${observed}:step`, {
      entry: (p) => (p.i64(0) % 2n === 0n ? { i: p.i64(0) } : undefined),
      exit: (p, { times }) => {
        times.add(p.durationNs);
        if (p.returned("i64") !== p.entry.i + 1n) return { wrong: p.entry.i };
      },
      using: { times },
    });
    await using observation = observe(calls, { command: [observed, "threads", "4", "1000"] });
    expect(await all(observation)).toEqual([]);
    const { count, buckets } = await observation.read(times);
    expect(count).toBe(2000);
    expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(2000);
    expect((await observation.losses()).missedReturns).toBe(0n);
  });
});

describe.runIf(needs("ring buffer"))("aggregates", () => {
  it("count by text and process exactly", async () => {
    const words = counter({ key: { text: "text(3)", process: "process" } });
    const says = uprobe(
      `${observed}:say`,
      (p, { words }) => {
        words.add({ text: p.text(p.arg(0)), process: p.process });
      },
      { using: { words } },
    );
    await using observation = observe(says, { command: [observed, "texts", "60"] });
    await observation.ended;
    const rows = await observation.read(words);
    // Of 60 calls each fifth has an address that cannot be read (12), of the others each fourth is NULL (12).
    const counts = Object.fromEntries(rows.map(({ key, count }) => [key.text, count]));
    expect(counts).toEqual({ set: 12, "oct...": 12, "fes...": 12, "(null)": 12 });
    expect(new Set(rows.map(({ key }) => key.process.comm))).toEqual(new Set([name]));
    expect(await observation.statistics()).toMatchObject([{ hits: 60n, faulted: 12n }]);
    expect((await observation.read(words, { top: 2 })).length).toBe(2);
  });

  it("sum up, find extremes and sort into buckets exactly, over threads", async () => {
    const all = summary();
    const parity = summary({ key: "u8" });
    const log = histogram();
    const linear = histogram({ scale: { from: 10, to: 50, step: 10 } });
    const steps = uprobe(
      `${observed}:step`,
      (p, { all, parity, log, linear }) => {
        const value = p.i64(0) - 5n;
        all.add(value);
        parity.add(p.cast(p.i64(0) & 1n, "u8"), value);
        log.add(p.i64(0));
        linear.add(p.i64(0));
      },
      { using: { all, parity, log, linear } },
    );
    await using observation = observe(steps, { command: [observed, "threads", "4", "1000"] });
    await observation.ended;
    const sum = 4 * ((999 * 1000) / 2 - 5 * 1000);
    expect(await observation.read(all)).toEqual({
      count: 4000,
      sum: BigInt(sum),
      average: sum / 4000,
      min: -5n,
      max: 994n,
    });
    expect(await observation.read(parity)).toMatchObject([
      { count: 2000, min: expect.any(BigInt) },
      { count: 2000, max: expect.any(BigInt) },
    ]);
    const { buckets } = await observation.read(log);
    expect(buckets.map(({ from, count }) => [from, count])).toEqual([
      [Number.NEGATIVE_INFINITY, 4],
      ...[1, 2, 4, 8, 16, 32, 64, 128, 256].map((from) => [from, from * 4]),
      [512, (1000 - 512) * 4],
    ]);
    expect((await observation.read(linear)).buckets).toEqual([
      { from: Number.NEGATIVE_INFINITY, to: 10, count: 40 },
      ...[10, 20, 30, 40].map((from) => ({ from, to: from + 10, count: 40 })),
      { from: 50, to: Number.POSITIVE_INFINITY, count: (1000 - 50) * 4 },
    ]);
  });

  it("that are full count what they had no room for", async () => {
    const numbers = counter({ key: "i64", entries: 100 });
    const steps = uprobe(
      `${observed}:step`,
      (p, { numbers }) => {
        numbers.add(p.i64(0));
      },
      { using: { numbers } },
    );
    await using observation = observe(steps, { command: [observed, "keys", "1000"] });
    await observation.ended;
    const rows = await observation.read(numbers);
    const counted = rows.reduce((sum, { count }) => sum + count, 0);
    expect(rows.length).toBeLessThanOrEqual(100);
    expect(BigInt(counted) + (await observation.dropped(numbers))).toBe(1000n);
  });

  it("hand values from one probe to another", async () => {
    const last = table({ key: "u32", value: "i64" });
    const entry = uprobe(`${observed}:step`, (p, { last }) => void last.set(p.tid, p.i64(0)), {
      using: { last },
    });
    const exit = uretprobe(
      `${observed}:step`,
      (p, { last }) => {
        const before = last.get(p.tid);
        if (before === undefined) return;
        last.delete(p.tid);
        return { before, after: p.returned("i64") };
      },
      { using: { last } },
    );
    await using observation = observe({ entry, exit }, { command: [observed, "threads", "2", "50"] });
    const pairs = (await all(observation)).flatMap((one) => (one.name === "exit" ? [one.event] : []));
    expect(pairs.length).toBe(100);
    for (const { before, after } of pairs) expect(after).toBe(before + 1n);
  });

  it("come by intervals as what was added in each", async () => {
    const numbers = counter({ key: "i64" });
    const steps = uprobe(
      `${observed}:step`,
      (p, { numbers }) => {
        numbers.add(p.i64(0));
      },
      { using: { numbers } },
    );
    await using target = converse(observed, ["wait"]);
    await target.line();
    const observation = observe(steps, { pids: [target.child.pid!] });
    await observation.armed;
    const seen: unknown[] = [];
    let round = 0;
    for await (const rows of observation.intervals(numbers, { seconds: 0.3 })) {
      seen.push(rows.map(({ key, count }) => [key, count]));
      if (++round > 2) break;
      target.say(`${round} 7`);
      await target.line();
      await target.line();
    }
    await observation[Symbol.asyncDispose]();
    expect(seen).toEqual([
      [],
      expect.arrayContaining([
        [1n, 1],
        [7n, 1],
      ]),
      expect.arrayContaining([
        [2n, 1],
        [7n, 1],
      ]),
    ]);
  });
});

describe.runIf(needs("ring buffer"))("an observation", () => {
  it("says for each probe how many places it left out", async () => {
    const calls = compile("calls.c", ["-O2"]);
    const all = uprobe(`${calls}:*`, (p) => ({ name: p.function }));
    const one = uprobe(`${calls}:alpha`, (p) => ({ name: p.function }));
    await using observation = observe({ all, one }, { seconds: 0.2 });
    const { skipped } = await observation.armed;
    expect(skipped.map(({ name }) => name)).toContain("locked");
    expect(await observation.statistics()).toMatchObject([
      { name: "all", skipped: skipped.length },
      { name: "one", skipped: 0 },
    ]);
  });

  const endless = uprobe(`${observed}:step`, (p) => ({ i: p.i64(0) }));

  it("that is left leaves no probe behind", async () => {
    const before = bpftoolCounts();
    await using target = converse(observed, ["wait"]);
    await target.line();
    const observation = observe(endless, { pids: [target.child.pid!] });
    await observation.armed;
    target.say("5");
    for await (const event of observation) {
      expect(event).toEqual({ i: 5n });
      break;
    }
    await observation[Symbol.asyncDispose]();
    expect(await settledCounts(before)).toEqual(before);
  });

  it("stands beside another in one process", async () => {
    const [one, other] = [counter(), counter()];
    const counting = (calls: typeof one) =>
      uprobe(
        `${observed}:step`,
        (p, { calls }) => {
          if (p.pid > 0) calls.add();
        },
        { using: { calls } },
      );
    await using target = converse(observed, ["wait"]);
    await target.line();
    const pids = [target.child.pid!];
    await using first = observe(counting(one), { pids });
    await using second = observe(counting(other), { pids });
    await Promise.all([first.armed, second.armed]);
    target.say("1");
    await target.line();
    await first.stop();
    target.say("2");
    await target.line();
    expect([(await first.read(one)).count, (await second.read(other)).count]).toEqual([1, 2]);
  });

  it("ends after its time, with its signal and with its processes", async () => {
    await using target = converse(observed, ["wait"]);
    await target.line();
    const pids = [target.child.pid!];
    await using short = observe(endless, { pids, seconds: 0.2 });
    expect(await short.ended).toEqual({ kind: "stopped" });
    const controller = new AbortController();
    await using aborted = observe(endless, { pids, signal: controller.signal });
    await aborted.armed;
    controller.abort();
    expect(await aborted.ended).toEqual({ kind: "stopped" });
    await using bound = observe(endless, { pids });
    await bound.armed;
    target.child.kill();
    expect(await bound.ended).toEqual({ kind: "processes ended" });
  });

  it("rejects what cannot be, wherever it is asked", async () => {
    const missing = observe(uprobe(`${observed}:stepp`, () => ({ a: 1 })));
    await expect(missing.armed).rejects.toThrow(/no function "stepp".*\n.*\n.*did you mean "step"/);
    await expect(all(missing)).rejects.toThrow(/no function/);
    await expect(missing.statistics()).rejects.toThrow(/no function/);
    await missing[Symbol.asyncDispose]();
    const limit = 5;
    const wrong = observe(uprobe(`${observed}:step`, (p) => (p.i64(0) > limit ? { a: 1 } : undefined)));
    await expect(wrong.armed).rejects.toThrow(
      /"limit" is not known in the kernel[^]*observe\.test\.ts:\d+[^]*using: \{ limit \}/,
    );
    const unused = counter();
    await using fine = observe(endless, { seconds: 0.1 });
    await expect(fine.read(unused)).rejects.toThrow(/no probe that is observed uses this aggregate/);
  });

  it("works in a worker thread", async () => {
    const worker = new Worker(bundleChild("trace/script/children/observing-worker.ts"), {
      workerData: observed,
    });
    const answer = await new Promise((resolve, reject) => {
      worker.on("message", resolve);
      worker.on("error", reject);
    });
    expect(answer).toEqual([0n, 1n, 2n]);
    await worker.terminate();
  });

  it("never stops the traced program when its reader is slow, and counts what is lost", async () => {
    const slow = uprobe(`${observed}:step`, (p) => ({ i: p.i64(0) }));
    await using observation = observe(slow, { command: [observed, "keys", "300000"], bufferPages: 16 });
    const started = performance.now();
    let count = 0n;
    for await (const event of observation) {
      if (count++ === 0n) {
        expect(event.i).toBe(0n);
        await new Promise((resolve) => setTimeout(resolve, 1500));
      }
    }
    const { hits = 0n, lost = 0n } = (await observation.statistics())[0] ?? {};
    expect(hits).toBe(300_000n);
    expect(count + lost).toBe(hits);
    expect(lost).toBeGreaterThan(0n);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

it("the oracle is what it says", () => {
  expect(execFileSync("nm", [observed], { encoding: "utf8" })).toMatch(/ T step$/m);
});
