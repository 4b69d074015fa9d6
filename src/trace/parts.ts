/**
 * Owns what each probe of a request is for the compiler: a one-liner or a function is one program, a span is two that belong together.
 * Does not own finding places and compiling (prepare.ts).
 */
import { isUscopeError } from "../base/errors.js";
import { parse } from "../lang/compile.js";
import type { ParsedProbe } from "../lang/probe.js";
import type { Shape } from "../lang/script/shape.js";
import type { Selector } from "../lang/tree.js";
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
      const parsed = parseScript({ source: work.body, at: work.kind, selector, handed });
      return { main: { probe, role: "whole", parsed, shapes: parsed.shapes, aggregates }, entry: undefined };
    }
    const before = parseScript({
      source: work.entry ?? "() => ({})",
      at: "span-entry",
      selector: selectorOf(asked.target, "entry"),
      handed,
    });
    const [kept] = before.shapes;
    const after = parseScript({
      source: work.exit,
      at: "span-return",
      selector: selectorOf(asked.target, "return"),
      handed,
      ...(kept === undefined ? {} : { kept }),
    });
    const main: ProbePart = { probe, role: "span-return", parsed: after, shapes: after.shapes, aggregates };
    const entry: ProbePart = { probe, role: "span-entry", parsed: before, shapes: [], aggregates };
    return { main, entry };
  } catch (error) {
    throw sayWhere(error, asked);
  }
}

function selectorOf(target: string, at: "entry" | "return"): Selector {
  return parse(at === "return" ? `r:${target}` : target).tree.selector;
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
