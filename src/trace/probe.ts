/** Owns what a running trace knows of its probes and sites. Does not own how they were found or are attached. */
import type { CompiledProbe } from "../lang/compile.js";
import type { EventLayout } from "../lang/event.js";
import type { ShownArgument } from "../lang/probe.js";
import type { Shape } from "../lang/script/shape.js";
import type { Template } from "../lang/template.js";
import type { SkippedPlace } from "./plan.js";

export interface TracedProbe {
  /** Its place among the probes given, and its entry in the counters map. */
  readonly number: number;
  /** As it was given. */
  readonly text: string;
  readonly event: EventLayout;
  readonly template: Template | undefined;
  /** The arguments that its events show, of a marker without a format. */
  readonly shown?: readonly ShownArgument[];
  /** How events become values, of a probe that was written as a function. */
  readonly values?: EventValues;
}

/** Where in an event the values of each shape lie. */
export interface EventValues extends Pick<CompiledProbe, "shapeField" | "shapeFields"> {
  readonly shapes: readonly Shape[];
}

/** One place of one probe; its number is its place in the session's list, and its attach cookie. */
export interface TracedSite {
  readonly probe: TracedProbe;
  /** What the FUNC column shows. */
  readonly label: string;
}

/** What the kernel side counted for one probe. */
export interface ProbeCounters {
  /** Hits in processes that the filter lets pass. */
  readonly hits: bigint;
  /** Events that found the ring buffer full. */
  readonly lost: bigint;
  /** Values that could not be read. */
  readonly faults: bigint;
  /** Hits whose predicate was false. */
  readonly filtered: bigint;
  /** Hits in every process, before the filter: what a budget is measured by. Counted only when one is given. */
  readonly reached?: bigint;
}

/** What a run could not show, or not in order. */
export interface Losses {
  /** Events handed on after a younger one. */
  readonly late: number;
  /** Addresses that could not be named. */
  readonly unresolved: number;
  /** Hits that the kernel skipped because another program ran on that CPU. */
  readonly recursionMisses: bigint;
  /** Records of what processes map that the kernel could not store: names of addresses may be missing. */
  readonly lostMappings: number;
  /** Additions to aggregates that had no room for another key. */
  readonly dropped: bigint;
  /** Returns in spans of calls whose entry was not seen: it was before the span was armed, or too many calls were open. */
  readonly missedReturns: bigint;
  /** Calls in spans that had so many probed calls above them in their thread that the kernel does not show their return. */
  readonly deepCalls: bigint;
  /** Ends of pairs whose beginning was not seen: it was before the span was armed, was left out by the program, or too many were open. */
  readonly missedEnds: bigint;
  /** Ends of pairs whose beginning was given up, since 64 others had begun after it in its thread and had not ended. */
  readonly deepPairs: bigint;
  /** Forks and ends of processes that were not seen, so that children may be missing, or strangers taken for children. */
  readonly familyChanges: number;
  /** What could not be armed of files that were mapped while the trace ran, and how many more there were. */
  readonly skippedLate: readonly SkippedPlace[];
  readonly moreSkippedLate: number;
}
