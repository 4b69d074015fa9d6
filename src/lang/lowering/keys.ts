/**
 * Owns putting the key of an aggregate together, byte for byte as aggregates.ts draws it: on the program's stack, or in a place of
 * its own where that has no room for it.
 * Does not own what is done with it (updates.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import { cutLength, nullText, placeKey, sizeOf, stackAt } from "../aggregates.js";
import type { KeyPartSpec } from "../aggregates.js";
import { commBytes, stackParts } from "../event.js";
import type { Base, Operand, StackSlot } from "../ir.js";
import { keyRoom } from "../maps.js";
import type { TypedKeyPart, TypedText } from "../typed.js";
import type { BlockNumber, Builder } from "./builder.js";
import type { KeyPlace } from "./key-room.js";
import { copyBytes } from "./kept.js";
import type { KeptValues } from "./kept.js";
import { boundLength } from "./lengths.js";
import { takeStack } from "./stacks.js";
import type { Destination, UserMemory } from "./user-memory.js";
import type { Values } from "./values.js";

/** Bytes behind the longest text of a key that reading it may overwrite. */
const slack = 2;

interface Sources {
  readonly values: Values;
  readonly memory: UserMemory;
  readonly kept: KeptValues;
}

export interface KeyAddress {
  readonly address: Base;
  readonly offset: number;
}

/** Where a key goes that has a stack, and where the function returns to, where the caller is in no frame yet. */
export interface LargeKey {
  readonly place: KeyPlace;
  readonly caller: Operand | undefined;
}

export class Keys {
  readonly #builder: Builder;
  readonly #sources: Sources;
  /** One for all keys: each is used up before the next is begun. */
  readonly #scratch: () => StackSlot;
  #name: StackSlot | undefined;

  constructor(builder: Builder, scratch: () => StackSlot, sources: Sources) {
    this.#builder = builder;
    this.#scratch = scratch;
    this.#sources = sources;
  }

  /** Puts a key of 4 bytes there. */
  number(value: Operand): KeyAddress {
    this.#builder.enlarge(this.#slot, 8);
    this.#builder.store(this.#slot, 0, 4, value);
    return { address: this.#slot, offset: 0 };
  }

  /** Puts a key together; goes to `unread` where one of its texts cannot be read. */
  build(
    key: readonly TypedKeyPart[],
    parts: readonly KeyPartSpec[],
    unread: BlockNumber,
    large?: LargeKey,
  ): KeyAddress {
    const builder = this.#builder;
    const { offsets, bytes } = placeKey(parts);
    const constant = constantsOf(key, parts);
    const whole = large === undefined ? this.#small(bytes) : { base: large.place, offset: keyRoom.key };
    const placeOf = (at: number): Destination => ({ base: whole.base, offset: whole.offset + at });
    for (let at = 0; at < bytes; at += 8) {
      if (constant.known.subarray(at, at + 8).some((known) => known === 1))
        this.#constant(constant.bytes, at, 8, placeOf(at));
    }
    key.forEach((part, index) => {
      const spec = parts[index]!;
      const offset = offsets[index]!;
      const to = placeOf(offset);
      if (part.kind === "integer") builder.store(to.base, to.offset, sizeOfInteger(spec), this.#value(part));
      if (part.kind === "stack") {
        assert(spec.kind === "stack" && large !== undefined, "a stack where there is no room for one");
        this.#stack(to, spec, large.caller);
      }
      if (part.kind !== "text") return;
      if (spec.kind === "comm") this.#comm(part.value, to);
      else {
        assert(spec.kind === "text", "a text in a part that is none");
        this.#text(part.value, to, spec.bytes, unread);
        const end = offset + 2 + spec.bytes;
        for (let at = end; at < Math.min(end + slack, bytes); at++)
          this.#constant(constant.bytes, at, 1, placeOf(at));
      }
    });
    return { address: whole.base, offset: whole.offset };
  }

  /** Room for a key on the program's stack. */
  #small(bytes: number): Destination {
    this.#builder.enlarge(this.#slot, Math.ceil((bytes + slack) / 8) * 8);
    return { base: this.#slot, offset: 0 };
  }

  #stack(
    { base, offset }: Destination,
    { depth }: Extract<KeyPartSpec, { kind: "stack" }>,
    caller: Operand | undefined,
  ): void {
    const builder = this.#builder;
    const stack = { base, offset: offset + stackAt };
    // Kernel: the high half is the process.
    const process = builder.compute("rsh", 64, builder.callStable("get_current_pid_tgid"), 32n);
    builder.store(base, offset, 8, process);
    // Kernel: bpf_get_stack fills what is behind the last address with zeros, so that nothing of an earlier key is left there.
    const kind = { kind: "stack", space: "user", depth } as const;
    if (caller === undefined) return takeStack(builder, stack, kind, "in its frame");
    takeStack(builder, stack, kind, "at the return address");
    builder.store(base, stack.offset + stackParts.returnAddress, 8, caller);
  }

  get #slot(): StackSlot {
    return this.#scratch();
  }

