/**
 * Owns how two places are named as the ends of a span: `u:LIBRARY:BEGIN..END`, `PLACE..[pru]:PLACE`, or a marker whose end its name
 * tells. Does not own what a place is called (lang/oneliner/selector.ts).
 */
import { UsageError } from "../base/errors.js";
import { parse } from "../lang/compile.js";
import type { Selector } from "../lang/tree.js";

/** The two ends of a span, each as in `uscope trace`. */
export interface SpanEnds {
  /** Where it begins. */
  readonly from: string;
  /** Where it ends; without it the marker that belongs to `from` by its name: query__start is ended by query__done. */
  readonly to?: string;
}

/** Parses a target as two ends; undefined where it names functions, whose entry and return are the ends. */
export function parseEnds(target: string): SpanEnds | undefined {
  const [, from, to] = /^(.+?)\.\.([pru]:.+)$/s.exec(target) ?? [];
  if (from !== undefined && to !== undefined) return { from, to };
  if (!target.startsWith("u:")) return undefined;
  // Why behind the last colon: a path has dots of its own.
  const [, place, begin, end] = /^(.*:)([^:/]+?)\.\.([^:/.][^:/]*)$/s.exec(target) ?? [];
  if (place === undefined || end === undefined) return { from: target };
  return { from: `${place}${begin}`, to: `${place}${end}` };
}

/** Prints two ends as one target. */
export function printEnds({ from, to }: SpanEnds): string {
  return to === undefined ? from : `${from}..${to}`;
}

/** The places of both ends. */
export function selectorsOf({ from, to }: SpanEnds): { readonly begin: Selector; readonly end: Selector } {
  const begin = parse(from).tree.selector;
  if (to !== undefined) return { begin, end: parse(to).tree.selector };
  if (begin.kind !== "marker")
    throw new UsageError({
      what: `where does what begins at ${from} end?`,
      at: "span",
      fix: `name the end: { from: "${from}", to: ... }; of a function, entry to return: span("${from}", ...)`,
    });
  return { begin: { ...begin, half: "begin" }, end: { ...begin, half: "end" } };
}
