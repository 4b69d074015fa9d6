/**
 * Owns the words that BCC's argdist begins with a dollar sign: $retval, $latency, $entry(x), $PID, $COMM; and what the entry of
 * the function has to keep for them. Does not own other names.
 */
import type { Span } from "../../base/errors.js";
import type { Expression } from "../tree.js";
import type { Cursor, Spelling } from "./cursor.js";
import { parseExpression } from "./expression.js";
import { typeOf } from "./structs.js";

/** A value that is computed at the entry and used at the return. */
export interface EntryValue {
  readonly name: string;
  readonly value: Expression;
}

export class DollarWords implements Spelling {
  /** In the order in which the return counts them. */
  readonly kept: EntryValue[] = [];
  /** Something of the entry is used, be it only its time. */
  needsEntry = false;
  readonly #at: "entry" | "return" | "marker";
  #isInEntry = false;

  constructor(at: "entry" | "return" | "marker") {
    this.#at = at;
  }

  /** What a word means that stands for more than a name; `span` is its place. */
  word(cursor: Cursor, word: string, span: Span): Expression | undefined {
    switch (word) {
      case "$retval":
        this.#refuseInEntry(cursor, word, span);
        return { kind: "name", name: "retval", span };
      case "$PID":
        return { kind: "name", name: "pid", span };
      case "$COMM":
        return { kind: "name", name: "comm", span };
      case "$latency":
        this.#requireReturn(cursor, word, span);
        this.#refuseInEntry(cursor, word, span);
        this.needsEntry = true;
        return { kind: "elapsed", span };
      case "$entry":
        this.#requireReturn(cursor, word, span);
        this.#refuseInEntry(cursor, word, span);
        return this.#entry(cursor, span);
      default:
        return undefined;
    }
  }

  #entry(cursor: Cursor, start: Span): Expression {
    cursor.require("(", 'behind "$entry"');
    this.#isInEntry = true;
    let value: Expression;
    try {
      value = parseExpression(cursor);
    } finally {
      this.#isInEntry = false;
    }
    cursor.require(")", "to close $entry");
    this.needsEntry = true;
    const name = nameOf(value);
    const known = this.kept.findIndex((other) => name !== undefined && other.name === name);
    const index = known === -1 ? this.kept.length : known;
    if (known === -1) this.kept.push({ name: name ?? `entry${index + 1}`, value });
    const span = cursor.from(start);
    const kept: Expression = { kind: "kept", index, span };
    // Why: an address is kept as a number; what it points to is known only from here.
    const type = typeOf(value, cursor.parameters);
    return type?.kind === "pointer" ? { kind: "cast", type, operand: kept, span } : kept;
  }

  #requireReturn(cursor: Cursor, word: string, span: Span): void {
    if (this.#at === "return") return;
    cursor.fail(span, `${word} belongs to a return`, this.#at === "marker" ? atMarker : wayTo(word));
  }

  #refuseInEntry(cursor: Cursor, word: string, span: Span): void {
    if (!this.#isInEntry) return;
    cursor.fail(span, `${word} is not known at the entry`, "write it outside of $entry(...)");
  }
}

const atMarker =
  "a marker has arguments alone: arg1, arg2 ...; how long it takes to another one, uscope latency says";

function wayTo(word: string): string {
  return word === "$entry"
    ? "here the parameters are there by their names alone"
    : "watch the return: r:LIBRARY:FUNCTION";
}

/** Only a plain name is sure to be the same value when it is written again. */
function nameOf(value: Expression): string | undefined {
  return value.kind === "name" ? value.name : undefined;
}
