import { describe, expect, it } from "vitest";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { CompileOptions } from "../../src/lang/compile.js";
import { cookieOf, faultsAt, pidAt, siteAt, stackParts, tidAt, timeAt } from "../../src/lang/event.js";
import { readField } from "../../src/trace/events.js";
import type { StackValue } from "../../src/trace/events.js";
import { Maps } from "../support/interpreter.js";
import type { MemoryRange, World } from "../support/interpreter.js";
import {
  anyFunction,
  argumentsOf,
  compile,
  contextOf,
  usualOptions,
  lineOf,
  run,
  textAt,
} from "./support.js";

describe("an event", () => {
  it("begins with time, thread, process, site and faults", () => {
    const world = { time: 123456789012345n, pid: 42, tid: 43, cookie: 77n };
    const { record, counts } = run(compile("c:f"), world);
    const view = new DataView(record.buffer);
    expect(view.getBigUint64(timeAt, true)).toBe(123456789012345n);
    expect(view.getUint32(tidAt, true)).toBe(43);
    expect(view.getUint32(pidAt, true)).toBe(42);
    expect(view.getUint32(siteAt, true)).toBe(77);
    expect(view.getUint32(faultsAt, true)).toBe(0);
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: 0n });
  });

  it("carries the columns first, then the values, then the stacks", () => {
    const probe = compile('c:f "%d", arg1', {
      columns: { cpu: true, comm: true, uid: true },
      stacks: { user: 3, kernel: 2 },
    });
    expect(probe.event.fields.map(({ name }) => name)).toEqual([
      "cpu",
      "comm",
      "uid",
      "arg1",
      "user stack",
      "kernel stack",
    ]);
    const { record } = run(probe, {
      context: argumentsOf(5n),
      cpu: 3,
      comm: "redis",
      uid: 7,
      userStack: [1n, 2n, 3n, 4n],
      kernelStack: [],
    });
    const view = new DataView(record.buffer);
    const at = (name: string): number => probe.event.fields.find((field) => field.name === name)!.offset;
    expect(view.getUint32(at("cpu"), true)).toBe(3);
    expect(new TextDecoder().decode(record.subarray(at("comm"), at("comm") + 16))).toBe(
      "redis".padEnd(16, "\0"),
    );
    expect(view.getUint32(at("uid"), true)).toBe(7);
    expect(view.getInt32(at("arg1"), true)).toBe(5);
    expect(view.getInt32(at("user stack"), true)).toBe(24);
    expect(view.getBigUint64(at("user stack") + stackParts.addresses + 16, true)).toBe(3n);
    expect(view.getInt32(at("kernel stack"), true)).toBe(-14);
    expect(lineOf(probe, { context: argumentsOf(5n) })).toBe("5");
  });

  it("says where the function returns to, and what the cookie says to do with that", () => {
    const probe = compile('c:f "%d", arg1', { stacks: { user: 3, kernel: 2 } });
    const stackOf = (world: Partial<World>): StackValue => {
      const { record } = run(probe, {
        context: contextOf({ sp: 0x7000n }),
        userStack: [1n, 2n, 2n],
        ...world,
      });
      const bytes = Buffer.from(record);
      const view = new DataView(record.buffer, record.byteOffset);
      return readField({ bytes, view, at: 0 }, probe.event.fields[1]!, 1) as StackValue;
    };
    const memory = [{ address: 0x7000n, bytes: new Uint8Array([0x34, 0x12, 0, 0, 0, 0, 0, 0]) }];
    const [complete, missing, compare] = (["complete", "missing", "compare"] as const).map((rule) =>
      BigInt(cookieOf(9, rule)),
    );
    expect(stackOf({ memory, cookie: complete! }).addresses).toEqual([1n, 2n, 2n]);
    expect(stackOf({ memory, cookie: missing! }).addresses).toEqual([1n, 0x1234n, 2n, 2n]);
    expect(stackOf({ memory, cookie: compare! }).addresses).toEqual([1n, 0x1234n, 2n, 2n]);
    expect(stackOf({ memory, cookie: compare!, userStack: [1n, 0x1234n] }).addresses).toEqual([1n, 0x1234n]);
    expect(stackOf({ cookie: missing! }).addresses).toEqual([1n, 2n, 2n]);
    expect(run(probe, { context: contextOf({ sp: 0x7000n }) }).counts.faults).toBe(1n);
  });

  it("is not made by a probe that only counts, which is a dozen instructions", () => {
    const parsed = parse("c:f");
    const counting = { ...parsed, tree: { ...parsed.tree, body: [] } };
    const probe = compileProbe(counting, anyFunction, usualOptions);
    expect(run(probe).records).toEqual([]);
    expect(run(probe).counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: 0n });
    expect(probe.programs[0]!.instructions.length).toBeLessThanOrEqual(12);
  });

  it("is counted as lost where the ring has no room", () => {
    const probe = compile('c:f "%s", arg1');
    const maps = new Maps(
      probe.maps.map((map) => (map.kind === "ringbuf" ? { ...map, entries: 4096 } : map)),
    );
    let run1 = run(probe, { maps });
    for (let index = 1; index < 100; index++) run1 = run(probe, { maps });
    // Kernel: 112 bytes and a header of 8, and one byte stays free.
    expect(run1.counts).toMatchObject({ hits: 100n, lost: 100n - BigInt(Math.floor(4095 / 120)) });
  });

  it("wakes the reader only when much waits for it", () => {
    const probe = compile("c:f", { ring: { wakeBytes: 100 } });
    const maps = new Maps(probe.maps);
    const wakeups = Array.from({ length: 5 }, () => run(probe, { maps }).wakeups);
    // Each takes 32 bytes; what is asked includes the record itself.
    expect(wakeups).toEqual([0, 0, 0, 1, 1]);
  });
});

