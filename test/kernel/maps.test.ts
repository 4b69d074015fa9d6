import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { MapSpec } from "../../src/bpf/spec.js";
import { readPossibleCpus } from "../../src/kernel/cpus.js";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import { needs } from "../support/kernel.js";

const cpus = readPossibleCpus();

describe.runIf(needs("ring buffer"))("a map", () => {
  test("is what its spec says, as bpftool sees it", () => {
    using map = createMap(
      spec({ kind: "percpu-hash", name: "strange name!", keyBytes: 4, valueBytes: 20, entries: 9 }),
    );
    const rows = JSON.parse(execFileSync("bpftool", ["-j", "map", "list"], { encoding: "utf8" })) as {
      name: string;
    }[];
    expect(rows.find((row) => row.name === "strange_name_")).toMatchObject({
      type: "percpu_hash",
      bytes_key: 4,
      bytes_value: 20,
      max_entries: 9,
    });
    expect(map.fd).toBeGreaterThan(2);
  });

  test.each(["hash", "lru-hash"] as const)("%s: looks up, updates, deletes, lists", (kind) => {
    using map = createMap(spec({ kind, keyBytes: 4, valueBytes: 8, entries: 5000 }));
    expect(map.lookup(u32(7))).toBeUndefined();
    expect(map.delete(u32(7))).toBe(false);
    expect(map.entries()).toEqual([]);
    for (let index = 0; index < 1000; index++) map.update(u32(index), u64(BigInt(index) * 3n));
    expect(map.lookup(u32(7))).toEqual(u64(21n));
    expect(map.delete(u32(7))).toBe(true);
    expect(map.lookup(u32(7))).toBeUndefined();
    const found = new Map(map.entries().map(({ key, value }) => [readU32(key), readU64(value)]));
    expect(found.size).toBe(999);
    expect([...found].every(([key, value]) => value === BigInt(key) * 3n)).toBe(true);
  });

  test("array: lists every element in batches", () => {
    using map = createMap(spec({ kind: "array", keyBytes: 4, valueBytes: 8, entries: 3000 }));
    map.update(u32(2999), u64(5n));
    const entries = map.entries();
    expect(entries.map(({ key }) => readU32(key))).toEqual(Array.from({ length: 3000 }, (_, index) => index));
    expect(readU64(entries[2999]!.value)).toBe(5n);
  });

  test("per CPU: each possible CPU has its part, rounded up to 8 bytes", () => {
    using map = createMap(spec({ kind: "percpu-array", keyBytes: 4, valueBytes: 12, entries: 3 }));
    map.update(u32(1), new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]));
    const parts = map.splitPerCpu(map.lookup(u32(1))!);
    expect(parts).toHaveLength(cpus);
    for (const part of parts) expect([...part]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9]);
    expect(sumPerCpu(parts)).toEqual([BigInt(cpus)]);
    expect(map.entries().map(({ value }) => map.splitPerCpu(value).length)).toEqual([cpus, cpus, cpus]);
  });

  test("that is full says so", () => {
    using map = createMap(spec({ kind: "hash", keyBytes: 4, valueBytes: 4, entries: 2 }));
    expect(() => {
      for (let index = 0; index < 1000; index++) map.update(u32(index), u32(0));
    }).toThrow(/^the map is full \(E2BIG: .*\)\n {2}at: map probe, bpf BPF_MAP_UPDATE_ELEM\n {2}fix: narrow/);
  });

  test("refuses keys and values of another size before the kernel reads beyond them", () => {
    using map = createMap(spec({ kind: "hash", keyBytes: 8, valueBytes: 8, entries: 2 }));
    expect(() => map.lookup(new Uint8Array(4))).toThrow("a key of 8 bytes");
    expect(() => map.update(new Uint8Array(8), new Uint8Array(4))).toThrow("a value of 8 bytes");
  });

  test("is gone once disposed", () => {
    const map = createMap(spec({ kind: "hash", keyBytes: 4, valueBytes: 4, entries: 2 }));
    map[Symbol.dispose]();
    map[Symbol.dispose]();
    expect(() => map.lookup(u32(1))).toThrow("closed");
  });

  test("that cannot be made says why", () => {
    expect(() => createMap(spec({ kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: 5000 }))).toThrow(
      /EINVAL: invalid argument\)\n {2}at: map probe, bpf BPF_MAP_CREATE\n {2}fix: /,
    );
  });
});

function spec(part: Omit<MapSpec, "name"> & { readonly name?: string }): MapSpec {
  return { name: "probe", ...part };
}

function u32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}

function u64(value: bigint): Uint8Array {
  return new Uint8Array(new BigUint64Array([value]).buffer);
}

function readU32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function readU64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
