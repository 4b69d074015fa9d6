/**
 * Owns the pipeline from a parsed probe to programs, on one screen.
 * Does not own any step of it, nor a syntax: every front ends in the same tree.
 */
import { assert } from "../base/assert.js";
import { SourceError, UsageError } from "../base/errors.js";
import { print } from "../bpf/print.js";
import type { MapSpec, ProgramSpec } from "../bpf/spec.js";
import { requireDeclared } from "./declaration.js";
import { distinctLayouts } from "./distinct-layouts.js";
import type { EventLayout } from "./event.js";
import { mapsFor } from "./maps.js";
import type { CompileOptions } from "./options.js";
import { bind } from "./passes/1-bind.js";
import { check } from "./passes/2-check.js";
import { lower } from "./passes/3-lower.js";
import type { LowerOptions } from "./passes/3-lower.js";
import { simplify } from "./passes/4-simplify.js";
import { allocate } from "./passes/5-allocate.js";
import { emit } from "./passes/6-emit.js";
import type { ParsedProbe, ShownArgument } from "./probe.js";
import { printProgram } from "./print-ir.js";
import { printTree } from "./print-tree.js";
import { Problems } from "./problems.js";
import { columnsOf, layoutOf, stacksOf } from "./record.js";
import type { ProbeLayout, ShapeFields } from "./record.js";
import { groupByMarker, showArguments } from "./shown-arguments.js";
import { layoutKept, mostKeptBytes, spanMapSpec } from "./span.js";
import type { KeptLayout } from "./span.js";
import type { Layout, Resolution, Target } from "./target.js";
import type { Template } from "./template.js";
import type { Selector } from "./tree.js";
import { readsMemory, usesOf } from "./uses.js";
import type { TypedProbe } from "./typed.js";

export { parse } from "./oneliner/parse.js";
export type { CompileOptions, ProcessFilter } from "./options.js";
export type { ParsedProbe } from "./probe.js";

/** How an event lies in its record, and how it is printed. */
export interface CompiledEvent {
  readonly event: EventLayout;
  /** As parsed, but counting the fields of `event`. */
  readonly template: Template | undefined;
  /** The arguments that it shows, of a marker without a format. */
  readonly shown?: readonly ShownArgument[];
}

/** As an event it is that of its first layout. */
export interface CompiledProbe extends CompiledEvent {
  readonly selector: Selector;
  /** Where the author's fields of each shape lie among the event's fields. */
  readonly shapeFields: readonly ShapeFields[];
  /** The event's field that says which shape it has, where there is more than one. */
  readonly shapeField: number | undefined;
  /** Of the entry of a span: what it keeps. */
  readonly kept: KeptLayout | undefined;
  /** One for each layout of the resolution, in its order; the same one for layouts that do not differ for this probe. */
  readonly programs: readonly ProgramSpec[];
  /** The same for each layout; several only where markers of a pattern are to show all their arguments. */
  readonly events: readonly CompiledEvent[];
  /** The same for every probe that is compiled with the same options, but for the room in `counters`. */
  readonly maps: readonly MapSpec[];
  print(): CompiledText;
}

/** What the compiler thought, for -v. */
export interface CompiledText {
  readonly tree: string;
  readonly ir: string;
  readonly assembly: string;
}

/** Compiles a probe for its target. Throws a SourceError, or what the target throws. */
export function compileProbe(parsed: ParsedProbe, target: Target, options: CompileOptions): CompiledProbe {
  const resolution = target.resolve(parsed.tree.selector);
  if (parsed.shown !== "all arguments") return compileFor(parsed, resolution, options);
  const groups = groupByMarker(resolution.layouts);
  const compiled = groups.map(({ marker, layouts }) =>
    compileFor(showArguments(parsed, marker), { ...resolution, layouts }, options),
  );
  const places = new Map(
    groups.flatMap(({ layouts }, group) =>
      layouts.map((layout, number) => [layout, { probe: compiled[group]!, layout: number }]),
    ),
  );
  return joinProbes(
    compiled,
    resolution.layouts.map((layout) => places.get(layout)!),
  );
}

/** Compiles a probe whose events are all alike. */
function compileFor(parsed: ParsedProbe, resolution: Resolution, options: CompileOptions): CompiledProbe {
  const { source, tree, shown } = parsed;
  const { layouts, numbers } = distinctLayouts(tree, resolution.layouts);
  const problems = new Problems();
  requireDeclared(parsed, resolution.layouts, problems);
  const analysed = layouts.map((layout) => analyse(parsed, layout, resolution, options, problems));
  problems.throwIfAny(source);
  const layout = commonLayout(analysed.map((probe) => layoutOf(probe, options)));
  const { event, kept } = layout;
  refuseHuge(event, options);
  if (kept !== undefined) refuseMuchKept(kept, parsed);
  const settings = { ...options, architecture: resolution.architecture, ...layout };
  const built = analysed.map((probe, index) =>
    build(probe, { ...settings, ...placesOf(layouts[index]!) }, parsed),
  );
  const programs = built.map(({ sleepable, assembly }): ProgramSpec => ({
    name: programName(tree.selector),
    license: "Dual BSD/GPL",
    sleepable,
    ...assembly,
    source,
  }));
  const sent: CompiledEvent = {
    event,
    template: parsed.template && shiftFields(parsed.template, columnsOf(options).length),
    ...(typeof shown === "object" ? { shown } : {}),
  };
  return {
    ...sent,
    selector: tree.selector,
    shapeFields: layout.shapeFields,
    shapeField: layout.shapeField,
    kept,
    programs: numbers.map((number) => programs[number]!),
    events: numbers.map(() => sent),
    maps: mapsOf(analysed, kept, options),
    print: () => ({
      tree: printTree(tree),
      ir: built.map(({ program }) => printProgram(program)).join("\n"),
      assembly: built.map(({ assembly }) => print(assembly.instructions)).join("\n"),
    }),
  };
}

