/** Spans between two places, as scripts write them: what is kept, what the end knows, what is counted as missed. */
import { describe, expect, it, test } from "vitest";
import { histogram, observe, span } from "../../../src/index.js";
import type { Observation, ScriptProbe } from "../../../src/index.js";
import { needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";
import { asShown, openSamples } from "../../support/samples.js";

const paired = compile("paired.c", ["-O2", "-pthread"]);

async function all<Event>(observation: Observation<Event>): Promise<Event[]> {
  const events: Event[] = [];
  for await (const event of observation) events.push(event);
  return events;
}

describe.runIf(needs("ring buffer"))("spans from marker to marker", () => {
  it("hand on what the beginning knows, and know the arguments of the end", async () => {
    const queries = span(`u:${paired}:query__start..query__done`, {
      entry: (p) => ({ query: p.text(p.arg(0)), number: p.i32(1) }),
      exit: (p) => ({
        query: p.entry.query,
        number: p.entry.number,
        rows: p.i32(0),
        took: p.durationNs,
        name: p.function,
      }),
    });
    await using observation = observe(queries, { command: [paired] });
    const events = await all(observation);
    expect(events.map(({ took, ...event }) => ({ ...event, isTimed: took > 0 }))).toEqual(
      [1, 2, 3, 4, 5].map((number) => ({
        query: `select ${number}`,
        number,
        rows: number * 10,
        name: "shop:query__start..query__done",
        isTimed: true,
      })),
    );
  });

  it("nest, and leave out what the beginning leaves out", async () => {
    const calls = span(
      { from: `u:${paired}:shop:method__entry`, to: `u:${paired}:shop:method__return` },
      {
        entry: (p) => {
          if (p.i32(0) % 2 === 0) return { left: p.i32(0) };
        },
        exit: (p) => ({ began: p.entry.left, ended: p.i32(0) }),
      },
    );
    await using observation = observe(calls, { command: [paired] });
    const events = await all(observation);
    expect(events).toHaveLength(4 * 5 + 3 * 20);
    for (const { began, ended } of events) expect(began).toBe(ended);
    expect(await observation.losses()).toMatchObject({ missedEnds: 0n, deepPairs: 0n, missedReturns: 0n });
  });

  it("count ends whose beginning is not known", async () => {
    const times = histogram({ key: "function" });
    const all = span(`u:${paired}:*`, {
      exit: (p, { times }) => times.add(p.function, p.durationNs),
      using: { times },
    });
    await using observation = observe(all, { command: [paired] });
    await observation.ended;
    expect(await observation.losses()).toMatchObject({ missedEnds: 20n, deepPairs: 36n, missedReturns: 0n });
    expect(await observation.read(times)).toHaveLength(12);
  });
});

describe("mistakes", () => {
  it.each<[() => ScriptProbe, RegExp]>([
    [
      () => span({ from: "libc:malloc" }, { exit: (p) => ({ took: p.durationNs }) }),
      /where does what begins at libc:malloc end\?[^]*fix: name the end/,
    ],
    [
      () =>
        span({ from: `u:${paired}:work__start`, to: "nowhere" }, { exit: (p) => ({ took: p.durationNs }) }),
      /"nowhere" means a function of the kernel/,
    ],
    [
      () =>
        span(`u:${paired}:work__start`, {
          // @ts-expect-error: a pair returns nothing
          exit: (p) => ({ returned: p.returned() }),
        }),
      /p\.returned is not known where a pair ends[^]*fix: read the marker's arguments/,
    ],
    [
      () => span(`u:${paired}:work__start`, { exit: (p) => ({ second: p.i32(1) }) }),
      /p\.arg\(1\) is not known here: there is 1 argument/,
    ],
  ])("%#", async (make, message) => {
    await expect(async () => {
      await using observation = observe(make());
      await observation.armed;
    }).rejects.toThrow(message);
  });

  it("of JavaScript: options that are none", () => {
    expect(() => span({ from: "u:a:b", too: "u:a:c" } as never, { exit: () => ({}) })).toThrow(
      /there is no option "too"/,
    );
    expect(() => span({} as never, { exit: () => ({}) })).toThrow(/names no function/);
  });
});

describe("docs/library.md", () => {
  using page = openSamples("library.md");
  test.each(page.samples)("$command", (sample) => {
    using files = openSamples("library.md");
    expect(asShown(files.run(sample), sample)).toBe(sample.output);
  });
});
