/**
 * Owns what is known of a machine before anything is traced, as plain data: kernel, features, steps, privileges.
 * Does not own what follows from it for a person (tools/verdict.ts) nor how a step is tried (rehearsal.ts).
 */
import { existsSync } from "node:fs";
import { machine, release } from "node:os";
import { UnsupportedError } from "../base/errors.js";
import type { ErrorLines } from "../base/errors.js";
import { Features, features } from "../kernel/features.js";
import type { Availability, FeatureName } from "../kernel/features.js";
import { missingCapabilities, purposes, readPrivileges } from "../kernel/privileges.js";
import type { Privileges } from "../kernel/privileges.js";
import { knowsUprobeMulti } from "../kernel/uprobes.js";
import { inInitialPidNamespace } from "./pid-namespace.js";
import { rehearse, steps } from "./rehearsal.js";
import type { StepName } from "./rehearsal.js";

export type { Availability, FeatureName, Privileges, StepName };

export interface FeatureReport {
  readonly name: FeatureName;
  /** The first mainline kernel that has it. */
  readonly since: string;
  readonly usedFor: string;
  readonly availability: Availability;
}

/** A step of a trace that this process has just tried. */
export interface StepReport {
  readonly name: StepName;
  readonly usedFor: string;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly kind: "worked" }
  /** Not tried: the kernel lacks what it stands on. */
  | { readonly kind: "no feature"; readonly feature: FeatureReport }
  /** Refused, and these capabilities are not held where the kernel looks for them. */
  | { readonly kind: "capabilities"; readonly missing: readonly string[]; readonly refusal: ErrorLines }
  /** Refused for another reason, in the refusal's words. */
  | { readonly kind: "refused"; readonly refusal: ErrorLines };

export interface Machine {
  readonly kernel: { readonly release: string; readonly architecture: string };
  readonly node: string;
  /** Effective user id. */
  readonly uid: number;
  /** Kernel: programs see the process ids of the initial pid namespace, whatever this process calls them. */
  readonly initialPidNamespace: boolean;
  /** Why the addon cannot be loaded; then no feature and no step was tried, and both lists are empty. */
  readonly broken: ErrorLines | undefined;
  readonly features: readonly FeatureReport[];
  readonly steps: readonly StepReport[];
  readonly privileges: Privileges;
  /** The capabilities that any step asks for. */
  readonly relevantCapabilities: readonly string[];
}

/**
 * Asks the kernel by trying, and leaves nothing behind; takes up to half a second, in which the kernel lets go of probes.
 * Throws an UnsupportedError where /proc is not mounted: then nothing can be said.
 */
export function readMachine(): Machine {
  requireProc();
  const privileges = readPrivileges();
  const broken = findBroken();
  const known = broken === undefined ? readFeatures() : [];
  return {
    kernel: { release: release(), architecture: machine() },
    node: process.version,
    uid: process.geteuid?.() ?? 0,
    initialPidNamespace: inInitialPidNamespace(),
    broken,
    features: known,
    steps: broken === undefined ? readSteps(known, privileges) : [],
    privileges,
    relevantCapabilities: [...new Set(steps.flatMap(({ name }) => purposes[name].needs.flat()))].sort(),
  };
}

/** Says whether a kernel's release is that version or a later one. */
export function isAtLeast(release: string, version: string): boolean {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function requireProc(): void {
  if (existsSync("/proc/self/status")) return;
  throw new UnsupportedError({
    what: "/proc is not mounted, so that neither processes nor privileges can be seen",
    at: "/proc/self/status",
    fix: "mount -t proc proc /proc",
  });
}

function findBroken(): ErrorLines | undefined {
  try {
    knowsUprobeMulti();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError) return error;
    throw error;
  }
}

function readFeatures(): FeatureReport[] {
  const known = new Features();
  return (Object.keys(features) as FeatureName[])
    .map((name) => ({
      name,
      since: features[name].since,
      usedFor: features[name].usedFor,
      availability: availabilityOf(known, name),
    }))
    .sort((left, right) => compareVersions(left.since, right.since));
}

function availabilityOf(known: Features, name: FeatureName): Availability {
  try {
    return known.availability(name);
  } catch (error) {
    // Why: where /sys is not mounted the kernel's word about itself is missing, and with it the feature.
    if (isSystemError(error)) return "no";
    throw error;
  }
}

function readSteps(known: readonly FeatureReport[], privileges: Privileges): StepReport[] {
  return steps.map((step) => {
    return { name: step.name, usedFor: step.usedFor, outcome: readOutcome(step, known, privileges) };
  });
}

function readOutcome(
  { name, feature: needed }: (typeof steps)[number],
  known: readonly FeatureReport[],
  privileges: Privileges,
): Outcome {
  const feature = known.find((report) => report.name === needed);
  if (feature?.availability === "no") return { kind: "no feature", feature };
  const refusal = rehearse(name, privileges);
  if (refusal === undefined) return { kind: "worked" };
  const missing = missingCapabilities(privileges, name);
  return missing.length > 0 ? { kind: "capabilities", missing, refusal } : { kind: "refused", refusal };
}

function compareVersions(left: string, right: string): number {
  return isAtLeast(left, right) ? (isAtLeast(right, left) ? 0 : 1) : -1;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
