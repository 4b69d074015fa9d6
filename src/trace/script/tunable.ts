/**
 * Owns numbers that can be changed while the probes that use them run.
 * Does not own the map in which programs see them (session.ts).
 */
import { UsageError } from "../../base/errors.js";

/** A number for `using`: probes see its value of the moment. Travels as a signed 64-bit integer. */
export class Tunable<Value extends number | bigint = number | bigint> {
  #value: Value;
  readonly #watchers = new Set<(value: bigint) => void>();

  constructor(value: Value) {
    this.#value = checked(value);
  }

  /** The value of the moment. */
  get value(): Value {
    return this.#value;
  }

  /** Probes that are hit from now on see the new value. */
  set(value: Value): void {
    this.#value = checked(value);
    for (const watcher of this.#watchers) watcher(BigInt(value));
  }

  /** Calls back with the value now and whenever it changes, until it is disposed. */
  watch(watcher: (value: bigint) => void): Disposable {
    this.#watchers.add(watcher);
    watcher(BigInt(this.#value));
    return { [Symbol.dispose]: () => void this.#watchers.delete(watcher) };
  }
}

/** Makes a number that can be changed while probes run. */
export function tunable(value: number): Tunable<number>;
export function tunable(value: bigint): Tunable<bigint>;
export function tunable(value: number | bigint): Tunable {
  return new Tunable(value);
}

function checked<Value extends number | bigint>(value: Value): Value {
  const fits = typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
  if (fits) return value;
  throw new UsageError({
    what: `${value} is no integer that programs in the kernel can hold`,
    at: "tunable",
    fix: "give an integer up to 2^53, or a bigint of 64 bits",
  });
}
