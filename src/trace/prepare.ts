/**
 * Owns the way from probes to what a session loads and arms: read, resolve, compile, number the sites.
 * Does not own the kernel objects (session.ts) nor the run (run.ts).
 */
import { UnsupportedError } from "../base/errors.js";
import type { CompiledProbe } from "../lang/compile.js";
import { holdsStack } from "../lang/aggregates.js";
import { usesPidMap } from "../lang/options.js";
import type { ProcessFilter } from "../lang/options.js";
import { predictCost } from "../target/cost.js";
import { mayBeMapped } from "../target/mapped-binaries.js";
import { requireProcess } from "../target/process.js";
import { TargetResolver } from "../target/resolve.js";
import type { ResolvedProbe } from "../target/resolve.js";
import { Symbolizer } from "../target/symbolize.js";
import { compileOptions, compileParts, ringBytes } from "./compile-parts.js";
import type { OptionsOf } from "./compile-parts.js";
import { findDepth } from "./depth.js";
import { holdsUserAddresses, holdsUserStacks } from "./events.js";
import { requireProcessOf, resolveFilter } from "./filter.js";
import { growthOf } from "./growth.js";
import type { Growth } from "./growth.js";
import { siteRoom } from "./late-probes.js";
import { launcherComm } from "./launch.js";
import { printProbe } from "./explain.js";
import { notesOf } from "./notes.js";
import { joinPairs } from "./pairs.js";
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
  /** The first word of that command: what a marker without a library is looked for in. */
  readonly program?: string | undefined;
  /** Bytes of each text at most. */
  readonly textLimit: number;
  readonly stacks: { readonly user: boolean; readonly kernel: boolean };
  readonly cpuColumn: boolean;
  /** Events say what their process and thread are called in their own pid namespace. */
  readonly namespaceIds?: boolean;
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
  readonly parts: readonly Pick<ProbePart, "probe" | "role" | "pair">[];
  /** Nanoseconds of one hit, per part: at its dearest place. */
  readonly costs: readonly number[];
  readonly symbolizer: Symbolizer;
  /** Events or keys hold addresses of traced processes. */
  readonly isNaming: boolean;
  /** Aggregates and tunables, by their numbers. */
  readonly shared: SharedObjects;
  /** What files that are mapped later may add; undefined where none can. */
  readonly growth: Growth | undefined;
  /** Where a probe looked, for when it sees nothing. */
  searched(probe: number): SilentProbe;
}

/** Prepares everything that needs no privileges but to read; throws what parser, target or compiler throw. */
export async function prepare(request: PrepareRequest): Promise<Prepared> {
  const { parts, shared } = await readParts(request.probes, { byteLists: request.byteLists ?? false });
  // Why each once: a process that is armed twice reports a hit twice.
  const pids = request.tid === undefined ? [...new Set(request.pids)] : [requireProcessOf(request.tid)];
  const way = chooseWay(request.attach, request.kernel ?? thisKernel);
  // Why: a launcher still is the shell that waits; what it maps says nothing of the command.
  const resolver = new TargetResolver({
    pids: request.launched ? [] : pids,
    force: request.force,
    program: request.program,
    awaits: pids.length > 0,
  });
  const symbolizer = new Symbolizer();
  try {
    const resolved: ResolvedProbe[] = [];
    for (const { parsed } of parts) {
      const target = await resolver.resolveSites(parsed.tree.selector);
      requireOwnMachine(target);
      resolved.push(target);
    }
    joinPairs(parts, resolved);
    const launched = request.launched && launcherMayHit(pids, resolved);
    const filter = resolveFilter({ ...request, pids, launched });
    const isSpan = parts.some(({ role }) => role === "span-entry");
    const sharedByParts = { objects: shared, depth: isSpan ? findDepth() : undefined };
    const room = siteRoom({ ...request, pids, parts, resolved });
    const optionsOf: OptionsOf = (part, number, kept) => ({
      ...compileOptions(request, filter, part, number, way),
      ...sharedOptions(part, sharedByParts, kept),
      sites: room,
    });
    const compiled = compileParts(parts, resolved, optionsOf);
    const isNaming = compiled.some(({ event }) => holdsUserAddresses(event)) || hasStackKeys(shared);
    if (isNaming) {
      requireNameableAddresses();
      for (const pid of pids) symbolizer.warm(pid);
    }
    return assemble(request, {
      parts,
      shared,
      resolved,
      compiled,
      optionsOf,
      room,
      filter,
      pids,
      way,
      resolver,
      symbolizer,
      isNaming,
    });
  } catch (error) {
    symbolizer[Symbol.dispose]();
    resolver[Symbol.dispose]();
    throw error;
  }
}

