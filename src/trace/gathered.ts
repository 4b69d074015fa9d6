/**
 * Owns what programs have counted and gathered: read from the kernel's maps while they run, and from a copy afterwards.
 * Does not own the maps (session.ts) nor what their bytes mean.
 */
import { assert } from "../base/assert.js";
import { sumPerCpu } from "../kernel/maps.js";
import type { KernelMap } from "../kernel/maps.js";
import { countersMap, dropsMap } from "../lang/maps.js";
import type { ProbeCounters } from "./probe.js";
import { isAggregateMap } from "./shared-maps.js";

/** One element of a map. */
export interface MapElement {
  readonly key: Uint8Array;
  readonly parts: readonly Uint8Array[];
}

export class Gathered {
  readonly #maps: ReadonlyMap<string, KernelMap>;
  /** What the maps held when they were copied; undefined while they are read themselves. */
  #kept: ReadonlyMap<string, readonly MapElement[]> | undefined;

  constructor(maps: ReadonlyMap<string, KernelMap>) {
    this.#maps = maps;
  }

  /** Copies all that can be read: from now on the maps may be closed. */
  keep(): void {
    const names = [...this.#maps.keys()].filter(
      (name) => name === countersMap || name === dropsMap || isAggregateMap(name),
    );
    this.#kept ??= new Map(names.map((name) => [name, this.elements(name)]));
  }

  /** What the program of a part has counted, all CPUs together. */
  counters(part: number): ProbeCounters {
    const [hits = 0n, lost = 0n, faults = 0n, filtered = 0n, reached] = this.#sums(countersMap, part);
    return { hits, lost, faults, filtered, ...(reached === undefined ? {} : { reached }) };
  }

  /** What programs have counted in the map `drops` under a number, all CPUs together. */
  drops(number: number): bigint {
    return this.#sums(dropsMap, number)[0] ?? 0n;
  }

  /** All elements of a map, of an array those that are not zero: keys, and values with one part per processor where the map has those. */
  elements(name: string): readonly MapElement[] {
    const kept = this.#kept?.get(name);
    if (kept !== undefined) return kept;
    const map = this.#requireMap(name);
    const { kind } = map.spec;
    const entries = kind === "percpu-array" || kind === "array" ? map.touchedEntries() : map.entries();
    return entries.map(({ key, value }) => ({ key, parts: partsOf(map, value) }));
  }

  /** The words of an element of an array; zeros where nobody has touched it. */
  #sums(name: string, number: number): readonly bigint[] {
    const map = this.#requireMap(name);
    assert(number < map.spec.entries, `${number} has a place in ${name}`);
    const key = u32Bytes(number);
    const found =
      this.#kept === undefined
        ? map.lookup(key)
        : this.#kept.get(name)?.find((element) => Buffer.compare(element.key, key) === 0);
    if (found === undefined) return sumPerCpu([new Uint8Array(map.spec.valueBytes)]);
    return sumPerCpu("parts" in found ? found.parts : partsOf(map, found));
  }

  #requireMap(name: string): KernelMap {
    const map = this.#maps.get(name);
    assert(map, `no map "${name}"`);
    return map;
  }
}

function partsOf(map: KernelMap, value: Uint8Array): readonly Uint8Array[] {
  const { kind } = map.spec;
  return kind === "percpu-array" || kind === "percpu-hash" ? map.splitPerCpu(value) : [value];
}

/** A number as a key. */
export function u32Bytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
