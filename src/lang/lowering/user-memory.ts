/**
 * Owns reading the traced process's memory: values, zero-terminated text, bytes of a length; faulting pages in where that is allowed.
 * Does not own what becomes of a failure: the caller names the blocks.
 */
import type { Base, Bytes, Operand, StackSlot, Virtual } from "../ir.js";
import type { BlockNumber, Builder } from "./builder.js";

/** Where to go when a read cannot be done. */
export interface ReadFailures {
  readonly fault: BlockNumber;
  /** The address is 0. */
  readonly null: BlockNumber;
}

/** Memory that a helper writes to. */
export interface Destination {
  readonly base: Base;
  readonly offset: number;
}

// Kernel: the smallest page; larger ones are touched more than once, which does no harm.
const pageBytes = 4096;

export class UserMemory {
  readonly #builder: Builder;
  /** Verifier: bpf_copy_from_user is for sleepable programs alone; it faults pages in, the other helpers fail instead. */
  #faultsIn: boolean;
  #word: StackSlot | undefined;

  constructor(builder: Builder, sleepable: boolean) {
    this.#builder = builder;
    this.#faultsIn = sleepable;
  }

  /** Lowers reads that fail where a page is absent, and never sleep. */
  awake<Result>(lower: () => Result): Result {
    const outer = this.#faultsIn;
    this.#faultsIn = false;
    const result = lower();
    this.#faultsIn = outer;
    return result;
  }

  /** Reads a value of 1, 2, 4 or 8 bytes; goes to `fault` when it cannot be read. */
  readValue(address: Operand, bytes: Bytes, fault: BlockNumber): Virtual {
    const builder = this.#builder;
    const base = this.#wordSlot();
    this.#readInto({ base, offset: 0 }, BigInt(bytes), address, fault, builder.block("read"));
    return builder.load(base, 0, bytes);
  }

  /** Reads that many bytes, at most as many as there is room for. */
  readBytes(to: Destination, count: Operand, address: Operand, failures: ReadFailures): void {
    const builder = this.#builder;
    const failed = builder.block("failed", "seldom");
    this.#readInto(to, count, address, failed, builder.block("read"));
    const read = builder.block("read");
    builder.jump(read);
    builder.enter(failed);
    builder.branch("eq", 64, address, 0n, failures.null, failures.fault);
    builder.enter(read);
  }

  /** Reads text up to its zero into `room` bytes. Returns the bytes written with the zero, as the helper has it. */
  readText(to: Destination, room: number, address: Operand, failures: ReadFailures): Virtual {
    const builder = this.#builder;
    const read = builder.block("read");
    const failed = builder.block("failed", "seldom");
    const written = builder.fresh();
    const readOnce = (otherwise: BlockNumber): void => {
      const destination = { address: to.base, offset: to.offset };
      builder.call("probe_read_user_str", [destination, BigInt(room), address], written);
      builder.branch("slt", 64, written, 0n, otherwise, read);
    };
    readOnce(failed);
    builder.enter(failed);
    if (this.#faultsIn) {
      const present = builder.block("touch", "seldom");
      builder.branch("eq", 64, address, 0n, failures.null, present);
      builder.enter(present);
      this.touchPages(address, BigInt(room), room, failures.fault);
      readOnce(failures.fault);
    } else {
      builder.branch("eq", 64, address, 0n, failures.null, failures.fault);
    }
    builder.enter(read);
    return written;
  }

  #readInto(to: Destination, count: Operand, address: Operand, failed: BlockNumber, done: BlockNumber): void {
    const builder = this.#builder;
    const helper = this.#faultsIn ? "copy_from_user" : "probe_read_user";
    const result = builder.call(helper, [{ address: to.base, offset: to.offset }, count, address]);
    builder.branch("ne", 64, result, 0n, failed, done);
    builder.enter(done);
  }

  /**
   * Makes the pages present that `count` bytes, at most `most`, can lie on. Only the first must be there: where a text ends before
   * the others, they need not exist. Why: there is no helper that both stops at a zero and faults pages in before kernel 6.17.
   */
  touchPages(address: Operand, count: Operand, most: number, fault: BlockNumber): void {
    const builder = this.#builder;
    const word = { address: this.#wordSlot(), offset: 0 };
    const first = builder.call("copy_from_user", [word, 1n, address]);
    const again = builder.block("again", "seldom");
    const more = builder.block("more", "seldom");
    builder.branch("ne", 64, first, 0n, fault, more);
    builder.enter(more);
    const end = builder.compute("add", 64, address, count);
    const last = builder.compute("sub", 64, end, 1n);
    const pageEnd = builder.compute("or", 64, address, BigInt(pageBytes - 1));
    for (let page = 0; page * pageBytes < most - 1; page++) {
      const next = builder.compute("add", 64, pageEnd, BigInt(1 + page * pageBytes));
      const touch = builder.block("touch", "seldom");
      builder.branch("gt", 64, next, last, again, touch);
      builder.enter(touch);
      builder.run("copy_from_user", [word, 1n, next]);
    }
    builder.jump(again);
    builder.enter(again);
  }

  /** Eight bytes that are read at once after they were written, so that one place serves all. */
  #wordSlot(): StackSlot {
    this.#word ??= this.#builder.slot(8);
    return this.#word;
  }
}
