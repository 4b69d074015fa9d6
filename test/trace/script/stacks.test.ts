/** Aggregates by user stack, on a program whose ways are known: rows, names of processes that have ended, and what has no room. */
import { describe, expect, it } from "vitest";
import { counter, observe, summary, table, uprobe, uretprobe } from "../../../src/index.js";
import { needs } from "../../support/kernel.js";
import { compile } from "../../support/programs.js";

const stacks = compile("stacks.c", ["-O1", "-fno-omit-frame-pointer", "-pthread"]);
const frameless = compile("stacks.c", ["-O1", "-fomit-frame-pointer", "-pthread"]);
const work = `${stacks}:work`;

/** The functions of this program on a stack, innermost first. */
function ways(stack: readonly string[]): string {
  const own = stack.filter((frame) => frame.includes(" [stacks-"));
  return own.map((frame) => frame.replace(/\+0x.*/, "")).join(" ");
}

describe.runIf(needs("ring buffer"))("a counter by stack", () => {
  it("has a row for each way, its caller and all others on it", async () => {
    const calls = counter({ key: "stack" });
    const probe = uprobe(work, (p, { calls }) => calls.add(p.stack()), { using: { calls } });
    await using observation = observe(probe, { command: [stacks, "30"] });
    await observation.ended;
    const rows = await observation.read(calls);
    expect(
      rows.map(({ key, count }) => [ways(key).replaceAll(/(?: deep){100,}/g, " deep..."), count]),
    ).toEqual(
      expect.arrayContaining([
        ["work two main", 60],
        ["work one main", 30],
        ["work one in_thread", 30],
        ["work one two main", 15],
        [`work${" deep".repeat(6)} main`, 1],
        ["work deep...", 1],
      ]),
    );
    expect(rows).toHaveLength(6);
    for (const { key } of rows) expect(key[0]).toMatch(/^work\+0x0 \[stacks-/);
    expect(await observation.statistics()).toMatchObject([{ hits: 137n, lost: 0n, faulted: 0n }]);
    expect(await observation.losses()).toMatchObject({ dropped: 0n, unresolved: 0 });
    expect(await observation.read(calls, { top: 1 })).toEqual(rows.slice(0, 1));
  });

  it("names the stacks of more ended processes than are remembered, and has one row for all", async () => {
    const calls = counter({ key: "stack" });
    const byPid = counter({ key: { pid: "u32", stack: "stack" } });
    const probe = uprobe(
      work,
      (p, { calls, byPid }) => {
        calls.add(p.stack());
        byPid.add({ pid: p.pid, stack: p.stack() });
      },
      { using: { calls, byPid } },
    );
    await using observation = observe(probe, { command: [stacks, "children", "90"], children: true });
    await observation.ended;
    const rows = await observation.read(calls);
    expect(rows.map(({ key, count }) => [ways(key), count])).toEqual([["work two main", 270]]);
    const own = await observation.read(byPid);
    expect(new Set(own.map(({ key }) => key.pid)).size).toBe(90);
    expect(own.every(({ key, count }) => count === 3 && ways(key.stack) === "work two main")).toBe(true);
    expect(await observation.losses()).toMatchObject({ unresolved: 0, dropped: 0n });
  });

  it("names each stack by the program that its process was then", async () => {
    const calls = counter({ key: "stack" });
    const probe = uprobe(work, (p, { calls }) => calls.add(p.stack()), { using: { calls } });
    await using observation = observe(probe, { command: [stacks, "exec"] });
    await observation.ended;
    const rows = await observation.read(calls);
    expect(rows.map(({ key, count }) => [ways(key), count])).toEqual([
      ["work one main", 5],
      ["work one main", 5],
    ]);
    expect(await observation.losses()).toMatchObject({ unresolved: 0 });
  });

  it("counts what it has no room for", async () => {
    const calls = counter({ key: "stack", entries: 2 });
    const probe = uprobe(work, (p, { calls }) => calls.add(p.stack()), { using: { calls } });
    await using observation = observe(probe, { command: [stacks, "30"] });
    await observation.ended;
    const rows = await observation.read(calls);
    expect(rows.map(({ count }) => count)).toEqual([60, 30]);
    expect(await observation.dropped(calls)).toBe(47n);
  });

  it("gives its place back where another part of the key cannot be read", async () => {
    const calls = counter({ key: ["text", "stack"] });
    const bytes = counter({ key: ["u8", "stack"] });
    const probe = uprobe(
      work,
      (p, { calls, bytes }) => {
        calls.add([p.text(8n), p.stack()]);
        calls.add([p.text(p.arg(0)), p.stack()]);
        bytes.add([p.read(p.arg(1), "u8"), p.stack()]);
      },
      { using: { calls, bytes } },
    );
    await using observation = observe(probe, { command: [stacks, "30"] });
    await observation.ended;
    const rows = await observation.read(calls);
    expect(rows.map(({ key: [text, stack], count }) => [text, ways(stack).split(" ")[1], count])).toEqual(
      expect.arrayContaining([
        ["two", "two", 60],
        ["one", "one", 30],
        ["(null)", "deep", 1],
      ]),
    );
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(137);
    expect(await observation.dropped(calls)).toBe(0n);
    expect(await observation.statistics()).toMatchObject([{ hits: 137n, faulted: 274n }]);
  });
});

describe.runIf(needs("ring buffer"))("a stack in an event", () => {
  it("has the direct caller too, where there is no frame at all", async () => {
    const works = uprobe(`${frameless}:work`, (p) => ({ stack: p.stack() }));
    await using observation = observe(works, { command: [frameless, "2"] });
    const callers: (string | undefined)[] = [];
    for await (const { stack } of observation) callers.push(stack[1]?.replace(/\+0x.*/, ""));
    expect(callers.toSorted()).toEqual([
      "deep",
      "deep",
      "one",
      "one",
      "one",
      "one",
      "one",
      "two",
      "two",
      "two",
      "two",
    ]);
  });
});

describe.runIf(needs("ring buffer"))("other aggregates by stack", () => {
  it("take values in, at returns too", async () => {
    const values = summary({ key: "stack" });
    const probe = uretprobe(
      work,
      (p, { values }) => {
        values.add(p.stack(), p.returned("i64"));
      },
      { using: { values } },
    );
    await using observation = observe(probe, { command: [stacks, "4"] });
    await observation.ended;
    const rows = await observation.read(values);
    expect(
      rows.map(({ key, count, sum, max }) => [ways(key).split(" ").slice(0, 3).join(" "), count, sum, max]),
    ).toEqual(
      expect.arrayContaining([
        ["two main", 8, 28n, 7n],
        ["one main", 4, 6n, 3n],
        ["one in_thread", 4, 6n, 3n],
        ["one two main", 2, 1n, 1n],
        ["deep deep deep", 1, 1n, 1n],
      ]),
    );
  });

  it("are no tables", () => {
    // @ts-expect-error a table has no stacks as keys
    expect(() => table({ key: "stack", value: "u64" })).toThrow(/a table has no stacks as keys/);
  });
});
