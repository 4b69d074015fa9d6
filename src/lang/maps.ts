/**
 * Owns the kernel maps that compiled probes share: names, shapes, and what each counter means.
 * Does not own their sizes at run time nor reading them (trace/).
 */
import type { MapSpec } from "../bpf/spec.js";
import { holdsStack, isArray, mapSpecFor, placeKey, valueBytesOf } from "./aggregates.js";
import { headerBytes } from "./event.js";
import { usesPidMap } from "./options.js";
import type { CompileOptions } from "./options.js";

export const eventsMap = "events";
export const countersMap = "counters";
export const pidsMap = "pids";
/** Per-CPU u64 by the number of an aggregate or a span: what found no room. */
export const dropsMap = "drops";
/** int64 by the number of a tunable. */
export const tunablesMap = "tunables";
/** One value that nobody writes: what new elements of aggregates are made of, where the program's stack is too small for it. */
export const zerosMap = "zeros";
/**
 * Per-CPU places where a key is put together that is too large for the program's stack:
 *
 *      u64 claim   0: free
 *      24 bytes    a record's header, for when the key is new
 *      the key, and room behind it that reading texts may overwrite
 *
 * Why claimed, and several: a program can be interrupted by another one on the same processor, in the midst of its key.
 */
export const keysMap = "keys";
export const keyRoom = { claim: 0, header: 8, key: 8 + headerBytes, slack: 8, places: 4 } as const;

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

/** Larger zeros come from the map `zeros`, smaller ones from the program's stack. */
export const mostStackZeros = 32;

/**
 * The maps of a probe, but for that of a span, with room for this probe alone. The session sets the ring's size, and makes
 * room for all its probes in `counters`, `drops`, `tunables` and `zeros`. `tunables` is how many the probe reaches.
 */
export function mapsFor(options: CompileOptions, tunables = 0): MapSpec[] {
  const { filter, firstProbe, aggregates = [], sites = 1, span, countsReached = false } = options;
  const valueBytes = countsReached ? 40 : 32;
  const maps: MapSpec[] = [
    { name: eventsMap, kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: 8 << 20 },
    { name: countersMap, kind: "percpu-array", keyBytes: 4, valueBytes, entries: firstProbe + 1 },
  ];
  if (usesPidMap(filter)) {
    maps.push({ name: pidsMap, kind: "hash", keyBytes: 4, valueBytes: 4, entries: 16_384 });
  }
  const dropping = [...aggregates, ...(span === undefined ? [] : [span])].map(({ number }) => number);
  if (dropping.length > 0) {
    maps.push({
      name: dropsMap,
      kind: "percpu-array",
      keyBytes: 4,
      valueBytes: 8,
      entries: Math.max(...dropping) + 1,
    });
  }
  if (tunables > 0)
    maps.push({ name: tunablesMap, kind: "array", keyBytes: 4, valueBytes: 8, entries: tunables });
  const large = aggregates
    .filter(({ spec }) => !isArray(spec))
    .map(({ spec }) => valueBytesOf(spec))
    .filter((bytes) => bytes > mostStackZeros);
  const stackKeys = aggregates
    .filter(({ spec }) => holdsStack(spec))
    .map(({ spec }) => placeKey(spec.key).bytes);
  if (stackKeys.length > 0) {
    const valueBytes = keyRoom.key + Math.max(...stackKeys) + keyRoom.slack;
    maps.push({ name: keysMap, kind: "percpu-array", keyBytes: 4, valueBytes, entries: keyRoom.places });
  }
  if (large.length > 0)
    maps.push({ name: zerosMap, kind: "array", keyBytes: 4, valueBytes: Math.max(...large), entries: 1 });
  for (const { map, spec } of aggregates) maps.push(mapSpecFor(spec, { name: map, sites }));
  return maps;
}
