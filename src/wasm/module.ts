/**
 * Owns the door to the WebAssembly module that is made of assembly/: its code, instances of it, and what can be called.
 * Does not own what is done with it: names in demangle/, lists in tools/.
 */
import { code } from "./code.js";

/** What is used of the engine here. Why declared: the types of Node have no WebAssembly, those of browsers too much else. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
  readonly RuntimeError: new () => Error;
};

/** Addresses are of bytes in the instance's memory. Lengths are in bytes unless they say otherwise. */
export interface WasmExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Takes a part of the memory for good and returns its address; 0 when there is not so much. */
  reserve(length: number): number;

  /** How many bytes demangle() needs from `to` on. */
  readonly workingRoom: { readonly value: number };
  /** Writes from `to` on what a symbol is to people; returns one of `demangled`. */
  demangle(start: number, end: number, to: number, isRustTried: boolean): number;
  /** Writes from `to` on what stands behind the name in a symbol; returns one of `demangled`. */
  demangleSuffix(at: number, end: number, to: number): number;
  /** The end of what was demangled last. */
  writtenEnd(): number;

  /** Adds a symbol table to the list; false when there are too many. Addresses are 0 for what it does not have. */
  addTable(
    entries: number,
    entryCount: number,
    names: number,
    namesLength: number,
    namesHaveVersions: boolean,
    versionNumbers: number,
    isVersion: number,
  ): boolean;
  /** Lists only functions at these addresses, 64-bit numbers in rising order. */
  filter(addresses: number, count: number): void;
  /** Begins the list of the tables' functions; false when there is no memory for it. */
  begin(isMangled: boolean): boolean;
  /** Writes lines until there is a reason to return. */
  next(): Listed;
  textStart(): number;
  textLength(): number;
  /** Empties the text, which somebody has taken. */
  taken(): void;
  /** Goes on behind the wanted name, of which so many bytes were put behind the text. */
  named(length: number): void;
  /** The table and the number in it of the function whose name is wanted. */
  wantedTable(): number;
  wantedSymbol(): number;
  lineCount(): number;
}

/** What became of a symbol: as in assembly/demangle/symbols.ts. */
export const demangled = { no: 0, isWritten: 1, mayBeRust: 2 } as const;

/** Why a list does not go on by itself: as in assembly/list/list.ts. */
export const listed = { all: 0, piece: 1, wantsName: 2, overlaps: 3 } as const;
export type Listed = (typeof listed)[keyof typeof listed];

/** Makes an instance, with memory of its own. The code is compiled once, when it is wanted. */
export function instantiate(): WasmExports {
  compiled ??= new WebAssembly.Module(decodeBase64(code));
  return new WebAssembly.Instance(compiled).exports as unknown as WasmExports;
}

/**
 * Says whether an error is the end of a call into the module that went wrong. Why anybody asks: names come from programs
 * that are traced, and none of them, whatever is wrong with the code that reads it, may end a run.
 */
export function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
}

let compiled: object | undefined;

/** Why not atob(): in Node 20 it takes ten times as long. */
function decodeBase64(text: string): Uint8Array {
  const digits = new Uint8Array(0x80);
  for (let digit = 0; digit < 64; digit++) digits[base64Letters.charCodeAt(digit)] = digit;
  const length = (text.length / 4) * 3;
  const bytes = new Uint8Array(length);
  for (let from = 0, to = 0; from < text.length; from += 4) {
    const bits =
      (digits[text.charCodeAt(from)]! << 18) |
      (digits[text.charCodeAt(from + 1)]! << 12) |
      (digits[text.charCodeAt(from + 2)]! << 6) |
      digits[text.charCodeAt(from + 3)]!;
    bytes[to++] = bits >>> 16;
    bytes[to++] = bits >>> 8;
    bytes[to++] = bits;
  }
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return bytes.subarray(0, length - padding);
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
