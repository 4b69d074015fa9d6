/** The markers of Debian's Python: collections, audit events and imports, as the interpreter's own hooks tell of them. */
import { describe, expect, test } from "vitest";
import { startBpftrace } from "../support/bpftrace.js";
import { startCli } from "../support/cli.js";
import { saidBy } from "../support/events.js";
import { converse, requires } from "../support/kernel.js";
import type { Conversation } from "../support/kernel.js";

const python = "/usr/bin/python3.11";
const marker = (name: string): string => `u:${python}:python:${name}`;

/** Does each line of Python that it is told, and answers with what `log` has then. */
async function startPython(
  preface: string,
): Promise<Conversation & { run(line: string): Promise<string[]> }> {
  const loop = `
import gc, sys
gc.disable()
log = []
${preface}
print("ready", flush=True)
for line in sys.stdin:
    del log[:]
    exec(line)
    told = list(log)
    print("|".join(told), flush=True)
`;
  const conversation = converse(python, ["-S", "-c", loop]);
  expect(await conversation.line()).toBe("ready");
  return {
    ...conversation,
    async run(line) {
      conversation.say(line);
      return (await conversation.line()).split("|");
    },
  };
}

/** What stands between the last two collections of generation 1. */
function window(lines: readonly string[]): readonly string[] {
  const begins = "python:gc__start generation=1";
  const end = lines.lastIndexOf(begins);
  return lines.slice(lines.lastIndexOf(begins, end - 1) + 2, end);
}

describe.runIf(requires(python))("python", () => {
  test.runIf(requires("bpftrace"))(
    "collections, as gc.callbacks and bpftrace have them",
    async () => {
      await using program = await startPython(`
def called(phase, told):
    log.append("python:gc__start generation=%d" % told["generation"] if phase == "start"
               else "python:gc__done collected=%d" % (told["collected"] + told["uncollectable"]))
gc.callbacks.append(called)
def litter(count):
    for _ in range(count):
        ring = []
        ring.append(ring)
`);
      const pid = program.child.pid!;
      await using cli = startCli(["trace", "-p", String(pid), marker("gc__*")]);
      await cli.until("stderr", /armed 2 places/);
      await using peer = await startBpftrace(
        `usdt:${python}:python:gc__start { printf("python:gc__start generation=%d\\n", arg0); }
         usdt:${python}:python:gc__done { printf("python:gc__done collected=%d\\n", arg0); }`,
        pid,
        () => program.run("gc.collect(1)"),
        (lines) => lines.some((line) => /start/.test(line)) && lines.some((line) => /done/.test(line)),
      );
      await program.run("gc.collect(1)");
      const work = "for number in range(300): litter(number % 7); gc.collect(0 if number % 3 else 2)";
      const logged = await program.run(work);
      expect(logged.length).toBe(600);
      await program.run("gc.collect(1)");
      await peer.until((lines) => window(lines).length === logged.length);
      program.child.kill();
      const own = saidBy((await cli.ended).stdout).map((line) => line.replaceAll(/ +/g, " "));
      expect(window(own)).toEqual(logged);
      expect(window(peer.lines())).toEqual(logged);
    },
    60_000,
  );

  test("audit events by name", async () => {
    await using program = await startPython("sys.addaudithook(lambda event, _: log.append(event))");
    await using cli = startCli(["trace", "-p", String(program.child.pid), marker("audit")]);
    await cli.until("stderr", /armed 1 place/);
    const logged = await program.run(
      'open("/dev/null").close(); compile("1", "x", "eval"); sys.audit("shop.sold", 3)',
    );
    expect(logged).toEqual(expect.arrayContaining(["open", "compile", "shop.sold"]));
    await cli.until("stdout", /shop\.sold/);
    program.child.kill();
    const said = saidBy((await cli.ended).stdout).map((line) => / event=(\S+)/.exec(line)?.[1]);
    // Why slice: the program's own `exec` compiles and runs the line, before the hook's log is new.
    expect(said.slice(0, logged.length)).toEqual(logged);
  });

  test("imports: those that are new, found or not", async () => {
    await using program = await startPython("known = set(sys.modules)");
    await using cli = startCli([
      "trace",
      "-p",
      String(program.child.pid),
      marker("import__find__load__done"),
    ]);
    await cli.until("stderr", /armed 1 place/);
    const logged = await program.run("import colorsys, json; log += sorted(set(sys.modules) - known)");
    program.child.kill();
    const said = saidBy((await cli.ended).stdout);
    const found = said.flatMap((line) => / module=(\S+) found=1$/.exec(line)?.[1] ?? []);
    expect(logged).toEqual(expect.arrayContaining(["colorsys", "json.decoder"]));
    expect(found.sort()).toEqual(logged.sort());
  });

  // Why line: CPython 3.11 looks for function__* only where it traces, which it does while line's semaphore is not zero.
  test("functions, while lines are watched too; without them next to none", async () => {
    const functions = `${marker("function__entry")} (STRCMP("sell", arg2))`;
    for (const [markers, calls] of [
      [[functions, `${marker("line")} (0)`], 4],
      [[functions], 0],
    ] as const) {
      await using program = await startPython("def sell(left): return left and sell(left - 1)");
      await using cli = startCli(["trace", "-p", String(program.child.pid), ...markers]);
      await cli.until("stderr", /armed \d places?/);
      await program.run("sell(3)");
      program.child.kill();
      const said = saidBy((await cli.ended).stdout);
      expect(said).toEqual(
        Array.from({ length: calls }, () => "python:function__entry file=<string> function=sell line=5"),
      );
    }
  });
});
