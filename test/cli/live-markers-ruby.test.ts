/** The markers of Ruby: methods, objects and exceptions of a program whose numbers and whose own trace are known. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { startCli } from "../support/cli.js";
import { saidBy } from "../support/events.js";
import { converse, requires } from "../support/kernel.js";
import type { Conversation } from "../support/kernel.js";

const program = fileURLToPath(new URL("../programs/shop.rb", import.meta.url));

async function startRuby(): Promise<Conversation> {
  const ruby = converse("ruby", ["--disable-gems", program]);
  expect(await ruby.line()).toBe("ready");
  return ruby;
}

/** What the markers say of lines that the program is told, without its file; and what the program has logged itself. */
async function trace(
  markers: readonly string[],
  lines: readonly string[],
): Promise<{ readonly said: readonly string[]; readonly logged: readonly string[] }> {
  await using ruby = await startRuby();
  const probes = markers.map((marker) => `u::ruby:${marker}`);
  await using cli = startCli(["trace", "-Z", "200", "-p", String(ruby.child.pid), ...probes]);
  await cli.until("stderr", /armed \d+ places? in 1 file/);
  const logged = [];
  for (const line of lines) {
    ruby.say(line);
    logged.push(...(await ruby.line()).split("|").filter((one) => one !== ""));
  }
  ruby.child.kill("SIGKILL");
  const { stdout } = await cli.ended;
  return { said: saidBy(stdout).map((line) => line.replace(` file=${program}`, "")), logged };
}

const repeat = <Item>(count: number, items: readonly Item[]): Item[] =>
  Array.from({ length: count }, () => items).flat();

/** Why: the marker's line of an entry is that of the first statement, a TracePoint's that of the method's name. */
const withoutLine = (line: string): string => line.replace(/(class=Object .*) line=\d+$/, "$1");

describe.runIf(requires("ruby"))("ruby", () => {
  test("objects and exceptions", async () => {
    const { said } = await trace(["object-create", "raise"], ["3", "2"]);
    expect(said).toEqual(
      repeat(5, [
        "ruby:object__create class=Shop line=10",
        "ruby:object__create class=ArgumentError line=5",
        "ruby:raise class=ArgumentError line=5",
      ]),
    );
  });

  test("arrays by size, and methods in C", async () => {
    const { said } = await trace(["array__create", "cmethod__*"], ["4"]);
    const count = (line: string): number => said.filter((one) => one === line).length;
    expect(count("ruby:array__create size=2 line=15")).toBe(4);
    expect(count("ruby:array__create size=3 line=17")).toBe(8);
    for (const end of ["entry", "return"]) {
      expect(count(`ruby:cmethod__${end} class=BasicObject method=initialize line=10`)).toBe(4);
      expect(count(`ruby:cmethod__${end} class=Array method=sort line=17`)).toBe(4);
    }
  });

  // Why: Ruby passes both from its tracing instructions, which stand there only while something like a TracePoint wants them.
  test("methods in Ruby, while a TracePoint is enabled: each that it is told of", async () => {
    const { said, logged } = await trace(["method__*"], ["traced 3"]);
    expect(logged.length).toBe(14);
    expect(said.map(withoutLine)).toEqual(
      logged.map((line) => {
        const [event, owner, method, number] = line.split(" ");
        return withoutLine(`ruby:method__${event} class=${owner} method=${method} line=${number}`);
      }),
    );
  });

  test("without one, only those that an exception leaves", async () => {
    const { said } = await trace(["method__*"], ["3"]);
    expect(said).toEqual(repeat(3, ["ruby:method__return class=Shop method=refuse line=5"]));
  });
});
