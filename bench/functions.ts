/**
 * Owns the questions about probe functions in JavaScript: how long one takes to compile in a fresh process, and how fast events
 * come to an async iterator beside printed lines.
 * Does not own what they cost the traced program (gathered.ts).
 */
import { dirname, join } from "node:path";
import { observe, uprobe } from "../src/index.js";
import type { CompiledOnce } from "./compile-once.js";
import { run } from "./processes.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Section } from "./table.js";
import { uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const rounds = 5;
const calls = 1_000_000;
const compileRounds = 11;

/** Measures compiling and iterating. */
export async function measureFunctions(workplace: Workplace): Promise<Section> {
  const [first, ...later] = await compileOften();
  const loading = medianOf(later.map((process) => process.loading));
  const compiling = medianOf(later.map((process) => process.compiling));
  const measured = await interleave(rounds, {
    lines: () => printLines(workplace),
    iterator: () => iterate(workplace),
  });
  const rate = (values: readonly number[]): string =>
    `${Math.round(calls / medianOf(values)).toLocaleString("en")} events/ms`;
  const slower = ratioOf(measured.iterator, measured.lines);
  return {
    title: "Probe functions",
    rows: [
      {
        what: "a probe function of 30 lines, compiled in a fresh process",
        measured: `${compiling.toFixed(1)} ms`,
        bar: { text: "<= 15 ms", held: compiling <= 15 },
      },
      {
        what: "  loading what reads it, acorn among it",
        measured: `${loading.toFixed(1)} ms`,
      },
      {
        what: "  compiling in the very first process after an installation",
        measured: `${first!.compiling.toFixed(1)} ms`,
      },
      {
        what: `uscope trace, ${calls.toLocaleString("en")} lines to /dev/null`,
        measured: rate(measured.lines),
      },
      {
        what: "for await (const event of observe(probe)), the same values",
        measured: rate(measured.iterator),
        ratio: { value: slower, of: "the time for lines" },
        bar: atMost(2, slower),
      },
    ],
    notes: [
      `compiling is reading the text, checking, lowering and emitting, with what V8 kept of earlier processes (src/loader.ts): median of ${compileRounds} processes; events: medians of ${rounds} interleaved rounds, from start to end, none lost`,
    ],
  };
}

/** What fresh processes take to make programs of a probe function, the first of which has to compile uscope itself too. */
async function compileOften(): Promise<readonly CompiledOnce[]> {
  const loader = join(dirname(process.argv[1]!), "dist/code/loader.cjs");
  const script = `require(${JSON.stringify(loader)}).load("compile-once.js")`;
  const processes: CompiledOnce[] = [];
  for (let round = 0; round <= compileRounds; round++) {
    const { stdout, stderr } = await run(process.execPath, ["-e", script]);
    if (stdout === "") throw new Error(`compiling once: ${stderr}`);
    processes.push(JSON.parse(stdout) as CompiledOnce);
  }
  return processes;
}

async function printLines(workplace: Workplace): Promise<number> {
  const format = `${workplace.loop}:g "%d", arg1`;
  const words = [uscope[1], "trace", format, "--", workplace.loop, String(calls), "g"];
  const { milliseconds } = await run(uscope[0], words, "ignore");
  return milliseconds;
}

async function iterate(workplace: Workplace): Promise<number> {
  const begin = performance.now();
  const probe = uprobe(`${workplace.loop}:g`, (p) => ({
    tid: p.tid,
    pid: p.pid,
    comm: p.comm,
    value: p.i32(0),
  }));
  const out = join(workplace.folder, "loop.out");
  await using observation = observe(probe, {
    command: ["sh", "-c", `exec "$0" ${calls} g > "$1"`, workplace.loop, out],
  });
  let count = 0;
  for await (const event of observation) if (event.pid > 0) count++;
  if (count !== calls) throw new Error(`${calls} calls, ${count} events`);
  return performance.now() - begin;
}
