/**
 * Owns the way from probes to what a session loads and arms: read, resolve, compile, number the sites.
 * Does not own the kernel objects (session.ts) nor the run (run.ts).
 */
import { UnsupportedError, UsageError } from "../base/errors.js";
import { Features } from "../kernel/features.js";
import { compileProbe } from "../lang/compile.js";
import type { CompiledProbe } from "../lang/compile.js";
import type { KeptLayout } from "../lang/span.js";
import { usesPidMap } from "../lang/options.js";
import type { CompileOptions, ProcessFilter } from "../lang/options.js";
import { predictCost } from "../target/cost.js";
import { requireProcess } from "../target/process.js";
import { TargetResolver } from "../target/resolve.js";
import type { ResolvedProbe } from "../target/resolve.js";
import { Symbolizer } from "../target/symbolize.js";
import { findDepth } from "./depth.js";
import { holdsUserAddresses } from "./events.js";
import { requireProcessOf, resolveFilter } from "./filter.js";
import { launcherComm } from "./launch.js";
import { printProbe } from "./explain.js";
import { notesOf } from "./notes.js";
import { readParts } from "./parts.js";
import type { AskedProbe, ProbePart } from "./parts.js";
import { requireNameableAddresses } from "./pid-namespace.js";
import type { Plan, SkippedPlace } from "./plan.js";
import type { TracedProbe } from "./probe.js";
import type { SharedObjects } from "./script/handed.js";
import type { Attachment, SessionRequest } from "./session.js";
import { sessionMaps, sharedOptions } from "./shared-maps.js";
import type { SilentProbe } from "./silence.js";
import { placeSites } from "./sites.js";
import { chooseWay, thisKernel, weighPmu } from "./way.js";
import type { AttachWay, KernelWays } from "./way.js";

export interface PrepareRequest {
  readonly probes: readonly AskedProbe[];
  readonly pids: readonly number[];
  readonly tid?: number | undefined;
  readonly uid?: number | undefined;
  readonly cgroup?: string | undefined;
  readonly children: boolean;
  readonly includeSelf: boolean;
  /** The pid is that of a launcher that has not become its command yet. */
  readonly launched: boolean;
  /** Bytes of each text at most. */
  readonly textLimit: number;
  readonly stacks: { readonly user: boolean; readonly kernel: boolean };
  readonly cpuColumn: boolean;
  /** Names of hazards that a person insists on. */
  readonly force: readonly string[];
  /** Percent of one core that the probes may cost the traced programs. */
  readonly budgetPercent?: number | undefined;
  /** undefined: the best that this kernel has. */
  readonly attach: AttachWay | undefined;
  /** Another kernel than the one that runs here, as far as attaching goes. */
  readonly kernel?: KernelWays;
  /** Size of the ring buffer in pages of 4096 bytes, a power of two. */
  readonly bufferPages: number | undefined;
  readonly statistics: boolean;
  /** STRCMP("{0x6c, 0x00}", pointer) compares these bytes, not that text. */
  readonly byteLists?: boolean;
}

export interface Prepared extends Disposable {
  readonly plan: Plan;
  readonly session: SessionRequest;
  /** The programs of the probes, by their numbers: the one with its events is a probe's number too. */
  readonly parts: readonly Pick<ProbePart, "probe" | "role">[];
  /** Nanoseconds of one hit, per part: at its dearest place. */
  readonly costs: readonly number[];
  readonly symbolizer: Symbolizer;
  /** Aggregates and tunables, by their numbers. */
  readonly shared: SharedObjects;
  /** Where a probe looked, for when it sees nothing. */
  searched(probe: number): SilentProbe;
}

/** Frames of a stack at most. Kernel: kernel.perf_event_max_stack is 127 by default. */
const mostFrames = 127;
/** 75,000 small events: 40 ms of a thread that does nothing but hit a probe. */
const defaultRingBytes = 4 << 20;

