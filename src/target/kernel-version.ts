/**
 * Owns which kernel runs here, as numbers. Does not own what it can do: see kernel/features.ts.
 */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import type { Machine } from "../isa/instruction-class.js";

export interface KernelVersion {
  /** As `uname -r` says. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly machine: Machine;
  /** Whether programs can have shadow stacks (CET): `user_shstk` in /proc/cpuinfo, which kernels show since 6.6. */
  readonly hasShadowStacks: boolean;
}

/** Reads the running kernel's version. */
export function readKernelVersion(): KernelVersion {
  const text = release();
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text)?.slice(1) ?? []).map(
    (part) => Number(part ?? 0),
  );
  return {
    text,
    major,
    minor,
    patch,
    machine: process.arch === "arm64" ? "arm64" : "x86-64",
    // Why a getter: the file is long on large machines, and few kernels need the answer.
    get hasShadowStacks() {
      return /^flags\s*:.*\buser_shstk\b/m.test(readFileSync("/proc/cpuinfo", "latin1"));
    },
  };
}
