/**
 * Owns what the compiler asks of the traced program: which places a selector names, and where values lie there.
 * Does not own the answer: target/ implements it; lang never sees an ELF file.
 */
import type { Selector } from "./tree.js";
import type { IntegerType } from "./types.js";

/** Where one value lies when a probe hits, in terms of the saved registers. */
export type ValuePlace =
  | {
      readonly kind: "register";
      readonly register: string;
      /** Bits of the register that lie below the value: 8 for x86-64's %ah. */
      readonly shift?: 8;
      readonly type: IntegerType;
    }
  | {
      readonly kind: "memory";
      /** Undefined: the index alone, or an address that does not move. */
      readonly base: string | undefined;
      readonly index: string | undefined;
      /** How the index's lower 32 bits become 64; without it all 64 count. */
      readonly extend?: "signed" | "unsigned";
      readonly scale: 1 | 2 | 4 | 8;
      /** Signed, in bytes; for stack places the delta of the stack pointer is in it. */
      readonly displacement: bigint;
      readonly type: IntegerType;
    }
  | { readonly kind: "constant"; readonly value: bigint; readonly type: IntegerType }
  /** The place is known to be unreadable here (a vector register ...): an error for this one value only. */
  | { readonly kind: "unreadable"; readonly reason: string }
  /** The same where other places of the probe have the value: here it faults at every hit. */
  | { readonly kind: "lacking"; readonly reason: string; readonly type: IntegerType };

/** The values at a set of places that agree on where each value lies. One program is compiled per layout. */
export interface Layout {
  /** arg1 is the first. What is beyond the end has no known place. */
  readonly arguments: readonly ValuePlace[];
  /** What arg1 ... are, where places differ in width or sign: what each is converted to. Equal in all layouts of a resolution. */
  readonly argumentTypes?: readonly IntegerType[];
  /** Of a marker: all that is known of its arguments. */
  readonly marker?: MarkerArguments;
  /** Only at returns. */
  readonly returned: ValuePlace | undefined;
  /** Only where no frame is set up yet, so that walking the frames misses who called: where the function will return to. */
  readonly returnAddress: ValuePlace | undefined;
  /** Only at the ends of a pair whose places all lie in the same functions: what joins them. */
  readonly frame?: FramePlace;
  /** Why `arg1` ... or `retval` are missing, when they are, as the end of a sentence: "at a return". */
  readonly missing: string | undefined;
}

/** Where the frame of the function that runs lies: an address that no other open call of its thread has. */
export interface FramePlace {
  readonly register: string;
  /** Bytes above what the register holds. */
  readonly distance: bigint;
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

/** The arguments of a marker over all its places; of markers that are alike in them, events look alike. */
export interface MarkerArguments {
  /** What its provider says of them, where that is known. */
  readonly declared: readonly DeclaredArgument[] | undefined;
  /** What holds the values of all its places, or why there is none to be read. */
  readonly types: readonly (IntegerType | Extract<ValuePlace, { kind: "unreadable" }>)[];
}

/** What a marker's provider says of an argument. Where it lies, and how wide it is, the layouts say. */
export interface DeclaredArgument {
  readonly name: string;
  readonly form: DeclaredForm;
}

export type DeclaredForm =
  | { readonly kind: "integer"; readonly display: "decimal" | "hex" }
  /** Text, so many bytes behind the address that the argument is. */
  | {
      readonly kind: "text";
      readonly offset: number;
      /** The index (0 the first) of the argument with its bytes; undefined: it ends in a zero. */
      readonly length: number | undefined;
    }
  /** The bytes of a text among the arguments, which is shown in place of both. */
  | { readonly kind: "length" }
  | { readonly kind: "boolean" };

/** What the compiler may ask. Throws NotFoundError, FormatError or UnsupportedError about the target itself. */
export interface Target {
  resolve(selector: Selector): Resolution;
}
