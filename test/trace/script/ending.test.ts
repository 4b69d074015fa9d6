/** What an observation leaves behind when it ends, however it ends: no descriptor, no probe, and what it has gathered. */
import { readdirSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import {
  arm,
  counter,
  histogram,
  observe,
  span,
  summary,
  tunable,
  uprobe,
  UsageError,
} from "../../../src/index.js";
import type { Counter, ScriptProbe } from "../../../src/index.js";
import { bundleChild, converse, needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

const observed = compile("observed.c", ["-O1", "-pthread"]);

/** What this process has open: all, and how much of it are maps, programs and links. */
interface Open {
  readonly all: number;
  readonly bpf: number;
}

function countOpen(): Open {
  const names = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "gone meanwhile";
    }
  });
  return { all: names.length, bpf: names.filter((name) => name.startsWith("anon_inode:bpf")).length };
}

/** Counts once libuv has closed what it watched, a turn later. */
async function settledOpen(): Promise<Open> {
  await sleep(50);
  return countOpen();
}

function counting(calls: Counter<bigint>): ScriptProbe<unknown> {
  return uprobe(
    `${observed}:step`,
    (p, { calls }) => {
      calls.add(p.i64(0));
      return p.i64(0);
    },
    { using: { calls } },
  );
}

function refuse(): never {
  throw new Error("not today");
}

const endless = uprobe(`${observed}:step`, (p) => p.i64(0));

describe.runIf(needs("ring buffer"))("an observation that has ended", () => {
  it("has no descriptor open, and what it gathered can be read", async () => {
    const warm = observe(endless, { command: [observed, "keys", "1"] });
    await warm.ended;
    await warm[Symbol.asyncDispose]();
    const before = await settledOpen();
    const calls = counter({ key: "i64" });
    const observation = observe(counting(calls), { command: [observed, "keys", "300"] });
    for await (const event of observation) expect(event).toBeTypeOf("bigint");
    expect(await settledOpen()).toEqual(before);
    const rows = await observation.read(calls);
    expect(rows.length).toBe(300);
    expect(rows.every(({ count }) => count === 1)).toBe(true);
    expect(await observation.dropped(calls)).toBe(0n);
    expect(await observation.statistics()).toMatchObject([{ hits: 300n }]);
    expect(await observation.losses()).toMatchObject({ dropped: 0n, missedReturns: 0n });
    expect(await observation.explainSilence(0)).toEqual([]);
    await observation[Symbol.asyncDispose]();
  });

  it("has no descriptor open when its loop was left, or its time is over", async () => {
    await using target = converse(observed, ["wait"]);
    await target.line();
    const pids = [target.child.pid!];
    const before = countOpen();
    const left = observe(endless, { pids });
    await left.armed;
    target.say("5");
    for await (const event of left) if (event === 5n) break;
    expect(await settledOpen()).toEqual(before);
    await observe(endless, { pids, seconds: 0.05 }).ended;
    expect(await settledOpen()).toEqual(before);
  });

  it("says why it saw nothing", async () => {
    const observation = observe(endless, { command: [observed, "recurse", "1", "1"] });
    await observation.ended;
    expect((await observation.explainSilence(0)).join()).toMatch(/the command itself did not call it/);
  });

  it("refuses reads once it is disposed, and never reads another's maps", async () => {
    const [calls, others] = [counter({ key: "i64" }), counter({ key: "i64" })];
    const disposed = observe(counting(calls), { command: [observed, "keys", "3"] });
    await disposed.ended;
    await disposed[Symbol.asyncDispose]();
    await using other = observe(counting(others), { command: [observed, "keys", "8"] });
    await other.ended;
    const tooLate = /can be read after it was disposed/;
    await expect(disposed.read(calls)).rejects.toThrow(tooLate);
    await expect(disposed.statistics()).rejects.toThrow(tooLate);
    await expect(disposed.losses()).rejects.toThrow(tooLate);
    await expect(disposed.dropped(calls)).rejects.toThrow(tooLate);
    const intervals = disposed.intervals(calls, { seconds: 0.01 })[Symbol.asyncIterator]();
    await expect(intervals.next()).rejects.toThrow(tooLate);
    expect((await other.read(others)).length).toBe(8);
  });

  it("does not mind tunable numbers that are set afterwards", async () => {
    const least = tunable(1);
    const steps = uprobe(`${observed}:step`, (p, { least }) => (p.i64(0) >= least ? p.i64(0) : undefined), {
      using: { least },
    });
    await observe(steps, { command: [observed, "keys", "3"] }).ended;
    least.set(2);
  });
});

