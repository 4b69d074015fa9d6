/**
 * Owns the maps of a session: those that all probes share, one for each aggregate, and one for each span.
 * Does not own making them (kernel/) nor their layouts (lang/).
 */
import { assert } from "../base/assert.js";
import { UsageError } from "../base/errors.js";
import type { MapSpec } from "../bpf/spec.js";
import { readPossibleCpus } from "../kernel/cpus.js";
import { memoryOf } from "../lang/aggregates.js";
import type { CompiledProbe } from "../lang/compile.js";
import { countersMap, dropsMap, eventsMap, tunablesMap } from "../lang/maps.js";
import type { CompileOptions, DeepCalls } from "../lang/options.js";
import type { KeptLayout } from "../lang/span.js";
import type { ProbePart } from "./parts.js";
import type { Aggregate } from "./script/aggregate.js";
import type { SharedObjects } from "./script/handed.js";

const aggregatePrefix = "aggregate_";

/** The map of an aggregate by its number. */
export function aggregateMap(number: number): string {
  return `${aggregatePrefix}${number}`;
}

export function isAggregateMap(name: string): boolean {
  return name.startsWith(aggregatePrefix);
}

/** The number in the map `drops` that counts returns of a span whose entry was not seen: behind those of all aggregates. */
export function missedReturns(probe: number, { aggregates }: SharedObjects): number {
  return aggregates.length + 2 * probe;
}

/** The number in the map `drops` that counts calls of a span whose return the kernel will not show; of a pair, ends of what was given up. */
export function deepCalls(probe: number, shared: SharedObjects): number {
  return missedReturns(probe, shared) + 1;
}

/** What the session's parts have in common. */
export interface SharedByParts {
  readonly objects: SharedObjects;
  /** Where the kernel keeps how deep a thread is in probed calls. */
  readonly depth: Omit<DeepCalls, "number"> | undefined;
}

/** What the compiler must know of the maps that a part shares with others; `kept`: what the entry of its span keeps. */
export function sharedOptions(
  { aggregates, role, probe, pair }: ProbePart,
  { objects: shared, depth }: SharedByParts,
  kept: KeptLayout | undefined,
): Pick<CompileOptions, "aggregates" | "span"> {
  const numbered = aggregates.map((aggregate) => {
    const number = shared.requireNumber(aggregate);
    return { map: aggregateMap(number), spec: aggregate.spec, number };
  });
  const apart = pair && { number: deepCalls(probe, shared) };
  const span = { map: `span_${probe}`, number: missedReturns(probe, shared), apart };
  if (role === "whole") return { aggregates: numbered };
  // Why not of pairs: their second end is no return that the kernel may not show.
  const deep = depth && pair === undefined ? { ...depth, number: deepCalls(probe, shared) } : undefined;
  if (role === "span-entry") return { aggregates: numbered, span: { ...span, role: "entry", deep } };
  assert(kept !== undefined, "the return of a span before its entry");
  return { aggregates: numbered, span: { ...span, role: "return", kept } };
}

/** The maps of a session: each that any program uses, with room for all that is shared. `ring`: bytes of the ring buffer. */
export function sessionMaps(
  compiled: readonly CompiledProbe[],
  { aggregates, tunables }: SharedObjects,
  ring: number,
): readonly MapSpec[] {
  const cpus = readPossibleCpus();
  const joined = new Map<string, MapSpec>();
  for (const map of compiled.flatMap(({ maps }) => maps)) {
    const known = joined.get(map.name) ?? map;
    joined.set(map.name, {
      ...map,
      entries: Math.max(map.entries, known.entries),
      valueBytes: Math.max(map.valueBytes, known.valueBytes),
    });
  }
  aggregates.forEach((aggregate, number) => {
    const map = joined.get(aggregateMap(number));
    if (map !== undefined) requireRoom(aggregate, map, memoryOf(map, cpus));
  });
  return [...joined.values()].map((map) => {
    if (map.name === eventsMap) return { ...map, entries: ring };
    // Why so many: no more probes than programs.
    if (map.name === dropsMap) return { ...map, entries: aggregates.length + 2 * compiled.length };
    if (map.name === tunablesMap) return { ...map, entries: tunables.length };
    return map.name === countersMap ? { ...map, entries: compiled.length } : map;
  });
}

/** Why: the kernel takes it all when the map is made, and frees others' memory for it. */
const mostBytes = 1 << 30;

/** Throws a UsageError for an aggregate that would take the machine's memory. */
function requireRoom({ spec }: Aggregate, { entries }: MapSpec, bytes: number): void {
  if (bytes <= mostBytes) return;
  throw new UsageError({
    what: `this would take ${(bytes / 2 ** 30).toFixed(1)} GiB of the kernel's memory, for ${entries} keys`,
    at: `an aggregate (${spec.kind})`,
    fix: "give fewer entries or steps; what finds no room is counted",
  });
}
