/**
 * Owns the two ends of a span: the entry's frame, written or taken away; at the return, finding it, using it and taking it away.
 * Does not own the frames' form (span.ts), their keys (span-keys.ts) nor the kept values behind the beginning of the return (kept.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import { convert } from "../checking/conversions.js";
import { textRoom } from "../event.js";
import type { EventField } from "../event.js";
import type { Operand, StackSlot } from "../ir.js";
import { mostPending } from "../span.js";
import type { KeptLayout } from "../span.js";
import type { TypedField } from "../typed.js";
import type { BlockNumber, Builder } from "./builder.js";
import type { Drops } from "./drops.js";
import { unreadText } from "./kept.js";
import type { KeptValues } from "./kept.js";
import { boundLength } from "./lengths.js";
import { SpanKeys } from "./span-keys.js";
import type { KeySurroundings } from "./span-keys.js";
import type { UserMemory } from "./user-memory.js";
import type { Values } from "./values.js";

interface Surroundings extends KeySurroundings {
  readonly drops: Drops;
}

export class Spans {
  readonly #builder: Builder;
  readonly #surroundings: Surroundings;
  readonly #keys: SpanKeys;

  constructor(builder: Builder, surroundings: Surroundings) {
    this.#builder = builder;
    this.#surroundings = surroundings;
    this.#keys = new SpanKeys(builder, surroundings);
  }

  /** At the return: takes over what the entry kept, or ends the hit where there is no frame, which is counted. */
  open(
    kept: KeptValues,
    used: { readonly fields: ReadonlySet<number>; readonly elapsed: boolean },
    end: BlockNumber,
  ): void {
    const builder = this.#builder;
    const { span, drops } = this.#surroundings;
    assert(span.role === "return", "a frame that is opened at the entry");
    // Why: first of all, so that looking for the frame is no part of the duration.
    const now = used.elapsed ? builder.callStable("ktime_get_ns") : undefined;
    const missing = builder.block("no frame", "seldom");
    const key = this.#keys.at(this.#keys.isOrdered ? this.#keys.takeDepth(missing) : this.#keys.placeAtEnd());
    const frame = builder.call("map_lookup_elem", [{ map: span.map }, key]);
    const found = builder.block("frame");
    const unknown = this.#keys.isOrdered ? builder.block("given up", "seldom") : missing;
    builder.branch("eq", 64, frame, 0n, unknown, found);
    builder.enter(missing);
    drops.count(span.number);
    builder.jump(end);
    if (unknown !== missing) {
      builder.enter(unknown);
      drops.count(span.apart!.number);
      builder.jump(end);
    }
    builder.enter(found);
    const [leftOut, whole] = [builder.block("left out", "seldom"), builder.block("whole")];
    const began = builder.load(frame, 0, 8);
    builder.branch("eq", 64, began, 0n, leftOut, whole);
    builder.enter(leftOut);
    builder.run("map_delete_elem", [{ map: span.map }, key]);
    builder.jump(end);
    builder.enter(whole);
    if (now !== undefined) kept.elapsed = builder.compute("sub", 64, now, began);
    if (span.kept !== undefined) kept.take(frame, span.kept.fields, used.fields, span.kept.bytes);
    builder.run("map_delete_elem", [{ map: span.map }, key]);
  }

  /** At the entry, first of all: ends the hit of a call whose return the kernel will not show, which is counted. */
  refuseDeep(end: BlockNumber): void {
    const builder = this.#builder;
    const { deep } = this.#surroundings.span;
    if (deep === undefined) return;
    const [asked, pending] = [builder.block("depth"), builder.block("pending")];
    const [tooDeep, shown] = [builder.block("too deep", "seldom"), builder.block("shown")];
    const to = { address: this.#keys.slot, offset: 0 };
    const task = builder.call("get_current_task", []);
    const utaskAt = builder.compute("add", 64, task, BigInt(deep.utask));
    // Kernel: before its first probed call a thread has no utask; reading behind its zero fails then.
    const taskRead = builder.call("probe_read_kernel", [to, 8n, utaskAt]);
    builder.branch("ne", 64, taskRead, 0n, shown, asked);
    builder.enter(asked);
    const depthAt = builder.compute("add", 64, builder.load(this.#keys.slot, 0, 8), BigInt(deep.depth));
    const depthRead = builder.call("probe_read_kernel", [to, 4n, depthAt]);
    builder.branch("ne", 64, depthRead, 0n, shown, pending);
    builder.enter(pending);
    builder.branch("ge", 32, builder.load(this.#keys.slot, 0, 4), mostPending, tooDeep, shown);
    builder.enter(tooDeep);
    this.#surroundings.drops.count(deep.number);
    builder.jump(end);
    builder.enter(shown);
  }

  /**
   * At the entry: a call that is not kept leaves a frame that says so, over what an earlier call may have left at this place of the
   * stack: its return is then no return without an entry.
   */
  leave(slot: StackSlot, layout: KeptLayout): void {
    const builder = this.#builder;
    this.#clear(slot, layout);
    builder.store(slot, 0, 8, 0n);
    this.#put(slot);
  }

  /** At the entry: writes the frame and ends the hit; `left` is where `leave` is done. */
  keep(
    fields: readonly TypedField[],
    layout: KeptLayout,
    given: {
      readonly slot: StackSlot;
      readonly values: Values;
      readonly memory: UserMemory;
      readonly faulted: BlockNumber;
      readonly end: BlockNumber;
    },
  ): void {
    const builder = this.#builder;
    const { slot, end } = given;
    this.#clear(slot, layout);
    fields.forEach((field, index) => {
      const outer = builder.span;
      builder.span = field.span;
      this.#write(slot, layout.fields[index]!, field, given);
      builder.span = outer;
    });
    builder.store(slot, 0, 8, builder.call("ktime_get_ns", []));
    this.#put(slot);
    builder.jump(end);
  }

  /** Verifier: a helper reads only what was written, holes and the rest of texts too. */
  #clear(slot: StackSlot, { bytes }: KeptLayout): void {
    this.#builder.enlarge(slot, bytes);
    for (let at = 8; at < bytes; at += 8) this.#builder.store(slot, at, 8, 0n);
  }

  /** Writes a frame; where there is no room for it none may stay from before, and the return is one without an entry. */
  #put(slot: StackSlot): void {
    const builder = this.#builder;
    const { map } = this.#surroundings.span;
    const depth = this.#keys.isOrdered ? this.#keys.readDepth() : undefined;
    const key = this.#keys.at(depth ?? this.#keys.placeAtBeginning());
    const result = builder.call("map_update_elem", [{ map }, key, { address: slot, offset: 0 }, 0n]);
    const [refused, done] = [builder.block("refused", "seldom"), builder.block("put")];
    builder.branch("ne", 64, result, 0n, refused, done);
    builder.enter(refused);
    builder.run("map_delete_elem", [{ map }, key]);
    builder.jump(done);
    builder.enter(done);
    if (depth !== undefined) this.#keys.putDepth(slot, depth);
  }

  #write(
    slot: StackSlot,
    { offset, value: kind }: EventField,
    { value }: TypedField,
    {
      values,
      memory,
      faulted,
    }: { readonly values: Values; readonly memory: UserMemory; readonly faulted: BlockNumber },
  ): void {
    const builder = this.#builder;
    switch (value.kind) {
      case "integer": {
        assert(kind.kind === "integer", "an integer in a field that is none");
        return builder.store(slot, offset, kind.type.bytes, values.value(convert(value.value, kind.type)));
      }
      case "symbol":
        return builder.store(slot, offset, 8, values.value(value.address));
      case "comm":
        return builder.run("get_current_comm", [{ address: slot, offset }, 16n]);
      case "bytes": {
        const address = values.value(value.address);
        return memory.readBytes({ base: slot, offset }, BigInt(value.count), address, {
          fault: faulted,
          null: faulted,
        });
      }
      case "text":
        assert(kind.kind === "text", "a text in a field that is none");
        return this.#text(slot, offset, kind.limit, memory, {
          address: values.value(value.address),
          length: value.length && values.value(value.length),
        });
      case "kept":
      case "stack":
        return assert(false, `an entry that keeps what is ${value.kind}`);
      default:
        return unreachable(value);
    }
  }

  /** As in an event; the length says also where the text could not be read. */
  #text(
    slot: StackSlot,
    offset: number,
    limit: number,
    memory: UserMemory,
    { address, length }: { readonly address: Operand; readonly length: Operand | undefined },
  ): void {
    const builder = this.#builder;
    const [unread, isNull] = [builder.block("unread", "seldom"), builder.block("null", "seldom")];
    const next = builder.block("next");
    const failures = { fault: unread, null: isNull };
    const to = { base: slot, offset: offset + 4 };
    if (length === undefined) {
      const written = memory.readText(to, textRoom(limit), address, failures);
      builder.store(slot, offset, 4, builder.compute("sub", 32, written, 1n));
    } else {
      const { asked, read } = boundLength(builder, length, limit);
      builder.store(slot, offset, 4, asked);
      memory.readBytes(to, read, address, failures);
    }
    builder.jump(next);
    for (const [block, mark] of [[unread, unreadText] as const, [isNull, -1n] as const]) {
      builder.enter(block);
      builder.store(slot, offset, 4, mark);
      builder.jump(next);
    }
    builder.enter(next);
  }
}