describe.runIf(needs("ring buffer"))("an observation ends", () => {
  it("when the only loop over its intervals is left, and when they are asked for wrongly", async () => {
    const before = countOpen().bpf;
    const calls = counter({ key: "i64" });
    for await (const rows of observe(counting(calls)).intervals(calls, { seconds: 0.05 })) {
      expect(rows).toBeInstanceOf(Array);
      break;
    }
    expect((await settledOpen()).bpf).toBe(before);
    for (const wrong of [{ seconds: Number.NaN }, { seconds: 0 }, { seconds: 1, times: 0 }]) {
      const observation = observe(counting(calls), { command: [observed, "wait"] });
      const intervals = observation.intervals(calls, wrong)[Symbol.asyncIterator]();
      await expect(intervals.next()).rejects.toThrow(/are no time|is no number of intervals/);
      expect(await observation.ended).toMatchObject({ kind: "stopped" });
    }
    expect((await settledOpen()).bpf).toBe(before);
  });

  it("not when one of several loops is left", async () => {
    const calls = counter({ key: "i64" });
    await using target = converse(observed, ["wait"]);
    await target.line();
    await using observation = observe(counting(calls), { pids: [target.child.pid!] });
    const events = observation[Symbol.asyncIterator]();
    for await (const _rows of observation.intervals(calls, { seconds: 0.02 })) break;
    target.say("7");
    expect(await events.next()).toEqual({ done: false, value: 7n });
  });

  it("with its probes gone when whoever is handed an event throws", async () => {
    const before = countOpen().bpf;
    const trace = await arm({ probes: [`${observed}:step "%d", arg1`], command: [observed, "keys", "3"] });
    const running = trace.run({ signal: new AbortController().signal, onEvent: refuse });
    await expect(running).rejects.toThrow("not today");
    expect((await settledOpen()).bpf).toBe(before);
    expect(trace.counters()[0]!.hits).toBeGreaterThan(0n);
    await trace[Symbol.asyncDispose]();
    expect(() => trace.counters()).toThrow(/after it was disposed/);
  });

  it("with the worker thread that it was made in", async () => {
    const before = countOpen();
    const worker = new Worker(bundleChild("trace/script/children/endless-worker.ts"), {
      workerData: observed,
    });
    await new Promise((resolve, reject) => {
      worker.on("message", resolve);
      worker.on("error", reject);
    });
    expect(countOpen().bpf).toBeGreaterThan(before.bpf + 3);
    await worker.terminate();
    expect((await settledOpen()).bpf).toBe(before.bpf);
  });

  it("after a time that no timer of Node can hold, and not before", async () => {
    for (const seconds of [2.5e6, 5e6, 1e12]) {
      const observation = observe(endless, { seconds });
      await observation.armed;
      const ended = observation.ended.then(() => "ended");
      expect(await Promise.race([ended, sleep(100, "runs")])).toBe("runs");
      await observation[Symbol.asyncDispose]();
    }
    const never = observe(endless, { seconds: Number.NaN });
    await expect(never.armed).rejects.toThrow(UsageError);
  });
});

