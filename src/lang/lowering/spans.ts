/**
 * Owns the two ends of a span: the entry's frame, written or taken away; at the return, finding it, using it and taking it away.
 * Does not own the frames' form (span.ts) nor the kept values behind the beginning of the return (kept.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import { convert } from "../checking/conversions.js";
import { textRoom } from "../event.js";
import type { EventField } from "../event.js";
import { context } from "../ir.js";
import type { Operand, StackSlot, Virtual } from "../ir.js";
import type { SpanOption } from "../options.js";
import { findRegister } from "../registers.js";
import { frameKeyBytes, frameParts, poppedAtReturn } from "../span.js";
import type { KeptLayout } from "../span.js";
import type { Architecture } from "../target.js";
import type { TypedField } from "../typed.js";
import type { BlockNumber, Builder } from "./builder.js";
import type { Drops } from "./drops.js";
import { unreadText } from "./kept.js";
import type { KeptValues } from "./kept.js";
import { boundLength } from "./lengths.js";
import type { UserMemory } from "./user-memory.js";
import type { Values } from "./values.js";

interface Surroundings {
  readonly span: SpanOption;
  readonly architecture: Architecture;
  readonly drops: Drops;
}

export class Spans {
  readonly #builder: Builder;
  readonly #surroundings: Surroundings;
  readonly #key: StackSlot;

  constructor(builder: Builder, surroundings: Surroundings) {
    this.#builder = builder;
    this.#surroundings = surroundings;
    this.#key = builder.slot(frameKeyBytes);
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
    const key = this.#frame(-poppedAtReturn[this.#surroundings.architecture]);
    const frame = builder.call("map_lookup_elem", [{ map: span.map }, key]);
    const [missing, found] = [builder.block("no frame", "seldom"), builder.block("frame")];
    builder.branch("eq", 64, frame, 0n, missing, found);
    builder.enter(missing);
    drops.count(span.number);
    builder.jump(end);
    builder.enter(found);
    if (now !== undefined) kept.elapsed = builder.compute("sub", 64, now, builder.load(frame, 0, 8));
    if (span.kept !== undefined) kept.take(frame, span.kept.fields, used.fields, span.kept.bytes);
    builder.run("map_delete_elem", [{ map: span.map }, key]);
  }

  /** At the entry: a hit that keeps nothing takes away what an earlier call may have left at this place of the stack. */
  leave(): void {
    this.#builder.run("map_delete_elem", [{ map: this.#surroundings.span.map }, this.#frame(0n)]);
  }

  /** At the entry: writes the frame and ends the hit; `left` is where `leave` is done. */
  keep(
    fields: readonly TypedField[],
    layout: KeptLayout,
    given: {
      readonly slot: StackSlot;
      readonly values: Values;
      readonly memory: UserMemory;
      readonly left: BlockNumber;
      readonly faulted: BlockNumber;
      readonly end: BlockNumber;
    },
  ): void {
    const builder = this.#builder;
    const { span, drops } = this.#surroundings;
    const { slot, left, end } = given;
    builder.enlarge(slot, layout.bytes);
    // Verifier: a helper reads only what was written, holes and the rest of texts too.
    for (let at = 8; at < layout.bytes; at += 8) builder.store(slot, at, 8, 0n);
    fields.forEach((field, index) => {
      const outer = builder.span;
      builder.span = field.span;
      this.#write(slot, layout.fields[index]!, field, given);
      builder.span = outer;
    });
    const key = this.#frame(0n);
    builder.store(slot, 0, 8, builder.call("ktime_get_ns", []));
    const value = { address: slot, offset: 0 };
    const result = builder.call("map_update_elem", [{ map: span.map }, key, value, 0n]);
    const refused = builder.block("refused", "seldom");
    builder.branch("ne", 64, result, 0n, refused, end);
    builder.enter(refused);
    drops.count(span.number);
    builder.jump(left);
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

  /** Puts the key together, for a stack pointer so far from that of this hit. */
  #frame(distance: bigint): { readonly address: StackSlot; readonly offset: number } {
    const builder = this.#builder;
    const offset = findRegister(this.#surroundings.architecture, "sp");
    assert(offset !== undefined, "a machine without a stack pointer");
    const sp: Virtual = builder.loadStable(context, offset, 8);
    const cookie = builder.callStable("get_attach_cookie", [context]);
    builder.store(this.#key, frameParts.thread, 8, builder.callStable("get_current_pid_tgid"));
    builder.store(this.#key, frameParts.stackPointer, 8, builder.compute("add", 64, sp, distance));
    // The low half of the cookie, and the zero behind it.
    builder.store(this.#key, frameParts.site, 8, builder.extend(cookie, 32, false, 64));
    return { address: this.#key, offset: 0 };
  }
}
