/**
 * Owns what a probe function is handed, as TypeScript and an editor see it. Nothing of it ever runs: a probe function is read as
 * text and compiled for the kernel (accessors.ts says what each of these becomes).
 */

/** The integer types of memory and arguments, and what each is in TypeScript. */
export interface IntegerTypes {
  /** int8_t */
  i8: number;
  /** int16_t */
  i16: number;
  /** int32_t, int */
  i32: number;
  /** uint8_t, unsigned char */
  u8: number;
  /** uint16_t */
  u16: number;
  /** uint32_t, unsigned int */
  u32: number;
  /** int64_t, long */
  i64: bigint;
  /** uint64_t, size_t, addresses */
  u64: bigint;
  /** C's bool: zero is false */
  bool: boolean;
}

/** The name of an integer type. */
export type IntegerName = keyof IntegerTypes;

/** A process as a key or as a value of an event. */
export interface ProcessValue {
  /** Process id, as the host sees it. */
  readonly pid: number;
  /** The name of the thread that hit. */
  readonly comm: string;
}

/** How text is read. */
export interface TextOptions {
  /** Bytes of the text; without it the text ends at its zero. A negative length is no text. */
  readonly length?: number | bigint;
  /** Most bytes that are read, a constant; what is longer is cut and ends in "...". 80 unless the observation says otherwise. */
  readonly limit?: number;
}

/** What every probe function is handed first: who runs, where and when, and reading of the traced process's memory. */
export interface ProbeParameter {
  /** Process id, as the host sees it. */
  readonly pid: number;
  /** Thread id, as the host sees it. */
  readonly tid: number;
  /** User id of the thread. */
  readonly uid: number;
  /** Group id of the thread. */
  readonly gid: number;
  /** The processor that runs the thread. */
  readonly cpu: number;
  /** The name of the thread, at most 15 bytes. */
  readonly comm: string;
  /** Process id and thread name together, for keys. */
  readonly process: ProcessValue;
  /** Nanoseconds since boot at the hit (CLOCK_MONOTONIC). */
  readonly time: bigint;
  /** The function that was hit, as `uscope list` names it: for patterns. */
  readonly function: string;
  /** Text at an address of the traced process. A null pointer gives "(null)", what cannot be read "<fault>". */
  text(address: bigint, options?: TextOptions): string;
  /** So many bytes at an address; the count is a constant. */
  bytes(address: bigint, count: number): Uint8Array;
  /** A value in memory. Where it cannot be read, the hit ends there and counts as faulted. */
  read<Name extends IntegerName>(address: bigint, type: Name): IntegerTypes[Name];
  /** C's conversion of a number to another type: cut, or zero- or sign-extended. */
  cast<Name extends IntegerName>(value: number | bigint | boolean, type: Name): IntegerTypes[Name];
  /** An address of the traced process shown as function+offset and module. */
  symbol(address: bigint): string;
  /** The user stack by frame pointers, innermost first, as names. As a value of an event, or as a part "stack" of a key. */
  stack(): string[];
  /** A number by name: `p.enum(p.i32(0), { 0: "string", 1: "list" })`. What the table does not have stays a number, or a bigint. */
  enum<const Table extends Readonly<Record<number, string>>, Value extends number | bigint>(
    value: Value,
    table: Table,
  ): Table[keyof Table] | (Value extends bigint ? bigint : number);
  /** A raw register at the place, by the kernel's name: "di", "sp". */
  register(name: string): bigint;
}

/** What the function of a `uprobe` is handed: arguments count from 0. */
export interface EntryParameter extends ProbeParameter {
  /** The argument as the 64-bit word that it travels in; what is above a narrower type's width means nothing. */
  arg(index: number): bigint;
  /** The argument as int8_t. */
  i8(index: number): number;
  /** The argument as int16_t. */
  i16(index: number): number;
  /** The argument as int32_t (int). */
  i32(index: number): number;
  /** The argument as uint8_t. */
  u8(index: number): number;
  /** The argument as uint16_t. */
  u16(index: number): number;
  /** The argument as uint32_t (unsigned int). */
  u32(index: number): number;
  /** The argument as int64_t (long). */
  i64(index: number): bigint;
  /** The argument as uint64_t (size_t, addresses). */
  u64(index: number): bigint;
  /** The argument as bool. */
  bool(index: number): boolean;
}

/**
 * What an argument of a marker is: an integer type; an address; "text", which ends in a zero; `{ text: "length" }`, which has as many
 * bytes as the argument of that name says; or what is not looked at.
 */
export type ArgumentForm<Name extends string = string> =
  | IntegerName
  | "address"
  | "text"
  | { readonly text: Name }
  | "skip";

/** The arguments of a marker in their order, as its author declares them. */
export type DeclaredArguments = ReadonlyMap<string, ArgumentForm>;

/** All arguments of a marker by name, in their order. */
export type ArgumentForms<Declared> = {
  readonly [Name in keyof Declared]: ArgumentForm<keyof Declared & string>;
};

/** The arguments of a marker as its probe function sees them. */
export type ArgumentsOf<Declared> = {
  readonly [
    Name in keyof Declared as Declared[Name] extends "skip" ? never : Name
  ]: Declared[Name] extends IntegerName
    ? IntegerTypes[Declared[Name]]
    : Declared[Name] extends "address"
      ? bigint
      : string;
};

/**
 * What the function of a `usdt` is handed. How wide each argument is stands in the program's note: p.i32(0) of one with 64 bits, or
 * p.u64(0) of one with a sign and 32 bits, is refused, since it would not be exact. p.arg(0) is any, extended to 64 bits by its sign.
 */
export interface MarkerParameter<Declared> extends EntryParameter {
  /** The arguments by the names of the declaration: numbers by their width, texts as texts. */
  readonly args: ArgumentsOf<Declared>;
  /** The marker that was hit, as `provider:name`: for patterns. */
  readonly function: string;
}

/** What the function of a `uretprobe` is handed. */
export interface ReturnParameter extends ProbeParameter {
  /** What the function returns, as a 64-bit word. */
  returned(): bigint;
  /** What the function returns, as this type. */
  returned<Name extends IntegerName>(type: Name): IntegerTypes[Name];
}

/** What the second function of a `span` is handed. */
export interface SpanParameter<Kept> extends ReturnParameter {
  /** From entry to return, in nanoseconds. */
  readonly durationNs: number;
  /** What the first function has kept. */
  readonly entry: Kept;
}

/** What the second function of a `span` between two places is handed: arguments are those of the place where it ends. */
export interface PairParameter<Kept> extends EntryParameter {
  /** From the beginning to the end, in nanoseconds. */
  readonly durationNs: number;
  /** What the first function has kept. */
  readonly entry: Kept;
  /** The pair, as `provider:begin..end`: for patterns. */
  readonly function: string;
}
