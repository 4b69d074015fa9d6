/**
 * The public face of the library: re-exports only. docs/library.md shows its use.
 */
export {
  FormatError,
  InternalError,
  KernelError,
  NotFoundError,
  SourceError,
  UnsupportedError,
  UsageError,
  UscopeError,
  VerifierError,
} from "./base/errors.js";
export type { ErrorLines, SourceProblem, Span } from "./base/errors.js";
export { observe } from "./trace/script/observe.js";
export type {
  Armed,
  NamedEvent,
  NamedProbes,
  Observation,
  ObserveOptions,
  ProbeStatistics,
} from "./trace/script/observe.js";
export { span, uprobe, uretprobe, usdt } from "./trace/script/probe.js";
export type { Handed, ScriptProbe, Using } from "./trace/script/probe.js";
export type { SpanEnds } from "./trace/pair-targets.js";
export { counter, histogram, summary, table } from "./trace/script/aggregate.js";
export type {
  Counter,
  Histogram,
  KeyOf,
  KeyPart,
  KeySchema,
  Scale,
  Summary,
  Table,
} from "./trace/script/aggregate.js";
export { distribution } from "./trace/script/distribution.js";
export type { Distribution, Gathering, KeyValue } from "./trace/script/distribution.js";
export { tunable } from "./trace/script/tunable.js";
export type { Tunable } from "./trace/script/tunable.js";
export type { ReadOptions, RowsOf } from "./trace/script/reader.js";
export type { Bucket, CountRow, HistogramRow, RowOf, SummaryRow, TableRow } from "./trace/script/snapshot.js";
export { flawsOf } from "./trace/script/shapes.js";
export type { Flaw } from "./trace/script/shapes.js";
export type {
  ArgumentForm,
  EntryParameter,
  MarkerParameter,
  PairParameter,
  ProbeParameter,
  ProcessValue,
  ReturnParameter,
  SpanParameter,
  TextOptions,
} from "./lang/script/parameter.js";
export type { Ending } from "./trace/ending.js";
export type { SkippedPlace } from "./trace/plan.js";
export type { Losses } from "./trace/probe.js";
export { setHost } from "./trace/host.js";
export type { Host } from "./trace/host.js";
export { arm } from "./trace/arm.js";
export type { ArmRequest, Trace } from "./trace/arm.js";
export type { Plan } from "./trace/plan.js";
export type { RunRequest } from "./trace/run.js";
export { fault, pidOf, readField, siteOf, tidOf, timeOf } from "./trace/events.js";
export type { EventRecord, FieldValue, StackValue, TextValue } from "./trace/events.js";
export type { ProbeCounters, TracedProbe, TracedSite } from "./trace/probe.js";
