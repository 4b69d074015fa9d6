/** Collects garbage at the worst moments of calls that carry addresses, and prints how many calls went right. */
import { mapLookup, mapUpdate } from "../../../src/kernel/layouts.js";
import type { Attr, Patch } from "../../../src/kernel/layouts.js";
import { createMap } from "../../../src/kernel/maps.js";
import { attemptBpf } from "../../../src/kernel/syscalls.js";

const collect = (globalThis as { gc?: (options?: { readonly type: "minor" }) => void }).gc;
if (collect === undefined) throw new Error("run with --expose-gc");

/** Collects while the addon walks the list: after it took the address of one buffer and before that of the next. */
function collectingWithin(attr: Attr): Attr {
  const patches = attr.patches.map((patch): Patch => {
    const { offset, buffer } = patch;
    return {
      get offset() {
        churn("minor");
        return offset;
      },
      get buffer() {
        return buffer;
      },
    };
  });
  return { ...attr, patches };
}

/** Young buffers die in a minor collection already; a full one compacts, too. */
function churn(type: "minor" | "full"): void {
  for (let index = 0; index < 50; index++) new Uint8Array(8).fill(0xee);
  collect!(type === "minor" ? { type } : undefined);
}

using map = createMap({ name: "buffers", kind: "hash", keyBytes: 8, valueBytes: 8, entries: 1000 });
let right = 0;
for (let round = 0; round < 200; round++) {
  const key = (): Uint8Array => new Uint8Array(new BigUint64Array([BigInt(round)]).buffer);
  attemptBpf(collectingWithin(mapUpdate(map.fd, key(), new Uint8Array(8).fill(round), 0)));
  const attr = mapLookup(map.fd, key(), new Uint8Array(8));
  churn("full");
  const result = attemptBpf(collectingWithin(attr));
  const value = attr.patches[1]!.buffer;
  // No address may be left in the struct that JavaScript sees.
  const clean = attr.bytes.subarray(8, 24).every((byte) => byte === 0);
  if (result === 0 && clean && value.every((byte) => byte === round)) right++;
}
console.log(right);
