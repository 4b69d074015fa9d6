import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mapSpecFor, maximumOf, minimumOf, placeKey } from "../../src/lang/aggregates.js";
import type { AggregateSpec } from "../../src/lang/aggregates.js";
import type { CompiledProbe } from "../../src/lang/compile.js";
import { faultsAt } from "../../src/lang/event.js";
import type { Expression } from "../../src/lang/tree.js";
import { i32, i64, u16, u32, u64, u8 } from "../../src/lang/types.js";
import { Maps } from "../support/interpreter.js";
import type { World } from "../support/interpreter.js";
import { compileConstruct, construct, keptFields, wideKey } from "./constructs.js";
import {
  aggregate,
  aggregates,
  argument,
  assign,
  binary,
  compileStatements,
  declare,
  elapsed,
  emit,
  field,
  finish,
  keep,
  kept,
  keyLiteral,
  keyNumber,
  keyText,
  lookUp,
  named,
  number,
  read,
  span,
  text,
  tunable,
  update,
  use,
  variable,
  when,
} from "./statements.js";
import { argumentsOf, contextOf, run, textAt } from "./support.js";

const word = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes;
};

/** The author's fields of a record as numbers. */
function numbersOf(probe: CompiledProbe, record: Uint8Array): bigint[] {
  const view = new DataView(record.buffer, record.byteOffset);
  return probe.event.fields.flatMap(({ offset, value }) => {
    if (value.kind !== "integer") return [];
    const { bytes, signed } = value.type;
    let raw = 0n;
    for (let at = bytes - 1; at >= 0; at--) raw = (raw << 8n) | BigInt(view.getUint8(offset + at));
    return [signed ? BigInt.asIntN(bytes * 8, raw) : raw];
  });
}

function textOf(probe: CompiledProbe, record: Uint8Array, index: number): string | null {
  const { offset, value } = probe.event.fields[index]!;
  if (value.kind === "comm")
    return new TextDecoder().decode(record.subarray(offset, offset + 16)).replace(/\0.*/s, "");
  if (value.kind !== "text") throw new Error(`field ${index} is no text`);
  const length = new DataView(record.buffer, record.byteOffset).getInt32(offset, true);
  if (length < 0) return null;
  const shown = new TextDecoder().decode(
    record.subarray(offset + 4, offset + 4 + Math.min(length, value.limit)),
  );
  return length > value.limit ? `${shown}...` : shown;
}

function wordsOf(value: Uint8Array | undefined): bigint[] {
  if (value === undefined) throw new Error("no such element");
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return Array.from({ length: value.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}

describe("variables", () => {
  const probe = compileConstruct(construct("variables and branches"));
  const at = (first: bigint, world: Partial<World> = {}) =>
    run(probe, { context: argumentsOf(first, 0x100n, 0x200n), memory: [textAt(0x200n, "text")], ...world });

  it("have the value that the way here gave them", () => {
    const { record } = at(11n);
    expect(numbersOf(probe, record)).toEqual([11n, 22n]);
    expect(textOf(probe, record, 2)).toBe("text");
    const memory = [{ address: 0x100n, bytes: word(-7n) }, textAt(0x200n, "a longer text than fits")];
    const { record: other } = at(5n, { memory });
    expect(numbersOf(probe, other)).toEqual([5n, -7n]);
    expect(textOf(probe, other, 2)).toBe("a longer tex...");
  });

  it("end the hit with finish, which counts nothing", () => {
    const { records, counts } = at(3n);
    expect(records).toEqual([]);
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: 0n });
  });

  it("end the hit with a fault where a number cannot be read", () => {
    const { records, counts } = at(5n);
    expect(records).toEqual([]);
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 1n, filtered: 0n });
  });

  it("are read through anew once they have another value", () => {
    const a = variable(0);
    const value = read(use(a), u8);
    const probe = compileStatements([
      declare(a, argument(0)),
      declare(variable(1), value),
      when(argument(1), [assign(a, binary("+", use(a), number(1)))]),
      emit([field(use(variable(1))), field(value)]),
    ]);
    const memory = [{ address: 0x100n, bytes: Uint8Array.from([7, 8]) }];
    expect(numbersOf(probe, run(probe, { context: argumentsOf(0x100n, 1n), memory }).record)).toEqual([
      7n,
      8n,
    ]);
    expect(numbersOf(probe, run(probe, { context: argumentsOf(0x100n, 0n), memory }).record)).toEqual([
      7n,
      7n,
    ]);
  });

  it("keep what they are declared with when that is given another value", () => {
    const [a, b] = [variable(0, i64), variable(1)];
    const probe = compileStatements([
      declare(a, argument(0)),
      declare(b, use(a)),
      assign(a, number(9)),
      emit([field(use(a)), field(use(b))]),
    ]);
    expect(numbersOf(probe, run(probe, { context: argumentsOf(4n) }).record)).toEqual([9n, 4n]);
  });

  it("are cut to the type that they are declared with", () => {
    const a = variable(0, u8);
    const probe = compileStatements([
      declare(a, argument(0)),
      emit([field(use(a)), field(binary("+", use(a), number(1)))]),
    ]);
    expect(numbersOf(probe, run(probe, { context: argumentsOf(0x1ffn) }).record)).toEqual([255n, 256n]);
  });
});

