import { describe, expect, it } from "vitest";
import { maximumOf, minimumOf } from "../../src/lang/aggregates.js";
import type { KeyPartSpec } from "../../src/lang/aggregates.js";
import { cookieOf } from "../../src/lang/event.js";
import type { CompiledProbe } from "../../src/lang/compile.js";
import { i32, i64, u8 } from "../../src/lang/types.js";
import { createMap, sumPerCpu } from "../../src/kernel/maps.js";
import type { KernelMap } from "../../src/kernel/maps.js";
import { loadProgram } from "../../src/kernel/programs.js";
import { openRingBuffer } from "../../src/kernel/ringbuffer.js";
import { attachMulti } from "../../src/kernel/uprobes.js";
import { converse, fileOffsetOf, needs } from "../support/kernel.js";
import { compile as build } from "../support/programs.js";
import {
  aggregate,
  aggregates,
  argument,
  binary,
  compileStatements,
  elapsed,
  emit,
  field,
  keep,
  kept,
  keyNumber,
  keyText,
  named,
  number,
  site,
  text,
  tunable,
  update,
  when,
} from "./statements.js";

const gathered = build("gathered.c", ["-O1", "-Wall", "-Wextra", "-pthread"]);

interface Armed {
  readonly probe: CompiledProbe;
  readonly symbol: string;
  readonly returns?: boolean;
}

interface Gathered {
  readonly maps: ReadonlyMap<string, KernelMap>;
  /** The words of the element of a key, processors summed up; of extremes the sum means nothing. */
  words(map: string, key?: Uint8Array): readonly bigint[];
  readonly records: readonly Uint8Array[];
  readonly counts: readonly bigint[];
}

/** Runs the program under these probes. */
async function gather(
  armed: readonly Armed[],
  use: (seen: Gathered) => void,
  prepare?: (maps: Gathered["maps"]) => void,
) {
  await using target = converse(gathered);
  await target.line();
  // Where probes share a map, the last one knows its size.
  const specs = new Map(armed.flatMap(({ probe }) => probe.maps.map((spec) => [spec.name, spec] as const)));
  const maps = new Map([...specs].map(([name, spec]) => [name, createMap(spec)]));
  const opened: Disposable[] = [];
  try {
    prepare?.(maps);
    using ring = openRingBuffer(maps.get("events")!);
    for (const { probe, symbol, returns = false } of armed) {
      const program = loadProgram(probe.programs[0]!, maps, { multi: true });
      const sites = [
        { offset: fileOffsetOf(gathered, symbol), semaphore: undefined, cookie: cookieOf(2, "compare") },
      ];
      const place = { openPath: gathered, shownPath: gathered, sites, returns, pid: undefined };
      opened.push(attachMulti({ program, ...place }), program);
    }
    target.say("");
    expect(await target.line()).toBe("done");
    const records: Uint8Array[] = [];
    ring.read((start, length) => records.push(ring.bytes.slice(start, start + length)));
    const words = (name: string, key = new Uint8Array(4)): readonly bigint[] => {
      const map = maps.get(name)!;
      const value = map.lookup(key);
      if (value === undefined) return [];
      return sumPerCpu(map.spec.kind.startsWith("percpu") ? map.splitPerCpu(value) : [value]);
    };
    use({ maps, words, records, counts: words("counters") });
  } finally {
    for (const open of opened) open[Symbol.dispose]();
    for (const map of maps.values()) map[Symbol.dispose]();
  }
}

/** Elements by the text at the start of their keys. */
function byText(map: KernelMap): Record<string, bigint> {
  return Object.fromEntries(
    map.entries().map(({ key, value }) => {
      const length = new DataView(key.buffer, key.byteOffset).getUint16(0, true);
      const shown = new TextDecoder().decode(key.subarray(2, 2 + Math.min(length, 10))).replaceAll("\0", "");
      const parts = map.spec.kind === "percpu-hash" ? map.splitPerCpu(value) : [value];
      return [`${shown}${length === 0xffff ? "NULL" : length > 10 ? "..." : ""}`, sumPerCpu(parts)[0]!];
    }),
  );
}

