/**
 * Owns the probes that authors write as functions: `uprobe`, `uretprobe`, `span`; as plain data, nothing is read or armed yet.
 * Does not own what a probe function may say (lang/script/) nor running it (observe.ts).
 */
import type { ParsedProbe } from "../../lang/probe.js";
import type { EntryParameter, ReturnParameter, SpanParameter } from "../../lang/script/parameter.js";
import type { Aggregate } from "./aggregate.js";
import { probeOptions, requireFunction, requireOptions, requireTarget } from "./requests.js";
import type { Tunable } from "./tunable.js";

/** What a probe function is handed from outside, by name. Numbers and texts are constants. */
export type Using = Readonly<Record<string, number | bigint | string | boolean | Tunable | Aggregate>>;

/** What a probe function sees of it. */
export type Handed<Given> = {
  readonly [Name in keyof Given]: Given[Name] extends Tunable<infer Value> ? Value : Widened<Given[Name]>;
};

/** Why: a constant of today may be another tomorrow, so that 5 is a number. */
type Widened<Value> = Value extends number
  ? number
  : Value extends bigint
    ? bigint
    : Value extends string
      ? string
      : Value extends boolean
        ? boolean
        : Value;

/** An event of a probe whose function returns this; nothing returned means no event, as does `condition && { ... }` without it. */
export type EventOf<Result> =
  Extract<Result, object> extends never
    ? Exclude<Result, undefined | void>
    : Exclude<Result, undefined | void | false | 0 | 0n | "">;

/** The functions of a probe as text, and where they stand in the traced program. */
export type ProbeWork =
  | { readonly kind: "entry" | "return"; readonly body: string }
  | { readonly kind: "span"; readonly entry: string | undefined; readonly exit: string }
  /** Read already, from another text than a function's; where there is an entry, the two are a span. */
  | { readonly kind: "parsed"; readonly main: ParsedProbe; readonly entry: ParsedProbe | undefined };

declare const eventType: unique symbol;

/** A probe whose events have this type. */
export interface ScriptProbe<Event = unknown> {
  /** `LIBRARY:FUNCTION`, as in `uscope trace`; a glob means many functions. */
  readonly target: string;
  /** The functions as text. */
  readonly work: ProbeWork;
  /** What the functions are handed. */
  readonly using: Using;
  /** Where it was written, FILE:LINE:COLUMN; undefined where the runtime does not say. */
  readonly writtenAt: string | undefined;
  /** Never there: it carries the type. */
  readonly [eventType]?: Event;
}

/** What goes with a probe function. */
export interface ProbeOptions<Given extends Using> {
  /** What the function needs from outside: constants, tunable numbers, aggregates. It gets them as its second parameter. */
  readonly using?: Given;
}

/**
 * Probes the entries of functions. The function runs in the kernel at each call: it is read as text and compiled, so that it
 * sees only what it is handed. What it returns is an event.
 */
export function uprobe<Result, Given extends Using = Record<never, never>>(
  target: string,
  body: (p: EntryParameter, using: Handed<Given>) => Result,
  options: ProbeOptions<Given> = {},
): ScriptProbe<EventOf<Result>> {
  return define("uprobe", target, { kind: "entry", body: textOf(body, "uprobe") }, options);
}

/** Probes the returns of functions. Refused where a return probe would harm the program. */
export function uretprobe<Result, Given extends Using = Record<never, never>>(
  target: string,
  body: (p: ReturnParameter, using: Handed<Given>) => Result,
  options: ProbeOptions<Given> = {},
): ScriptProbe<EventOf<Result>> {
  return define("uretprobe", target, { kind: "return", body: textOf(body, "uretprobe") }, options);
}

/** The two functions of a span. */
export interface SpanFunctions<Kept, Result, Given extends Using> extends ProbeOptions<Given> {
  /** Runs at the entry; what it returns is kept for the exit. When it returns nothing although it could, the call is left out. */
  readonly entry?: (p: EntryParameter, using: Handed<Given>) => Kept;
  /** Runs at the return, with what was kept as `p.entry` and the time since then as `p.durationNs`. */
  readonly exit: (p: SpanParameter<EventOf<Kept>>, using: Handed<Given>) => Result;
}

/** Joins entry and return of each call, by thread and stack: recursion is right, and a return that is missed spoils no other. */
export function span<Kept = undefined, Result = undefined, Given extends Using = Record<never, never>>(
  target: string,
  functions: SpanFunctions<Kept, Result, Given>,
): ScriptProbe<EventOf<Result>> {
  const { entry, exit, ...options } = functions;
  const work: ProbeWork = {
    kind: "span",
    entry: entry === undefined ? undefined : textOf(entry, "the entry of a span"),
    exit: textOf(exit, "the exit of a span"),
  };
  return define("span", target, work, options);
}

function textOf(body: unknown, at: string): string {
  requireFunction(body, at);
  return String(body);
}

function define<Event>(
  at: string,
  target: string,
  work: ProbeWork,
  options: ProbeOptions<Using>,
): ScriptProbe<Event> {
  requireTarget(target, at);
  requireOptions(options, probeOptions, at);
  const { using = {} } = options;
  return Object.freeze({ target, work, using: Object.freeze({ ...using }), writtenAt: findAuthor() });
}

/** The line that called uprobe, uretprobe or span; undefined where that is uscope's own command line, which is one file with this. */
function findAuthor(): string | undefined {
  const frames = new Error("where").stack?.split("\n").slice(4) ?? [];
  const place = /\(?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/.exec(frames[0] ?? "")?.[1];
  return place?.replace(/^file:\/\//, "").startsWith(`${import.meta.filename}:`) === true ? undefined : place;
}