/** One probe of several for the same places; each of them says which of its layouts is the place's. */
function joinProbes(
  probes: readonly CompiledProbe[],
  places: readonly { readonly probe: CompiledProbe; readonly layout: number }[],
): CompiledProbe {
  const [first] = probes;
  assert(first !== undefined, "a target without a layout");
  // Why: markers whose arguments have other names alone can do with one program, and each takes time to be armed.
  const known = new Map<string, ProgramSpec>();
  const twins = new Map<ProgramSpec, ProgramSpec>();
  const mergeTwins = (program: ProgramSpec): ProgramSpec => {
    const seen = twins.get(program);
    if (seen !== undefined) return seen;
    const key = print(program.instructions);
    const twin = known.get(key) ?? program;
    known.set(key, twin);
    twins.set(program, twin);
    return twin;
  };
  return {
    ...first,
    programs: places.map(({ probe, layout }) => mergeTwins(probe.programs[layout]!)),
    events: places.map(({ probe, layout }) => probe.events[layout]!),
    print() {
      const texts = probes.map((probe) => probe.print());
      const join = (part: keyof CompiledText): string => texts.map((text) => text[part]).join("\n");
      return { tree: join("tree"), ir: join("ir"), assembly: join("assembly") };
    },
  };
}

function analyse(
  { tree, advice }: ParsedProbe,
  layout: Layout,
  { architecture }: Resolution,
  options: CompileOptions,
  problems: Problems,
): TypedProbe {
  const reporter = { problems, advice };
  const meanings = bind(tree, layout, architecture, reporter);
  const { aggregates = [], span } = options;
  const surroundings = {
    others: columnsOf(options).length + stacksOf(options).length,
    aggregates: aggregates.map(({ spec }) => spec),
    kept: span?.kept?.fields ?? [],
  };
  return check(tree.body, meanings, surroundings, reporter);
}

function build(probe: TypedProbe, options: LowerOptions, parsed: ParsedProbe) {
  const sleepable = options.sleepable && readsMemory(probe);
  const program = simplify(lower(probe, { ...options, sleepable }));
  const allocated = allocate(program);
  refuseDeep(allocated.stackBytes, parsed);
  return { sleepable, program, assembly: emit(allocated) };
}

/** What a program takes from its layout beside the values that the author reads. */
function placesOf({ returnAddress, frame }: Layout): Pick<LowerOptions, "returnAddress" | "frame"> {
  return { returnAddress, frame };
}

/** Verifier: MAX_BPF_STACK. Only an expression with dozens of reads, one inside the other, comes so far. */
function refuseDeep(stackBytes: number, { source, tree }: ParsedProbe): void {
  if (stackBytes <= 512) return;
  const span = tree.body.at(-1)?.span ?? tree.selector.span;
  const what = `this takes ${stackBytes} bytes of the program's stack, and there are 512`;
  throw new SourceError(source, [
    { what, span, fix: "keep fewer values waiting for others: split it over two probes" },
  ]);
}

function refuseMuchKept({ bytes }: KeptLayout, { source, tree, advice }: ParsedProbe): void {
  if (bytes <= mostKeptBytes) return;
  const span = tree.body.at(-1)?.span ?? tree.selector.span;
  const what = `this keeps ${bytes} bytes, and ${mostKeptBytes} is the most`;
  throw new SourceError(source, [{ what, span, fix: advice.keepLess }]);
}

function mapsOf(
  probes: readonly TypedProbe[],
  kept: KeptLayout | undefined,
  options: CompileOptions,
): readonly MapSpec[] {
  const { span } = options;
  const tunables = probes.flatMap((probe) => [...usesOf(probe).tunables]);
  const frames = span?.kept ?? kept ?? layoutKept([]);
  return [
    ...mapsFor(
      options,
      tunables.reduce((count, index) => Math.max(count, index + 1), 0),
    ),
    ...(span === undefined ? [] : [spanMapSpec(span.map, frames)]),
  ];
}

/** All programs of a probe send the same event, whatever the places that they read. */
function commonLayout([first, ...others]: readonly ProbeLayout[]): ProbeLayout {
  assert(first !== undefined, "a target without a layout");
  const shape = JSON.stringify(first);
  for (const other of others) assert(JSON.stringify(other) === shape, "layouts that disagree on the event");
  return first;
}

function shiftFields(template: Template, by: number): Template {
  return template.map((part) => (part.kind === "literal" ? part : { ...part, field: part.field + by }));
}

/** Spec: an instruction reaches 2^15 bytes from a record's start. */
function refuseHuge({ bytes }: EventLayout, { textLimit }: CompileOptions): void {
  if (bytes <= 0x7fff) return;
  throw new UsageError({
    what: `one event would take ${bytes} bytes, and 32767 is the most`,
    at: `texts of up to ${textLimit} bytes`,
    fix: "shorten the texts with -Z, or print fewer of them",
  });
}

/** Kernel: at most 15 of these characters. */
function programName(selector: Selector): string {
  const name =
    selector.kind === "function" ? selector.symbol : selector.kind === "marker" ? selector.marker : "address";
  return name.replaceAll(/[^\w.]/g, "_").slice(0, 15);
}
