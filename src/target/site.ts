/**
 * Owns the site: one place in one file at which a probe stands, and all that compiler, kernel and printer must know of it.
 * Does not own how sites are found (places.ts) nor what a probe does there.
 */
import type { FileOffset, VirtualAddress } from "../base/bytes.js";
import type { HitCost } from "../isa/instruction-class.js";
import type { Binary } from "./binary.js";

export interface Site {
  /** The file, by the descriptor through which it was read. */
  readonly binary: Binary;
  readonly offset: FileOffset;
  /** As the file's symbols give it. */
  readonly address: VirtualAddress;
  readonly role: SiteRole;
  /** How the kernel is asked: at the place itself, or at the return of the function that starts there. */
  readonly trap: "uprobe" | "uretprobe";
  /** The counter that the program looks at to know that it is watched. */
  readonly semaphore: FileOffset | undefined;
  /** Index into the resolution's layouts. */
  readonly layout: number;
  /** As linked, the one that was asked for first, then its aliases. Empty where no symbol is known. */
  readonly names: readonly string[];
  /** How the kernel gets over the instruction. */
  readonly cost: HitCost;
}

export type SiteRole = "entry" | "inside" | "return" | "tail-jump" | "marker";

/** A place that was asked for and is not armed. */
export interface SkippedSite {
  readonly name: string;
  readonly address: VirtualAddress;
  /** A sentence without a full stop. */
  readonly reason: string;
  /** What a person can do instead. */
  readonly alternative: string;
}
