/** Counts CPUs and watches processes where /sys is not what it should be; prints the errors as JSON. */
import { UscopeError } from "../../../src/base/errors.js";
import { readPossibleCpus } from "../../../src/kernel/cpus.js";
import { openProcessEvents } from "../../../src/kernel/perf-events.js";

function errorOf(attempt: () => unknown): { readonly kind: string; readonly message: string } {
  try {
    return { kind: "none", message: String(attempt()) };
  } catch (error) {
    if (error instanceof UscopeError) return { kind: error.kind, message: error.message };
    throw error;
  }
}

console.log(
  JSON.stringify([errorOf(() => readPossibleCpus()), errorOf(() => openProcessEvents({ onFork() {} }))]),
);
