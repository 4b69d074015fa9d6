/**
 * Owns counting what found no room, by the number of its aggregate or span.
 * Does not own what becomes of the hit.
 */
import type { StackSlot } from "../ir.js";
import { dropsMap } from "../maps.js";
import type { Builder } from "./builder.js";

export class Drops {
  readonly #builder: Builder;
  #key: StackSlot | undefined;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Counts one. */
  count(number: number): void {
    const builder = this.#builder;
    this.#key ??= builder.slot(4);
    builder.store(this.#key, 0, 4, BigInt(number));
    const found = builder.call("map_lookup_elem", [{ map: dropsMap }, { address: this.#key, offset: 0 }]);
    const [there, counted] = [builder.block("drop", "seldom"), builder.block("dropped", "seldom")];
    builder.branch("eq", 64, found, 0n, counted, there);
    builder.enter(there);
    builder.count(found, 0);
    builder.jump(counted);
    builder.enter(counted);
  }
}
