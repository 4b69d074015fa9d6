/**
 * Owns reading an aggregate of a running trace: all rows, or those of what was added since the last time.
 * Does not own what a row is (snapshot.ts).
 */
import { holdsStack } from "../../lang/aggregates.js";
import type { Aggregate } from "./aggregate.js";
import { isEmpty, joinParts, joinWords, rowOf, subtract } from "./snapshot.js";
import type { Element, Reading, RowOf } from "./snapshot.js";
import { identityReader, keyReader } from "./keys.js";
import type { KeyNames, KeyReader } from "./keys.js";
import type { StackNames } from "../stacks.js";

/** How an aggregate is read. */
export interface ReadOptions {
  /** Only so many rows, those with the largest counts. */
  readonly top?: number | undefined;
}

/** Rows of an aggregate with a key, one row of one without. */
export type RowsOf<Source> =
  RowOf<Source> extends { readonly key: infer Key }
    ? [Key] extends [undefined]
      ? Omit<RowOf<Source>, "key">
      : readonly RowOf<Source>[]
    : never;

/** What reading needs of a trace. */
export interface ReadTrace extends KeyNames {
  /** What names stacks in keys. */
  readonly stacks: Pick<StackNames, "find" | "learned">;
  /** All elements of an aggregate: keys, and values with one part per processor where it has those. */
  elements(
    aggregate: Aggregate,
  ): readonly { readonly key: Uint8Array; readonly parts: readonly Uint8Array[] }[];
}

/** Reads one aggregate, and remembers what it held. */
export class AggregateReader<Source extends Aggregate> {
  readonly #aggregate: Source;
  readonly #trace: ReadTrace;
  readonly #keyOf: KeyReader;
  #before: Reading = new Map();

  constructor(aggregate: Source, trace: ReadTrace) {
    this.#aggregate = aggregate;
    this.#trace = trace;
    const isNumbered = aggregate.spec.key.length > 0;
    this.#keyOf = isNumbered ? keyReader(aggregate.spec, aggregate.form, trace) : () => undefined;
  }

  /** What it holds now. */
  async rows(options: ReadOptions): Promise<RowsOf<Source>> {
    return await this.#present([...this.#read().values()], options);
  }

  /** What was added since the last call, or since the beginning. */
  async added(options: ReadOptions): Promise<RowsOf<Source>> {
    const { spec } = this.#aggregate;
    const now = this.#read();
    const before = this.#before;
    this.#before = now;
    return await this.#present(
      [...now].map(([key, element]) => subtract(spec, element, before.get(key))),
      options,
    );
  }

  #read(): Reading {
    const { spec } = this.#aggregate;
    const found = new Map<string, Element>();
    for (const { key, parts } of this.#trace.elements(this.#aggregate)) {
      const element = { key, words: joinParts(spec, parts) };
      if (!isEmpty(spec, element)) found.set(Buffer.from(key).toString("latin1"), element);
    }
    return found;
  }

  /** Makes one of elements whose keys are read alike. */
  async #joinAlike(elements: Element[]): Promise<Element[]> {
    const { spec } = this.#aggregate;
    if (!holdsStack(spec)) return elements;
    await this.#trace.stacks.learned(
      this.#aggregate,
      elements.map(({ key }) => key),
    );
    const identityOf = identityReader(spec, this.#trace);
    const joined = new Map<string, Element>();
    for (const { key, words } of elements) {
      const identity = identityOf(key);
      const other = joined.get(identity);
      joined.set(
        identity,
        other ? { key: other.key, words: joinWords(spec, [other.words, words]) } : { key, words },
      );
    }
    return [...joined.values()];
  }

  async #present(elements: readonly Element[], { top }: ReadOptions): Promise<RowsOf<Source>> {
    const { spec } = this.#aggregate;
    if (spec.key.length === 0) {
      const [only] = elements;
      // Why a cast: the row is of the aggregate's kind, which only its type says.
      return rowOf(spec, only?.words ?? [0n, 0n, 0n, 0n]) as RowsOf<Source>;
    }
    const kept = await this.#joinAlike(elements.filter((element) => !isEmpty(spec, element)));
    const sorted = spec.kind === "table" ? kept : kept.sort(byCount);
    const rows = sorted
      .slice(0, top)
      .map(({ key, words }) => ({ key: this.#keyOf(key), ...rowOf(spec, words) }));
    return rows as unknown as RowsOf<Source>;
  }
}

function byCount(left: Element, right: Element): number {
  const [one = 0n, other = 0n] = [left.words[0], right.words[0]];
  // Why the key too: the map's own order is another each time.
  if (one === other) return Buffer.compare(left.key, right.key);
  return one > other ? -1 : 1;
}
