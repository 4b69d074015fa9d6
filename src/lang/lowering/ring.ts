/**
 * Owns the calls that bring a record into the ring: reserved, then submitted or discarded; or copied.
 * Does not own what is written into it (events.ts).
 */
import type { Argument, Virtual } from "../ir.js";
import { eventsMap } from "../maps.js";
import type { BlockNumber, Builder } from "./builder.js";

// Kernel: BPF_RB_NO_WAKEUP, BPF_RB_FORCE_WAKEUP.
const noWakeup = 1n;
const forceWakeup = 2n;

/** Takes room in the ring; goes to `full` where there is none. */
export function reserve(builder: Builder, bytes: number, full: BlockNumber): Virtual {
  const record = builder.call("ringbuf_reserve", [{ map: eventsMap }, BigInt(bytes), 0n]);
  const reserved = builder.block("reserved");
  builder.branch("eq", 64, record, 0n, full, reserved);
  builder.enter(reserved);
  return record;
}

/** Copies a record into the ring; where there is no room, nobody hears of it. The reader finds it at its next look. */
export function copyToRing(builder: Builder, record: Argument, bytes: number): void {
  builder.run("ringbuf_output", [{ map: eventsMap }, record, BigInt(bytes), noWakeup]);
}

/** Gives the record back: the reader skips it. */
export function discard(builder: Builder, record: Virtual): void {
  builder.run("ringbuf_discard", [record, noWakeup]);
}

/** Why: waking the reader costs four times the rest, so it is woken when much waits for it, and looks by itself otherwise. */
export function submit(builder: Builder, record: Virtual, wakeBytes: number): void {
  // Kernel: BPF_RB_AVAIL_DATA 0.
  const waiting = builder.call("ringbuf_query", [{ map: eventsMap }, 0n]);
  const flags = builder.copy(noWakeup);
  const [wake, send] = [builder.block("wake"), builder.block("submit")];
  builder.branch("gt", 64, waiting, BigInt(wakeBytes), wake, send);
  builder.enter(wake);
  builder.copy(forceWakeup, flags);
  builder.jump(send);
  builder.enter(send);
  builder.run("ringbuf_submit", [record, flags]);
}
