/**
 * Owns what the compiler asks of the traced program: which places a selector names, and where values lie there.
 * Does not own the answer: target/ implements it; lang never sees an ELF file.
 */
import type { Selector } from "./tree.js";
import type { IntegerType } from "./types.js";

/** Where one value lies when a probe hits, in terms of the saved registers. */
export type ValuePlace =
  | { readonly kind: "register"; readonly register: string; readonly type: IntegerType }
  | {
      readonly kind: "memory";
      readonly base: string;
      readonly index: string | undefined;
      readonly scale: 1 | 2 | 4 | 8;
      /** Signed, in bytes; for stack places the delta of the stack pointer is in it. */
      readonly displacement: bigint;
      readonly type: IntegerType;
    }
  | { readonly kind: "constant"; readonly value: bigint; readonly type: IntegerType }
  /** The place is known to be unreadable here (a vector register ...): an error for this one value only. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** The values at a set of places that agree on where each value lies. One program is compiled per layout. */
export interface Layout {
  /** arg1 is the first. What is beyond the end has no known place. */
  readonly arguments: readonly ValuePlace[];
  /** Only at returns. */
  readonly returned: ValuePlace | undefined;
  /** Only where no frame is set up yet, so that walking the frames misses who called: where the function will return to. */
  readonly returnAddress: ValuePlace | undefined;
  /** Why `arg1` ... or `retval` are missing, when they are, as the end of a sentence: "at a return". */
  readonly missing: string | undefined;
}

/**
 * What a user stack, as the kernel walks it, is worth at a place: it holds all callers; it lacks the direct one, to which the
 * return address leads; or nobody knows, and the two must be compared.
 */
export type CallerRule = "complete" | "missing" | "compare";

/** The machine of the traced program. */
export type Architecture = "x86-64" | "arm64";

/** The answer to a selector: at least one layout. */
export interface Resolution {
  readonly architecture: Architecture;
  readonly layouts: readonly Layout[];
}

/** What the compiler may ask. Throws NotFoundError, FormatError or UnsupportedError about the target itself. */
export interface Target {
  resolve(selector: Selector): Resolution;
}
