import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { FileOffset } from "../../src/base/bytes.js";
import { KernelError } from "../../src/base/errors.js";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import type { KernelMap } from "../../src/kernel/maps.js";
import { loadProgram, readProgram } from "../../src/kernel/programs.js";
import type { KernelProgram } from "../../src/kernel/programs.js";
import { attachMulti, attachPmu, RefusedPlaceError } from "../../src/kernel/uprobes.js";
import type { UprobeLink, UprobeRequest } from "../../src/kernel/uprobes.js";
import {
  bpftoolCounts,
  bundleChild,
  converse,
  fileOffsetOf,
  needs,
  settledCounts,
} from "../support/kernel.js";
import { compile } from "../support/programs.js";
import { countByCookie, countInSlot, countsMap, emptyProgram, sumReturned } from "./programs.js";

const binary = compile("calls.c", ["-O2"]);
const alpha = fileOffsetOf(binary, "alpha");
const beta = fileOffsetOf(binary, "beta");

const ways = [
  { name: "uprobe_multi", multi: true, attach: attachMulti },
  { name: "uprobe PMU", multi: false, attach: attachPmu },
] as const;

describe.runIf(needs("attach cookie", "perf_event links", "uprobe_multi")).each(ways)("by $name", (way) => {
  const arm = (program: KernelProgram, request: Partial<UprobeRequest> = {}): UprobeLink =>
    way.attach({
      program,
      openPath: binary,
      shownPath: binary,
      sites: [{ offset: alpha, semaphore: undefined, cookie: 0 }],
      returns: false,
      pid: undefined,
      ...request,
    });

  test("every call is counted, and the cookie tells which function", async () => {
    using counts = createMap(countsMap);
    using program = loadProgram(countByCookie(), new Map([["counts", counts]]), { multi: way.multi });
    await using target = converse(binary);
    await target.line();
    const link = arm(program, {
      sites: [
        { offset: alpha, semaphore: undefined, cookie: 8 * 2 ** 32 + 5 },
        { offset: beta, semaphore: undefined, cookie: 9 * 2 ** 32 + 4 },
      ],
    });
    target.say("1234 77");
    await target.line();
    expect(countAt(counts, 3)).toBe(1234n);
    expect(countAt(counts, 5)).toBe(77n);
    expect(link.sites).toBe(2);
    link[Symbol.dispose]();
    link[Symbol.dispose]();
    target.say("10 10");
    await target.line();
    expect(countAt(counts, 3)).toBe(1234n);
    expect(countAt(counts, 5)).toBe(77n);
    expect(countAt(counts, 0)).toBe(0n);
  });

  test("a return shows the returned value", async () => {
    using counts = createMap(countsMap);
    using program = loadProgram(sumReturned(), new Map([["counts", counts]]), { multi: way.multi });
    await using target = converse(binary);
    await target.line();
    using _link = arm(program, { returns: true });
    target.say("500 9");
    await target.line();
    // alpha(index, 2 * index) returns 3 * index.
    expect(countAt(counts, 1)).toBe((3n * 500n * 499n) / 2n);
  });

  test("only the wanted process is counted", async () => {
    using counts = createMap(countsMap);
    using program = loadProgram(countInSlot(2n), new Map([["counts", counts]]), { multi: way.multi });
    await using wanted = converse(binary);
    await using other = converse(binary);
    await wanted.line();
    await other.line();
    using _link = arm(program, { pid: wanted.child.pid });
    wanted.say("30 0");
    other.say("4000 0");
    await wanted.line();
    await other.line();
    expect(countAt(counts, 2)).toBe(30n);
  });

  test("the descriptor of the file that was read can be armed", async () => {
    using counts = createMap(countsMap);
    using program = loadProgram(countInSlot(0n), new Map([["counts", counts]]), { multi: way.multi });
    const fd = openSync(binary, "r");
    const link = arm(program, { openPath: `/proc/self/fd/${fd}` });
    closeSync(fd);
    await using target = converse(binary);
    await target.line();
    target.say("5 0");
    await target.line();
    link[Symbol.dispose]();
    expect(countAt(counts, 0)).toBe(5n);
  });

  test("a semaphore is raised while armed", async () => {
    using program = loadProgram(emptyProgram(), new Map(), { multi: way.multi });
    await using target = converse(binary);
    await target.line();
    const semaphore = fileOffsetOf(binary, "armed");
    const link = arm(program, { sites: [{ offset: alpha, semaphore, cookie: 0 }] });
    target.say("0 0");
    expect(await target.line()).toBe("done 1");
    link[Symbol.dispose]();
    target.say("0 0");
    expect(await target.line()).toBe("done 0");
  });

  test("a place where another tracer raises another semaphore is refused, and the error says so", () => {
    using program = loadProgram(emptyProgram(), new Map(), { multi: way.multi });
    const semaphore = fileOffsetOf(binary, "armed");
    using _other = arm(program, { sites: [{ offset: alpha, semaphore, cookie: 0 }] });
    expect(errorOf(() => arm(program))).toMatch(/or another tracer watches a marker there in another way/);
  });

  test("no such file", () => {
    using program = loadProgram(emptyProgram(), new Map(), { multi: way.multi });
    const missing = "/no/such/file";
    expect(errorOf(() => arm(program, { openPath: missing, shownPath: missing }))).toMatch(
      /^there is no such file \(ENOENT: no such file or directory\)\n {2}at: \/no\/such\/file,.*\n {2}fix: look/,
    );
  });

  test("no such process", () => {
    using program = loadProgram(emptyProgram(), new Map(), { multi: way.multi });
    expect(errorOf(() => arm(program, { pid: 0x3ffffff }))).toMatch(/^there is no such process .*\(ESRCH/);
  });

  test("the place that the kernel refuses is named, and nothing stays armed", async () => {
    await using target = converse(binary);
    await target.line();
    using program = loadProgram(emptyProgram(`refused_${way.multi}`), new Map(), { multi: way.multi });
    const offsets = [alpha, beta, fileOffsetOf(binary, "locked"), fileOffsetOf(binary, "main")];
    const sites = offsets.map((offset, cookie) => ({ offset, semaphore: undefined, cookie }));
    const message = errorOf(() => arm(program, { sites }));
    expect(message).toContain("ENOTSUPP");
    expect(message).toContain(`file offset 0x${offsets[2]!.toString(16)}`);
    expect(bpftoolCounts(program.name)).toEqual({ programs: 1, links: 0 });
  });

  test("a place beyond the end of the file is refused by name", () => {
    using program = loadProgram(emptyProgram(), new Map(), { multi: way.multi });
    const sites = [alpha, 0x7fff0000 as FileOffset].map((offset) => ({
      offset,
      semaphore: undefined,
      cookie: 0,
    }));
    let thrown: unknown;
    try {
      arm(program, { sites });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(RefusedPlaceError);
    expect((thrown as RefusedPlaceError).site).toBe(sites[1]);
    expect((thrown as RefusedPlaceError).at).toContain("file offset 0x7fff0000");
  });

  test("nothing is left behind", async () => {
    const name = `leave_${way.multi}`;
    {
      using program = loadProgram(emptyProgram(name), new Map(), { multi: way.multi });
      using _link = arm(program);
      expect(bpftoolCounts(name)).toEqual({ programs: 1, links: 1 });
      expect(readProgram(program).name).toBe(name);
    }
    expect(await settledCounts({ programs: 0, links: 0 }, name)).toEqual({ programs: 0, links: 0 });
  });

  test("nothing is left behind by a process that was killed", async () => {
    const name = `killed_${way.multi}`;
    const child = bundleChild("kernel/children/attach.ts");
    await using holder = converse(process.execPath, [child, binary, `${alpha}`, name, `${way.multi}`]);
    expect(await holder.line()).toBe("armed");
    expect(bpftoolCounts(name)).toEqual({ programs: 1, links: 1 });
    holder.child.kill("SIGKILL");
    await once(holder.child, "exit");
    expect(await settledCounts({ programs: 0, links: 0 }, name)).toEqual({ programs: 0, links: 0 });
  });
});

describe.runIf(needs("uprobe_multi"))("many places", () => {
  test("thousands of offsets of an idle file are one link, packed right", () => {
    // Why: the kernel checks offsets in files that nobody maps only against the file's size.
    const copy = compile("calls.c", ["-O2", "-DCOPY", "-static"]);
    const size = Number(execFileSync("stat", ["-c", "%s", copy], { encoding: "utf8" }));
    using program = loadProgram(emptyProgram("many_places"), new Map(), { multi: true });
    const sites = Array.from({ length: 20_000 }, (_, index) => ({
      offset: (index * 16) as FileOffset,
      semaphore: undefined,
      cookie: 2 ** 40 + index,
    }));
    expect(size).toBeGreaterThan(20_000 * 16);
    using link = attachMulti({
      program,
      openPath: copy,
      shownPath: copy,
      sites,
      returns: false,
      pid: undefined,
    });
    expect(link.sites).toBe(20_000);
    expect(bpftoolCounts("many_places")).toEqual({ programs: 1, links: 1 });
  });
});

function countAt(map: KernelMap, slot: number): bigint {
  const key = new Uint8Array(new Uint32Array([slot]).buffer);
  return sumPerCpu(map.splitPerCpu(map.lookup(key)!))[0]!;
}

function errorOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof KernelError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}
