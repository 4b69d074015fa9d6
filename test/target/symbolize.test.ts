/** Names of addresses: never those of a program that a process was before or became, of another file, or of a number used twice. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test, vi } from "vitest";
import { timeAt } from "../../src/lang/event.js";
import {
  isSameDevice,
  MappedBinaries,
  mayBeMapped,
  mostBinaries,
  openMapped,
} from "../../src/target/mapped-binaries.js";
import type { Mapping } from "../../src/target/mappings.js";
import { requireProcess } from "../../src/target/process.js";
import { Symbolizer } from "../../src/target/symbolize.js";
import type { EventRecord } from "../../src/trace/events.js";
import { followMappings } from "../../src/trace/mapped.js";
import { startCli } from "../support/cli.js";
import { needs } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const flags = ["-O1", "-fno-omit-frame-pointer", "-no-pie"];
const first = compile("becomes.c", [...flags, "-DCALLER=first_caller"]);
const second = compile("becomes.c", [...flags, "-DCALLER=other_caller"]);
const folder = mkdtempSync(join(tmpdir(), "uscope-"));
afterAll(() => rmSync(folder, { recursive: true }));

function addressOf(program: string, name: string): bigint {
  const line = execFileSync("nm", [program], { encoding: "utf8" })
    .split("\n")
    .find((row) => row.endsWith(` ${name}`));
  return BigInt(`0x${line!.split(" ")[0]}`);
}

const caller = addressOf(first, "first_caller");

/** No process has this number: it is larger than any limit. */
const nobody = 5_000_000;

function textOf(program: string, place = 0x40_1000): Mapping {
  const { dev, ino } = statSync(program, { bigint: true });
  return {
    start: place,
    end: place + 0x1000,
    readable: true,
    writable: false,
    executable: true,
    offset: 0x1000,
    device: `${printNumber((dev >> 8n) & 0xfffn)}:${printNumber((dev & 0xffn) | ((dev >> 12n) & 0xff00n))}`,
    inode: ino,
    path: program,
    deleted: false,
  };
}

function printNumber(value: bigint): string {
  return value.toString(16).padStart(2, "0");
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

/** An event of which only the time is looked at. */
function eventAt(time: bigint): EventRecord {
  const bytes = Buffer.alloc(256);
  bytes.writeBigUInt64LE(time, timeAt);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 };
}

/** Changes how many descriptors this process may have, or reads it. */
function descriptorLimit(...words: readonly string[]): string {
  return execFileSync("prlimit", ["--pid", String(process.pid), ...words], { encoding: "utf8" }).trim();
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries++) await new Promise((done) => setTimeout(done, 10));
  expect(condition()).toBe(true);
}

test("the two programs have their functions at the same addresses", () => {
  expect(addressOf(second, "other_caller")).toBe(caller);
  expect(addressOf(second, "tick")).toBe(addressOf(first, "tick"));
});

