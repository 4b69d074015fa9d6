import { execFileSync, spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openProcessEvents } from "../../src/kernel/perf-events.js";
import type { ExecEvent, ForkEvent, MapEvent, ProcessEvent } from "../../src/kernel/perf-events.js";
import { needs } from "../support/kernel.js";

describe.runIf(needs("process events"))("process events", () => {
  test("tell fork, exec, mapping and exit of a child, in order", () => {
    const forks: ForkEvent[] = [];
    const execs: ExecEvent[] = [];
    const exits: ProcessEvent[] = [];
    const maps: MapEvent[] = [];
    const order: bigint[] = [];
    using events = openProcessEvents({
      onFork: (event) => (forks.push(event), order.push(event.time)),
      onExec: (event) => (execs.push(event), order.push(event.time)),
      onExit: (event) => (exits.push(event), order.push(event.time)),
      onMap: (event) => (maps.push(event), order.push(event.time)),
    });
    const before = process.hrtime.bigint();
    const run = spawnSync("/bin/sh", ["-c", "echo $$; /bin/true & echo $!; wait"], { encoding: "utf8" });
    const after = process.hrtime.bigint();
    events.drain();
    const [shell = 0, child = 0] = run.stdout.trim().split("\n").map(Number);
    expect(forks.find((event) => event.pid === shell)).toMatchObject({ parent: process.pid, tid: shell });
    expect(forks.find((event) => event.pid === child)).toMatchObject({ parent: shell });
    expect(execs.find((event) => event.pid === shell)?.comm).toBe("sh");
    expect(execs.find((event) => event.pid === child)?.comm).toBe("true");
    expect(exits.some((event) => event.pid === child && event.tid === child)).toBe(true);
    const mapped = maps.find((event) => event.pid === child && event.path.endsWith("/true"));
    expect(mapped?.inode).toBe(BigInt(statSync("/bin/true").ino));
    // The clock is the one of hrtime and of bpf_ktime_get_ns: CLOCK_MONOTONIC.
    const start = execs.find((event) => event.pid === child)!.time;
    expect(start > before && start < after).toBe(true);
    expect(events.lost).toBe(0);
  });

  test("of several CPUs come in one order, and a new name is no exec", () => {
    const order: bigint[] = [];
    const names: string[] = [];
    using events = openProcessEvents({
      onFork: (event) => order.push(event.time),
      onExec: (event) => (names.push(event.comm), order.push(event.time)),
    });
    const hop = "for i in 1 2 3 4 5 6 7 8; do taskset -c 0 true; taskset -c 1 true; done";
    spawnSync("/bin/sh", ["-c", `printf renamed > /proc/$$/comm; ${hop}`]);
    events.drain();
    expect(names.filter((name) => name === "true").length).toBeGreaterThanOrEqual(16);
    expect(names).not.toContain("renamed");
    expect(order.every((time, index) => index === 0 || time >= order[index - 1]!)).toBe(true);
    expect(events.lost).toBe(0);
  });

  test("come by themselves, without a drain", async () => {
    const execs: ExecEvent[] = [];
    using _events = openProcessEvents({ onExec: (event) => execs.push(event) });
    const run = spawnSync("/bin/true");
    const deadline = Date.now() + 2000;
    while (!execs.some((event) => event.pid === run.pid) && Date.now() < deadline) await sleep(5);
    expect(execs.some((event) => event.pid === run.pid)).toBe(true);
  });

  test("that were not read in time are counted as lost", () => {
    let seen = 0;
    using events = openProcessEvents({ onFork: () => seen++, onMap: () => seen++ });
    // One CPU, so that one ring of 256 KiB has to take it all: some 30 records of 130 bytes a program.
    execFileSync("taskset", [
      "-c",
      "0",
      "sh",
      "-c",
      "i=0; while [ $i -lt 600 ]; do /bin/true; i=$((i+1)); done",
    ]);
    events.drain();
    // The kernel tells of losses with the next record that fits.
    execFileSync("taskset", ["-c", "0", "/bin/true"]);
    events.drain();
    expect(seen).toBeGreaterThan(500);
    expect(events.lost).toBeGreaterThan(0);
  });

  test("end when disposed", async () => {
    let seen = 0;
    const events = openProcessEvents({ onFork: () => seen++ });
    events[Symbol.dispose]();
    events[Symbol.dispose]();
    spawnSync("/bin/true");
    events.drain();
    await sleep(20);
    expect(seen).toBe(0);
  });
});
