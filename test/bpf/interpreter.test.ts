import { describe, expect, test } from "vitest";
import {
  alu,
  atomicAdd,
  call,
  exit,
  jumpIf,
  label,
  load,
  loadMap,
  loadMapValue,
  mov,
  store,
  storeImmediate,
} from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import type { Register } from "../../src/bpf/instruction.js";
import { Maps } from "../support/interpreter.js";
import type { Outcome, World } from "../support/interpreter.js";
import { callWith, run, specs } from "./programs.js";

const minus = (number: bigint): bigint => BigInt.asUintN(64, -number);

/** Reads text of `size` bytes to the stack and sends what is there then. */
function sendAfter(lines: readonly Line[], size: number): Line[] {
  const words = Array.from({ length: size / 8 }, (_, index) =>
    storeImmediate(8, 10, 8 * index - size, 0x5a5a5a5an),
  );
  return [
    ...words,
    ...lines,
    store(8, 10, -64, 0),
    ...callWith("ringbuf_output", "events", [10, -size], BigInt(size), 0n),
    load(8, 0, 10, -64),
    exit(),
  ];
}

describe("the interpreter", () => {
  test("reads the context and keeps pointers on the stack", () => {
    const context = new Uint8Array(168);
    new DataView(context.buffer).setBigUint64(112, 0x1122334455667788n, true);
    const lines = [
      store(8, 10, -8, 1),
      load(8, 6, 10, -8),
      load(8, 0, 6, 112),
      load(1, 2, 6, 113),
      alu("xor", 0, 2),
      exit(),
    ];
    expect(run(lines, { context }).r0).toBe(0x1122334455667788n ^ 0x77n);
  });

  test("reads its own stack as kernel memory", () => {
    const lines = [
      storeImmediate(8, 10, -8, 0x6968n),
      storeImmediate(8, 10, -16, 0n),
      mov(1, 10),
      alu("add", 1, -16n),
      mov(2, 8n),
      mov(3, 10),
      alu("add", 3, -8n),
      call("probe_read_kernel_str"),
      load(8, 1, 10, -16),
      alu("lsh", 1, 8n),
      alu("or", 0, 1),
      exit(),
    ];
    expect(run(lines).r0).toBe((0x6968n << 8n) | 3n);
  });

  test("loops that end, end", () => {
    const again = label("again");
    const { r0, steps } = run([
      mov(0, 0n),
      mov(1, 10n),
      again,
      alu("add", 0, 1),
      alu("sub", 1, 1n),
      jumpIf("ne", 1, 0n, again),
      exit(),
    ]);
    expect([r0, steps]).toEqual([55n, 33]);
  });

  test.each<[string, readonly Line[], Partial<World>, bigint]>([
    ["get_current_pid_tgid", callWith("get_current_pid_tgid"), { pid: 7, tid: 9 }, (7n << 32n) | 9n],
    ["get_current_uid_gid", callWith("get_current_uid_gid"), { uid: 3, gid: 4 }, (4n << 32n) | 3n],
    ["ktime_get_ns", callWith("ktime_get_ns"), { time: 12345678901234n }, 12345678901234n],
    ["get_smp_processor_id", callWith("get_smp_processor_id"), { cpu: 3 }, 3n],
    ["get_attach_cookie", callWith("get_attach_cookie", [1, 0]).slice(1), { cookie: 99n }, 99n],
    ["get_current_task", callWith("get_current_task"), { task: 1n << 63n }, 1n << 63n],
    ["get_current_cgroup_id", callWith("get_current_cgroup_id"), { cgroups: [1n, 20n, 300n] }, 300n],
    [
      "get_current_ancestor_cgroup_id 1",
      callWith("get_current_ancestor_cgroup_id", 1n),
      { cgroups: [1n, 20n, 300n] },
      20n,
    ],
    ["get_current_ancestor_cgroup_id too deep", callWith("get_current_ancestor_cgroup_id", 5n), {}, 0n],
  ])("%s", (_, lines, world, expected) => {
    expect(run([...lines, exit()], world).r0).toBe(expected);
  });

  test("comm ends with zero and is filled with zeros", () => {
    const { records } = run(sendAfter(callWith("get_current_comm", [10, -16], 16n), 16), {
      comm: "a-name-of-20-letters",
    });
    expect(records).toEqual([text("a-name-of-20-le\0")]);
    expect(run(sendAfter(callWith("get_current_comm", [10, -8], 4n), 8), { comm: "abcdef" }).records).toEqual(
      [Uint8Array.of(97, 98, 99, 0, 0, 0, 0, 0)],
    );
  });

  const memory = [
    { address: 0x1000n, bytes: text("0123456789") },
    { address: 0x100an, bytes: text("abc\0def") },
    { address: 0x2000n, bytes: text("absent\0\0\0\0"), absent: true },
  ];
  test.each<[string, Parameters<typeof call>[0], bigint, bigint, bigint, string]>([
    ["reads", "probe_read_user", 8n, 0x1001n, 0n, "12345678"],
    ["reads over two ranges", "probe_read_user", 4n, 0x1008n, 0n, "89ab"],
    ["nothing", "probe_read_user", 0n, 0x1n, 0n, ""],
    ["a fault fills with zeros", "probe_read_user", 4n, 0x0ffen, minus(14n), "\0\0\0\0"],
    ["a fault at the end fills with zeros", "probe_read_user", 8n, 0x100dn, minus(14n), "\0\0\0\0\0\0\0\0"],
    ["a page that is absent", "probe_read_user", 4n, 0x2000n, minus(14n), "\0\0\0\0"],
    ["a page that is absent, brought in", "copy_from_user", 4n, 0x2000n, 0n, "abse"],
    ["a fault while sleeping", "copy_from_user", 4n, 0x3000n, minus(14n), "\0\0\0\0"],
    ["text with its end", "probe_read_user_str", 8n, 0x100an, 4n, "abc\0"],
    ["text that is cut", "probe_read_user_str", 4n, 0x1000n, 4n, "012\0"],
    ["text that fits to the byte", "probe_read_user_str", 4n, 0x100an, 4n, "abc\0"],
    ["text that ends in a fault", "probe_read_user_str", 8n, 0x100en, minus(14n), "\0\0\0\0\0\0\0\0"],
    ["text up to a fault that is not reached", "probe_read_user_str", 3n, 0x100en, 3n, "de\0"],
    ["kernel memory is another", "probe_read_kernel", 4n, 0x1000n, minus(14n), "\0\0\0\0"],
  ])("user memory: %s", (_, helper, size, address, r0, expected) => {
    const outcome = run(sendAfter(callWith(helper, [10, -8], size, address), 8), { memory, sleepable: true });
    expect(outcome.r0).toBe(r0);
    expect(outcome.records).toEqual(
      [text(expected.padEnd(8))].map((wanted) => behind(wanted, expected.length)),
    );
  });

  test("stacks", () => {
    const world = { userStack: [1n, 2n, 3n], kernelStack: [9n] };
    const send = (lines: readonly Line[]): Outcome => run(sendAfter(lines, 16), world);
    expect(words(send(readStack(16n, 0x100n)))).toEqual([16n, 1n, 2n]);
    expect(words(send(readStack(16n, 0x102n)))).toEqual([8n, 3n, 0n]);
    expect(words(send(readStack(16n, 0n)))).toEqual([8n, 9n, 0n]);
    expect(words(send(readStack(16n, 0x103n)))).toEqual([minus(14n), 0n, 0n]);
    const maps = new Maps(specs);
    const id = [loadMap(2, "stacks"), mov(3, 0x100n), call("get_stackid"), exit()];
    expect(run(id, { ...world, maps }).r0).toBe(0n);
    expect(run(id, { userStack: [5n], maps }).r0).toBe(1n);
    expect(run(id, { ...world, maps }).r0).toBe(0n);
    expect(run(id, { maps }).r0).toBe(minus(14n));
    expect([...(maps.value("stacks", 1) ?? [])].slice(0, 9)).toEqual([5, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("arrays, one value a processor", () => {
    const maps = new Maps(specs);
    const out = label("out");
    const count = [
      storeImmediate(4, 10, -4, 1n),
      ...callWith("map_lookup_elem", "counters", [10, -4]),
      jumpIf("eq", 0, 0n, out),
      mov(1, 1n),
      atomicAdd(8, 0, 0, 1),
      out,
      mov(0, 0n),
      exit(),
    ];
    run(count, { maps, cpu: 0 });
    run(count, { maps, cpu: 2 });
    run(count, { maps, cpu: 2 });
    expect([0, 1, 2].map((cpu) => maps.value("counters", 1, cpu)?.[0])).toEqual([1, 0, 2]);
    expect(maps.value("counters", 0)?.[0]).toBe(0);
    expect(maps.value("counters", 2)).toBeUndefined();
    const direct = [loadMapValue(1, "settings", 8), load(8, 0, 1, 0), storeImmediate(8, 1, 0, 5n), exit()];
    expect([run(direct, { maps }).r0, run(direct, { maps }).r0, maps.value("settings", 0)?.[8]]).toEqual([
      0n,
      5n,
      5,
    ]);
  });

  test("hashes", () => {
    const maps = new Maps(specs);
    const put = (map: string, key: bigint, value: bigint, flags = 0n): bigint => {
      const lines = [storeImmediate(4, 10, -4, key), storeImmediate(4, 10, -8, value)];
      return run([...lines, ...callWith("map_update_elem", map, [10, -4], [10, -8], flags), exit()], { maps })
        .r0;
    };
    const remove = (map: string, key: bigint): bigint =>
      run([storeImmediate(4, 10, -4, key), ...callWith("map_delete_elem", map, [10, -4]), exit()], { maps })
        .r0;
    expect([put("pids", 1n, 5n), put("pids", 1n, 6n, 1n), put("pids", 2n, 7n, 2n)]).toEqual([
      0n,
      minus(17n),
      minus(2n),
    ]);
    expect([put("pids", 2n, 7n), put("pids", 3n, 8n), put("pids", 9n, 9n, 4n)]).toEqual([
      0n,
      minus(7n),
      minus(22n),
    ]);
    expect([maps.value("pids", 1)?.[0], maps.value("pids", 2)?.[0], maps.value("pids", 3)]).toEqual([
      5,
      7,
      undefined,
    ]);
    expect([remove("pids", 1n), remove("pids", 1n), remove("settings", 0n)]).toEqual([
      0n,
      minus(2n),
      minus(22n),
    ]);
    expect([put("recent", 1n, 1n), put("recent", 2n, 2n), put("recent", 3n, 3n)]).toEqual([0n, 0n, 0n]);
    expect(maps.value("recent", 1)).toBeUndefined();
    expect(put("counters", 5n, 0n)).toBe(minus(7n));
  });

  test("the ring buffer: order, garbage in what was not written, discards, wake-ups", () => {
    const out = label("out");
    const reserve = (size: bigint, into: Register): Line[] => [
      ...callWith("ringbuf_reserve", "events", size, 0n),
      jumpIf("eq", 0, 0n, out),
      mov(into, 0),
    ];
    const maps = new Maps(specs);
    // One straight program: the verifier would want the first record given back where the second fails, which does not happen here.
    const lines = [
      ...reserve(16n, 6),
      ...reserve(8n, 7),
      ...reserve(8n, 8),
      storeImmediate(8, 6, 0, 1n),
      storeImmediate(8, 7, 0, 2n),
      ...give("ringbuf_submit", 7, 1n),
      ...give("ringbuf_discard", 8, 1n),
      ...give("ringbuf_submit", 6, 1n),
      out,
      ...callWith("ringbuf_query", "events", 0n),
      exit(),
    ];
    const { records, wakeups, r0 } = run(lines, { maps });
    expect(records.map((record) => [...record])).toEqual([
      [1, 0, 0, 0, 0, 0, 0, 0, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5, 0xa5],
      [2, 0, 0, 0, 0, 0, 0, 0],
    ]);
    expect([r0, wakeups]).toEqual([24n + 16n + 16n, 0]);
    expect(run(callOutput(0n), { maps }).wakeups).toBe(0);
    expect(run(callOutput(2n), { maps }).wakeups).toBe(1);
    maps.ring("events").consume();
    expect(run(callOutput(0n), { maps }).wakeups).toBe(1);
    expect(run(callOutput(0n), { maps }).wakeups).toBe(0);
  });

  test("a full ring buffer gives nothing and counts nothing", () => {
    const maps = new Maps(specs);
    const sent = Array.from({ length: 20 }, () => run(callOutput(1n), { maps }).r0);
    // 16 bytes each of 256, of which one stays free.
    expect(sent.filter((r0) => r0 === 0n).length).toBe(15);
    expect(sent.at(-1)).toBe(minus(11n));
    expect(run([...callWith("ringbuf_reserve", "events", 8n, 0n), ...isNull()], { maps }).r0).toBe(1n);
    maps.ring("events").consume();
    expect(run(callOutput(1n), { maps }).records.length).toBe(1);
    expect(run([...callWith("ringbuf_reserve", "events", 249n, 0n), ...isNull()], { maps }).r0).toBe(1n);
  });
});

function callOutput(flags: bigint): Line[] {
  return [
    storeImmediate(8, 10, -8, 3n),
    ...callWith("ringbuf_output", "events", [10, -8], 8n, flags),
    exit(),
  ];
}

function isNull(): Line[] {
  const none = label("none");
  return [
    jumpIf("eq", 0, 0n, none),
    mov(1, 0),
    mov(2, 0n),
    call("ringbuf_discard"),
    mov(0, 0n),
    exit(),
    none,
    mov(0, 1n),
    exit(),
  ];
}

/** What stands behind the first `count` bytes is what sendAfter() put there. */
function behind(wanted: Uint8Array, count: number): Uint8Array {
  return wanted.map((byte, index) =>
    index < count ? byte : ([0x5a, 0x5a, 0x5a, 0x5a, 0, 0, 0, 0][index] ?? 0),
  );
}

/** r0 and then the words of the only record. */
function words({ r0, records }: Outcome): bigint[] {
  const [record = new Uint8Array()] = records;
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  return [r0, ...Array.from({ length: record.length / 8 }, (_, index) => view.getBigUint64(index * 8, true))];
}

/** Wants the context in r1. */
function readStack(size: bigint, flags: bigint): Line[] {
  return [mov(2, 10), alu("add", 2, -16n), mov(3, size), mov(4, flags), call("get_stack")];
}

function give(helper: "ringbuf_submit" | "ringbuf_discard", record: Register, flags: bigint): Line[] {
  return [mov(1, record), mov(2, flags), call(helper)];
}

function text(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
