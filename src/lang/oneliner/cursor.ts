/**
 * Owns walking over tokens: looking ahead, taking, demanding, and giving up on one part while going on with the next.
 * Does not own any grammar.
 */
import type { Span } from "../../base/errors.js";
import type { Problems } from "../problems.js";
import type { Expression, Parameter } from "../tree.js";
import type { Token } from "./tokens.js";

/** Thrown after a problem was reported, to leave the part that cannot be read; caught where the next part begins. */
export class Unreadable extends Error {}

/** What a session may ask of the grammar. */
export interface Spelling {
  /** STRCMP("{0x6c, 0x00}", pointer) compares these bytes, not that text. */
  readonly byteLists?: boolean;
  /** Words that stand for more than a name; undefined for all others. The word is taken already, `span` is its place. */
  word?(cursor: Cursor, word: string, span: Span): Expression | undefined;
}

export class Cursor {
  readonly problems: Problems;
  readonly spelling: Spelling;
  /** Those of the signature, once it is read. */
  parameters: readonly Parameter[] = [];
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #operations = 0;

  constructor(tokens: readonly Token[], problems: Problems, spelling: Spelling = {}) {
    this.#tokens = tokens;
    this.problems = problems;
    this.spelling = spelling;
  }

  /** The token that is `ahead` places further; the end stays the end. */
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#at++;
    return token;
  }

  /** Says whether the token that is `ahead` places further is this mark or word. */
  sees(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === "mark" || token.kind === "word") && token.text === text;
  }

  accept(text: string): Token | undefined {
    return this.sees(text) ? this.take() : undefined;
  }

  /** Takes the mark or gives up. `why` completes the sentence "... is expected". */
  require(text: string, why: string): Token {
    return (
      this.accept(text) ??
      this.fail(this.peek().span, `"${text}" is expected ${why}${this.#found()}`, `add "${text}"`)
    );
  }

  /** Reports a problem and gives up on this part. */
  fail(span: Span, what: string, fix: string): never {
    this.problems.report(span, what, fix);
    throw new Unreadable(what);
  }

  /** The span from a token to the last one taken. */
  from(start: Span): Span {
    return { start: start.start, end: this.#tokens[Math.max(this.#at - 1, 0)]!.span.end };
  }

  /**
   * Runs a part that may give up; then goes on before the next of `stops` outside of all parentheses that the part has opened, or,
   * without `stops`, behind the last of these.
   */
  attempt<Part>(part: () => Part, stops: readonly string[]): Part | undefined {
    const depth = this.#depth;
    const start = this.#at;
    this.#operations = 0;
    try {
      return part();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#depth = depth;
      const failed = this.#at;
      this.#at = start;
      this.#skip(failed, stops);
      return undefined;
    }
  }

  /** Runs a part that may contain itself, within a bound that no person reaches. */
  nested<Part>(part: () => Part): Part {
    if (++this.#depth > 200) {
      this.fail(this.peek().span, "this expression is nested too deeply", "split it into several arguments");
    }
    const result = part();
    this.#depth--;
    return result;
  }

  /** Counts an operator: passes go through expressions by recursion, and the stack is not endless. */
  operator(): void {
    if (++this.#operations <= 1000) return;
    this.fail(this.peek().span, "this expression is too long", "split it into several arguments");
  }

  #skip(failed: number, stops: readonly string[]): void {
    for (let open = 0; this.peek().kind !== "end"; this.take()) {
      if (this.#at >= failed && open === 0 && stops.some((stop) => this.sees(stop))) return;
      if (this.sees("(") || this.sees("[")) open++;
      else if (this.sees(")") || this.sees("]")) open = Math.max(0, open - 1);
      else continue;
      if (this.#at >= failed && open === 0 && stops.length === 0) {
        this.take();
        return;
      }
    }
  }

  #found(): string {
    const token = this.peek();
    if (token.kind === "end") return ", but the text ends";
    return token.kind === "string"
      ? ", not a text"
      : `, not "${token.kind === "number" ? token.value : token.text}"`;
  }
}
