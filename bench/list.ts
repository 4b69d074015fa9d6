/**
 * Owns the fifth question: listing the functions of a large file, in time against nm and in memory.
 * Does not own whether the list is right, which the tests compare with nm.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../src/base/assert.js";
import { run } from "./processes.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Section } from "./table.js";
import { uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const rounds = 5;
const megabyte = 1_000_000;

/** Measures `uscope list` on the node binary, output to a file. */
export async function measureList(workplace: Workplace): Promise<Section> {
  const path = join(workplace.folder, "list");
  const timed = async (file: string, words: readonly string[]): Promise<number> => {
    const out = openSync(path, "w");
    try {
      return (await run(file, words, out)).milliseconds;
    } finally {
      closeSync(out);
    }
  };
  const measured = await interleave(rounds, {
    nm: () => timed("nm", ["-D", "--defined-only", workplace.node]),
    bare: () => timed(process.execPath, ["-e", "0"]),
    list: () => timed(uscope[0], [uscope[1], "list", workplace.node]),
  });
  const allowed = measured.nm.map((time, round) => time + 2 * measured.bare[round]!);
  const value = ratioOf(measured.list, allowed);
  const peak = await measurePeak(workplace);
  return {
    title: "Listing the functions of node",
    rows: [
      { what: "nm -D --defined-only", measured: milliseconds(measured.nm) },
      { what: "node -e 0", measured: milliseconds(measured.bare) },
      {
        what: "uscope list",
        measured: milliseconds(measured.list),
        ratio: { value, of: "(nm + 2 node -e 0)" },
        bar: atMost(1, value),
      },
      {
        what: "  peak resident memory (VmHWM)",
        measured: `${(peak / megabyte).toFixed(1)} MB`,
        bar: atMost(200 * megabyte, peak, "<= 200 MB"),
      },
    ],
    notes: [`medians of ${rounds} interleaved rounds, output to a file`],
  };
}

/** Why from inside: the peak is wanted at the very end, and getrusage would count what the process was before its exec. */
async function measurePeak(workplace: Workplace): Promise<number> {
  const path = join(workplace.folder, "peak");
  const report = `import { readFileSync, writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(process.env.USCOPE_BENCH_PEAK, readFileSync("/proc/self/status")));`;
  const preload = `--import=data:text/javascript,${encodeURIComponent(report)}`;
  await run(
    "env",
    [`USCOPE_BENCH_PEAK=${path}`, uscope[0], preload, uscope[1], "list", workplace.node],
    "ignore",
  );
  const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(path, "utf8"))?.[1];
  assert(kilobytes !== undefined, "no VmHWM line");
  return Number(kilobytes) * 1024;
}

function milliseconds(values: readonly number[]): string {
  return `${medianOf(values).toFixed(0)} ms`;
}
