/**
 * Owns the third question: how long from exec until one probe is armed.
 * Does not own what it takes in memory (memory.ts) nor many places (many-places.ts).
 */
import { findPeers, startBpftrace } from "./peers.js";
import { run, start } from "./processes.js";
import { interleave, medianOf, ratioOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Section } from "./table.js";
import { uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const rounds = 11;

/** Measures until the line that says "armed", beside a node that does nothing. */
export async function measureStartUp(workplace: Workplace): Promise<Section> {
  const { bpftrace } = findPeers();
  const measured = await interleave(rounds, {
    bare: async () => (await run(process.execPath, ["-e", "0"])).milliseconds,
    armed: () => arm(workplace),
  });
  const peer = bpftrace ? await interleave(3, { bpftrace: () => startBpftrace(workplace) }) : undefined;
  const value = ratioOf(measured.armed, measured.bare);
  return {
    title: "From exec to armed, one probe",
    rows: [
      { what: "node -e 0", measured: milliseconds(measured.bare) },
      {
        what: `uscope trace './loop:g "%d", arg1'`,
        measured: milliseconds(measured.armed),
        ratio: { value, of: "node -e 0" },
        bar: atMost(2, value),
      },
      {
        what: "bpftrace -c './loop 1 g', until the command has run",
        measured: peer === undefined ? "not installed" : milliseconds(peer.bpftrace),
        ratio:
          peer === undefined
            ? undefined
            : { value: medianOf(peer.bpftrace) / medianOf(measured.bare), of: "node -e 0" },
      },
    ],
    notes: [`medians of ${rounds} interleaved rounds; bpftrace of 3`],
  };
}

async function arm(workplace: Workplace): Promise<number> {
  const tracer = start(uscope[0], [uscope[1], "trace", `${workplace.loop}:g "%d", arg1`]);
  const { milliseconds } = await tracer.until(/armed \d+ place/);
  await tracer.stop();
  return milliseconds;
}

function milliseconds(values: readonly number[]): string {
  return `${medianOf(values).toFixed(0)} ms`;
}
