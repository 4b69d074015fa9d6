/**
 * Owns the fourth question: arming every function of a large, running program by one pattern.
 * Does not own what a hit there costs. The program is a private copy of node, so nothing else is touched.
 */
import { askBpftraceForAll, findPeers } from "./peers.js";
import { start } from "./processes.js";
import { interleave, medianOf } from "./statistics.js";
import { atMost } from "./table.js";
import type { Section } from "./table.js";
import { uscope } from "./workplace.js";
import type { Workplace } from "./workplace.js";

const rounds = 5;

/** Measures from exec until all places are armed, and until they are released. */
export async function measureManyPlaces(workplace: Workplace): Promise<Section> {
  const target = start(workplace.node, ["-e", "setInterval(() => {}, 1 << 30); console.log('up')"]);
  await target.until(/up/);
  const released: number[] = [];
  let words = "";
  const measured = await interleave(rounds, {
    armed: async () => {
      const pattern = `${workplace.node}:*`;
      const tracer = start(uscope[0], [uscope[1], "trace", "-p", String(target.pid), pattern], "ignore");
      const { match, milliseconds } = await tracer.until(/armed (\d+) places.*/);
      words = match[0].replaceAll(String(target.pid), "PID");
      const finished = await tracer.stop();
      released.push(finished.milliseconds - milliseconds);
      return milliseconds;
    },
  });
  await target.stop();
  const seconds = medianOf(measured.armed) / 1000;
  return {
    title: "All functions of a running node by one pattern",
    rows: [
      {
        what: "uscope trace -p PID './node:*', from exec to armed",
        measured: `${seconds.toFixed(2)} s`,
        bar: atMost(1.2, seconds, "<= 1.2 s"),
      },
      { what: "  what it says", measured: words },
      { what: "  from SIGTERM to the end", measured: `${(medianOf(released) / 1000).toFixed(2)} s` },
      {
        what: "bpftrace, the same pattern",
        measured: findPeers().bpftrace ? await askBpftraceForAll(workplace.node) : "not installed",
      },
    ],
    notes: [`medians of ${rounds} rounds`],
  };
}
