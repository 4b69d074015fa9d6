/** What JavaScript lets through: it must be refused before anything is armed, and never widen what is observed. */
import { describe, expect, it } from "vitest";
import { observe, span, uprobe } from "../../../src/index.js";

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