describe("values", () => {
  it("are cut to the conversion's width, as C's assignment does", () => {
    expect(
      printed(
        '"%d %ld %hd %hhd %u %lu %hu %hhu", arg1, arg1, arg1, arg1, arg1, arg1, arg1, arg1',
        0xffff_ffff_ffff_fffen,
      ),
    ).toBe("-2 -2 -2 -2 4294967294 18446744073709551614 65534 254");
    expect(printed('"%d", arg1', 0x1_0000_0005n)).toBe("5");
    expect(printed('"%x %lx %p %c|%5d|%-5d|%05d", arg1, arg1, arg1, arg1, arg1, arg1, arg1', 0x41n)).toBe(
      "41 41 0x41 A|   65|65   |00065",
    );
  });

  it("have the types of the signature", () => {
    const probe = compile(
      'c:f(int fd, bool on, size_t n, signed char c, char *text)(fd < 0) "%ld %d %lu %d %s", fd, on, n, c, text',
    );
    const memory = [textAt(0x1000n, "text")];
    expect(lineOf(probe, { context: argumentsOf(0xffff_ffffn, 0x100n, -1n, 0x1ffn, 0x1000n), memory })).toBe(
      "-1 0 18446744073709551615 -1 text",
    );
    expect(lineOf(probe, { context: argumentsOf(0x8000_0000n, 0x301n, 0n, 0x7fn, 0x1000n), memory })).toBe(
      "-2147483648 1 0 127 text",
    );
    expect(run(probe, { context: argumentsOf(0x1_0000_0000n) }).records).toEqual([]);
  });

  it("divide as C does, and INT_MIN / -1 does no harm", () => {
    expect(
      printed(
        '"%d %d %ld %ld", (int)arg1 / (int)arg2, (int)arg1 % (int)arg2, (long)arg3 / (long)arg4, (long)arg3 % (long)arg4',
        -7n,
        2n,
        7n,
        -2n,
      ),
    ).toBe("-3 -1 -3 1");
    expect(printed('"%d %d", (int)arg1 / (int)arg2, (int)arg1 % (int)arg2', 0x80000000n, -1n)).toBe(
      "-2147483648 0",
    );
    expect(printed('"%ld %ld", (long)arg1 / (long)arg2, (long)arg1 % (long)arg2', 1n << 63n, -1n)).toBe(
      "-9223372036854775808 0",
    );
  });

  it("step by whole elements through pointers", () => {
    expect(
      printed('"%lx %lx %lx %lx", arg1 + 8, (int *)arg1 + 8, (void *)arg1 + 8, 2 + (long **)arg1', 0x1000n),
    ).toBe("1008 1020 1008 1010");
    expect(
      printed('"%ld %d", (int *)arg1 - (int *)arg2, (char *)arg1 > (char *)arg2', 0x1000n, 0x1010n),
    ).toBe("-4 0");
  });

  it("come from any register, by both names", () => {
    const probe = compile('c:f "%lx %lx %lx", ctx->ip, reg("rip"), ctx->r15');
    expect(lineOf(probe, { context: contextOf({ ip: 0x401000n, r15: 15n }) })).toBe("401000 401000 f");
  });

  it("say who runs", () => {
    const probe = compile(
      'c:f "%d %d %d %d %d %d %d %d %d %s %lu", pid, tid, $pid, $tgid, uid, $uid, gid, cpu, $cpu, comm, nsecs',
    );
    const world = { pid: 10, tid: 11, uid: 12, gid: 13, cpu: 14, comm: "worker", time: 15n };
    expect(lineOf(probe, world)).toBe("10 11 11 10 12 12 13 14 14 worker 15");
  });

  it("are many at once without disturbing each other", () => {
    const terms = Array.from(
      { length: 24 },
      (_, index) => `(arg${(index % 6) + 1} * ${index + 1} + *(long *)(arg1 + ${index * 8}))`,
    );
    const probe = compile(
      `c:f "%ld %ld %ld", ${terms.join(" + ")}, ${terms.join(" ^ ")}, ${terms.map((term, index) => (index % 2 === 0 ? `(${term}` : `${term})`)).join(" - ")}`,
    );
    const registers = [0x1000n, 2n, 3n, 4n, 5n, 6n];
    const memory = {
      address: 0x1000n,
      bytes: new Uint8Array(new BigInt64Array(24).map((_, index) => BigInt(index * index)).buffer),
    };
    const numbers = terms.map(
      (_, index) => registers[index % 6]! * BigInt(index + 1) + BigInt(index * index),
    );
    const sum = numbers.reduce((left, right) => left + right);
    const xor = numbers.reduce((left, right) => left ^ right);
    const pairs = Array.from({ length: 12 }, (_, index) => numbers[2 * index]! - numbers[2 * index + 1]!);
    const difference = pairs.slice(1).reduce((left, right) => left - right, pairs[0]!);
    expect(lineOf(probe, { context: argumentsOf(...registers), memory: [memory] })).toBe(
      `${sum} ${xor} ${difference}`,
    );
  });
});

