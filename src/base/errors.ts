/**
 * Owns the error classes of the whole project, one per party who has to act.
 * Does not own messages about one domain: those stand where the problem is found.
 */

/** The three lines that every error shows a person. */
export interface ErrorLines {
  /** What is wrong, one sentence without a full stop. */
  readonly what: string;
  /** Where: the file, process, call or place in the text. */
  readonly at: string;
  /** What the reader can do about it now. */
  readonly fix: string;
}

/** An error with three lines; `message` holds them all, ready to print. */
export abstract class UscopeError extends Error implements ErrorLines {
  /** Discriminator: the class name, stable in minified bundles. */
  abstract readonly kind: string;
  readonly what: string;
  readonly at: string;
  readonly fix: string;

  constructor(lines: ErrorLines, options?: ErrorOptions) {
    super(`${lines.what}\n  at: ${lines.at}\n  fix: ${lines.fix}`, options);
    this.what = lines.what;
    this.at = lines.at;
    this.fix = lines.fix;
  }
}

/** Tells an error with three lines from any other, also when another copy of this module made it: each command is bundled with its own. */
export function isUscopeError(error: unknown): error is UscopeError {
  return error instanceof Error && "kind" in error && "what" in error && "at" in error && "fix" in error;
}

/** A file is not what its format promises: its owner has to act. `at` names the inner place. */
export class FormatError extends UscopeError {
  readonly kind = "FormatError";
}

/** A range of UTF-16 code units in the probe's text, end exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One problem in a probe's text. */
export interface SourceProblem {
  readonly what: string;
  readonly span: Span;
  readonly fix: string;
}

/** The text of a probe is wrong: its author has to act. Shows each problem with a caret line. */
export class SourceError extends UscopeError {
  readonly kind = "SourceError";
  readonly source: string;
  readonly problems: readonly SourceProblem[];

  constructor(source: string, problems: readonly SourceProblem[]) {
    const first = problems[0];
    if (first === undefined) throw new InternalError("a SourceError without a problem");
    super({
      what: first.what,
      at: `${printPlace(source, first.span)}\n${problems.map((problem, index) => printCaret(source, problem.span, index > 0 ? problem.what : "")).join("\n")}`,
      fix: first.fix,
    });
    this.source = source;
    this.problems = problems;
  }
}

/** A named thing does not exist: whoever named it has to act. `fix` carries the nearest names. */
export class NotFoundError extends UscopeError {
  readonly kind = "NotFoundError";
}

/** The kernel refused a call: the administrator has to act. */
export class KernelError extends UscopeError {
  readonly kind = "KernelError";
  readonly call: string;
  readonly errno: number;

  constructor(lines: ErrorLines & { readonly call: string; readonly errno: number }) {
    super(lines);
    this.call = lines.call;
    this.errno = lines.errno;
  }
}

/** The verifier refused a program; `at` names the instruction and the place in the user's text. */
export class VerifierError extends UscopeError {
  readonly kind = "VerifierError";
  /** The verifier's own log, for `-v`. */
  readonly log: string;

  constructor(lines: ErrorLines & { readonly log: string }) {
    super(lines);
    this.log = lines.log;
  }
}

/** This kernel, machine or file cannot do what was asked, or it would harm the traced program. */
export class UnsupportedError extends UscopeError {
  readonly kind = "UnsupportedError";
}

/** The command line is wrong: exit code 2. */
export class UsageError extends UscopeError {
  readonly kind = "UsageError";
}

/** A fault of uscope itself. */
export class InternalError extends UscopeError {
  readonly kind = "InternalError";

  constructor(what: string, options?: ErrorOptions) {
    super({ what, at: "uscope itself", fix: "report this with the command that you ran" }, options);
  }
}

/** Prints where a span begins, counting from 1: the column, and of a text of several lines the line. */
function printPlace(source: string, { start }: Span): string {
  if (!source.includes("\n")) return `column ${start + 1}`;
  const before = source.slice(0, start).split("\n");
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

/** Characters of a line that are shown; of a longer one the part around the place. */
const mostShown = 200;

/** Prints the line of the source that the span begins in, and carets under the span, then the note. */
export function printCaret(source: string, span: Span, note = ""): string {
  const start = Math.min(span.start, source.length);
  // Why: lastIndexOf takes a place before the beginning for the beginning.
  const lineStart = start === 0 ? 0 : source.lastIndexOf("\n", start - 1) + 1;
  const newline = source.indexOf("\n", start);
  const lineEnd = newline === -1 ? source.length : newline;
  const line = source.slice(lineStart, lineEnd).replaceAll("\t", " ");
  const column = start - lineStart;
  // Why: of a very long line only the part around the place can be read.
  const isLong = line.length > mostShown;
  const from = isLong ? Math.max(0, Math.min(column - mostShown / 2, line.length - mostShown)) : 0;
  const before = from > 0 ? "..." : "";
  const after = from + mostShown < line.length ? "..." : "";
  const shown = `${before}${line.slice(from, isLong ? from + mostShown : undefined)}${isLong ? after : ""}`;
  const indent = column - from + before.length;
  const width = Math.max(1, Math.min(span.end - start, before.length + mostShown - indent, lineEnd - start));
  const caret = `${" ".repeat(indent)}${"^".repeat(width)}`;
  return `    ${shown}\n    ${caret}${note === "" ? "" : ` ${note}`}`;
}