describe("blocks", () => {
  it.each([
    [0n, 0n],
    [4n, 1n],
    [5n, 2n],
  ])("with %i give %i", (first, wanted) => {
    const probe = compileConstruct(construct("blocks that are left"));
    expect(numbersOf(probe, run(probe, { context: argumentsOf(first) }).record)).toEqual([wanted]);
  });
});

describe("events of several shapes", () => {
  const probe = compileConstruct(construct("events of two shapes"));

  it("have room for the fields of all, and say which they are", () => {
    expect(probe.shapeField).toBe(1);
    expect(probe.shapeFields).toEqual([
      { first: 2, count: 2 },
      { first: 4, count: 5 },
    ]);
    expect(probe.event.fields.map(({ value }) => value.kind)).toEqual([
      "integer",
      "integer",
      "integer",
      "comm",
      "text",
      "bytes",
      "stack",
      "integer",
      "symbol",
      "stack",
    ]);
    const { record } = run(probe, { context: argumentsOf(-5n), comm: "redis", kernelStack: [1n] });
    expect(numbersOf(probe, record).slice(1, 3)).toEqual([0n, -5n]);
    expect(textOf(probe, record, 3)).toBe("redis");
    const memory = [textAt(0x100n, "some text")];
    const world = { context: argumentsOf(50n, 0x100n, 4n), memory, userStack: [1n, 2n], kernelStack: [3n] };
    const { record: other } = run(probe, world);
    expect(numbersOf(probe, other)[1]).toBe(1n);
    expect(numbersOf(probe, other)[3]).toBe(12n);
    expect(textOf(probe, other, 4)).toBe("some");
    const { offset } = probe.event.fields[5]!;
    expect(new TextDecoder().decode(other.subarray(offset, offset + 7))).toBe("some te");
    const view = new DataView(other.buffer);
    expect(view.getInt32(probe.event.fields[6]!.offset, true)).toBe(16);
    expect(view.getInt32(probe.event.fields[9]!.offset, true)).toBe(8);
  });

  it("mark what cannot be read, but are not sent without their numbers", () => {
    const faulted = run(probe, { context: argumentsOf(50n, 0x100n, 4n), userStack: [1n] });
    expect(new DataView(faulted.record.buffer).getUint32(faultsAt, true) & 0b111_0000).toBe(0b111_0000);
    expect(faulted.counts).toMatchObject({ faults: 3n, filtered: 0n });
    const divided = run(probe, { context: argumentsOf(50n, 0x100n, 0n) });
    expect(divided.records).toEqual([]);
    expect(divided.counts).toEqual({ hits: 1n, lost: 0n, faults: 1n, filtered: 0n });
  });

  it("are not sent where a number of 64 bits that has to be exact is no safe integer", () => {
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    for (const [type, least] of [[i64, -most] as const, [u64, 0n] as const]) {
      const form = { kind: "integer", type, exact: true } as const;
      const exact = compileStatements([emit([field(argument(0, type), form)])]);
      for (const value of [least, 0n, 1n, most]) {
        const { record, counts } = run(exact, { context: argumentsOf(value) });
        expect(numbersOf(exact, record)).toEqual([value]);
        expect(counts).toMatchObject({ faults: 0n });
      }
      for (const value of [least - 1n, most + 1n, 1n << 63n, (1n << 63n) - 1n]) {
        const { records, counts } = run(exact, { context: argumentsOf(BigInt.asUintN(64, value)) });
        expect(records).toEqual([]);
        expect(counts).toMatchObject({ hits: 1n, faults: 1n });
      }
    }
  });

  it("fault pages in before a record is reserved, in programs that may sleep", () => {
    const sleeping = compileStatements(
      [emit([field(read(argument(0), i32)), text(argument(1), { limit: 10 })])],
      {
        sleepable: true,
      },
    );
    const memory = [
      { address: 0x1000n, bytes: word(77n), absent: true },
      { ...textAt(0x5000n, "absent"), absent: true },
    ];
    const { record, counts } = run(sleeping, { context: argumentsOf(0x1000n, 0x5000n), memory });
    expect(numbersOf(sleeping, record)).toEqual([77n]);
    expect(textOf(sleeping, record, 1)).toBe("absent");
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 0n, filtered: 0n });
  });

  it("hold no more fields together than there are bits for faults", () => {
    const fields = Array.from({ length: 32 }, () => field(argument(0)));
    const both = (first: number, second: number) =>
      compileStatements([
        when(argument(0), [emit(fields.slice(0, first)), finish]),
        emit(fields.slice(0, second), 1),
      ]);
    expect(both(16, 15).event.fields.length).toBe(32);
    for (const [first, second] of [
      [16, 16],
      [32, 0],
    ] as const) {
      expect(() => both(first, second)).toThrow("hold at most 31 values together");
    }
  });

  it("of one shape may stand in the tree several times, with the wider of two types", () => {
    const probe = compileStatements([
      when(argument(0), [emit([field(argument(1, u8))]), finish]),
      emit([field(number(-1, i64))]),
    ]);
    expect(probe.shapeField).toBe(undefined);
    expect(numbersOf(probe, run(probe, { context: argumentsOf(1n, 0x2ffn) }).record)).toEqual([255n]);
    expect(numbersOf(probe, run(probe).record)).toEqual([-1n]);
  });
});

