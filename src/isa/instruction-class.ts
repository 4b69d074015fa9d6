/** Owns the words for what a uprobe at an instruction means. Does not own finding it out (entry.ts). */
export type Machine = "x86-64" | "arm64";

/**
 * How the kernel gets over the instruction when a probe hits: by a call in its place, by doing the instruction's work
 * itself, or by running a copy under single-step (20 times dearer in virtual machines).
 */
export type HitCost = "nop5" | "emulated" | "stepped";

export interface InstructionClass {
  /** Bytes; undefined where the decoder does not know the instruction. */
  readonly length: number | undefined;
  readonly cost: HitCost;
  /** Why the kernel refuses a probe here (errno 524, ENOTSUPP), as a sentence without a full stop. */
  readonly refused?: string;
  /** Why the traced program would go wrong although the kernel takes the probe. */
  readonly harmful?: string;
}

export interface KernelRelease {
  readonly major: number;
  readonly minor: number;
}