describe("a process that becomes another program", () => {
  test("keeps the names of the program it was, for whoever knew that one", async () => {
    const copy = join(folder, "first");
    copyFileSync(first, copy);
    const child = spawn(copy, [second, second]);
    await until(() => requireProcess(child.pid!).executable().path === copy);
    using warmed = new Symbolizer();
    warmed.warm(child.pid!);
    using cold = new Symbolizer();
    const mapping = requireProcess(child.pid!)
      .mappings()
      .find(({ executable, path }) => executable && path === copy)!;
    cold.learn(child.pid!, mapping);
    rmSync(copy);
    child.stdin.write("\n");
    // The second one waits for input again: it was given an argument.
    await until(() => requireProcess(child.pid!).executable().path === second);
    expect(warmed.print(child.pid!, caller)).toBe("first_caller+0x0 [first]");
    // Its file is gone, and what lies there now is another.
    expect(cold.print(child.pid!, caller)).toMatch(/^0x[0-9a-f]+ \[first\]$/);
    expect(cold.unresolved).toBe(1);
    child.kill("SIGKILL");
    await once(child, "close");
  });

  test.runIf(needs("process events")).each(["one process", "all processes"])(
    "has the names of each in a trace of %s",
    async (whom) => {
      const child = spawn(first, [second]);
      await until(() => requireProcess(child.pid!).executable().path === first);
      const chosen = whom === "one process" ? ["-p", String(child.pid)] : [];
      const probes = [`${first}:tick`, `${second}:tick`];
      await using running = startCli(["trace", "-U", "-a", ...chosen, ...probes]);
      await running.until("stderr", /armed/);
      child.stdin.write("\n");
      await once(child, "close");
      if (chosen.length === 0) {
        await running.until("stdout", /(other_caller[^]*){3}/);
        running.signal("SIGINT");
      }
      const { stdout } = await running.ended;
      const frame = (caller + 9n).toString(16);
      const names = [
        ...stdout.matchAll(new RegExp(` ${frame} (\\S+)\\+0x9 | ${frame} \\S+ \\[unknown\\]`, "g")),
      ];
      // Of a process that nobody had looked at before, what it maps may be asked too late.
      const before = chosen.length === 0 ? expect.stringMatching(/^(first_caller|unknown)$/) : "first_caller";
      expect(
        names.map(([, name]) => name ?? "unknown"),
        stdout,
      ).toEqual([before, before, before, "other_caller", "other_caller", "other_caller"]);
    },
  );

  test.runIf(needs("process events"))("is not read for events that were before", async () => {
    const child = spawn(first, [second, second]);
    const pid = child.pid!;
    await until(() => requireProcess(pid).executable().path === first);
    using symbolizer = new Symbolizer();
    using followed = followMappings(symbolizer);
    const before = process.hrtime.bigint();
    child.stdin.write("\n");
    await until(() => requireProcess(pid).executable().path === second);
    const names: string[] = [];
    const visit = followed.inTime(() => names.push(symbolizer.print(pid, caller)));
    for (const time of [before, process.hrtime.bigint()]) visit(eventAt(time));
    expect(names).toEqual([expect.stringContaining("[unknown]"), expect.stringContaining("other_caller")]);
    child.kill("SIGKILL");
    await once(child, "close");
  });
});

describe("a process that ended", () => {
  test("leaves nothing to the next one of its number", () => {
    using symbolizer = new Symbolizer();
    symbolizer.learn(nobody, textOf(first));
    symbolizer.learn(nobody + 1, textOf(second));
    expect(symbolizer.print(nobody, caller)).toContain("first_caller");
    symbolizer.inherit(nobody, nobody + 1);
    expect(symbolizer.print(nobody, caller)).toContain("other_caller");
    symbolizer.inherit(nobody, nobody + 2);
    expect(symbolizer.print(nobody, caller)).toContain("[unknown]");
  });

  test("is remembered until 64 others have ended", () => {
    using symbolizer = new Symbolizer();
    const finish = (pid: number): void => {
      symbolizer.learn(pid, textOf(first));
      symbolizer.end(pid);
    };
    finish(nobody);
    for (let pid = nobody + 1; pid < nobody + 64; pid++) finish(pid);
    expect(symbolizer.print(nobody, caller)).toContain("first_caller");
    finish(nobody + 64);
    expect(symbolizer.print(nobody + 1, caller)).toContain("first_caller");
    expect(symbolizer.print(nobody, caller)).toContain("[unknown]");
  });
});

test("a file mapped over another has its own names", () => {
  using symbolizer = new Symbolizer();
  symbolizer.learn(nobody, textOf(first));
  expect(symbolizer.print(nobody, caller)).toContain("first_caller");
  symbolizer.learn(nobody, textOf(second));
  expect(symbolizer.print(nobody, caller)).toContain("other_caller");
});

test("100,000 mappings are learned in less than a second, and the last ones are known", () => {
  using symbolizer = new Symbolizer();
  const mapping = textOf(first);
  const start = performance.now();
  for (let index = 0; index < 100_000; index++)
    symbolizer.learn(nobody, {
      ...mapping,
      start: mapping.start + index * 4096,
      end: mapping.end + index * 4096,
    });
  expect(performance.now() - start).toBeLessThan(1000);
  expect(symbolizer.print(nobody, caller + 99_999n * 4096n)).toContain("first_caller");
});

