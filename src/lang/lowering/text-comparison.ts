/**
 * Owns comparing with a literal, exactly: text or bytes in user memory or kept, and the thread's name.
 * Does not own reading it (user-memory.ts).
 */
import { commBytes, textRoom } from "../event.js";
import type { Operand, StackSlot } from "../ir.js";
import type { KeptText } from "../typed.js";
import type { BlockNumber, Builder } from "./builder.js";
import type { KeptValues } from "./kept.js";
import type { UserMemory } from "./user-memory.js";

/** Where to go. */
interface Outcomes {
  readonly whenTrue: BlockNumber;
  readonly whenFalse: BlockNumber;
  readonly fault: BlockNumber;
}

export class TextComparison {
  readonly #builder: Builder;
  readonly #memory: UserMemory;
  /** One buffer for all: what is in it is compared at once. */
  #buffer: StackSlot | undefined;

  constructor(builder: Builder, memory: UserMemory) {
    this.#builder = builder;
    this.#memory = memory;
  }

  /** Branches by whether the zero-terminated text at the address is the literal. The null pointer is no text. */
  compareText(address: Operand, literal: Uint8Array, to: Outcomes): void {
    const builder = this.#builder;
    // Why: with room for one byte more than the literal and its zero, a longer text is never taken for it.
    const room = textRoom(literal.length);
    const base = this.#bufferOf(room);
    const failures = { fault: to.fault, null: to.whenFalse };
    const written = this.#memory.readText({ base, offset: 0 }, room, address, failures);
    const compares = builder.block("compare");
    builder.branch("eq", 64, written, BigInt(literal.length + 1), compares, to.whenFalse);
    builder.enter(compares);
    this.compareBytes(base, 0, literal, to.whenTrue, to.whenFalse);
  }

  /** Branches by whether the memory at the address begins with the literal's bytes, zeros among them. The null pointer does not. */
  compareMemory(address: Operand, literal: Uint8Array, to: Outcomes): void {
    const base = this.#bufferOf(literal.length);
    const failures = { fault: to.fault, null: to.whenFalse };
    this.#memory.readBytes({ base, offset: 0 }, BigInt(literal.length), address, failures);
    this.compareBytes(base, 0, literal, to.whenTrue, to.whenFalse);
  }

  /** Branches by whether the thread's name is the literal. */
  compareName(literal: Uint8Array, whenTrue: BlockNumber, whenFalse: BlockNumber): void {
    const builder = this.#builder;
    if (literal.length >= commBytes) return builder.jump(whenFalse);
    const base = this.#bufferOf(commBytes);
    builder.run("get_current_comm", [{ address: base, offset: 0 }, BigInt(commBytes)]);
    this.compareBytes(base, 0, Uint8Array.from([...literal, 0]), whenTrue, whenFalse);
  }

  /** Branches by whether what the entry of a span kept is the literal, or of `bytes` begins with it. */
  compareKept(
    { text, values }: { readonly text: KeptText; readonly values: KeptValues },
    literal: Uint8Array,
    compared: "text" | "bytes",
    { whenTrue, whenFalse, fault }: Outcomes,
  ): void {
    const builder = this.#builder;
    const { base, offset } = values.placeOf(text);
    if (text.place.value.kind === "comm") {
      if (literal.length >= commBytes) return builder.jump(whenFalse);
      return this.compareBytes(base, offset, Uint8Array.from([...literal, 0]), whenTrue, whenFalse);
    }
    const length = values.lengthOf(text, fault);
    const compares = builder.block("compare");
    // NULL has the length -1, and is no text.
    const condition = compared === "text" ? "eq" : "sge";
    builder.branch(condition, 32, length, BigInt(literal.length), compares, whenFalse);
    builder.enter(compares);
    this.compareBytes(base, offset + 4, literal, whenTrue, whenFalse);
  }

  /** Branches by whether bytes on the stack, at an offset that four divides, are the literal's. Why: four bytes fit into a comparison's immediate; eight would need a register and two more slots. */
  compareBytes(
    base: StackSlot,
    offset: number,
    literal: Uint8Array,
    whenTrue: BlockNumber,
    whenFalse: BlockNumber,
  ): void {
    const builder = this.#builder;
    for (let at = 0; at < literal.length;) {
      const left = literal.length - at;
      const bytes = left >= 4 ? 4 : left >= 2 ? 2 : 1;
      const wanted = literal.slice(at, at + bytes).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      const next = builder.block("compare");
      builder.branch("ne", 32, builder.load(base, offset + at, bytes), wanted, whenFalse, next);
      builder.enter(next);
      at += bytes;
    }
    builder.jump(whenTrue);
  }

  #bufferOf(bytes: number): StackSlot {
    this.#buffer ??= this.#builder.slot(bytes);
    this.#builder.enlarge(this.#buffer, bytes);
    return this.#buffer;
  }
}
