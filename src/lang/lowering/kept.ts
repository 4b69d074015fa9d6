/**
 * Owns the values that the entry of a span kept, as the program of its return has them: numbers in registers, texts on the stack.
 * Does not own finding them (spans.ts).
 */
import { assert } from "../../base/assert.js";
import { commBytes } from "../event.js";
import type { EventField } from "../event.js";
import type { Base, Bytes, Operand, StackSlot, Virtual } from "../ir.js";
import type { KeptText } from "../typed.js";
import type { BlockNumber, Builder } from "./builder.js";

/** The length of a kept text that could not be read; NULL is -1. */
export const unreadText = -2n;

export class KeptValues {
  readonly #builder: Builder;
  readonly #numbers = new Map<number, Virtual>();
  /** Where texts and bytes lie, at the offsets at which they were kept. */
  #texts: StackSlot | undefined;
  #elapsed: Virtual | undefined;

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /** Takes what is used over from the map's value, for that is not ours any more once its key is deleted. */
  take(value: Virtual, fields: readonly EventField[], used: ReadonlySet<number>, bytes: number): void {
    const builder = this.#builder;
    fields.forEach(({ offset, value: kind }, index) => {
      if (!used.has(index)) return;
      if (kind.kind === "integer") this.#numbers.set(index, builder.load(value, offset, kind.type.bytes));
      else if (kind.kind === "symbol") this.#numbers.set(index, builder.load(value, offset, 8));
      else {
        this.#texts ??= builder.slot(bytes);
        copyBytes(builder, { base: this.#texts, offset }, { base: value, offset }, sizeOfText(kind));
      }
    });
  }

  /** Nanoseconds since the entry. */
  set elapsed(elapsed: Virtual) {
    this.#elapsed = elapsed;
  }

  get elapsed(): Virtual {
    assert(this.#elapsed !== undefined, "a duration outside of a span's return");
    return this.#elapsed;
  }

  number(index: number): Operand {
    const number = this.#numbers.get(index);
    assert(number !== undefined, `the kept field ${index} was not taken over`);
    return number;
  }

  /** Where a kept text, comm or bytes begin on the stack. */
  placeOf({ place }: KeptText): { readonly base: StackSlot; readonly offset: number } {
    assert(this.#texts !== undefined, "a kept text that was not taken over");
    return { base: this.#texts, offset: place.offset };
  }

  /** Goes on with the length of a kept text where it was read, and to `unread` where not. */
  lengthOf(text: KeptText, unread: BlockNumber): Virtual {
    const builder = this.#builder;
    const { base, offset } = this.placeOf(text);
    const length = builder.load(base, offset, 4);
    const there = builder.block("there");
    builder.branch("eq", 32, length, unreadText, unread, there);
    builder.enter(there);
    return length;
  }

  /** Writes a kept text, comm or bytes into memory of the same form. */
  write(text: KeptText, to: Base, offset: number, unread: BlockNumber): void {
    const { value: kind } = text.place;
    if (kind.kind === "text") this.lengthOf(text, unread);
    copyBytes(this.#builder, { base: to, offset }, this.placeOf(text), sizeOfText(kind));
  }
}

/** The bytes that mean something. */
function sizeOfText(kind: EventField["value"]): number {
  switch (kind.kind) {
    case "text":
      return 4 + kind.limit;
    case "bytes":
      return kind.count;
    case "comm":
      return commBytes;
    default:
      assert(false, `a kept field that is ${kind.kind}`);
  }
}

interface Place {
  readonly base: Base;
  readonly offset: number;
}

/**
 * Copies bytes between the stack and other memory. Verifier: the stack is read and written in aligned pieces; other memory may
 * be reached in any, on machines where that is fast, as both of ours are.
 */
export function copyBytes(builder: Builder, to: Place, from: Place, bytes: number): void {
  const stack = typeof to.base === "number" ? from : to;
  for (let at = 0; at < bytes;) {
    const fits = ([8, 4, 2, 1] as const).find(
      (size) => size <= bytes - at && (stack.offset + at) % size === 0,
    )!;
    const piece: Bytes = fits;
    builder.store(to.base, to.offset + at, piece, builder.load(from.base, from.offset + at, piece));
    at += piece;
  }
}
