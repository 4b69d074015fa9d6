/**
 * Owns the probes that authors write as functions: `uprobe`, `uretprobe`, `usdt`, `span`; as plain data, nothing is read or armed yet.
 * Does not own what a probe function may say (lang/script/) nor running it (observe.ts).
 */
import { dirname } from "node:path";
import type { ParsedProbe } from "../../lang/probe.js";
import type {
  ArgumentForms,
  EntryParameter,
  MarkerParameter,
  PairParameter,
  ReturnParameter,
  SpanParameter,
  DeclaredArguments,
} from "../../lang/script/parameter.js";
import { printEnds } from "../pair-targets.js";
import type { SpanEnds } from "../pair-targets.js";
import type { Aggregate } from "./aggregate.js";
import { requireDeclaration } from "./declaration.js";
import {
  endOptions,
  markerOptions,
  probeOptions,
  requireFunction,
  requireOptions,
  requireTarget,
} from "./requests.js";
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
  | { readonly kind: "marker"; readonly body: string; readonly declared: DeclaredArguments | undefined }
  /** `ends`: where it begins and ends, where the target is not both in one text. */
  | {
      readonly kind: "span";
      readonly entry: string | undefined;
      readonly exit: string;
      readonly ends: SpanEnds | undefined;
    }
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

/** What goes with the probe function of a marker. */
export interface MarkerOptions<Given extends Using, Declared> extends ProbeOptions<Given> {
  /**
   * All arguments of the marker in their order, each with its type: `{ query: "text", rows: "i64" }`. The function has them as
   * `p.args.query`; text that does not end in a zero names the argument with its length: `{ name: { text: "length" }, length: "i32" }`.
   */
  readonly args?: Declared;
}

/**
 * Probes markers (USDT): the places that a program's authors have named for watching. `target` is `LIBRARY:MARKER` or
 * `LIBRARY:PROVIDER:MARKER`, globs allowed; without a library, `:PROVIDER:MARKER`, it is any that the observed processes map.
 */
export function usdt<
  Result,
  Given extends Using = Record<never, never>,
  const Declared extends ArgumentForms<Declared> = Record<never, never>,
>(
  target: string,
  body: (p: MarkerParameter<Declared>, using: Handed<Given>) => Result,
  options: MarkerOptions<Given, Declared> = {},
): ScriptProbe<EventOf<Result>> {
  requireOptions(options, markerOptions, "usdt");
  const { args, ...others } = options;
  const declared = args === undefined ? undefined : requireDeclaration(args);
  return define("usdt", target, { kind: "marker", body: textOf(body, "usdt"), declared }, others);
}

/** The two functions of a span. */
export interface SpanFunctions<Kept, Result, Given extends Using> extends ProbeOptions<Given> {
  /** Runs at the entry; what it returns is kept for the exit. When it returns nothing although it could, the call is left out. */
  readonly entry?: (p: EntryParameter, using: Handed<Given>) => Kept;
  /** Runs at the return, with what was kept as `p.entry` and the time since then as `p.durationNs`. */
  readonly exit: (p: SpanParameter<EventOf<Kept>>, using: Handed<Given>) => Result;
}

/** The two functions of a span between two places. */
export interface PairFunctions<Kept, Result, Given extends Using> extends ProbeOptions<Given> {
  /** Runs where it begins; what it returns is kept for the exit. When it returns nothing although it could, the pair is left out. */
  readonly entry?: (p: EntryParameter, using: Handed<Given>) => Kept;
  /** Runs where it ends, with what was kept as `p.entry` and the time since then as `p.durationNs`. */
  readonly exit: (p: PairParameter<EventOf<Kept>>, using: Handed<Given>) => Result;
}

/**
 * Joins two markers, or any two places, in each thread: `u:LIBRARY:BEGIN..END`, a marker whose name tells its end, or
 * `{ from, to }`. Places of the same functions are joined by the call; others by their order, the last that began with the first
 * that ends. An end whose beginning was not seen is counted (`missedEnds`); a beginning without an end spoils no other.
 */
export function span<Kept = undefined, Result = undefined, Given extends Using = Record<never, never>>(
  ends: SpanEnds | `u:${string}`,
  functions: PairFunctions<Kept, Result, Given>,
): ScriptProbe<EventOf<Result>>;
/** Joins entry and return of each call, by thread and stack: recursion is right, and a return that is missed spoils no other. */
export function span<Kept = undefined, Result = undefined, Given extends Using = Record<never, never>>(
  target: string,
  functions: SpanFunctions<Kept, Result, Given>,
): ScriptProbe<EventOf<Result>>;
export function span(
  target: string | SpanEnds,
  functions: SpanFunctions<unknown, unknown, Using> | PairFunctions<unknown, unknown, Using>,
): ScriptProbe {
  const { entry, exit, ...options } = functions;
  const ends = typeof target === "object" && target !== null ? requireEnds(target) : undefined;
  const work: ProbeWork = {
    kind: "span",
    entry: entry === undefined ? undefined : textOf(entry, "the entry of a span"),
    exit: textOf(exit, "the exit of a span"),
    ends,
  };
  return define("span", ends === undefined ? (target as string) : printEnds(ends), work, options);
}

function requireEnds(ends: SpanEnds): SpanEnds {
  requireOptions(ends, endOptions, "span");
  const { from, to } = ends;
  requireTarget(from, "span");
  return Object.freeze({ from, ...(to === undefined ? {} : { to }) });
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

/** The line that called uprobe, uretprobe, usdt or span; undefined where that is uscope's own command line, which is in one folder with this. */
function findAuthor(): string | undefined {
  const frames = new Error("where").stack?.split("\n").slice(4) ?? [];
  const place = /\(?((?:file:\/\/)?\/[^()]+:\d+:\d+)\)?$/.exec(frames[0] ?? "")?.[1];
  return place?.replace(/^file:\/\//, "").startsWith(`${dirname(import.meta.filename)}/`) === true
    ? undefined
    : place;
}
