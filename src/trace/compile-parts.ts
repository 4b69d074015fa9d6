/**
 * Owns compiling the programs of a request's probes, and what each is compiled with. Does not own finding places (prepare.ts) nor
 * files that come later (growth.ts).
 */
import { UsageError } from "../base/errors.js";
import { Features } from "../kernel/features.js";
import { compileProbe } from "../lang/compile.js";
import type { CompiledProbe } from "../lang/compile.js";
import { mostFrames } from "../lang/event.js";
import type { CompileOptions, ProcessFilter } from "../lang/options.js";
import type { KeptLayout } from "../lang/span.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { ProbePart } from "./parts.js";
import { findNamespaceIds } from "./pid-namespace.js";
import type { PrepareRequest } from "./prepare.js";
import type { AttachWay } from "./way.js";

/** What a part is compiled with; `kept`: what the entry of its span keeps. */
export type OptionsOf = (part: ProbePart, number: number, kept: KeptLayout | undefined) => CompileOptions;

/** Compiles all parts; entries of spans first, since their returns read what they keep. */
export function compileParts(
  parts: readonly ProbePart[],
  resolved: readonly ResolvedProbe[],
  optionsOf: OptionsOf,
): CompiledProbe[] {
  const compile = (number: number, kept?: KeptLayout): CompiledProbe => {
    const part = parts[number]!;
    return compileProbe(part.parsed, { resolve: () => resolved[number]! }, optionsOf(part, number, kept));
  };
  const entries = new Map<number, CompiledProbe>();
  parts.forEach(({ role, probe }, number) => {
    if (role === "span-entry") entries.set(probe, compile(number));
  });
  return parts.map(({ role, probe }, number) =>
    role === "span-entry" ? entries.get(probe)! : compile(number, entries.get(probe)?.kept),
  );
}

/** What all parts of a request are compiled with alike; `number` is that of the part. */
export function compileOptions(
  request: PrepareRequest,
  filter: ProcessFilter,
  part: ProbePart,
  number: number,
  way: AttachWay,
): CompileOptions {
  const isScript = typeof request.probes[part.probe] !== "string";
  return {
    textLimit: request.textLimit,
    columns: {
      cpu: !isScript && request.cpuColumn,
      comm: !isScript,
      uid: false,
      namespaceIds: !isScript && request.namespaceIds === true ? findNamespaceIds() : undefined,
    },
    // Kernel: a uprobe is hit by user code, whose registers lead to no kernel stack (get_perf_callchain, user_mode(regs)).
    stacks: { user: !isScript && request.stacks.user ? mostFrames : 0, kernel: 0 },
    filter,
    // Kernel: every kernel with uprobe_multi (6.6) takes sleepable programs for it; for the PMU it is tried.
    sleepable: way === "uprobe_multi" || new Features().has("sleepable programs"),
    firstProbe: number,
    countsReached: request.budgetPercent !== undefined,
    ring: { wakeBytes: Math.min(1 << 20, ringBytes(request) / 8) },
  };
}

/** 75,000 small events: 40 ms of a thread that does nothing but hit a probe. */
const defaultRingBytes = 4 << 20;

/** Bytes of the ring buffer. Throws a UsageError for a number of pages that is none. */
export function ringBytes({ bufferPages }: PrepareRequest): number {
  if (bufferPages === undefined) return defaultRingBytes;
  if ((bufferPages & (bufferPages - 1)) === 0 && bufferPages <= 1 << 18) return bufferPages * 4096;
  throw new UsageError({
    what: `${bufferPages} pages are no power of two up to 262144`,
    at: "the size of the ring buffer (bufferPages, -b)",
    fix: "for example 4096, which is 16 MiB",
  });
}