function hasStackKeys({ aggregates }: SharedObjects): boolean {
  return aggregates.some(({ spec }) => holdsStack(spec));
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
    const mappings = shell.mappings();
    const binaries = new Set(resolved.flatMap(({ sites }) => sites.map(({ binary }) => binary)));
    return [...binaries].some((binary) => mappings.some((mapping) => mayBeMapped(mapping, binary)));
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

interface Parts {
  readonly parts: readonly ProbePart[];
  readonly shared: SharedObjects;
  /** What a file that is mapped later adds is added to these two. */
  readonly resolved: ResolvedProbe[];
  readonly compiled: CompiledProbe[];
  readonly optionsOf: OptionsOf;
  readonly room: number;
  readonly filter: ProcessFilter;
  readonly pids: readonly number[];
  readonly way: AttachWay;
  readonly resolver: TargetResolver;
  readonly symbolizer: Symbolizer;
  readonly isNaming: boolean;
}

function assemble(request: PrepareRequest, given: Parts): Prepared {
  const { parts, shared, resolved, compiled, filter, pids, way, resolver, symbolizer, isNaming } = given;
  const probes = request.probes.map((asked, number) =>
    tracedProbe(asked, number, parts[number]!, compiled[number]!),
  );
  // Why: a link's pid covers no children, and each process would need a link of its own.
  const linkedPids = filter.children === undefined && !usesPidMap(filter) ? pids : [];
  const needsCallers = compiled.some(({ event }) => holdsUserStacks(event)) || hasStackKeys(shared);
  const { sites, attachments } = placeSites(probes, {
    parts,
    resolved,
    compiled,
    needsCallers,
    isEverywhere: linkedPids.length === 0,
    // Why not the users of the file alone: a command that is not started yet uses none.
    pidsOf: (target, binary) =>
      linkedPids.filter((pid) => request.launched || target.users.get(binary)?.includes(pid)),
  });
  const kernel = request.kernel ?? thisKernel;
  const slow = way === "pmu" ? weighPmu(countPlaces(attachments), kernel) : undefined;
  // Why a copy: files that come later are added to what is resolved.
  const first = resolved.map(({ users }) => new Set(users.keys()));
  const growth = growthOf({
    ...given,
    probes,
    sites,
    attachments,
    needsCallers,
    linkedPids,
    launched: request.launched,
    children: request.children,
    describe: (number, program) => tracedProbe(request.probes[number]!, number, parts[number]!, program),
  });
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
    isNaming,
    shared,
    parts,
    growth,
    searched(probe) {
      const { selector } = parts[probe]!.parsed.tree;
      const binaries = [...new Set(resolved[probe]!.sites.map(({ binary }) => binary))];
      const isFunction = selector.kind === "function";
      const isMarker = selector.kind === "marker";
      return {
        binaries,
        symbol: isFunction ? selector.symbol : undefined,
        late: binaries.filter((binary) => !first[probe]!.has(binary)),
        near: growth?.near(probe) ?? [],
        markers: isMarker ? [...new Set(resolved[probe]!.sites.flatMap(({ names }) => names))] : [],
        passed: isMarker ? "marker" : isFunction && selector.at === "return" ? "return" : "place",
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
  const { event, template, shown, shapeField, shapeFields } = compiled;
  const isScript = typeof asked !== "string";
  return {
    number,
    text: isScript ? asked.target : asked,
    event,
    template,
    ...(shown === undefined ? {} : { shown }),
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