describe("aggregates", () => {
  it("count, in one atomic step", () => {
    const probe = compileConstruct(construct("a counter"));
    const maps = new Maps(probe.maps);
    for (let hit = 0; hit < 3; hit++) expect(run(probe, { maps }).steps).toBeLessThanOrEqual(20);
    run(probe, { maps, cpu: 1 });
    expect(wordsOf(maps.value("a0", 0))).toEqual([3n]);
    expect(wordsOf(maps.value("a0", 0, 1))).toEqual([1n]);
  });

  it("count by site without inserting anything; what lies beyond is counted as dropped", () => {
    const probe = compileConstruct(construct("a counter by site"));
    expect(probe.maps.find(({ name }) => name === "a0")).toEqual({
      name: "a0",
      kind: "percpu-array",
      keyBytes: 4,
      valueBytes: 8,
      entries: 8,
    });
    const maps = new Maps(probe.maps);
    for (const cookie of [5n, 5n, 0x1_0000_0007n, 9n]) run(probe, { maps, cookie });
    expect([5, 7].map((site) => wordsOf(maps.value("a0", site)))).toEqual([[2n], [1n]]);
    expect(wordsOf(maps.value("drops", 0))).toEqual([1n]);
  });

  it("sum up, with the least and the most, in the type of their values", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), fc.bigInt(-20n, 20n)), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.constantFrom(i64, u64, i32, u16),
        (values, type) => {
          const probe = compileStatements(
            [update(0, [], argument(0))],
            aggregates(aggregate("summary", { value: type })),
          );
          const maps = new Maps(probe.maps);
          for (const value of values) run(probe, { maps, context: argumentsOf(value) });
          const typed = values.map((value) =>
            type.signed ? BigInt.asIntN(type.bytes * 8, value) : BigInt.asUintN(type.bytes * 8, value),
          );
          const [count, sum, least, most] = wordsOf(maps.value("a0", 0));
          expect(count).toBe(BigInt(values.length));
          expect(sum).toBe(
            BigInt.asUintN(
              64,
              typed.reduce((one, other) => one + other, 0n),
            ),
          );
          expect(minimumOf(least!, type)).toBe(typed.reduce((one, other) => (one < other ? one : other)));
          expect(maximumOf(most!, type)).toBe(typed.reduce((one, other) => (one > other ? one : other)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("keep their extremes when another program changes them at the same moment, but do not try for ever", () => {
    const probe = compileStatements(
      [update(0, [], argument(0)), emit([field(argument(0))])],
      aggregates(aggregate("summary", { value: u64 })),
    );
    for (const [times, wanted, dropped] of [
      [0, 100n, 0n],
      [7, 100n, 0n],
      [8, 58n, 1n],
    ] as const) {
      let left: number = times;
      const maps = new Maps(probe.maps);
      maps.set("a0", 0, new Uint8Array(32).fill(0xff, 16, 24));
      // The least is as small as it can be already, so that only the most is exchanged.
      const interrupt = (memory: Uint8Array): void => {
        if (left > 0) memory[24] = 50 + (times - left--) + 1;
      };
      expect(run(probe, { maps, context: argumentsOf(100n), interrupt }).records.length).toBe(1);
      expect(maximumOf(wordsOf(maps.value("a0", 0))[3]!, u64)).toBe(wanted);
      expect(wordsOf(maps.value("drops", 0))).toEqual([dropped]);
    }
  });

  it("sort into powers of two", () => {
    for (const type of [u64, i64, u32, i32, u8]) {
      const probe = compileStatements(
        [update(0, [], argument(0))],
        aggregates(aggregate("log2", { value: type })),
      );
      const bits = type.bytes * 8;
      const samples = [
        0n,
        -1n,
        -5n,
        ...Array.from({ length: 64 }, (_, n) => [(1n << BigInt(n)) - 1n, 1n << BigInt(n)]).flat(),
      ];
      for (const sample of samples) {
        const value = type.signed ? BigInt.asIntN(bits, sample) : BigInt.asUintN(bits, sample);
        const maps = new Maps(probe.maps);
        run(probe, { maps, context: argumentsOf(sample) });
        const [count, sum, ...buckets] = wordsOf(maps.value("a0", 0));
        expect([count, sum]).toEqual([1n, BigInt.asUintN(64, value)]);
        const wanted = value < 1n ? 0 : value.toString(2).length;
        expect(buckets.indexOf(1n), `${value} of ${bits} bits`).toBe(wanted);
        expect(buckets.filter((bucket) => bucket !== 0n).length).toBe(1);
      }
    }
  });

  it("sort into steps", () => {
    const probe = compileStatements(
      [update(0, [], argument(0))],
      aggregates(aggregate("linear", { steps: { from: -100n, width: 50n, count: 10 } })),
    );
    const bucketOf = (value: bigint): number => {
      const maps = new Maps(probe.maps);
      run(probe, { maps, context: argumentsOf(value) });
      return wordsOf(maps.value("a0", 0)).indexOf(1n, 2) - 2;
    };
    // 0 is below, then ten steps, then 11 is above.
    expect([-101n, -(1n << 63n), -100n, -51n, -50n, 0n, 399n, 400n, (1n << 63n) - 1n].map(bucketOf)).toEqual([
      0, 0, 1, 1, 2, 3, 10, 11, 11,
    ]);
  });

  it("have keys as they are drawn", () => {
    const probe = compileConstruct(construct("a counter with a key of many parts"));
    const { offsets, bytes } = placeKey(wideKey.key);
    expect([offsets, bytes]).toEqual([[0, 8, 16, 40, 56, 60], 72]);
    const maps = new Maps(probe.maps);
    const context = argumentsOf(0x107n, -2n, 0x1000n);
    run(probe, { maps, context, comm: "thread", cookie: 0x2_0000_0003n, memory: [textAt(0x1000n, "key")] });
    const key = new Uint8Array(72);
    const view = new DataView(key.buffer);
    key[0] = 7;
    view.setBigInt64(8, -2n, true);
    view.setUint16(16, 3, true);
    key.set(new TextEncoder().encode("key"), 18);
    key.set(new TextEncoder().encode("thread"), 40);
    view.setUint32(56, 3, true);
    view.setUint16(60, 3, true);
    key.set(new TextEncoder().encode("get"), 62);
    expect(wordsOf(maps.value("a0", key))).toEqual([1n]);
    expect(maps.table("a0").values.size).toBe(1);
  });

  it("tell texts that fit from those that are cut, in keys too", () => {
    const probe = compileStatements(
      [update(0, [keyText(argument(0)), keyLiteral("abcdef")])],
      aggregates(
        aggregate("counter", {
          key: [
            { kind: "text", bytes: 5 },
            { kind: "text", bytes: 5 },
          ],
        }),
      ),
    );
    const keyOf = (address: bigint, held: string): string => {
      const maps = new Maps(probe.maps);
      run(probe, { maps, context: argumentsOf(address), memory: [textAt(0x1000n, held)] });
      return [...maps.table("a0").values.keys()].join(" ");
    };
    const literal = "0600616263646500";
    expect(keyOf(0x1000n, "")).toBe(`0000${"00".repeat(5)}00${literal}`);
    expect(keyOf(0x1000n, "abcde")).toBe(`0500616263646500${literal}`);
    expect(keyOf(0x1000n, "abcdef")).toBe(`0600616263646500${literal}`);
    expect(keyOf(0x1000n, "abcdefgh")).toBe(`0600616263646500${literal}`);
    expect(keyOf(0n, "")).toBe(`ffff${"00".repeat(5)}00${literal}`);
  });

  it("take texts of a length, and of the thread", () => {
    const probe = compileConstruct(construct("keys of text"));
    const keysOf = (length: bigint): string[] => {
      const maps = new Maps(probe.maps);
      const world = {
        maps,
        context: argumentsOf(0x1000n, length),
        memory: [textAt(0x1000n, "abcdefgh")],
        comm: "name",
      };
      expect(run(probe, world).records.length).toBe(1);
      expect(
        wordsOf(
          maps.value(
            "a2",
            Uint8Array.from([4, 0, ...new TextEncoder().encode("name"), ...Array(18).fill(0)]),
          ),
        ),
      ).toEqual([BigInt.asUintN(64, length)]);
      return [...maps.table("a0").values.keys()];
    };
    expect(keysOf(3n)).toEqual(["0300616263000000"]);
    expect(keysOf(5n)).toEqual(["0500616263646500"]);
    expect(keysOf(70_000n)).toEqual(["0600616263646500"]);
    expect(keysOf(-1n)).toEqual(["0000000000000000"]);
  });

  it("leave out a key that cannot be read, count it as a fault, and go on", () => {
    const probe = compileConstruct(construct("keys of text"));
    const { records, counts, maps } = run(probe, { context: argumentsOf(0x1000n, 3n) });
    expect(records.length).toBe(1);
    expect(counts).toEqual({ hits: 1n, lost: 0n, faults: 2n, filtered: 0n });
    expect(["a0", "a1", "a2"].map((name) => maps.table(name).values.size)).toEqual([0, 0, 1]);
  });

  it("that are full count what finds no room, and go on", () => {
    for (const kind of ["counter", "summary", "log2", "table"] as const) {
      const spec: AggregateSpec = aggregate(kind, { key: [{ kind: "integer", type: u64 }], entries: 10 });
      const options = { aggregates: [{ map: "a0", spec, number: 3 }] };
      const operation = kind === "table" ? ("set" as const) : ("add" as const);
      const probe = compileStatements(
        [update(0, [keyNumber(argument(0))], argument(0), operation), emit([field(argument(0))])],
        options,
      );
      const maps = new Maps(probe.maps);
      let sent = 0;
      for (let key = 0n; key < 15n; key++)
        sent += run(probe, { maps, context: argumentsOf(key) }).records.length;
      expect(run(probe, { maps, context: argumentsOf(4n) }).counts.hits).toBe(16n);
      expect([sent, maps.table("a0").values.size]).toEqual([15, 10]);
      expect(wordsOf(maps.value("drops", 3))).toEqual([5n]);
      expect(wordsOf(maps.value("a0", word(4n)))[0]).toBe(
        kind === "counter" ? 8n : kind === "table" ? 4n : 2n,
      );
    }
  });

  it("are tables that are looked up, set and deleted", () => {
    const probe = compileConstruct(construct("a table"));
    const maps = new Maps(probe.maps);
    const step = (key: bigint, value: bigint): bigint[] =>
      numbersOf(probe, run(probe, { maps, context: argumentsOf(key, value) }).record);
    expect(step(1n, 50n)).toEqual([0n, 1n, 5n]);
    expect(wordsOf(maps.value("a0", word(1n)))).toEqual([50n]);
    expect(step(1n, 60n)).toEqual([50n, 1n, 55n]);
    expect(maps.table("a0").values.size).toBe(0);
  });

  it("give what is looked up the type of the values", () => {
    const spec = aggregate("table", { key: [{ kind: "integer", type: u8 }], value: i32 });
    const [value, found] = [variable(0), variable(1)];
    const probe = compileStatements(
      [
        lookUp(0, [keyNumber(argument(0))], value, found),
        update(0, [keyNumber(argument(0))], argument(1), "set"),
        emit([field(use(value)), field(use(found))]),
      ],
      aggregates(spec),
    );
    const maps = new Maps(probe.maps);
    run(probe, { maps, context: argumentsOf(1n, 0x1_ffff_ffffn) });
    expect(numbersOf(probe, run(probe, { maps, context: argumentsOf(0x101n) }).record)).toEqual([-1n, 1n]);
  });

  it("are refused where their key is too long for the stack", () => {
    const spec = aggregate("counter", {
      key: [
        { kind: "text", bytes: 200 },
        { kind: "text", bytes: 80 },
      ],
    });
    const key = [keyText(argument(0)), keyText(argument(1))];
    expect(() => compileStatements([update(0, key)], aggregates(spec))).toThrow("256 is the most");
  });

  it("lie in maps by what they hold", () => {
    expect(at("log2", [])).toEqual(["percpu-array", 1]);
    expect(at("log2", [{ kind: "site" }])).toEqual(["percpu-array", 10]);
    expect(at("log2", [{ kind: "site" }], 40_000)).toEqual(["array", 40_000]);
    expect(at("counter", [{ kind: "site" }], 40_000)).toEqual(["percpu-array", 40_000]);
    expect(at("summary", [{ kind: "comm" }])).toEqual(["percpu-hash", 100]);
    expect(at("log2", [{ kind: "comm" }])).toEqual(["hash", 100]);
    expect(at("table", [{ kind: "site" }])).toEqual(["hash", 100]);
    expect(at("table", [])).toEqual(["hash", 1]);
  });
});

/** The kind of an aggregate's map, and its size. */
function at(kind: AggregateSpec["kind"], key: AggregateSpec["key"], sites = 10): [string, number] {
  const { kind: map, entries } = mapSpecFor(aggregate(kind, { key }), { name: "a", sites });
  return [map, entries];
}

describe("tunables", () => {
  it("are read at every hit", () => {
    const probe = compileConstruct(construct("tunables"));
    const maps = new Maps(probe.maps);
    maps.set("tunables", 0, word(-3n));
    maps.set("tunables", 2, word(10n));
    expect(run(probe, { maps, context: argumentsOf(9n) }).records).toEqual([]);
    expect(numbersOf(probe, run(probe, { maps, context: argumentsOf(12n) }).record)).toEqual([-3n, 2n]);
    maps.set("tunables", 2, word(9n));
    expect(numbersOf(probe, run(probe, { maps, context: argumentsOf(9n) }).record)).toEqual([-3n, 0n]);
  });

  it("are looked up once", () => {
    const probe = compileStatements([
      when(binary("<", argument(0, i64), tunable(0)), [finish]),
      emit([field(tunable(0)), field(binary("+", tunable(0), number(1)))]),
    ]);
    const { ir } = probe.print();
    expect(ir.match(/map_lookup_elem\(tunables/g)?.length).toBe(1);
  });
});

/** Compares what was kept with a literal. */
const same = (index: number, literal: string): Expression => ({
  kind: "same-text",
  literal: new TextEncoder().encode(literal),
  compared: "text",
  operand: kept(index),
  span,
});

describe("spans", () => {
  const open = compileConstruct(construct("the entry of a span"));
  const shut = compileConstruct(construct("the return of a span"));
  const memory = [textAt(0x1000n, "what the entry saw")];
  const enter = (maps: Maps, sp: bigint, first: bigint, world: Partial<World> = {}) =>
    run(open, {
      maps,
      context: contextOf({ sp, di: first, si: 0x1000n, dx: 5n }),
      memory,
      time: 1000n,
      ...world,
    });
  const leaveAt = (maps: Maps, sp: bigint, world: Partial<World> = {}) =>
    run(shut, { maps, context: contextOf({ sp: sp + 8n, ax: 9n }), memory: [], time: 1700n, ...world });
  const both = (): Maps =>
    new Maps([...open.maps.filter(({ name }) => name !== "drops"), ...shut.maps.slice(2)]);

  it("join the entry with the return", () => {
    const maps = both();
    expect(enter(maps, 0x7000n, 42n, { comm: "before" }).counts).toMatchObject({ hits: 1n, faults: 0n });
    const { record, counts } = leaveAt(maps, 0x7000n, { comm: "behind" });
    expect(numbersOf(shut, record)).toEqual([42n, 5n, 700n, 9n]);
    expect([1, 3, 4].map((index) => textOf(shut, record, index))).toEqual([
      "what the entry saw",
      "before",
      "what ",
    ]);
    const { offset } = shut.event.fields[5]!;
    expect(new TextDecoder().decode(record.subarray(offset, offset + 5))).toBe("what ");
    expect(counts).toMatchObject({ hits: 2n, faults: 0n });
    expect(wordsOf(maps.value("a0", 0)).slice(0, 2)).toEqual([1n, 700n]);
    const key = new Uint8Array(68);
    key.set([11, 0, ...new TextEncoder().encode("what the e")], 0);
    key.set(new TextEncoder().encode("before"), 16);
    key.set([6, 0, ...new TextEncoder().encode("before")], 32);
    const [held] = maps.table("a1").values.keys();
    const bytes = Uint8Array.from(held!.match(/../g)!, (byte) => Number.parseInt(byte, 16));
    expect(bytes.subarray(0, 64)).toEqual(key.subarray(0, 64));
    expect(new TextDecoder().decode(bytes.subarray(66, 70))).toBe("what");
    expect(maps.table("open").values.size).toBe(0);
  });

  it("of calls inside calls have frames of their own, by thread, stack pointer and site", () => {
    const maps = both();
    enter(maps, 0x7000n, 1n);
    enter(maps, 0x6000n, 2n, { time: 1100n });
    enter(maps, 0x6000n, 3n, { tid: 77, time: 1200n });
    enter(maps, 0x6000n, 4n, { cookie: 5n, time: 1300n });
    const seen = [{}, { tid: 77 }, { cookie: 0x2_0000_0005n }].map((world) => {
      const [first, , took] = numbersOf(shut, leaveAt(maps, 0x6000n, world).record);
      return [first, took];
    });
    expect(seen).toEqual([
      [2n, 600n],
      [3n, 500n],
      [4n, 400n],
    ]);
    expect(numbersOf(shut, leaveAt(maps, 0x7000n).record)[0]).toBe(1n);
  });

  it("count a return without an entry, and send nothing", () => {
    const maps = both();
    const { records, counts } = leaveAt(maps, 0x7000n);
    expect(records).toEqual([]);
    expect(counts).toMatchObject({ hits: 1n, faults: 0n, filtered: 0n });
    expect(wordsOf(maps.value("drops", 2))).toEqual([1n]);
  });

  it("never take a frame that was left behind for a live one", () => {
    const maps = both();
    enter(maps, 0x7000n, 1n);
    enter(maps, 0x7000n, 2n, { time: 1500n });
    expect(numbersOf(shut, leaveAt(maps, 0x7000n).record)).toEqual([2n, 5n, 200n, 9n]);
    enter(maps, 0x7000n, 3n);
    // This entry keeps nothing, so that its return must find nothing.
    enter(maps, 0x7000n, 0n);
    expect(leaveAt(maps, 0x7000n).records).toEqual([]);
    enter(maps, 0x7000n, 3n);
    // Nor does one whose bytes cannot be read.
    expect(enter(maps, 0x7000n, 4n, { memory: [] }).counts.faults).toBe(1n);
    expect(leaveAt(maps, 0x7000n).records).toEqual([]);
  });

  it("say of a kept text that it could not be read, or was NULL", () => {
    const fields = [text(argument(0), { limit: 8 }), text(argument(1), { limit: 8 })];
    const entry = compileStatements([keep(...fields)], { span: { map: "open", number: 0, role: "entry" } });
    const after = compileStatements(
      [emit([text(kept(0)), text(kept(1)), field(elapsed)])],
      { span: { map: "open", number: 0, role: "return", kept: entry.kept } },
      "return",
    );
    const maps = new Maps(entry.maps);
    run(entry, { maps, context: contextOf({ sp: 0x7000n, di: 0x1000n }) });
    const { record, counts } = run(after, { maps, context: contextOf({ sp: 0x7008n }) });
    expect(new DataView(record.buffer).getUint32(faultsAt, true)).toBe(1);
    expect(textOf(after, record, 1)).toBe(null);
    expect(counts.faults).toBe(1n);
  });

  it("compare kept texts with literals", () => {
    const fields = [text(argument(0), { limit: 8 }), text(named("comm"))];
    const entry = compileStatements([keep(...fields)], { span: { map: "open", number: 0, role: "entry" } });
    const compare = (index: number, literal: string) =>
      compileStatements(
        [emit([field(same(index, literal))])],
        { span: { map: "open", number: 0, role: "return", kept: entry.kept } },
        "return",
      );
    const given = (held: string | undefined, index: number, literal: string) => {
      const after = compare(index, literal);
      const maps = new Maps(entry.maps);
      const memory = held === undefined ? [] : [textAt(0x1000n, held)];
      run(entry, { maps, memory, comm: "name", context: contextOf({ sp: 0x7000n, di: 0x1000n }) });
      const { records, counts } = run(after, { maps, context: contextOf({ sp: 0x7008n }) });
      return records.length === 0 ? `${counts.faults} faults` : Number(numbersOf(after, records[0]!)[0]);
    };
    expect(["GET", "GE", "GETS", "", "GETGETGE"].map((held) => given(held, 0, "GET"))).toEqual([
      1, 0, 0, 0, 0,
    ]);
    expect(["GETGETGE", "GETGETGET"].map((held) => given(held, 0, "GETGETGE"))).toEqual([1, 0]);
    expect(["name", "nam", "names"].map((literal) => given("", 1, literal))).toEqual([1, 0, 0]);
    expect(given(undefined, 0, "GET")).toBe("1 faults");
    expect(() => compare(0, "nine byte")).toThrow("8 bytes are kept");
  });

  it("refuse to keep what does not fit onto the stack", () => {
    const fields = Array.from({ length: 4 }, () => text(argument(0), { limit: 80 }));
    const options = { span: { map: "open", number: 0, role: "entry" as const } };
    expect(() => compileStatements([keep(...fields)], options)).toThrow("256 is the most");
    expect(() => compileStatements([keep(field(number(0), { kind: "stack" }))], options)).toThrow("stack");
    expect(keptFields.length).toBe(7);
  });
});
