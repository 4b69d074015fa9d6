/** Owns the checks on our own promises; a failure is always a fault of uscope, never of its user. */
import { InternalError } from "./errors.js";

/** Throws an InternalError unless the condition holds. */
export function assert(condition: unknown, promise: string): asserts condition {
  if (condition === false || condition === undefined || condition === null) throw new InternalError(promise);
}

/** Ends an exhaustive `switch`: compiles only when every case was handled. */
export function unreachable(value: never): never {
  throw new InternalError(`a case was forgotten: ${JSON.stringify(value)}`);
}
