/** Owns what a trace says of itself once it is prepared: probes, places, what was left out. Does not own how it was prepared. */
import type { TracedProbe, TracedSite } from "./probe.js";
import type { AttachWay } from "./way.js";

/** A place that was asked for and is not armed. */
export interface SkippedPlace {
  /** The number of the probe that asked for it. */
  readonly probe: number;
  readonly name: string;
  readonly reason: string;
}

export interface Plan {
  readonly probes: readonly TracedProbe[];
  readonly sites: readonly TracedSite[];
  readonly armed: {
    readonly places: number;
    readonly files: number;
    readonly way: AttachWay;
    /** Processes that are traced; empty: all. */
    readonly pids: readonly number[];
  };
  readonly skipped: readonly SkippedPlace[];
  /** What a person should know about the targets. */
  readonly notes: readonly string[];
  /** With `verbose`, per probe: sites, tree, IR, bytecode. */
  readonly dumps: readonly string[];
}
