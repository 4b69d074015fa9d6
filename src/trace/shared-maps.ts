/**
 * Owns the maps of a session: those that all probes share, one for each aggregate, and one for each span.
 * Does not own making them (kernel/) nor their layouts (lang/).
 */
import { assert } from "../base/assert.js";
import type { MapSpec } from "../bpf/spec.js";
import type { CompiledProbe } from "../lang/compile.js";
import { countersMap, eventsMap } from "../lang/maps.js";
import type { CompileOptions } from "../lang/options.js";
import type { KeptLayout } from "../lang/span.js";
import type { ProbePart } from "./parts.js";
import type { SharedObjects } from "./script/handed.js";

/** Why a number above them all: those of spans in the map `drops` stand behind those of the aggregates, which are not all known yet. */
const mostAggregates = 256;

/** The map of an aggregate by its number. */
export function aggregateMap(number: number): string {
  return `aggregate_${number}`;
}

/** The number in the map `drops` that counts returns of a span whose entry was not kept. */
export function missedReturns(probe: number): number {
  return mostAggregates + probe;
}

/** What the compiler must know of the maps that a part shares with others; `kept`: what the entry of its span keeps. */
export function sharedOptions(
  { aggregates, role, probe }: ProbePart,
  shared: SharedObjects,
  kept: KeptLayout | undefined,
): Pick<CompileOptions, "aggregates" | "span"> {
  const numbered = aggregates.map((aggregate) => {
    const number = shared.requireNumber(aggregate);
    return { map: aggregateMap(number), spec: aggregate.spec, number };
  });
  const span = { map: `span_${probe}`, number: missedReturns(probe) };
  if (role === "whole") return { aggregates: numbered };
  if (role === "span-entry") return { aggregates: numbered, span: { ...span, role: "entry" } };
  assert(kept !== undefined, "the return of a span before its entry");
  return { aggregates: numbered, span: { ...span, role: "return", kept } };
}

/** The maps of a session: each that any program uses, as large as the largest of them needs it. `ring`: bytes of the ring buffer. */
export function sessionMaps(compiled: readonly CompiledProbe[], ring: number): readonly MapSpec[] {
  const joined = new Map<string, MapSpec>();
  for (const map of compiled.flatMap(({ maps }) => maps)) {
    const known = joined.get(map.name) ?? map;
    joined.set(map.name, {
      ...map,
      entries: Math.max(map.entries, known.entries),
      valueBytes: Math.max(map.valueBytes, known.valueBytes),
    });
  }
  return [...joined.values()].map((map) => {
    if (map.name === eventsMap) return { ...map, entries: ring };
    return map.name === countersMap ? { ...map, entries: compiled.length } : map;
  });
}
