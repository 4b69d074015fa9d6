/** `usdt` on a real program whose markers pass known values: typed arguments, several places, aggregates, mistakes. */
import { describe, expect, it } from "vitest";
import { counter, histogram, observe, table, usdt } from "../../../src/index.js";
import type { Observation, ScriptProbe } from "../../../src/index.js";
import { needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

const shop = compile("shop.c");

async function eventsOf<Event>(probe: ScriptProbe<Event>, rounds = 3): Promise<Event[]> {
  await using observation: Observation<Event> = observe(probe, { command: [shop, String(rounds)] });
  const events: Event[] = [];
  for await (const event of observation) events.push(event);
  return events;
}

const declared = {
  name: { text: "length" },
  length: "u32",
  customer: "text",
  price: "u64",
  discount: "i16",
  isNew: "bool",
  at: "address",
  ratio: "skip",
} as const;

describe.runIf(needs("ring buffer"))("the arguments of a marker", () => {
  it("have the names and types of their declaration; texts their own length", async () => {
    const sales = usdt(`${shop}:shop:sale`, (p) => ({ marker: p.function, all: p.args }), { args: declared });
    const events = await eventsOf(sales, 4);
    expect(events).toEqual(
      ["apple", "pear", "plum", "apple"].map((name, round) => ({
        marker: "shop:sale",
        all: {
          name,
          length: name.length,
          customer: "a customer",
          price: 2n ** 63n + BigInt(round),
          discount: 0 - round,
          isNew: round % 2 === 0,
          at: expect.any(BigInt) as bigint,
        },
      })),
    );
  });

  it("are there by their places, as words or in a type that holds them", async () => {
    const sales = usdt(`${shop}:shop:sale`, (p) => ({
      text: p.text(p.arg(0), { length: p.i32(1) }),
      // The word of a number with a sign has its sign.
      words: [p.arg(3), p.arg(4), p.arg(5)],
      wide: [p.i32(4), p.i64(4), p.u8(5), p.u64(5), p.bool(5)],
    }));
    const [, second] = await eventsOf(sales, 2);
    expect(second).toEqual({
      text: "pear",
      words: [2n ** 63n + 1n, 2n ** 64n - 1n, 0n],
      wide: [-1, -1n, 0, 0n, false],
    });
  });

  it("are truths by all their bits", async () => {
    const flags = usdt(`${shop}:flags`, (p) => [p.bool(0), p.args.mask, p.args.seven, p.u64(1)], {
      args: { mask: "bool", seven: "u8" },
    });
    // A mask of 256 is true, though its lowest byte is zero; a constant is of any type that holds it.
    expect(await eventsOf(flags, 2)).toEqual([
      [false, false, 7, 7n],
      [true, true, 7, 7n],
    ]);
  });

  it("of places that differ in width have the type of the widest", async () => {
    const steps = usdt(`${shop}:shop:step`, (p) => p.i64(0));
    expect(await eventsOf(steps, 3)).toEqual([0n, 0n, -1n, 1n << 32n, -2n, 2n << 32n]);
    await expect(eventsOf(usdt(`${shop}:shop:step`, (p) => p.i32(0)))).rejects.toThrow(
      /a signed number of 64 bits[^]*\^\^\^\^\^\^\^\^[^]*write p\.i64\(0\)/,
    );
  });
});

describe.runIf(needs("ring buffer"))("markers are named", () => {
  it.each([`${shop}:sale`, `${shop}:*:sale`, `u:${shop}:sale`, `u:${shop}:[st]*o*:s[a]le`])(
    "%s",
    async (target) => {
      const names = await eventsOf(
        usdt(target, (p) => p.function),
        1,
      );
      expect(names).toEqual(["shop:sale", "store:sale"]);
    },
  );

  it("without a file, of the program that is started", async () => {
    const ends = usdt(":shop:*ed", (p) => ({ name: p.function, pid: p.pid, comm: p.comm }));
    expect((await eventsOf(ends)).map(({ name }) => name)).toEqual(["shop:opened", "shop:closed"]);
  });

  it.each([
    [`${shop}:sael`, /no marker "sael" in [^]*did you mean "sale"/],
    [`${shop}:stroe:sale`, /no marker "stroe:sale"[^]*another provider: u:[^]*:shop:sale/],
    ["p:c:malloc", /"p:c:malloc" is no marker: p: stands in front of functions[^]*uprobe\(\)/],
    ["sale", /in which file is "sale"\?[^]*write u:LIBRARY:sale/],
  ])("and not by %s", async (target, message) => {
    await expect(eventsOf(usdt(target, (p) => p.pid))).rejects.toThrow(message);
  });

  it("and a declaration of another version is refused with what there is", async () => {
    const flags = usdt(`${shop}:flags`, (p) => p.args.mask, { args: { mask: "u32" } });
    await expect(eventsOf(flags)).rejects.toThrow(
      /1 argument is declared, and the marker has 2[^]*args: { mask: "u32", arg2: "i32" }/,
    );
  });

  it("and a type that is too narrow is refused with the name that the author gave", async () => {
    const narrow = { ...declared, price: "u32" } as const;
    const sales = usdt(`${shop}:shop:sale`, ({ args: { customer, price } }) => ({ customer, price }), {
      args: narrow,
    });
    await expect(eventsOf(sales)).rejects.toThrow(/"price" is an unsigned number of 64 bits/);
  });
});

describe.runIf(needs("ring buffer"))("markers are gathered", () => {
  it("by their names, once each however many places they have", async () => {
    const passed = counter({ key: "function" });
    const last = table({ key: "function", value: "u64" });
    const prices = histogram({ key: { name: "text" }, value: "u64" });
    const all = usdt(
      `${shop}:*`,
      (p, { passed, last }) => {
        passed.add(p.function);
        last.set(p.function, p.time);
      },
      { using: { passed, last } },
    );
    const sales = usdt(
      `${shop}:shop:sale`,
      (p, { prices }) => prices.add({ name: p.args.name }, p.args.price),
      { args: declared, using: { prices } },
    );
    await using observation = observe({ all, sales }, { command: [shop, "20"] });
    await observation.ended;
    const rows = await observation.read(passed);
    expect(Object.fromEntries(rows.map(({ key, count }) => [key, count]))).toEqual({
      "shop:step": 40,
      "shop:sale": 20,
      "store:sale": 20,
      "shop:flags": 20,
      "shop:opened": 1,
      "shop:closed": 1,
    });
    expect(rows.length).toBe(6);
    expect((await observation.read(last)).length).toBe(6);
    const names = (await observation.read(prices)).map(({ key, count }) => [key.name, count]);
    expect(Object.fromEntries(names)).toEqual({ apple: 7, pear: 7, plum: 6 });
  });
});

it.runIf(needs("ring buffer"))("a number that cannot be read is told of, where it is used", async () => {
  await expect(eventsOf(usdt(`${shop}:shop:sale`, (p) => ({ ratio: p.arg(7) })))).rejects.toThrow(
    /p\.arg\(7\) cannot be read here: [^]*\n {2}at: column[^]*\^\^\^\^\^\^\^\^/,
  );
});
