/** Values at the ends of their types, on the kernel: each comes out as the number that JavaScript would have, or the hit is counted. */
import { describe, expect, it } from "vitest";
import { counter, histogram, observe, span, summary, table, tunable, uprobe } from "../../../src/index.js";
import type { ProbeStatistics, ScriptProbe } from "../../../src/index.js";
import { needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

/** words(2^64 - 16, -1, 4000000000, "abcdefghijklmnopqrst"), spans(-5, "abcdefgh"), spans(7, "abcdefghijklmnopqrst"). */
const exact = compile("exact.c", ["-O1"]);
const words = `${exact}:words`;
const spans = `${exact}:spans`;

interface Seen<Event> {
  readonly events: readonly Event[];
  readonly statistics: ProbeStatistics;
}

async function see<Event>(probe: ScriptProbe<Event>): Promise<Seen<Event>> {
  await using observation = observe(probe, { command: [exact] });
  const events: Event[] = [];
  for await (const event of observation) events.push(event);
  const [statistics] = await observation.statistics();
  return { events, statistics: statistics! };
}

describe.runIf(needs("ring buffer"))("numbers of two ways", () => {
  it("are what each way gives", async () => {
    const { events } = await see(
      uprobe(words, (p) => ({
        chosen: p.i32(1) > 0 ? p.u32(2) : -1,
        or: p.i32(1) || p.u32(2),
        large: p.i32(1) < 0 ? p.u32(2) : -1,
        word: p.i32(1) < 0 ? p.arg(0) : 0n,
      })),
    );
    expect(events).toEqual([{ chosen: -1, or: -1, large: 4_000_000_000, word: 2n ** 64n - 16n }]);
  });

  it("are so when they were kept at two returns", async () => {
    const { events } = await see(
      span(spans, {
        entry: (p) => {
          if (p.i64(0) < 0n) return { size: p.i32(0) };
          return { size: p.u32(0) };
        },
        exit: (p) => ({ size: p.entry.size }),
      }),
    );
    expect(events).toEqual([{ size: -5 }, { size: 7 }]);
  });

  it("are so when a side does something", async () => {
    const { events } = await see(
      uprobe(words, (p) => {
        let n = 0;
        const chosen = p.i32(1) < 0 ? ((n = 1), p.i32(1)) : p.u32(2);
        return { chosen, n };
      }),
    );
    expect(events).toEqual([{ chosen: -1, n: 1 }]);
  });
});

describe.runIf(needs("ring buffer"))("kept values", () => {
  it("are compared as the numbers that they were", async () => {
    const { events } = await see(
      span(spans, {
        entry: (p) => ({ value: p.i64(0), large: p.cast(-5, "u32"), small: p.i8(0) }),
        exit: (p) => ({
          below: p.entry.value < p.returned(),
          same: p.entry.value === p.returned("i64"),
          above: p.entry.large > p.entry.small,
          next: p.entry.small - 1,
        }),
      }),
    );
    expect(events).toEqual([
      { below: true, same: true, above: true, next: -6 },
      { below: false, same: true, above: true, next: 6 },
    ]);
  });

  it("that are texts are cut in a key as they were cut at the entry", async () => {
    const texts = counter({ key: "text(32)" });
    const cut = span(spans, {
      entry: (p) => ({ text: p.text(p.arg(1), { limit: 8 }) }),
      exit: (p, { texts }) => {
        texts.add(p.entry.text);
        return { text: p.entry.text };
      },
      using: { texts },
    });
    await using observation = observe(cut, { command: [exact] });
    const events: { readonly text: string }[] = [];
    for await (const event of observation) events.push(event);
    expect(events).toEqual([{ text: "abcdefgh" }, { text: "abcdefgh..." }]);
    expect((await observation.read(texts)).map(({ key }) => key).sort()).toEqual(["abcdefgh", "abcdefgh..."]);
  });

  it("that are texts of a given length are cut in a key as well", async () => {
    const texts = counter({ key: "text(32)" });
    const cut = span(spans, {
      entry: (p) => ({ text: p.text(p.arg(1), { limit: 8, length: p.i64(0) > 0n ? 20 : 8 }) }),
      exit: (p, { texts }) => texts.add(p.entry.text),
      using: { texts },
    });
    await using observation = observe(cut, { command: [exact] });
    await observation.ended;
    expect((await observation.read(texts)).map(({ key }) => key).sort()).toEqual(["abcdefgh", "abcdefgh..."]);
  });
});

describe.runIf(needs("ring buffer"))("what a number cannot hold", () => {
  it("is no event, and is counted as faulted", async () => {
    const squared = await see(
      uprobe(words, (p) => {
        let x = p.u32(2);
        x = x * x;
        return { x };
      }),
    );
    expect(squared.events).toEqual([]);
    expect(squared.statistics).toMatchObject({ hits: 1n, faulted: 1n });
    const factor = tunable(2 ** 40);
    const scaled = await see(
      uprobe(words, (p, { factor }) => ({ x: factor * p.i32(1) * 65_536 }), { using: { factor } }),
    );
    expect(scaled.events).toEqual([]);
    expect(scaled.statistics).toMatchObject({ hits: 1n, faulted: 1n });
  });

  it("ends where safe integers end", async () => {
    const most = tunable(Number.MAX_SAFE_INTEGER);
    const { events, statistics } = await see(
      uprobe(
        words,
        (p, { most }) => {
          const far = p.i32(1);
          return { most, least: -most, beside: most + far };
        },
        { using: { most } },
      ),
    );
    const end = Number.MAX_SAFE_INTEGER;
    expect(events).toEqual([{ most: end, least: -end, beside: end - 1 }]);
    expect(statistics).toMatchObject({ faulted: 0n });
    for (const probe of [
      uprobe(words, (p, { most }) => ({ above: most - p.i32(1) }), { using: { most } }),
      uprobe(words, (p, { most }) => ({ below: -most + p.i32(1) }), { using: { most } }),
    ]) {
      const past = await see<unknown>(probe);
      expect(past.events).toEqual([]);
      expect(past.statistics).toMatchObject({ hits: 1n, faulted: 1n });
    }
  });

  it("is a bigint where it is a word", async () => {
    const { events } = await see(
      uprobe(words, (p) => ({
        word: p.enum(p.arg(0), { 1: "one" }),
        known: p.enum(p.i64(1), { "-1": "none" }),
        small: p.enum(p.u32(2), { 1: "one" }),
        negative: p.enum(p.i32(1), { "-1": "none" }),
      })),
    );
    // The second argument has 32 bits, and what is above them is not looked at here.
    expect(events).toMatchObject([{ word: 2n ** 64n - 16n, small: 4_000_000_000, negative: "none" }]);
  });
});

describe.runIf(needs("ring buffer"))("what stands before an assignment", () => {
  it("is read before it", async () => {
    const { events } = await see(
      uprobe(words, (p) => {
        let a = p.arg(3);
        let x = 1;
        x += ((x = 10), 2);
        let y = 1;
        y += y++;
        return { texts: [p.text(a, { length: 2 }), ((a += 2n), 1), p.text(a, { length: 2 })], x, y };
      }),
    );
    expect(events).toEqual([{ texts: ["ab", 1, "cd"], x: 3, y: 2 }]);
  });
});

describe.runIf(needs("ring buffer"))("aggregates", () => {
  it("of u64 take words as they are", async () => {
    const [total, sizes] = [summary({ value: "u64" }), histogram({ value: "u64" })];
    const probe = uprobe(
      words,
      (p, { total, sizes }) => {
        total.add(p.arg(0));
        total.add(p.u32(2));
        sizes.add(p.arg(0));
      },
      { using: { total, sizes } },
    );
    await using observation = observe(probe, { command: [exact] });
    await observation.ended;
    expect(await observation.read(total)).toMatchObject({
      count: 2,
      min: 4_000_000_000n,
      max: 2n ** 64n - 16n,
    });
    expect(await observation.read(sizes)).toMatchObject({
      buckets: [{ from: 2 ** 63, to: 2 ** 64, count: 1 }],
    });
  });

  it("have exact extremes", async () => {
    const total = summary();
    const probe = uprobe(words, (p, { total }) => total.add(p.cast(9007199254740993n, "i64")), {
      using: { total },
    });
    await using observation = observe(probe, { command: [exact] });
    await observation.ended;
    expect(await observation.read(total)).toMatchObject({ min: 9007199254740993n, max: 9007199254740993n });
  });

  it("refuse constants that would become others, and words of the other sign", async () => {
    const levels = table({ key: "u32", value: "u8" });
    const total = summary();
    const cut = uprobe(words, (_, { levels }) => levels.set(4294967297, 300), { using: { levels } });
    await expect(observe(cut, { command: [exact] }).armed).rejects.toThrow("does not fit");
    const unsigned = uprobe(words, (p, { total }) => total.add(p.arg(0)), { using: { total } });
    await expect(observe(unsigned, { command: [exact] }).armed).rejects.toThrow('{ value: "u64" }');
    expect(() => histogram({ value: "u64", scale: { from: -5, to: 5, step: 1 } })).toThrow("of u64");
  });
});
