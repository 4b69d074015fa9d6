/**
 * Owns what a marker (USDT) is: its names, its sites in the code, and where each argument lies at each site.
 * Does not own how any of this is written down in a file: see notes.ts and arguments.ts.
 */
import type { VirtualAddress } from "../base/bytes.js";

/** The markers of one file. */
export interface MarkerTable {
  /** In the order of their first sites. */
  readonly markers: readonly Marker[];
  /** What was left out: `at` is the place in the file (`section 27 (.note.stapsdt), note at 120`). */
  readonly damaged: readonly { readonly at: string; readonly reason: string }[];
}

/** One marker of a file, by provider and name. */
export interface Marker {
  readonly provider: string;
  readonly name: string;
  /** In the order of the file; inlining and several compilation units make several. */
  readonly sites: readonly MarkerSite[];
}

/** One place of the code that a marker was compiled to. */
export interface MarkerSite {
  readonly address: VirtualAddress;
  /** The 16-bit counter of who watches; the program skips the marker while it is zero. */
  readonly semaphore: VirtualAddress | undefined;
  readonly arguments: readonly MarkerArgument[];
  /** As written in the note: `-4@%edi 8@$5`. */
  readonly rawArguments: string;
}

export interface MarkerArgument {
  /** As written in the note: `-4@%edi`. */
  readonly raw: string;
  /** Bytes that hold the value. */
  readonly size: ArgumentSize;
  readonly signed: boolean;
  /** The bytes are those of a float or a double, wherever they lie. */
  readonly isFloat: boolean;
  readonly place: ArgumentPlace;
}

export type ArgumentSize = 1 | 2 | 4 | 8;

/**
 * Where a value lies when the site is hit. Registers have the names that the kernel's pt_regs gives them: `di`, `r8`,
 * `x0`, `sp`.
 */
export type ArgumentPlace =
  /** Cut to the argument's size and sign. */
  | { readonly kind: "constant"; readonly value: bigint }
  /** The value starts `shift` bits above the register's lowest: 8 for %ah. */
  | { readonly kind: "register"; readonly register: string; readonly shift: 0 | 8 }
  | MemoryPlace
  /** In the file's own data. */
  | { readonly kind: "static"; readonly address: VirtualAddress }
  | { readonly kind: "unreadable"; readonly reason: string };

/** At base + extended index * scale + displacement. */
export interface MemoryPlace {
  readonly kind: "memory";
  readonly base: string | undefined;
  readonly index: string | undefined;
  readonly scale: 1 | 2 | 4 | 8;
  /** arm64: how the index's lower 32 bits become 64; undefined where all 64 bits count. */
  readonly extend: "signed" | "unsigned" | undefined;
  readonly displacement: bigint;
}
