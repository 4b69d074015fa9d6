/**
 * Owns the question of memory: what `uscope trace` takes with one probe, and whether it grows with the events.
 * Does not own time.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { assert } from "../src/base/assert.js";
import { readMemory, start } from "./processes.js";
import { medianOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Section } from "./table.js";
import { uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const calls = 10_000_000;
const megabyte = 1_000_000;
/** How much more the last third may take than the third before, and still count as flat. */
const flatness = 1.1;

/** Measures resident memory when one probe is armed, and through ten million events. */
export async function measureMemory(workplace: Workplace): Promise<Section> {
  const armed = await measureArmed(workplace);
  const { early, last, peak, shown } = await measureRun(workplace);
  return {
    title: "Memory of uscope trace, one probe",
    rows: [
      { what: "peak resident until armed (VmHWM)", measured: megabytes(armed), bar: bar(armed) },
      {
        what: `peak resident over ${calls.toLocaleString("en")} events, lines to /dev/null`,
        measured: megabytes(peak),
        bar: bar(peak),
      },
      {
        what: "resident in the last third of the run, against the second third (VmRSS)",
        measured: `${megabytes(last)} against ${megabytes(early)}`,
        ratio: { value: last / early, of: "the second third" },
        bar: { text: `flat (<= ${flatness})`, held: last <= flatness * early },
      },
    ],
    notes: [
      `1 MB is 1,000,000 bytes; the mapped ring buffer is part of it; ${shown.toLocaleString("en")} of the events were shown`,
    ],
  };
}

async function measureArmed(workplace: Workplace): Promise<number> {
  const tracer = start(uscope[0], [uscope[1], "trace", `${workplace.loop}:g "%d", arg1`]);
  await tracer.until(/armed \d+ place/);
  const peak = readMemory(tracer.pid, "VmHWM");
  await tracer.stop();
  assert(peak !== undefined, "uscope ended by itself");
  return peak;
}

async function measureRun(
  workplace: Workplace,
): Promise<{ readonly early: number; readonly last: number; readonly peak: number; readonly shown: number }> {
  const words = [
    "trace",
    `${workplace.loop}:g (arg1 >= 0) "%d", arg1`,
    "--",
    workplace.loop,
    String(calls),
    "g",
  ];
  const tracer = start(uscope[0], [uscope[1], ...words], "ignore");
  const samples: number[] = [];
  let peak = 0;
  await tracer.until(/armed \d+ place/);
  while (tracer.isRunning()) {
    const resident = readMemory(tracer.pid, "VmRSS");
    if (resident !== undefined) samples.push(resident);
    peak = Math.max(peak, readMemory(tracer.pid, "VmHWM") ?? 0);
    await sleep(100);
  }
  const { stderr } = await tracer.ended;
  const shown = /(\d+) events? shown/.exec(stderr)?.[1];
  assert(shown !== undefined, `the run was not finished: ${stderr}`);
  // Why medians of thirds: garbage makes it go up and down by 10 MB, so that single samples say nothing.
  const third = Math.floor(samples.length / 3);
  return {
    early: medianOf(samples.slice(third, 2 * third)),
    last: medianOf(samples.slice(2 * third)),
    peak,
    shown: Number(shown),
  };
}

function bar(bytes: number): { readonly text: string; readonly held: boolean } {
  return atMost(90 * megabyte, bytes, "<= 90 MB");
}

function megabytes(bytes: number): string {
  return `${(bytes / megabyte).toFixed(1)} MB`;
}