const integer: KeyPartSpec = { kind: "integer", type: i64 };

describe.runIf(needs("ring buffer", "attach cookie", "uprobe_multi", "sleepable programs"))(
  "on the real kernel",
  () => {
    it.each([false, true])(
      "counters, summaries and histograms are exact (sleepable: %s)",
      async (sleepable) => {
        const probe = compileStatements(
          [
            update(0),
            update(1, [], argument(0)),
            update(2, [], argument(0)),
            update(3, [], argument(0)),
            update(4, [keyNumber(site)]),
            update(5, [keyText(argument(1))]),
            update(6, [keyText(argument(1), argument(2)), keyText(named("comm"))], argument(0)),
            update(7, [keyNumber(argument(0))]),
            update(8, [keyNumber(argument(2))], argument(0)),
            update(9, [keyNumber(argument(2, u8))], argument(0), "set"),
          ],
          {
            sleepable,
            sites: 4,
            ...aggregates(
              aggregate("counter"),
              aggregate("summary"),
              aggregate("log2"),
              aggregate("linear", { steps: { from: 0n, width: 10n, count: 10 } }),
              aggregate("counter", { key: [{ kind: "site" }] }),
              aggregate("counter", { key: [{ kind: "text", bytes: 10 }] }),
              aggregate("summary", { key: [{ kind: "text", bytes: 10 }, { kind: "comm" }] }),
              aggregate("counter", { key: [integer], entries: 10 }),
              aggregate("log2", { key: [integer] }),
              aggregate("table", { key: [integer] }),
            ),
          },
        );
        expect(probe.programs[0]!.sleepable).toBe(sleepable);
        await gather([{ probe, symbol: "value" }], ({ maps, words, counts }) => {
          // Texts at address 16 fault, in two keys, in four threads.
          expect(counts).toEqual([404n, 0n, 8n, 0n]);
          expect(words("a0")).toEqual([404n]);
          expect(words("a1").slice(0, 2)).toEqual([404n, 20_600n]);
          const summary = maps.get("a1")!;
          const parts = summary
            .splitPerCpu(summary.lookup(new Uint8Array(4))!)
            .map((part) => new BigUint64Array(part.slice().buffer));
          const largest = (word: number): bigint =>
            parts.map((part) => part[word]!).reduce((one, two) => (one > two ? one : two));
          expect([minimumOf(largest(2), i64), maximumOf(largest(3), i64)]).toEqual([-3n, 500n]);
          const [count, sum, ...buckets] = words("a2");
          expect([count, sum]).toEqual([404n, 20_600n]);
          // -3 to 0, 1, 2-3, 4-7, 8-15, 16-31, 32-63, 64-96, none, 500.
          expect(buckets.slice(0, 10)).toEqual([16n, 4n, 8n, 16n, 32n, 64n, 128n, 132n, 0n, 4n]);
          expect(words("a3").slice(2)).toEqual([12n, ...Array.from({ length: 9 }, () => 40n), 28n, 4n]);
          expect(words("a4", Uint8Array.from([2, 0, 0, 0]))).toEqual([404n]);
          expect(byText(maps.get("a5")!)).toEqual({
            get: 100n,
            set: 100n,
            "a name tha...": 100n,
            NULL: 100n,
          });
          const cut = byText(maps.get("a6")!);
          // Of the NULLs half come with a length of 0, and are texts without a byte.
          expect(cut["NULL"]).toBe(48n);
          expect(Object.values(cut).reduce((one, two) => one + two)).toBe(400n);
          const seen = Object.values(byEight(maps.get("a7")!)).reduce((one, two) => one + two);
          const [dropped] = words("drops", Uint8Array.from([7, 0, 0, 0]));
          expect(maps.get("a7")!.entries().length).toBe(10);
          expect(seen + dropped!).toBe(404n);
          expect(dropped).toBeGreaterThanOrEqual(404n - 44n);
          const byLength = maps.get("a8")!.entries();
          expect(byLength.length).toBe(8);
          expect(byLength.map(({ value }) => sumPerCpu([value])[0]!).reduce((one, two) => one + two)).toBe(
            404n,
          );
          expect(maps.get("a9")!.entries().length).toBe(8);
        });
      },
    );

    it("spans join each return with its own entry, in recursion and behind a longjmp", async () => {
      const entry = compileStatements([keep(field(argument(0, i32)), text(named("comm")))], {
        span: { map: "open", number: 1, role: "entry" },
      });
      const returnOf = (firstProbe: number) =>
        compileStatements(
          [
            update(0, [], elapsed),
            emit([field(kept(0)), field(named("retval"), { kind: "integer", type: i32 }), text(kept(1))]),
          ],
          {
            firstProbe,
            ...aggregates(aggregate("log2")),
            span: { map: "open", number: 1, role: "return", kept: entry.kept },
          },
          "return",
        );
      for (const [symbol, entries, returns] of [
        ["deep", 55n, 55n],
        ["escapes", 7n, 4n],
      ] as const) {
        const armed = [
          { probe: entry, symbol },
          { probe: returnOf(1), symbol, returns: true },
        ];
        await gather(armed, ({ maps, words, records, counts }) => {
          expect(counts[0]).toBe(entries);
          expect(words("counters", Uint8Array.from([1, 0, 0, 0]))).toEqual([returns, 0n, 0n, 0n]);
          expect(BigInt(records.length)).toBe(returns);
          for (const record of records) {
            const view = new DataView(record.buffer);
            expect(view.getInt32(24, true)).toBe(view.getInt32(28, true));
            expect(new TextDecoder().decode(record.subarray(32, 41))).toMatch(/^gathered-/);
          }
          const [count, sum] = words("a0");
          expect(count).toBe(returns);
          expect(sum).toBeGreaterThan(0n);
          // What longjmp left behind was written over by the next call at that place.
          expect(maps.get("open")!.entries()).toEqual([]);
          expect(words("drops", Uint8Array.from([1, 0, 0, 0]))).toEqual([0n]);
        });
      }
    });

    it("a return without an entry is counted", async () => {
      const options = { span: { map: "open", number: 0, role: "return" as const } };
      const probe = compileStatements([emit([field(elapsed)])], options, "return");
      await gather([{ probe, symbol: "deep", returns: true }], ({ words, records, counts }) => {
        expect([counts[0], records.length, words("drops")]).toEqual([55n, 0, [55n]]);
      });
    });

    it("tunables are seen, and events of two shapes", async () => {
      const probe = compileStatements([
        when(
          binary("<", argument(0, i64), tunable(0)),
          [emit([field(number(1))])],
          [emit([field(argument(0)), text(argument(1), { limit: 7 })], 1)],
        ),
      ]);
      const limit = new Uint8Array(8);
      new DataView(limit.buffer).setBigInt64(0, 90n, true);
      await gather(
        [{ probe, symbol: "value" }],
        ({ records }) => {
          const shapes = records.map((record) => new DataView(record.buffer).getUint32(24, true));
          expect([0, 1].map((shape) => shapes.filter((seen) => seen === shape).length)).toEqual([
            93 * 4,
            8 * 4,
          ]);
        },
        (maps) => maps.get("tunables")!.update(new Uint8Array(4), limit),
      );
    });
  },
);

function byEight(map: KernelMap): Record<string, bigint> {
  return Object.fromEntries(
    map
      .entries()
      .map(({ key, value }) => [
        String(new DataView(key.buffer, key.byteOffset).getBigInt64(0, true)),
        sumPerCpu(map.splitPerCpu(value))[0]!,
      ]),
  );
}