describe("files of mappings", () => {
  test("are open in a bounded number", () => {
    using binaries = new MappedBinaries();
    const before = descriptors();
    for (let index = 0; index < mostBinaries + 50; index++) {
      const path = join(folder, `copy-${index}`);
      copyFileSync(first, path);
      expect(binaries.find(nobody, textOf(path))?.path).toBe(path);
    }
    expect(descriptors() - before).toBe(mostBinaries);
    // One that was closed is opened again.
    const path = join(folder, "copy-0");
    expect(binaries.find(nobody, textOf(path))?.elf).toBeDefined();
    binaries[Symbol.dispose]();
    expect(descriptors()).toBe(before);
  });

  test("for which no descriptor is left have no names until there is one", () => {
    using symbolizer = new Symbolizer();
    symbolizer.learn(nobody, textOf(first));
    const before = descriptorLimit("--nofile", "-o", "SOFT", "--noheadings");
    descriptorLimit(`--nofile=${descriptors() + 40}:`);
    const taken: number[] = [];
    let seen: string;
    try {
      for (;;) taken.push(openSync("/dev/null", "r"));
    } catch {
      seen = symbolizer.print(nobody, caller);
    } finally {
      for (const descriptor of taken) closeSync(descriptor);
      descriptorLimit(`--nofile=${before}:`);
    }
    expect(taken.length).toBeGreaterThan(0);
    expect(seen).toMatch(/^0x[0-9a-f]+ \[becomes/);
    expect(symbolizer.unresolved).toBe(1);
    expect(symbolizer.print(nobody, caller)).toContain("first_caller");
  });

  test("are told from files of the same number on another device, where devices can be compared", () => {
    const { dev } = statSync(first, { bigint: true });
    expect(isSameDevice(textOf(first).device, dev)).toBe(true);
    expect(isSameDevice("fe:01", 0xfe01n)).toBe(true);
    expect(isSameDevice("fe:01", 0xfe02n)).toBe(false);
    expect(isSameDevice("00:2a", 0x2bn)).toBeUndefined();
    expect(isSameDevice("103:100", 0x1_0300n)).toBe(false);
    using symbolizer = new Symbolizer();
    symbolizer.learn(nobody, { ...textOf(first), device: "fe:7f" });
    expect(symbolizer.print(nobody, caller)).toMatch(/^0x/);
  });
});

describe.runIf(needs("process events"))("records of mappings that the kernel could not store", () => {
  test("are counted, and what was known is void", () => {
    using symbolizer = new Symbolizer();
    symbolizer.learn(nobody, textOf(first));
    using followed = followMappings(symbolizer);
    expect(followed.lost).toBe(0);
    // The event loop stands still meanwhile: more starts than the buffers hold.
    spawnSync("/bin/sh", ["-c", "for i in $(seq 3000); do /bin/true; done"]);
    followed.drain();
    // Kernel: what was lost is told before the next record that finds room.
    spawnSync("/bin/sh", ["-c", "taskset -c 0 true; taskset -c 1 true"]);
    followed.drain();
    expect(followed.lost).toBeGreaterThan(0);
    expect(symbolizer.isStale(nobody)).toBe(true);
  });
});

describe("a mapping", () => {
  test("is of a file of the same device only", () => {
    const mapping = { ...textOf(first), device: "fe:01", inode: 5n };
    expect(mayBeMapped(mapping, { device: 0xfe01n, inode: 5n })).toBe(true);
    expect(mayBeMapped(mapping, { device: 0xfe02n, inode: 5n })).toBe(false);
    expect(mayBeMapped(mapping, { device: 0xfe01n, inode: 6n })).toBe(false);
  });

  test("whose path leads to a pipe by now does not have it opened", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    // Kernel: who opens a pipe for writing waits until somebody opens it for reading.
    const writer = spawn("sh", ["-c", 'echo > "$0"', path]);
    try {
      const closed = vi.fn<() => void>();
      writer.once("close", closed);
      await sleep(100);
      expect(openMapped(nobody, { ...textOf(first), path })).toBeUndefined();
      await sleep(100);
      expect(closed).not.toHaveBeenCalled();
    } finally {
      writer.kill();
    }
  });
});
