/** Which programs of a probe share links, and that each place still comes to its own program and keeps its number. */
import { describe, expect, it } from "vitest";
import { assemble } from "../../src/bpf/assemble.js";
import { exit, loadConstant } from "../../src/bpf/build.js";
import { mostSlots, slotsOfProgram } from "../../src/bpf/join.js";
import type { ProgramSpec } from "../../src/bpf/spec.js";
import { cookieOf, siteOf } from "../../src/lang/event.js";
import { joinAttachments } from "../../src/trace/joined.js";
import type { Attachment } from "../../src/trace/session.js";
import { interpret, Maps } from "../support/interpreter.js";
import { specs } from "../bpf/programs.js";

/** A program that answers its number, in twice as many slots as it has loads, and one more. */
function program(number: number, { sleepable = false, loads = 1 } = {}): ProgramSpec {
  const lines = Array.from({ length: loads }, () => loadConstant(0, 2n ** 32n + BigInt(number)));
  const assembly = assemble([...lines, exit()]);
  return { name: `p${number}`, license: "Dual BSD/GPL", sleepable, source: "", ...assembly };
}

/** Program `number` in a file, at two places: the sites 2 * number and the next. */
function attachment(number: number, change: Partial<Attachment> = {}): Attachment {
  const sites = [0, 1].map((place) => ({
    offset: 100 * number + place,
    semaphore: undefined,
    cookie: cookieOf(2 * number + place, "compare"),
  }));
  return {
    probe: 0,
    program: program(number),
    openPath: "/proc/self/fd/7",
    shownPath: "/lib/a.so",
    returns: false,
    sites: sites as unknown as Attachment["sites"],
    pids: [],
    ...change,
  };
}

const several = (count: number, change: (number: number) => Partial<Attachment> = () => ({})): Attachment[] =>
  Array.from({ length: count }, (_, number) => attachment(number, change(number)));

/** Each place's offset with the program that a hit of it comes to, in order. */
function ways(attachments: readonly Attachment[]): [number, number][] {
  const all = attachments.flatMap(({ program: { instructions }, sites }) =>
    sites.map(({ offset, cookie }): [number, number] => {
      const { r0 } = interpret(instructions, { maps: new Maps(specs), cookie: BigInt(cookie) });
      return [offset, Number(r0 - 2n ** 32n)];
    }),
  );
  return all.sort(([one], [other]) => one - other);
}

/** Every place comes to the program that it came to alone, with its number. */
function expectSameWays(joined: readonly Attachment[], alone: readonly Attachment[]): void {
  expect(ways(joined)).toEqual(ways(alone));
  const places = joined.flatMap(({ sites }) => sites);
  for (const { offset, cookie } of places)
    expect(siteOf(cookie)).toBe(2 * Math.floor(offset / 100) + (offset % 100));
}

describe("the programs of a probe in one file", () => {
  it("stay as they are when they are four", () => {
    const alone = several(4);
    expect(joinAttachments(alone)).toEqual(alone);
  });

  it("are one when they are more, which each place goes through to its own", () => {
    const alone = several(9);
    const joined = joinAttachments(alone);
    expect(joined).toHaveLength(1);
    expect(joined[0]!.sites).toHaveLength(18);
    expectSameWays(joined, alone);
  });

  it("are as many as hold the instructions of all", () => {
    const alone = several(10, (number) => ({ program: program(number, { loads: 3000 }) }));
    const joined = joinAttachments(alone);
    expect(joined.map(({ sites }) => sites.length)).toEqual([8, 8, 4]);
    for (const { program: one } of joined) expect(slotsOfProgram(one)).toBeLessThan(mostSlots + 100);
    expectSameWays(joined, alone);
  });

  it("stay alone when they are too long for company", () => {
    const alone = several(5, (number) => ({
      program: program(number, number === 2 ? { loads: mostSlots / 2 } : {}),
    }));
    const joined = joinAttachments(alone);
    expect(joined.map(({ sites }) => sites.length)).toEqual([4, 2, 4]);
    expect(joined[1]).toBe(alone[2]);
    expectSameWays(joined, alone);
  });
});

const kindOf = ({ openPath, returns, program: { sleepable } }: Attachment): unknown[] => [
  openPath,
  returns,
  sleepable,
];

it.each<[string, (number: number) => Partial<Attachment>]>([
  ["two files", (number) => ({ openPath: `/proc/self/fd/${7 + (number % 2)}` })],
  ["places and returns", (number) => ({ returns: number % 2 === 1 })],
  [
    "what may sleep and what may not",
    (number) => ({ program: program(number, { sleepable: number % 2 === 1 }) }),
  ],
])("of %s each kind is joined alone", (_, change) => {
  const alone = several(12, change);
  const joined = joinAttachments(alone);
  expect(joined).toHaveLength(2);
  const [even, odd] = joined;
  expect(kindOf(even!)).toEqual(kindOf(alone[0]!));
  expect(kindOf(odd!)).toEqual(kindOf(alone[1]!));
  expect(even!.sites.map(({ offset }) => Math.floor(offset / 100) % 2)).toEqual(Array(12).fill(0));
  expectSameWays(joined, alone);
  // Why: four of a kind are too few, also beside more of another.
  expect(joinAttachments(several(9, change))).toHaveLength(1 + 4);
});
