/** Owns the refusal to test a WebAssembly module that is older than its sources, before all tests. Does not own its build. */
import { wasmCodePath } from "../../scripts/build-wasm.mjs";
import { isStale } from "../../scripts/setup.mjs";

export function setup(): void {
  if (isStale(wasmCodePath, ["assembly", "scripts/build-wasm.mjs"]))
    throw new Error(`${wasmCodePath} is older than assembly/: node scripts/build.mjs (npm test does it)`);
}