describe.each([{ sleepable: false }, { sleepable: true }])("user memory, $sleepable", ({ sleepable }) => {
  const line = (source: string, memory: readonly MemoryRange[], ...values: bigint[]): string =>
    lineOf(compile(source, { sleepable, textLimit: 8 }), { context: argumentsOf(...values), memory });
  const numbers = {
    address: 0x1000n,
    bytes: Uint8Array.from([1, 0x80, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0]),
  };

  it("is read by the pointer's type", () => {
    expect(
      line(
        'c:f "%d %d %d %ld %d", *(int *)arg1, ((char *)arg1)[1], ((int *)arg1)[1], *(u32 *)(arg1 + 4), *(unsigned char *)(arg1 + 1)',
        [numbers],
        0x1000n,
      ),
    ).toBe("32769 -128 -2 4294967294 128");
    expect(
      line(
        'c:f "%s %d", *(char **)(arg1 + 8), **(char **)(arg1 + 8)',
        [numbers, textAt(0x2000n, "abc")],
        0x1000n,
      ),
    ).toBe("abc 97");
  });

  it("that faults shows as such, is counted, and leaves the rest alone", () => {
    const probe = compile('c:f "%d %d %s %d", *(int *)arg1, *(int *)arg2, arg2, arg3', { sleepable });
    const world = { context: argumentsOf(0x1000n, 0x9000n, 7n), memory: [numbers] };
    expect(lineOf(probe, world)).toBe("32769 <fault> <fault> 7");
    expect(run(probe, world).counts).toEqual({ hits: 1n, lost: 0n, faults: 2n, filtered: 0n });
    const { record } = run(probe, world);
    expect(new DataView(record.buffer).getUint32(faultsAt, true)).toBe(0b0110);
    expect(new DataView(record.buffer).getInt32(probe.event.fields[1]!.offset, true)).toBe(0);
    expect(new DataView(record.buffer).getInt32(probe.event.fields[2]!.offset, true)).toBe(0);
  });

  it("that faults makes a condition false", () => {
    const probe = compile('c:f (*(int *)arg1 == 32769 || arg2) "%d", arg2', { sleepable });
    expect(run(probe, { context: argumentsOf(0x1000n, 0n), memory: [numbers] }).counts).toMatchObject({
      faults: 0n,
      filtered: 0n,
    });
    const failed = run(probe, { context: argumentsOf(0x9000n, 1n), memory: [numbers] });
    expect(failed.records).toEqual([]);
    expect(failed.counts).toEqual({ hits: 1n, lost: 0n, faults: 1n, filtered: 1n });
  });

  it("is not read where the condition does not need it", () => {
    const probe = compile('c:f (arg2 == 0 || *(int *)arg1 > 0) "%d", arg2 ? *(int *)arg1 : 5', { sleepable });
    expect(lineOf(probe, { context: argumentsOf(0x9000n, 0n) })).toBe("5");
  });

  it("gives text up to its zero", () => {
    for (const [text, shown] of [
      ["", ""],
      ["a", "a"],
      ["1234567", "1234567"],
      ["12345678", "12345678"],
      ["123456789", "12345678..."],
      ["1234567890abcdef", "12345678..."],
    ] as const) {
      expect(line('c:f "[%s]", arg1', [textAt(0x1000n, text)], 0x1000n)).toBe(`[${shown}]`);
    }
    expect(line('c:f "[%s]", arg1', [], 0n)).toBe("[(null)]");
    expect(line('c:f "[%s]", arg1', [textAt(0x1000n, "no end", "")], 0x1000n)).toBe("[<fault>]");
    expect(line('c:f "[%s]", arg1', [textAt(0x1000n, "12345678, and no end", "")], 0x1000n)).toBe(
      "[12345678...]",
    );
  });

  it("gives text of a length, zeros and all", () => {
    const memory = [textAt(0x1000n, "ab\0cdefghijkl", "")];
    for (const [length, shown] of [
      [0n, ""],
      [2n, "ab"],
      [5n, "ab\\x00cd"],
      [8n, "ab\\x00cdefg"],
      [9n, "ab\\x00cdefg..."],
      [13n, "ab\\x00cdefg..."],
      [-1n, ""],
      [1n << 40n, "ab\\x00cdefg..."],
    ] as const) {
      expect(line('c:f "[%.*s]", arg2, arg1', memory, 0x1000n, length)).toBe(`[${shown}]`);
    }
    expect(line('c:f "[%.*s]", arg2, arg1', [], 0n, 4n)).toBe("[(null)]");
    expect(line('c:f "[%.*s]", arg2, arg1', [], 0x5000n, 4n)).toBe("[<fault>]");
    expect(line('c:f "[%.*s]", (int)arg2, arg1', memory, 0x1000n, 0xffff_ffff_0000_0002n)).toBe("[ab]");
  });

  it("says the length that was asked for", () => {
    const probe = compile('c:f "%.*s", arg2, arg1', { sleepable, textLimit: 8 });
    const asked = (length: bigint): number => {
      const { record } = run(probe, {
        context: argumentsOf(0x1000n, length),
        memory: [textAt(0x1000n, "0123456789abcdef")],
      });
      return new DataView(record.buffer).getInt32(probe.event.fields[0]!.offset, true);
    };
    expect([0n, 8n, 9n, 1000n, -5n, 1n << 50n].map(asked)).toEqual([0, 8, 9, 1000, 0, 0x7fffffff]);
  });

  it("compares text exactly", () => {
    const probe = compile('c:f (STRCMP("test.txt", arg1)) "%d", 1', { sleepable });
    const holds = (text: string, zero = "\0"): boolean =>
      run(probe, { context: argumentsOf(0x1000n), memory: [textAt(0x1000n, text, zero)] }).records.length ===
      1;
    expect(holds("test.txt")).toBe(true);
    for (const other of ["", "test.tx", "test.txu", "test.txt2", "Test.txt", "xest.txt", "test.txt.txt"])
      expect(holds(other), other).toBe(false);
    expect(run(probe, { context: argumentsOf(0n) }).counts).toEqual({
      hits: 1n,
      lost: 0n,
      faults: 0n,
      filtered: 1n,
    });
    expect(run(probe, { context: argumentsOf(0x5000n) }).counts).toEqual({
      hits: 1n,
      lost: 0n,
      faults: 1n,
      filtered: 1n,
    });
    expect(holds("test.txt", "")).toBe(false);
  });

  it("compares text as a value", () => {
    const source = 'c:f "%d %d %d", STRCMP("", arg1), !STRCMP("a", arg1) + 1, STRCMP("\\xff\\x01", arg1)';
    expect(line(source, [textAt(0x1000n, "")], 0x1000n)).toBe("1 2 0");
    expect(line(source, [textAt(0x1000n, "a")], 0x1000n)).toBe("0 1 0");
    expect(line(source, [{ address: 0x1000n, bytes: Uint8Array.from([0xff, 1, 0]) }], 0x1000n)).toBe("0 2 1");
  });

  it("gives arguments beyond the sixth", () => {
    const stack = {
      address: 0x7000n,
      bytes: new Uint8Array(new BigUint64Array([99n, 7n, 8n, 9n, 10n]).buffer),
    };
    const world = { context: contextOf({ sp: 0x7000n, di: 1n }), memory: [stack] };
    expect(lineOf(compile('c:f "%ld %ld %ld", arg7, arg10, arg1', { sleepable }), world)).toBe("7 10 1");
  });
});

