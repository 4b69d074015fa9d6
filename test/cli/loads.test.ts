/** A C program that opens a library while it runs and becomes itself by exec: both are watched from the first call on. */
import { describe, expect, test } from "vitest";
import { counter, observe, uprobe } from "../../src/index.js";
import { runCli, startCli } from "../support/cli.js";
import { converse } from "../support/kernel.js";
import { compile } from "../support/programs.js";

const library = compile("plugged.c", ["-O1", "-shared", "-fPIC"]);
const program = compile("loads.c", ["-O1", "-ldl"]);
const patterns = [`${program}:local`, `${library}:plugged`];

function countsOf(json: string): Record<string, number> {
  const rows = json
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly function?: string; readonly count: number });
  return Object.fromEntries(
    rows.flatMap(({ function: name, count }) =>
      name === undefined ? [] : [[name.split(":").at(-1)!, count]],
    ),
  );
}

describe("dlopen and exec", () => {
  test("of a command are counted", async () => {
    const { stdout, stderr, status } = await runCli([
      "count",
      "--json",
      ...patterns,
      "--",
      program,
      library,
      "7",
      "3",
    ]);
    const tables = stdout.replaceAll(/^round\n/gm, "");
    expect(stdout.match(/^round$/gm)).toHaveLength(3);
    expect(countsOf(tables)).toEqual({ local: 21, plugged: 21 });
    expect(stderr).not.toMatch(/[1-9]\d* lost/);
    expect(status).toBe(0);
  });

  test("of a process that was running before are counted", async () => {
    await using target = converse(program, [library, "5", "2"]);
    await using running = startCli(["count", "--json", "-p", String(target.child.pid), ...patterns]);
    await running.until("stderr", /armed 2 places in 2 files/);
    for (let round = 0; round < 2; round++) {
      target.say("go");
      expect(await target.line()).toBe("round");
    }
    const { stdout, status } = await running.ended;
    expect(countsOf(stdout)).toEqual({ local: 10, plugged: 10 });
    expect(status).toBe(0);
  });

  test("are seen by probe functions, call by call", async () => {
    const sums = counter({ key: "function" });
    const own = uprobe(
      patterns[0]!,
      (p, { sums }) => {
        sums.add(p.function);
        return { value: p.i64(0) };
      },
      { using: { sums } },
    );
    const opened = uprobe(patterns[1]!, (p) => ({ value: p.i64(0) }));
    await using target = converse(program, [library, "3", "2"]);
    await using observation = observe({ own, opened }, { pids: [target.child.pid!] });
    await observation.armed;
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { name, event } of observation) seen.push(`${name} ${event.value}`);
    })();
    for (let round = 0; round < 2; round++) {
      target.say("go");
      expect(await target.line()).toBe("round");
    }
    expect(await observation.ended).toEqual({ kind: "processes ended" });
    await reading;
    const round = [0, 1, 2].flatMap((call) => [`own ${call}`, `opened ${call + 1}`]);
    expect(seen).toEqual([...round, ...round]);
    expect(await observation.read(sums)).toEqual([{ key: "local", count: 6 }]);
  });
});
