/**
 * Owns what the passes need to know to tell an author a way out in the words of the front that the probe is written in.
 * Does not own any words: each front brings its own.
 */
import type { IntegerType } from "./types.js";

export interface Advice {
  /** For text where a number is wanted. */
  readonly printText: string;
  /** For a literal where text of the traced program is wanted. */
  readonly placeLiteral: string;
  /** For a number where an address is wanted. */
  readonly giveAddress: string;
  /** For a length given with the thread's name. */
  readonly cutName: string;
  /** For a pointer where a length is wanted. */
  readonly giveLength: string;
  /** For text in arithmetic; the literal and the other side as they were written, where they are simple. */
  compareText(literal: string | undefined, other: string | undefined, wanted: "same" | "different"): string;
  /** For a pointer in arithmetic that is not for pointers. */
  readonly castToNumber: string;
  /** For a shift that is too long for 32 bits. */
  readonly widen: string;
  /** For a read through what is no pointer, or a pointer to nothing known. */
  readonly sayPointee: string;
  /** For steps over structs of unknown size. */
  readonly stepInBytes: string;
  /** For a return value at an entry, and for arguments at a return. */
  readonly watchReturn: string;
  readonly watchEntry: string;
  /** For a key of an aggregate that is too long for the program's stack. */
  readonly shortenKey: string;
  /** For more than fits into what a span keeps of its entry. */
  readonly keepLess: string;
  /** For a marker's argument, counting from 0, in a type that does not hold it. */
  ownType(index: number, type: IntegerType): string;
  /** How an argument is written, counting from 0. */
  argument(index: number): string;
  /** How a raw register is written. */
  register(name: string): string;
}