describe("pages that were not touched yet", () => {
  it("are faulted in by sleepable programs only", () => {
    for (const source of [
      'c:f "%s", arg1',
      'c:f "%.*s", 3, arg1',
      'c:f "%c%c%c", *(char *)arg1, ((char *)arg1)[1], ((char *)arg1)[2]',
    ]) {
      expect(printedFrom(source, true, [absent(textAt(0x1000n, "abc"))], 0x1000n)).toBe("abc");
      expect(printedFrom(source, false, [absent(textAt(0x1000n, "abc"))], 0x1000n)).toContain("<fault>");
    }
    const compared = compile('c:f (STRCMP("abc", arg1))', { sleepable: true });
    expect(
      run(compared, { context: argumentsOf(0x1000n), memory: [absent(textAt(0x1000n, "abc"))] }).records
        .length,
    ).toBe(1);
  });

  it("are faulted in where a text goes on", () => {
    const first = textAt(0x1ffen, "ab", "");
    const second = textAt(0x2000n, "cd");
    for (const memory of [
      [first, absent(second)],
      [absent(first), second],
      [absent(first), absent(second)],
    ]) {
      expect(
        printedFrom(
          'c:f "%s", arg1',
          true,
          memory.map((range) => ({ ...range })),
          0x1ffen,
        ),
      ).toBe("abcd");
    }
    expect(printedFrom('c:f "%s", arg1', true, [absent(textAt(0x1ffdn, "ab"))], 0x1ffdn)).toBe("ab");
    expect(printedFrom('c:f "%s", arg1', true, [absent(first)], 0x1ffen)).toBe("<fault>");
  });

  it("make an event anew: each fault counts once, and the reader sees one record", () => {
    const probe = compile('c:f "%d %s %d %d", arg2 / arg3, arg1, *(char *)arg4, arg2', { sleepable: true });
    const context = argumentsOf(0x1000n, 5n, 0n, 0x9000n);
    const memory = [absent(textAt(0x1000n, "abc"))];
    expect(lineOf(probe, { context, memory })).toBe("<fault> abc <fault> 5");
    const { counts, records } = run(probe, { context, memory });
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 2n, filtered: 0n });
    expect(records.length).toBe(1);
  });

  it("are faulted in however many a long text spans", () => {
    const page = 4096;
    const text = "0123456789abcdef".repeat(600);
    const bytes = new TextEncoder().encode(`${text}\0`);
    const start = 0x10f00;
    const cuts = [start, 0x11000, 0x12000, 0x13000, start + bytes.length];
    const memory = cuts.slice(1).map((end, index) => ({
      address: BigInt(cuts[index]!),
      bytes: bytes.subarray(cuts[index]! - start, end - start),
      absent: true,
    }));
    const probe = compile('c:f "%s", arg1', { sleepable: true, textLimit: 3 * page });
    expect(lineOf(probe, { context: argumentsOf(BigInt(start)), memory })).toBe(text);
  });
});

