/**
 * Owns the places for keys that are too large for the program's stack: claiming one, giving it back, and saying that its key is new.
 * Does not own what the key is made of (keys.ts). maps.ts draws a place.
 */
import { faultsAt, firstKeyRecord, headerBytes, siteAt, tidAt, timeAt } from "../event.js";
import type { StackSlot, Virtual } from "../ir.js";
import { keyRoom, keysMap } from "../maps.js";
import type { BlockNumber, Builder } from "./builder.js";
import { copyToRing } from "./ring.js";

/** A place that is claimed: a pointer to it. */
export type KeyPlace = Virtual;

export class KeyRoom {
  readonly #builder: Builder;
  #number: StackSlot | undefined;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Claims a place, and goes to `full` where all are taken: as many programs have interrupted each other on this processor. */
  claim(full: BlockNumber): KeyPlace {
    const builder = this.#builder;
    this.#number ??= builder.slot(4);
    const place = builder.fresh();
    const claimed = builder.block("claimed");
    for (let number = 0; number < keyRoom.places; number++) {
      const [there, taken] = [builder.block("place"), builder.block("taken", "seldom")];
      builder.store(this.#number, 0, 4, BigInt(number));
      builder.call("map_lookup_elem", [{ map: keysMap }, { address: this.#number, offset: 0 }], place);
      builder.branch("eq", 64, place, 0n, full, there);
      builder.enter(there);
      const before = builder.exchange(place, keyRoom.claim, 0n, 1n);
      builder.branch("eq", 64, before, 0n, claimed, taken);
      builder.enter(taken);
    }
    builder.jump(full);
    builder.enter(claimed);
    return place;
  }

  release(place: KeyPlace): void {
    this.#builder.store(place, keyRoom.claim, 8, 0n);
  }

  /** Says that an aggregate, by its number, has a new key, which stands in this place. */
  tell(place: KeyPlace, aggregate: number, bytes: number): void {
    const builder = this.#builder;
    builder.store(place, keyRoom.header + timeAt, 8, builder.call("ktime_get_ns", []));
    builder.store(place, keyRoom.header + tidAt, 8, builder.callStable("get_current_pid_tgid"));
    builder.store(place, keyRoom.header + siteAt, 4, BigInt(firstKeyRecord + aggregate));
    builder.store(place, keyRoom.header + faultsAt, 4, 0n);
    copyToRing(builder, { address: place, offset: keyRoom.header }, headerBytes + bytes);
  }
}
