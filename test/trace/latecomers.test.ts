/** Looking at what is mapped, with process events of our own: how often, and what happens when something cannot be opened. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readdirSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import type { ProcessListener } from "../../src/kernel/perf-events.js";
import { watchLatecomers } from "../../src/trace/latecomers.js";
import type { Latecomers, Latecoming } from "../../src/trace/latecomers.js";

const machine = vi.hoisted(() => ({
  listener: undefined as ProcessListener | undefined,
  processes: [] as number[],
}));
vi.mock("../../src/kernel/perf-events.js", () => ({
  openProcessEvents(listener: ProcessListener) {
    machine.listener = listener;
    return { lost: 0, overflows: 0, drain: () => undefined, [Symbol.dispose]: () => undefined };
  },
}));
vi.mock("../../src/target/process.js", async (original) => ({
  ...(await original<object>()),
  listProcesses: () => [...machine.processes],
}));
afterEach(() => vi.restoreAllMocks());

/** Asks for limits of this process, or sets them. */
function prlimit(...words: readonly string[]): string {
  return execFileSync("prlimit", ["--pid", `${process.pid}`, ...words], { encoding: "utf8" });
}

/** A watcher that arms nothing and remembers which files it was to arm; each of its looks is seconds after the one before. */
function watch(given: Partial<Latecoming> = {}): {
  readonly latecomers: Latecomers;
  readonly taken: string[];
  readonly look: () => Promise<void>;
} {
  const taken: string[] = [];
  const growth = {
    isByProcess: false,
    mayMean: () => true,
    skip: (name: string, reason: string) => [{ probe: 0, name, reason }],
    take: (binary: { readonly path: string; close(): void }) => {
      taken.push(binary.path);
      binary.close();
      return Promise.resolve({ places: 0, skipped: [], isCut: false });
    },
  } as unknown as Latecoming["growth"];
  const latecomers = watchLatecomers({
    growth,
    pids: [],
    isMember: undefined,
    launcher: undefined,
    includeSelf: true,
    lostChildren: () => 0,
    arm: () => [],
    ...given,
  });
  const now = performance.now.bind(performance);
  let later = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now() + later);
  const look = async (): Promise<void> => {
    await latecomers.look();
    later += 2000;
  };
  return { latecomers, taken, look };
}

test("more mappings than can wait are looked at once, and each file once", async () => {
  machine.processes = Array<number>(1500).fill(process.pid);
  const { taken, look } = watch();
  for (let round = 0; round < 60; round++) await look();
  expect(taken).toContain(process.execPath);
  expect(new Set(taken).size).toBe(taken.length);
});

test("forks that went unseen make it look at all that is mapped again", async () => {
  machine.processes = [process.pid];
  let lost = 0;
  const { taken, look } = watch({ lostChildren: () => lost });
  await look();
  await look();
  const before = taken.length;
  lost = 1;
  await look();
  expect(taken.length).toBe(2 * before);
});

test("a file for which no descriptor is left is named, and tried again", async () => {
  machine.processes = [process.pid];
  const { latecomers, taken, look } = watch();
  const mappings = execFileSync("cat", [`/proc/${process.pid}/maps`], { encoding: "utf8" });
  const [, address, device, inode] = new RegExp(
    `^(\\w+)-\\w+ r-xp \\w+ (\\S+) (\\d+) +${process.execPath}$`,
    "m",
  ).exec(mappings)!;
  machine.listener!.onMap!({
    pid: process.pid,
    tid: process.pid,
    time: 0n,
    path: process.execPath,
    inode: BigInt(inode!),
    generation: 0n,
    device: device!,
    address: BigInt(`0x${address}`),
    length: 4096n,
    offset: 0n,
  });
  const before = prlimit("--output=SOFT", "--noheadings", "--raw", "--nofile").trim();
  const opened: number[] = [];
  try {
    prlimit(`--nofile=${Math.max(...readdirSync("/proc/self/fd").map(Number)) + 20}:`);
    expect(() => {
      for (;;) opened.push(openSync("/dev/null", "r"));
    }).toThrow("EMFILE");
    await look();
  } finally {
    for (const fd of opened) closeSync(fd);
    prlimit(`--nofile=${before}:`);
  }
  expect(taken).toEqual([]);
  expect(latecomers.skippedLate).toMatchObject([
    { name: process.execPath, reason: expect.stringContaining("EMFILE") as string },
  ]);
  await look();
  expect(taken).toContain(process.execPath);
  expect(latecomers.skippedLate).toEqual([]);
});
