/**
 * Owns what a person should know of the places that are traced before their events come.
 * Does not own what was left out (plan.ts) nor notes about the filter (filter.ts).
 */
import { argumentsRead } from "../lang/arguments.js";
import type { ParsedProbe } from "../lang/probe.js";
import type { ResolvedProbe } from "../target/resolve.js";
import type { Site } from "../target/site.js";
import { filterNotes } from "./filter.js";
import { pairsOf } from "./pairs.js";
import type { ProbePart } from "./parts.js";
import type { PrepareRequest } from "./prepare.js";

/** What the notes are about; `slow`: what is said of the way of attaching. */
export interface Noted {
  readonly request: PrepareRequest;
  readonly parts: readonly ProbePart[];
  readonly resolved: readonly ResolvedProbe[];
  readonly slow: string | undefined;
}

/** One sentence each, none twice. */
export function notesOf({ request, parts, resolved, slow }: Noted): readonly string[] {
  // Why not of spans: they count what is too deep.
  const isReturnSeen = resolved.some(
    ({ sites }, number) => parts[number]!.role === "whole" && sites.some(({ trap }) => trap === "uretprobe"),
  );
  const notes = [
    ...resolved.flatMap((target) => target.notes),
    ...parts.flatMap(({ pair }, number) => (pair === "by name" ? pairNotes(resolved[number]!) : [])),
    ...resolved.flatMap(({ sites }, number) => argumentNotes(parts[number]!.parsed, sites)),
    slow,
    ...filterNotes(request),
    isReturnSeen ? deepReturns : undefined,
    request.stacks.kernel ? noKernelStack : undefined,
  ];
  return [...new Set(notes.filter((note) => note !== undefined))];
}

/** Pairs that are named; more are counted. */
const namedPairs = 5;

/** Why: which marker ends another one is guessed by their names. */
function pairNotes({ sites }: ResolvedProbe): string[] {
  const pairs = pairsOf(sites);
  if (pairs.length === 0) return [];
  const more = pairs.length > namedPairs ? ` and ${pairs.length - namedPairs} more` : "";
  return [
    `${pairs.length === 1 ? "the pair is" : "the pairs are"} ${pairs.slice(0, namedPairs).join(", ")}${more}`,
  ];
}

/** Behind a function's first instruction the registers of the arguments may have been used for other things. */
function argumentNotes({ tree }: ParsedProbe, sites: readonly Site[]): string[] {
  if (argumentsRead(tree).size === 0 || !sites.some(({ role }) => role === "inside")) return [];
  return [
    "inside a function, arguments are read from their registers as they are by then: they may hold other values already",
  ];
}

/** Kernel: MAX_URETPROBE_DEPTH, kernel/events/uprobes.c: the depth counts the calls of all probed returns of a thread. */
const deepReturns =
  "returns are seen 64 calls deep in each thread; probed calls below return unseen and uncounted";

const noKernelStack = "-K: at a place in user space the kernel has no stack of its own, so none is shown";