describe.runIf(needs("ring buffer"))("what is shared by probes", () => {
  it("may be tunable numbers that nobody uses", async () => {
    const [one, two, three] = [tunable(5), tunable(6), tunable(7)];
    const none = uprobe(`${observed}:step`, (p) => p.i64(0), { using: { one, two } });
    const some = uprobe(`${observed}:step`, (_p, { two }) => ({ two }), { using: { one, two, three } });
    await using first = observe(none, { command: [observed, "keys", "1"] });
    for await (const event of first) expect(event).toBe(0n);
    await using second = observe(some, { command: [observed, "keys", "1"] });
    for await (const event of second) expect(event).toEqual({ two: 6 });
  });

  it("counts what each of many aggregates drops apart from the spans", async () => {
    const counters = Array.from({ length: 258 }, () => counter({ key: "i64", entries: 1 }));
    const probes = counters.map((calls, number) =>
      number === 256 ? counting(calls) : uprobe(`${observed}:say`, () => {}, { using: { calls } }),
    );
    const times = span(`${observed}:step`, { exit: (p) => p.durationNs });
    await using observation = observe(Object.fromEntries([["s", times], ...probes.entries()]), {
      command: [observed, "keys", "30"],
    });
    await observation.ended;
    const dropped = await observation.dropped(counters[256]!);
    expect(dropped).toBeGreaterThan(0n);
    expect(await observation.losses()).toMatchObject({ dropped, missedReturns: 0n, deepCalls: 0n });
  });

  it("may not take the machine's memory", async () => {
    const large = histogram({ key: "u64", entries: 1 << 24 });
    const filling = uprobe(`${observed}:step`, (p, { large }) => large.add(p.u64(0), 1), {
      using: { large },
    });
    await expect(observe(filling).armed).rejects.toThrow(/9\.5 GiB.*\n.*aggregate \(log2\)\n.*fewer entries/);
    const allowed = summary({ key: "u64", entries: 100_000 });
    const fine = uprobe(`${observed}:step`, (p, { allowed }) => allowed.add(p.u64(0), 1), {
      using: { allowed },
    });
    await using observation = observe(fine, { seconds: 0.01 });
    await observation.ended;
  });

  it("is no family without a head", async () => {
    await expect(observe(endless, { children: true }).armed).rejects.toThrow(/children of whom/);
  });
});

describe.runIf(needs("ring buffer"))("a span", () => {
  it("counts what its entry could not read as faulted, and what it left out not at all", async () => {
    const kept = span(`${observed}:say`, {
      entry: (p) => (p.i32(2) % 2 === 1 ? { byte: p.read(p.arg(0), "u8") } : undefined),
      exit: (p) => ({ byte: p.entry.byte }),
    });
    await using observation = observe(kept, { command: [observed, "texts", "10"] });
    const events: unknown[] = [];
    for await (const event of observation) events.push(event);
    // The fifth of its texts lies nowhere; the second, fourth and so on are left out.
    expect(events.length).toBe(4);
    expect(await observation.statistics()).toMatchObject([{ hits: 10n, faulted: 1n }]);
    expect(await observation.losses()).toMatchObject({ missedReturns: 0n, deepCalls: 0n });
  });

  it("has a sample for each return that the kernel shows of a deep recursion, and counts the others", async () => {
    const times = summary();
    const deep = span(`${observed}:recurse`, {
      exit: (p, { times }) => times.add(p.durationNs),
      using: { times },
    });
    await using observation = observe(deep, { command: [observed, "recurse", "100000", "1"] });
    await observation.ended;
    expect((await observation.read(times)).count).toBe(64);
    expect(await observation.losses()).toMatchObject({ missedReturns: 0n, deepCalls: 100_001n - 64n });
  });

  it("costs what its entry costs where nothing returns", async () => {
    const never = span(`${observed}:never`, { exit: (p) => p.durationNs });
    await using observation = observe(never, {
      command: [observed, "never", "30000000"],
      budgetPercent: 0.01,
      seconds: 3,
    });
    expect(await observation.ended).toMatchObject({ kind: "over budget" });
  });
});