/** Prepares everything that needs no privileges but to read; throws what parser, target or compiler throw. */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { parts, shared } = await readParts(request.probes, { byteLists: request.byteLists ?? false });
  // Why each once: a process that is armed twice reports a hit twice.
  const pids = request.tid === undefined ? [...new Set(request.pids)] : [requireProcessOf(request.tid)];
  const way = chooseWay(request.attach, request.kernel ?? thisKernel);
  // Why: a launcher still is the shell that waits; what it maps says nothing of the command.
  const resolver = new TargetResolver({ pids: request.launched ? [] : pids, force: request.force });
  const symbolizer = new Symbolizer();
  try {
    const resolved: ResolvedProbe[] = [];
    for (const { parsed } of parts) {
      const target = await resolver.resolveSites(parsed.tree.selector);
      requireOwnMachine(target);
      resolved.push(target);
    }
    const launched = request.launched && launcherMayHit(pids, resolved);
    const filter = resolveFilter({ ...request, pids, launched });
    const isSpan = parts.some(({ role }) => role === "span-entry");
    const sharedByParts = { objects: shared, depth: isSpan ? findDepth() : undefined };
    const compiled = compileParts(parts, resolved, (part, number, kept) => ({
      ...compileOptions(request, filter, part, number, way),
      ...sharedOptions(part, sharedByParts, kept),
      sites: resolved.reduce((sum, { sites }) => sum + sites.length, 0),
    }));
    if (compiled.some(({ event }) => holdsUserAddresses(event))) {
      requireNameableAddresses();
      for (const pid of pids) symbolizer.warm(pid);
    }
    return assemble(request, { parts, shared, resolved, compiled, filter, pids, way, resolver, symbolizer });
  } catch (error) {
    symbolizer[Symbol.dispose]();
    resolver[Symbol.dispose]();
    throw error;
  }
}

