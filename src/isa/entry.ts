/**
 * Owns the question what a uprobe at one instruction means: how long it is, what a hit costs, whether it may be armed.
 * Does not own whole functions (function.ts), nor times in nanoseconds (target/cost.ts).
 */
import { unreachable } from "../base/assert.js";
import { classifyArm64 } from "./arm64-uprobe.js";
import type { InstructionClass, KernelRelease, Machine } from "./instruction-class.js";
import { decodeX86 } from "./x86-decode.js";
import { classifyX86 } from "./x86-uprobe.js";

export interface InstructionPlace {
  /** The kernel that would arm it; by default the newest that was measured. */
  readonly release?: KernelRelease;
  /** File offset or address: only its place within the page counts. */
  readonly position?: number;
}

/** Classifies the instruction at the start of the bytes (give 15 of them, or what is left of the segment). */
export function classifyInstruction(
  machine: Machine,
  bytes: Uint8Array,
  place: InstructionPlace = {},
): InstructionClass {
  const release = place.release ?? measuredRelease;
  switch (machine) {
    case "x86-64": {
      const instruction = decodeX86(bytes);
      if (instruction === undefined) return { length: undefined, cost: "stepped" };
      return classifyX86(instruction, release, pageBytes - ((place.position ?? 0) % pageBytes));
    }
    case "arm64":
      return classifyArm64(bytes, release);
    default:
      return unreachable(machine);
  }
}

/** Enough bytes to hold any instruction of either machine. */
export const longestInstruction = 15;

const measuredRelease: KernelRelease = { major: 6, minor: 18 };
const pageBytes = 4096;
