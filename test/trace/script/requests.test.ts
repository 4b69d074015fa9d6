/** What JavaScript lets through: it must be refused before anything is armed, and never widen what is observed. */
import { describe, expect, it } from "vitest";
import { observe, span, uprobe, usdt } from "../../../src/index.js";

// Why any: these are calls that TypeScript refuses and JavaScript makes.
// oxlint-disable-next-line typescript/no-explicit-any
type Untyped = any;

const probe = uprobe("c:malloc", (p) => ({ pid: p.pid }));

describe("observe", () => {
  it.each<[string, Untyped, RegExp]>([
    ["a misspelt option", { comand: ["true"] }, /there is no option "comand"[^]*did you mean "command"/],
    ["pid for pids", { pid: [1] }, /there is no option "pid"[^]*did you mean "pids"/],
    ["nobody", { pids: [] }, /pids: \[\] is no list of process ids[^]*leave it out for all processes/],
    ["a number for a list", { pids: 12 }, /pids: 12 is no list of process ids/],
    ["texts for numbers", { pids: ["12"] }, /pids: \["12"\] is no list/],
    ["a text for a list", { command: "./t" }, /command: ".\/t" is no list of texts/],
    ["a text for a time", { seconds: "1" }, /seconds: "1" is no number/],
    ["a user that nobody has", { uid: 2 ** 32 }, /no user has the id 4294967296/],
    ["no options at all", "x", /"x" is no object with options/],
  ])("refuses %s", async (_what, options: Untyped, message) => {
    const observation = observe(probe, options);
    await expect(observation.armed).rejects.toThrow(message);
    await observation[Symbol.asyncDispose]();
  });

  it.each<[string, Untyped, RegExp]>([
    ["nothing", undefined, /nothing to observe/],
    ["what is no probe", { a: 5 }, /"a" is no probe/],
  ])("refuses %s", async (_what, asked: Untyped, message) => {
    await expect(observe(asked).armed).rejects.toThrow(message);
  });
});

it.each<[string, () => unknown, RegExp]>([
  ["no function", () => uprobe("c:malloc", undefined as Untyped), /undefined is no probe function/],
  ["no exit", () => span("c:malloc", {} as Untyped), /undefined is no probe function[^]*the exit of a span/],
  ["no target", () => uprobe(5 as Untyped, () => ({ a: 1 })), /5 names no function/],
  [
    "a misspelt option",
    () => uprobe("c:f", () => ({}), { usng: {} } as Untyped),
    /no option "usng"[^]*"using"/,
  ],
])("a probe with %s is refused", (_what, make, message) => {
  expect(make).toThrow(message);
});

it.each<[string, Untyped, RegExp]>([
  ["a misspelt type", { a: "u33" }, /args: { a: "u33" }[^]*did you mean "u32"\? there are i8, i16/],
  ["no type", { a: 5 }, /this is no type of an argument[^]*args: { a: 5 }/],
  ["a length that is none", { a: { text: "b" } }, /"b" is no number among the arguments/],
  ["a misspelt length", { name: { text: "lenght" }, length: "i32" }, /did you mean "length"\?/],
  ["a length that is a truth", { a: { text: "b" }, b: "bool" }, /"b" is no number/],
  ["more than a length", { a: { text: "b", limit: 3 }, b: "i32" }, /this is no type/],
  ["a name whose place is another", { b: "u8", 0: "u8" }, /an argument's name is a word/],
  ["a list", ["u8"], /an argument's name is a word/],
  ["a text for names", "u8", /args: "u8" is no object/],
])("a declaration with %s is refused", (_what, args: Untyped, message) => {
  expect(() => usdt("c:setjmp", () => ({}), { args })).toThrow(message);
});

it("a marker needs a target and a function", () => {
  expect(() => usdt("", () => ({}))).toThrow(/"" names no marker[^]*postgres:query__start/);
  expect(() => usdt("c:setjmp", 5 as Untyped)).toThrow(/5 is no probe function/);
  expect(() => usdt("c:setjmp", () => ({}), { arg: {} } as Untyped)).toThrow(/did you mean "args"/);
});
