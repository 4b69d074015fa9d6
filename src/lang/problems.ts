/**
 * Owns the list of what is wrong with one probe's text, so that its author sees everything at once.
 * Does not own the sentences: each stands where the problem is found.
 */
import { SourceError } from "../base/errors.js";
import type { SourceProblem, Span } from "../base/errors.js";
import type { Advice } from "./advice.js";

/** Where the passes report, and the words for the ways out. */
export interface Reporter {
  readonly problems: Problems;
  readonly advice: Advice;
}

/** More than a person would read at once. */
const mostProblems = 20;

export class Problems {
  readonly #found: SourceProblem[] = [];

  /** Remembers a problem and returns undefined, so that `return problems.report(...)` means "no value". */
  report(span: Span, what: string, fix: string): undefined {
    const known = this.#found.some((problem) => problem.what === what && problem.span.start === span.start);
    if (!known && this.count < mostProblems) this.#found.push({ what, span, fix });
    return undefined;
  }

  get count(): number {
    return this.#found.length;
  }

  /** Throws a SourceError of all problems, in the order of the text, if there are any. */
  throwIfAny(source: string): void {
    if (this.count === 0) return;
    throw new SourceError(
      source,
      [...this.#found].sort((left, right) => left.span.start - right.span.start),
    );
  }
}
