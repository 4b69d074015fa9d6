/**
 * Owns the kernel maps that compiled probes share: names, shapes, and what each counter means.
 * Does not own their sizes at run time nor reading them (trace/).
 */
import type { MapSpec } from "../bpf/spec.js";
import { usesPidMap } from "./options.js";
import type { CompileOptions } from "./options.js";

export const eventsMap = "events";
export const countersMap = "counters";
export const pidsMap = "pids";

/**
 * Where each of a probe's u64 counters lies in its value of `counters`. hits = sent + lost + filtered.
 *
 *      hits     what the process filter let through
 *      lost     no room in the ring buffer
 *      faults   reads that faulted and divisions by zero, in fields and in conditions
 *      filtered the condition did not hold (a fault in it counts here too)
 *      reached  all that came to the program, before the process filter; only there when it was asked for
 */
export const counters = { hits: 0, lost: 8, faults: 16, filtered: 24, reached: 32 } as const;

/** The maps of a probe; the session sets the ring's size, and makes room in `counters` for all its probes. */
export function mapsFor({ filter, firstProbe, countsReached = false }: CompileOptions): MapSpec[] {
  const valueBytes = countsReached ? 40 : 32;
  const maps: MapSpec[] = [
    { name: eventsMap, kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: 8 << 20 },
    { name: countersMap, kind: "percpu-array", keyBytes: 4, valueBytes, entries: firstProbe + 1 },
  ];
  if (usesPidMap(filter)) {
    maps.push({ name: pidsMap, kind: "hash", keyBytes: 4, valueBytes: 4, entries: 16_384 });
  }
  return maps;
}
