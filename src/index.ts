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
export { observe } from "./trace/observe.js";
export type { Observation, ObserveRequest } from "./trace/observe.js";
export type { Plan, SkippedPlace } from "./trace/plan.js";
export type { RunRequest } from "./trace/run.js";
export type { Ending } from "./trace/ending.js";
export { fault, pidOf, readField, siteOf, tidOf, timeOf } from "./trace/events.js";
export type { EventRecord, FieldValue, StackValue, TextValue } from "./trace/events.js";
export type { Losses, ProbeCounters, TracedProbe, TracedSite } from "./trace/probe.js";
