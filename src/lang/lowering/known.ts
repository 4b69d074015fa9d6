/**
 * Owns what was read, or looked up, on every way to the place that is written now, so that it is done once.
 * Does not own reading (values.ts). Why once: it costs a call, and might have changed in between.
 */
import type { Virtual } from "../ir.js";
import type { Typed } from "../typed.js";

export class Known {
  /** Innermost scope last. */
  readonly #scopes: Map<string, Virtual>[] = [new Map()];

  /** What is known by this key already, or what is made now. */
  once(key: string, make: () => Virtual): Virtual {
    const known = this.#scopes.findLast((scope) => scope.has(key))?.get(key);
    if (known !== undefined) return known;
    const result = make();
    this.#scopes.at(-1)!.set(key, result);
    return result;
  }

  /** Lowers what is not on every way to what follows: what is read inside is not known behind it. */
  scoped<Result>(lower: () => Result): Result {
    this.#scopes.push(new Map());
    const result = lower();
    this.#scopes.pop();
    return result;
  }

  /** A variable gets another value: what was read through the old one says nothing any more. */
  forget(variable: number): void {
    const mark = `"variable":${variable},`;
    for (const scope of this.#scopes) {
      for (const key of scope.keys()) if (key.includes(mark)) scope.delete(key);
    }
  }
}

/** The same text for expressions that give the same value. */
export function keyOf(typed: Typed): string {
  return JSON.stringify(typed, (key, value: unknown) => {
    if (key === "span") return undefined;
    return typeof value === "bigint" ? `${value}n` : value;
  });
}
