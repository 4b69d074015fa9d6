/**
 * Owns what each probe of a request is for the compiler: a one-liner or a function is one program, a span is two that belong together.
 * Does not own finding places and compiling (prepare.ts).
 */
import { UsageError, isUscopeError } from "../base/errors.js";
import { parse } from "../lang/compile.js";
import type { ParsedProbe } from "../lang/probe.js";
import type { Shape } from "../lang/script/shape.js";
import type { Selector } from "../lang/tree.js";
import { parseEnds, selectorsOf } from "./pair-targets.js";
import type { Aggregate } from "./script/aggregate.js";
import { SharedObjects } from "./script/handed.js";
import type { HandedToProbe } from "./script/handed.js";
import type { ProbeWork, ScriptProbe } from "./script/probe.js";

/** A one-liner, or a probe written as a function. */
export type AskedProbe = string | ScriptProbe;

/** One program to compile. Its number is its place among the parts, and its entry in the counters map. */
export interface ProbePart {
  /** The probe that it belongs to, by its number. */
  readonly probe: number;
  readonly role: "whole" | "span-entry" | "span-return";
  /** Of a span whose ends are two places, not those of one call: whether the second was named, or is found by the name of the first. */
  readonly pair?: "named" | "by name";
  readonly parsed: ParsedProbe;
  /** How its events become values; none for one-liners. */
  readonly shapes: readonly Shape[];
  /** By the part's own numbers. */
  readonly aggregates: readonly Aggregate[];
}

export interface PartList {
  /** The part with the events of each probe first, in the order of the probes; then the entries of spans. */
  readonly parts: readonly ProbePart[];
  readonly shared: SharedObjects;
}

/** Reads all probes of a request. Throws a SourceError for the first that is wrong. */
export async function readParts(
  probes: readonly AskedProbe[],
  spelling: { readonly byteLists: boolean },
): Promise<PartList> {
  const shared = new SharedObjects();
  const mains: ProbePart[] = [];
  const entries: ProbePart[] = [];
  for (const [probe, asked] of probes.entries()) {
    if (typeof asked === "string") {
      mains.push({ probe, role: "whole", parsed: parse(asked, spelling), shapes: [], aggregates: [] });
    } else {
      const { main, entry } = await readProbe(asked, probe, shared);
      mains.push(main);
      if (entry !== undefined) entries.push(entry);
    }
  }
  return { parts: [...mains, ...entries], shared };
}

/** The programs of one probe. */
interface ReadProbe {
  readonly main: ProbePart;
  readonly entry: ProbePart | undefined;
}

async function readProbe(asked: ScriptProbe, probe: number, shared: SharedObjects): Promise<ReadProbe> {
  const { work } = asked;
  const handed = shared.handOver(asked.using);
  if (work.kind !== "parsed") return await readScript(asked, work, probe, handed);
  const { aggregates } = handed;
  const { main, entry } = work;
  return {
    main: {
      probe,
      role: entry === undefined ? "whole" : "span-return",
      parsed: main,
      shapes: [],
      aggregates,
    },
    entry: entry && { probe, role: "span-entry", parsed: entry, shapes: [], aggregates },
  };
}

/** Why loaded only here: one-liners need no parser of JavaScript. */
async function readScript(
  asked: ScriptProbe,
  work: Exclude<ProbeWork, { kind: "parsed" }>,
  probe: number,
  { values: handed, aggregates }: HandedToProbe,
): Promise<ReadProbe> {
  const { parseScript } = await import("../lang/script/parse.js");
  try {
    if (work.kind !== "span") {
      const selector = selectorOf(asked.target, work.kind);
      const declared = work.kind === "marker" ? work.declared : undefined;
      const parsed = parseScript({ source: work.body, at: work.kind, selector, handed, declared });
      return { main: { probe, role: "whole", parsed, shapes: parsed.shapes, aggregates }, entry: undefined };
    }
    const ends = work.ends ?? parseEnds(asked.target);
    const { begin, end } =
      ends === undefined
        ? { begin: selectorOf(asked.target, "entry"), end: selectorOf(asked.target, "return") }
        : selectorsOf(ends);
    const before = parseScript({
      source: work.entry ?? "() => ({})",
      at: "span-entry",
      selector: begin,
      handed,
    });
    const [kept] = before.shapes;
    const after = parseScript({
      source: work.exit,
      at: ends === undefined ? "span-return" : "span-end",
      selector: end,
      handed,
      ...(kept === undefined ? {} : { kept }),
    });
    const pair = ends && ({ pair: ends.to === undefined ? "by name" : "named" } as const);
    const main: ProbePart = {
      probe,
      role: "span-return",
      parsed: after,
      shapes: after.shapes,
      aggregates,
      ...pair,
    };
    const entry: ProbePart = { probe, role: "span-entry", parsed: before, shapes: [], aggregates, ...pair };
    return { main, entry };
  } catch (error) {
    throw sayWhere(error, asked);
  }
}

function selectorOf(target: string, at: "entry" | "return" | "marker"): Selector {
  if (at === "marker") return markerSelector(target);
  return parse(at === "return" ? `r:${target}` : target).tree.selector;
}

/** Why u: may stand there: so it is in all other places where markers are named. */
function markerSelector(target: string): Selector {
  const other = /^([prt]):/.exec(target);
  if (other !== null)
    throw new UsageError({
      what: `"${target}" is no marker: ${other[0]} stands in front of functions`,
      at: "usdt",
      fix: `watch a function with uprobe() or uretprobe(); a library of that name is u:${target}`,
    });
  return parse(target.startsWith("u:") ? target : `u:${target}`).tree.selector;
}

/** Adds the place in the author's file to what is said about a function's text. */
export function sayWhere(error: unknown, { writtenAt, target }: ScriptProbe): unknown {
  if (!isUscopeError(error) || error.kind !== "SourceError") return error;
  const place = writtenAt === undefined ? "" : `, written at ${writtenAt}`;
  error.message = error.message.replace(
    /\n {2}fix: /,
    () => `\n  of: the probe for ${target}${place}\n  fix: `,
  );
  return error;
}