  #value({ value }: Extract<TypedKeyPart, { kind: "integer" }>): Operand {
    return this.#sources.values.value(value);
  }

  #constant(bytes: Uint8Array, at: number, size: 1 | 8, to: Destination): void {
    const value = bytes.subarray(at, at + size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    this.#builder.store(to.base, to.offset, size, BigInt.asIntN(64, value));
  }

  #comm(text: TypedText, to: Destination): void {
    const builder = this.#builder;
    assert(text.kind !== "text", "text of the traced program where a thread's name is wanted");
    if (text.kind === "comm") {
      builder.run("get_current_comm", [{ address: to.base, offset: to.offset }, BigInt(commBytes)]);
      return;
    }
    assert(text.place.value.kind === "comm", "a kept text where a thread's name is wanted");
    copyBytes(builder, to, this.#sources.kept.placeOf(text), commBytes);
  }

  #text(text: TypedText, to: Destination, limit: number, unread: BlockNumber): void {
    switch (text.kind) {
      case "comm": {
        const builder = this.#builder;
        this.#name ??= builder.slot(commBytes);
        builder.run("get_current_comm", [{ address: this.#name, offset: 0 }, BigInt(commBytes)]);
        return this.#nameText({ base: this.#name, offset: 0 }, to, limit, unread);
      }
      case "kept":
        return this.#keptText(text, to, limit, unread);
      case "text":
        return this.#userText(text, to, limit, unread);
      default:
        return unreachable(text);
    }
  }

  /** A thread's name that lies on the stack already. */
  #nameText(from: Destination, to: Destination, limit: number, unread: BlockNumber): void {
    const builder = this.#builder;
    const written = builder.call("probe_read_kernel_str", [
      { address: to.base, offset: to.offset + 2 },
      BigInt(limit + slack),
      { address: from.base, offset: from.offset },
    ]);
    const read = builder.block("read");
    builder.branch("slt", 64, written, 0n, unread, read);
    builder.enter(read);
    builder.store(to.base, to.offset, 2, builder.compute("sub", 32, written, 1n));
  }

  #keptText(
    text: Extract<TypedText, { kind: "kept" }>,
    to: Destination,
    limit: number,
    unread: BlockNumber,
  ): void {
    const builder = this.#builder;
    const { kept } = this.#sources;
    const from = kept.placeOf(text);
    const kind = text.place.value;
    if (kind.kind === "comm") return this.#nameText(from, to, limit, unread);
    assert(kind.kind === "text", "kept bytes in a key");
    const length = kept.lengthOf(text, unread);
    const count = Math.min(limit, kind.limit);
    builder.run("probe_read_kernel", [
      { address: to.base, offset: to.offset + 2 },
      BigInt(count),
      { address: from.base, offset: from.offset + 4 },
    ]);
    // The length of NULL, -1, is the largest of all unsigned ones.
    const shown = builder.copy(length);
    const [long, isNull, cut, next] = [
      builder.block("long", "seldom"),
      builder.block("null", "seldom"),
      builder.block("cut", "seldom"),
      builder.block("next"),
    ];
    builder.branch("gt", 32, length, BigInt(count), long, next);
    builder.enter(long);
    builder.branch("slt", 32, length, 0n, isNull, cut);
    builder.enter(isNull);
    builder.copy(BigInt(nullText), shown);
    builder.jump(next);
    builder.enter(cut);
    builder.copy(BigInt(cutLength(limit, count)), shown);
    builder.jump(next);
    builder.enter(next);
    builder.store(to.base, to.offset, 2, shown);
  }

  #userText(
    { address, length }: Extract<TypedText, { kind: "text" }>,
    to: Destination,
    limit: number,
    unread: BlockNumber,
  ): void {
    const builder = this.#builder;
    const { values, memory } = this.#sources;
    const [isNull, next] = [builder.block("null", "seldom"), builder.block("next")];
    const failures = { fault: unread, null: isNull };
    const room = { base: to.base, offset: to.offset + 2 };
    const from = values.value(address);
    if (length === undefined) {
      const written = memory.readText(room, limit + slack, from, failures);
      builder.store(to.base, to.offset, 2, builder.compute("sub", 32, written, 1n));
      builder.jump(next);
    } else {
      const { asked, read } = boundLength(builder, values.value(length), limit);
      const [cut, whole] = [builder.block("cut", "seldom"), builder.block("whole")];
      builder.store(to.base, to.offset, 2, asked);
      builder.branch("gt", 64, asked, BigInt(limit), cut, whole);
      builder.enter(cut);
      builder.store(to.base, to.offset, 2, BigInt(limit + 1));
      builder.jump(whole);
      builder.enter(whole);
      memory.readBytes(room, read, from, failures);
      builder.jump(next);
    }
    builder.enter(isNull);
    builder.store(to.base, to.offset, 2, BigInt(nullText));
    builder.jump(next);
    builder.enter(next);
  }
}

function sizeOfInteger(spec: KeyPartSpec): 1 | 2 | 4 | 8 {
  assert(spec.kind === "integer" || spec.kind === "site", "a number in a part that is none");
  return spec.kind === "integer" ? spec.type.bytes : 4;
}

/**
 * The bytes of a key that are the same at every hit: literals, holes, and the zeros behind texts. `known` says which they are;
 * the others are zero here and written later. There is room for the slack at the end.
 */
function constantsOf(
  key: readonly TypedKeyPart[],
  parts: readonly KeyPartSpec[],
): { readonly bytes: Uint8Array; readonly known: Uint8Array } {
  const { offsets, bytes: length } = placeKey(parts);
  const bytes = new Uint8Array(length + 16);
  const known = new Uint8Array(length).fill(1);
  const view = new DataView(bytes.buffer);
  key.forEach((part, index) => {
    const spec = parts[index]!;
    const offset = offsets[index]!;
    if (part.kind === "literal") {
      const isName = spec.kind === "comm";
      const room = isName ? commBytes - 1 : sizeOf(spec) - 2;
      bytes.set(part.text.subarray(0, room), isName ? offset : offset + 2);
      if (!isName) view.setUint16(offset, Math.min(part.text.length, room + 1), true);
    } else if (part.kind !== "text" || spec.kind === "comm") {
      known.fill(0, offset, offset + sizeOf(spec));
    }
  });
  return { bytes, known };
}
