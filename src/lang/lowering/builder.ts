/**
 * Owns writing intermediate code: blocks that are opened, filled and left, fresh registers, stack buffers.
 * Does not own what is written; that is passes/3-lower.ts and its neighbours here.
 */
import { assert } from "../../base/assert.js";
import type { Span } from "../../base/errors.js";
import type { HelperName } from "../../bpf/helpers.js";
import type { Condition, Width } from "../../bpf/opcodes.js";
import type {
  Argument,
  Base,
  Block,
  Bytes,
  End,
  Operand,
  Operation,
  Program,
  StackSlot,
  Step,
  Virtual,
} from "../ir.js";

/** A block by its number. */
export type BlockNumber = number;

interface OpenBlock {
  readonly name: string;
  readonly cold: boolean;
  readonly steps: Step[];
  end: End | undefined;
}

export class Builder {
  readonly #blocks: OpenBlock[] = [];
  readonly #slots: number[] = [];
  #registers = 1;
  #current: BlockNumber = 0;
  /** The part of the author's text that the next steps stand for. */
  span: Span | undefined = undefined;

  /** Makes a block for later; `enter` makes it the one that is written to. */
  block(name: string, reached: "often" | "seldom" = "often"): BlockNumber {
    this.#blocks.push({ name, cold: reached === "seldom", steps: [], end: undefined });
    return this.#blocks.length - 1;
  }

  enter(block: BlockNumber): void {
    this.#current = block;
  }

  /** The block that is written to. */
  get current(): BlockNumber {
    return this.#current;
  }

  fresh(): Virtual {
    return this.#registers++;
  }

  /** Makes a buffer on the stack. */
  slot(bytes: number): StackSlot {
    this.#slots.push(bytes);
    return { slot: this.#slots.length - 1 };
  }

  /** Makes a buffer at least so large. */
  enlarge({ slot }: StackSlot, bytes: number): void {
    this.#slots[slot] = Math.max(this.#slots[slot] ?? 0, bytes);
  }

  copy(from: Operand, to: Virtual = this.fresh()): Virtual {
    this.#append({ kind: "copy", to, from, span: this.span });
    return to;
  }

  compute(operation: Operation, width: Width, left: Operand, right: Operand): Virtual {
    const to = this.fresh();
    this.#append({ kind: "compute", to, operation, width, left, right, span: this.span });
    return to;
  }

  extend(from: Operand, bits: 8 | 16 | 32, filledWith: "zeros" | "sign", width: Width): Virtual {
    const to = this.fresh();
    const signed = filledWith === "sign";
    this.#append({ kind: "extend", to, from, bits, signed, width, span: this.span });
    return to;
  }

  load(base: Base, offset: number, bytes: Bytes): Virtual {
    const to = this.fresh();
    this.#append({ kind: "load", to, base, offset, bytes, stable: false, span: this.span });
    return to;
  }

  /** Loads what never changes while the program runs, as the saved registers. */
  loadStable(base: Base, offset: number, bytes: Bytes): Virtual {
    const to = this.fresh();
    this.#append({ kind: "load", to, base, offset, bytes, stable: true, span: this.span });
    return to;
  }

  store(base: Base, offset: number, bytes: Bytes, value: Operand): void {
    this.#append({ kind: "store", base, offset, bytes, value, span: this.span });
  }

  /** Adds one to a counter in memory, in one piece. */
  count(base: Base, offset: number): void {
    this.#append({ kind: "add", base, offset, value: 1n, span: this.span });
  }

  /** Adds to 64 bits of memory in one piece. */
  add(base: Base, offset: number, value: Operand): void {
    this.#append({ kind: "add", base, offset, value, span: this.span });
  }

  /** Writes 64 bits of memory in one piece if they are as expected, and gives what was there. */
  exchange(base: Virtual, offset: number, expected: Operand, value: Operand): Virtual {
    const to = this.fresh();
    this.#append({ kind: "exchange", to, base, offset, expected, value, span: this.span });
    return to;
  }

  call(helper: HelperName, args: readonly Argument[], to: Virtual = this.fresh()): Virtual {
    this.#append({ kind: "call", to, helper, arguments: args, stable: false, span: this.span });
    return to;
  }

  /** Calls a helper that gives the same wherever it is called in one run. */
  callStable(helper: HelperName, args: readonly Argument[] = []): Virtual {
    const to = this.fresh();
    this.#append({ kind: "call", to, helper, arguments: args, stable: true, span: this.span });
    return to;
  }

  /** Calls a helper whose result means nothing. */
  run(helper: HelperName, args: readonly Argument[]): void {
    this.#append({ kind: "call", to: undefined, helper, arguments: args, stable: false, span: this.span });
  }

  jump(to: BlockNumber): void {
    this.#close({ kind: "jump", to, span: this.span });
  }

  branch(
    condition: Condition,
    width: Width,
    left: Operand,
    right: Operand,
    whenTrue: BlockNumber,
    whenFalse: BlockNumber,
  ): void {
    this.#close({ kind: "branch", condition, width, left, right, whenTrue, whenFalse, span: this.span });
  }

  exit(): void {
    this.#close({ kind: "exit", span: this.span });
  }

  finish(): Program {
    const blocks = this.#blocks.map(({ name, cold, steps, end }): Block => {
      assert(end !== undefined, `the block "${name}" has no end`);
      return { name, cold, steps, end };
    });
    return { blocks, slots: this.#slots, registers: this.#registers };
  }

  #append(step: Step): void {
    const { end, steps } = this.#open();
    assert(end === undefined, "a step behind the end of a block");
    steps.push(step);
  }

  #close(end: End): void {
    const block = this.#open();
    assert(block.end === undefined, "a block that ends twice");
    block.end = end;
  }

  #open(): OpenBlock {
    return this.#blocks[this.#current]!;
  }
}
