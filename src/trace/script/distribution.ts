/**
 * Owns a distribution as something to observe: a probe that is read already, and the aggregate that it fills.
 * Does not own its syntax (lang/oneliner/distribution.ts).
 */
import { parseDistribution } from "../../lang/oneliner/distribution.js";
import type { ParsedDistribution } from "../../lang/oneliner/distribution.js";
import type { Gathering } from "../../lang/oneliner/gathered.js";
import type { Counter, Histogram } from "./aggregate.js";
import type { ScriptProbe } from "./probe.js";

export type { Gathering } from "../../lang/oneliner/gathered.js";

/** A part of a counter's key. */
export type KeyValue = string | number | bigint;

interface Common extends Pick<ParsedDistribution, "label" | "values"> {
  /** As it was given. */
  readonly text: string;
  readonly probe: ScriptProbe<never>;
}

export type Distribution =
  /** Without values there is no key, and one row. */
  | (Common & { readonly gathering: "count"; readonly aggregate: Counter<readonly KeyValue[]> })
  | (Common & { readonly gathering: "histogram"; readonly aggregate: Histogram });

/** Parses a distribution; texts in keys have `textLimit` bytes at most. Throws a SourceError that holds every problem found. */
export function distribution(
  text: string,
  gathering: Gathering,
  limits: { readonly textLimit: number },
): Distribution {
  const parsed = parseDistribution(text, gathering, limits);
  const { label, values, main, entry, aggregate: spec } = parsed;
  const form =
    spec.key.length === 0
      ? ({ kind: "none" } as const)
      : ({ kind: "array", parts: spec.key.map(() => "single" as const) } as const);
  const gathered = { spec, form };
  const probe: ScriptProbe<never> = {
    target: text,
    work: { kind: "parsed", main, entry },
    using: { gathered },
    writtenAt: undefined,
  };
  // Why casts: `add` is for functions, and none is handed this aggregate.
  return gathering === "count"
    ? { text, label, values, probe, gathering, aggregate: gathered as Counter<readonly KeyValue[]> }
    : { text, label, values, probe, gathering, aggregate: gathered as Histogram };
}