describe("division by zero", () => {
  it("is a fault, never a value", () => {
    const probe = compile('c:f "%d %ld %d", arg1 / arg2, (long)arg1 % (int)arg2, arg1');
    expect(lineOf(probe, { context: argumentsOf(7n, 2n) })).toBe("3 1 7");
    expect(lineOf(probe, { context: argumentsOf(7n, 0n) })).toBe("<fault> <fault> 7");
    expect(run(probe, { context: argumentsOf(7n, 0n) }).counts).toMatchObject({ faults: 2n });
    const condition = compile("c:f (arg1 / arg2 < 100)");
    expect(run(condition, { context: argumentsOf(7n, 0n) }).counts).toEqual({
      hits: 1n,
      lost: 0n,
      faults: 1n,
      filtered: 1n,
    });
  });
});

describe("process filters", () => {
  it("let pass what is wanted and count nothing else", () => {
    expect(hits({ filter: { pids: [5, 6] } }, { pid: 6 })).toBe(1);
    expect(hits({ filter: { pids: [5, 6] } }, { pid: 7 })).toBe(0);
    expect(hits({ filter: { pids: [], tid: 8 } }, { tid: 8 })).toBe(1);
    expect(hits({ filter: { pids: [], tid: 8 } }, { tid: 9, pid: 8 })).toBe(0);
    expect(hits({ filter: { pids: [], uid: 0 } }, { uid: 0, gid: 9 })).toBe(1);
    expect(hits({ filter: { pids: [], uid: 0 } }, { uid: 1, gid: 0 })).toBe(0);
    expect(hits({ filter: { pids: [], notPid: 5 } }, { pid: 5 })).toBe(0);
    expect(hits({ filter: { pids: [], notPid: 5 } }, { pid: 6 })).toBe(1);
    const cgroup = { id: 0x1_0000_0007n, level: 1 };
    expect(hits({ filter: { pids: [], cgroup } }, { cgroups: [1n, 0x1_0000_0007n, 3n] })).toBe(1);
    expect(hits({ filter: { pids: [], cgroup } }, { cgroups: [1n, 7n] })).toBe(0);
    expect(hits({ filter: { pids: [], notComm: "uscope" } }, { comm: "uscope" })).toBe(0);
    expect(hits({ filter: { pids: [], notComm: "uscope" } }, { comm: "uscope2" })).toBe(1);
    expect(hits({ filter: { pids: [], notComm: "exactly-fifteen" } }, { comm: "exactly-fifteen" })).toBe(0);
    expect(hits({ filter: { pids: [], notComm: "exactly-fifteen" } }, { comm: "exactly-fiftee" })).toBe(1);
  });

  it("all have to hold", () => {
    const filter = { pids: [1, 2, 3], tid: 4, uid: 5, notPid: 2, notComm: "x" };
    expect(hits({ filter }, { pid: 3, tid: 4, uid: 5, comm: "y" })).toBe(1);
    for (const other of [{ pid: 2 }, { pid: 4 }, { tid: 5 }, { uid: 6 }, { comm: "x" }]) {
      expect(hits({ filter }, { pid: 3, tid: 4, uid: 5, comm: "y", ...other })).toBe(0);
    }
  });

  it("look many processes up in a map", () => {
    const probe = compile("c:f", { filter: { pids: Array.from({ length: 9 }, (_, index) => index + 1) } });
    const maps = new Maps(probe.maps);
    maps.set("pids", 3, u32(1));
    expect(run(probe, { maps, pid: 3 }).counts.hits).toBe(1n);
    expect(run(probe, { maps, pid: 4 }).counts.hits).toBe(1n);
  });

  it("adopt children up to eight generations", () => {
    const offsets = { realParent: 16, tgid: 8 };
    const probe = compile("c:f", { filter: { pids: [100], children: offsets } });
    const tasks = Array.from({ length: 12 }, (_, index) => task(index, 100 + index, Math.max(0, index - 1)));
    const world = (maps: Maps, generation: number): Partial<World> => ({
      maps,
      pid: 100 + generation,
      task: taskAddress(generation),
      kernelMemory: tasks,
    });
    for (const [generation, wanted] of [
      [0, 1n],
      [1, 1n],
      [2, 1n],
      [8, 1n],
      [9, 0n],
      [11, 0n],
    ] as const) {
      const maps = new Maps(probe.maps);
      maps.set("pids", 100, u32(1));
      expect(run(probe, world(maps, generation)).counts.hits, `generation ${generation}`).toBe(wanted);
    }
    const maps = new Maps(probe.maps);
    maps.set("pids", 100, u32(1));
    run(probe, world(maps, 8));
    // Generation 8 is known now, so that 11 has an ancestor within reach.
    expect(run(probe, world(maps, 11)).counts.hits).toBe(2n);
    expect(run(probe, { ...world(maps, 11), pid: 500, task: 0n }).counts.hits).toBe(2n);
  });
});

/** The line of a format and its arguments, for these arguments of the function. */
function printed(action: string, ...values: bigint[]): string {
  return lineOf(compile(`c:f ${action}`), { context: argumentsOf(...values) });
}

function printedFrom(
  source: string,
  sleepable: boolean,
  memory: readonly MemoryRange[],
  ...values: bigint[]
): string {
  return lineOf(compile(source, { sleepable }), { context: argumentsOf(...values), memory });
}

function absent(range: MemoryRange): MemoryRange {
  return { ...range, absent: true };
}

function hits(options: Partial<CompileOptions>, world: Partial<World>): number {
  return Number(run(compile("c:f", options), world).counts.hits);
}

function taskAddress(index: number): bigint {
  return 0xffff_8880_0000_0000n + BigInt(index) * 64n;
}

function task(index: number, tgid: number, parent: number): MemoryRange {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, tgid, true);
  view.setBigUint64(16, taskAddress(parent), true);
  return { address: taskAddress(index), bytes };
}

function u32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}