/** Compiles all parts; entries of spans first, since their returns read what they keep. */
function compileParts(
  parts: readonly ProbePart[],
  resolved: readonly ResolvedProbe[],
  optionsOf: (part: ProbePart, number: number, kept: KeptLayout | undefined) => CompileOptions,
): readonly CompiledProbe[] {
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

/**
 * Says whether the waiting shell itself could hit a probe before it becomes the command; then programs look away by its name.
 * Why not always: reading the thread's name costs 35 ns a hit, and the shell maps libc and little else.
 */
function launcherMayHit(pids: readonly number[], resolved: readonly ResolvedProbe[]): boolean {
  return pids.some((pid) => {
    const shell = requireProcess(pid);
    // Why: before it has its name it may still be loading its libraries.
    if (shell.status().comm !== launcherComm) return true;
    const inodes = new Set(shell.mappings().map(({ inode }) => inode));
    return resolved.some(({ sites }) => sites.some(({ binary }) => inodes.has(binary.inode)));
  });
}

/** Files of other machines can be listed; no process here runs them so that the kernel's probes would see it. */
function requireOwnMachine({ architecture, sites }: ResolvedProbe): void {
  const own = process.arch === "arm64" ? "arm64" : "x86-64";
  if (architecture === own) return;
  throw new UnsupportedError({
    what: `this file is for ${architecture}, and this machine is ${own}`,
    at: sites[0]!.binary.path,
    fix: "run uscope on a machine that runs it; under an emulator (qemu-user) its code is data for the kernel",
  });
}

function compileOptions(
  request: PrepareRequest,
  filter: ProcessFilter,
  part: ProbePart,
  number: number,
  way: AttachWay,
): CompileOptions {
  const isScript = typeof request.probes[part.probe] !== "string";
  return {
    textLimit: request.textLimit,
    columns: { cpu: !isScript && request.cpuColumn, comm: !isScript, uid: false },
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

interface Parts {
  readonly parts: readonly ProbePart[];
  readonly shared: SharedObjects;
  readonly resolved: readonly ResolvedProbe[];
  readonly compiled: readonly CompiledProbe[];
  readonly filter: ProcessFilter;
  readonly pids: readonly number[];
  readonly way: AttachWay;
  readonly resolver: TargetResolver;
  readonly symbolizer: Symbolizer;
}

function assemble(request: PrepareRequest, given: Parts): Prepared {
  const { parts, shared, resolved, compiled, filter, pids, way, resolver, symbolizer } = given;
  const probes = request.probes.map((asked, number) =>
    tracedProbe(asked, number, parts[number]!, compiled[number]!),
  );
  // Why: a link's pid covers no children, and each process would need a link of its own.
  const linkedPids = filter.children === undefined && !usesPidMap(filter) ? pids : [];
  const { sites, attachments } = placeSites(probes, {
    parts,
    resolved,
    compiled,
    needsCallers: request.stacks.user,
    isEverywhere: linkedPids.length === 0,
    // Why not the users of the file alone: a command that is not started yet uses none.
    pidsOf: (target, binary) =>
      linkedPids.filter((pid) => request.launched || target.users.get(binary)?.includes(pid)),
  });
  const kernel = request.kernel ?? thisKernel;
  const slow = way === "pmu" ? weighPmu(countPlaces(attachments), kernel) : undefined;
  return {
    plan: {
      probes,
      sites,
      armed: {
        places: sites.length,
        files: new Set(attachments.map(({ openPath }) => openPath)).size,
        way,
        pids,
      },
      skipped: skippedOf(parts, resolved),
      notes: notesOf({ request, parts, resolved, slow }),
      dumps: request.statistics ? probes.map(({ number }) => explainParts(number, given)) : [],
    },
    session: {
      maps: sessionMaps(compiled, shared, ringBytes(request)),
      attachments,
      way,
      kernel,
      members: usesPidMap(filter) ? filter.pids : [],
      statistics: request.statistics,
    },
    // Why a getter: whether this is a virtual machine stands in /proc/cpuinfo, which takes the kernel milliseconds to write.
    get costs() {
      return resolved.map(dearest);
    },
    symbolizer,
    shared,
    parts,
    searched(probe) {
      const { selector } = parts[probe]!.parsed.tree;
      const binaries = [...new Set(resolved[probe]!.sites.map(({ binary }) => binary))];
      const isFunction = selector.kind === "function";
      return {
        binaries,
        symbol: isFunction ? selector.symbol : undefined,
        isReturn: isFunction && selector.at === "return",
      };
    },
    [Symbol.dispose]() {
      symbolizer[Symbol.dispose]();
      resolver[Symbol.dispose]();
    },
  };
}

/** What each part of a probe became, the entry of a span behind its return. */
function explainParts(probe: number, { parts, resolved, compiled }: Parts): string {
  const own = parts.flatMap((part, number) =>
    part.probe === probe ? [printProbe(compiled[number]!, resolved[number]!)] : [],
  );
  return own.join("\n");
}

function tracedProbe(
  asked: AskedProbe,
  number: number,
  part: ProbePart,
  compiled: CompiledProbe,
): TracedProbe {
  const { event, template, shapeField, shapeFields } = compiled;
  const isScript = typeof asked !== "string";
  return {
    number,
    text: isScript ? asked.target : asked,
    event,
    template,
    ...(isScript ? { values: { shapes: part.shapes, shapeField, shapeFields } } : {}),
  };
}

/** What was left out, each function once: a span looks for it twice. */
function skippedOf(parts: readonly ProbePart[], resolved: readonly ResolvedProbe[]): readonly SkippedPlace[] {
  const skipped = resolved.flatMap((target, number) => {
    const { probe } = parts[number]!;
    return target.skipped.map(({ name, address, reason }) => ({ probe, name, address, reason }));
  });
  const unique = new Map(skipped.map((place) => [`${place.probe} ${place.name} ${place.address}`, place]));
  return [...unique.values()].map(({ probe, name, reason }) => ({ probe, name, reason }));
}

/** Counts a place in each process that it is armed in. */
function countPlaces(attachments: readonly Attachment[]): number {
  return attachments.reduce((sum, { sites, pids }) => sum + sites.length * Math.max(1, pids.length), 0);
}

/** Nanoseconds of one hit at the dearest place. */
function dearest({ sites }: ResolvedProbe): number {
  return sites.reduce((most, site) => Math.max(most, predictCost(site)), 0);
}

function ringBytes({ bufferPages }: PrepareRequest): number {
  if (bufferPages === undefined) return defaultRingBytes;
  if ((bufferPages & (bufferPages - 1)) === 0 && bufferPages <= 1 << 18) return bufferPages * 4096;
  throw new UsageError({
    what: `${bufferPages} pages are no power of two up to 262144`,
    at: "the size of the ring buffer (bufferPages, -b)",
    fix: "for example 4096, which is 16 MiB",
  });
}
