/**
 * Owns what joins the two ends of a span: the map of what is open, its keys, and what is kept in it.
 * Does not own the steps that write and read it (lowering/spans.ts).
 *
 * Key: { u64 pid_tgid, u64 stack pointer at the entry, u32 site, u32 0 }: each call that is open has a key of its own, however deep it
 * recurses. Value: u64 time of the entry, then the kept fields, laid out as in an event. A time of 0: the entry has left the call
 * out, or could not read it, so that its return is no return without an entry.
 *
 * The map forgets what was used longest ago when it is full. Why: a call that never returns (longjmp, exceptions, the end of a thread)
 * leaves its frame behind, and with a plain hash these would fill it for ever. A left frame is never taken for a live one: a
 * later call at the same place of the same stack writes over it.
 *
 * Kernel: the return of a call that has 64 probed calls above it in its thread is never seen (MAX_URETPROBE_DEPTH). Such a call
 * leaves no frame, or a deep recursion would push out those that are seen.
 *
 * The ends of a pair are two places of any kind. Where all of them lie in the same functions, the address of the function's frame
 * stands in place of the stack pointer: a beginning that has no end is replaced by the next of a call at the same place. Else they
 * are joined by their order in the thread, the last that began with the first that ends, and the key has how many others were open:
 * { u64 pid_tgid, u64 depth, u32 site, u32 0 }. The depth itself is kept under a depth that none can have. What was begun and never
 * ends only makes others seem deeper: what begins and ends above it is joined all the same, and of all that is open 64 deep is
 * kept, the oldest given up.
 */
import type { MapSpec } from "../bpf/spec.js";
import { layoutFields } from "./event.js";
import type { EventField, FieldKind } from "./event.js";
import type { Architecture } from "./target.js";

/** What an entry keeps. */
export interface KeptLayout {
  /** Bytes of the map's value, a multiple of 8. */
  readonly bytes: number;
  /** In the order of the `keep` statement; offsets count from the value's start. */
  readonly fields: readonly EventField[];
}

export const frameKeyBytes = 24;
export const frameParts = { thread: 0, stackPointer: 8, site: 16, zero: 20 } as const;

/** Why: it is put together on the program's stack. */
export const mostKeptBytes = 256;

/** Frames that are open at one time at most, stale ones among them. */
const frames = 32_768;

/** Kernel: MAX_URETPROBE_DEPTH, include/linux/uprobes.h: a thread's probed calls whose return is still to come. */
export const mostPending = 64n;

/** Pairs that are open within each other in a thread, and known. */
export const mostNested = 64n;

/** Stands in place of the depth where the depth itself is kept. */
export const depthOfThread = -1n;

/** How far above the entry's stack pointer that of the return is: x86 has taken the return address away by then. */
export const poppedAtReturn: Readonly<Record<Architecture, bigint>> = { "x86-64": 8n, arm64: 0n };

/** Places what an entry keeps behind its time. */
export function layoutKept(
  fields: readonly { readonly name: string; readonly value: FieldKind }[],
): KeptLayout {
  return layoutFields(fields, 8);
}

/** The map of open calls. */
export function spanMapSpec(name: string, { bytes }: KeptLayout, entries: number = frames): MapSpec {
  return { name, kind: "lru-hash", keyBytes: frameKeyBytes, valueBytes: bytes, entries };
}
