/**
 * Owns what the operands of all machines share: sums of numbers and a symbol, and where symbols lie.
 * Does not own registers and brackets: see x86-operand.ts and arm64-operand.ts.
 */
import type { VirtualAddress } from "../base/bytes.js";
import type { DataSymbol } from "../elf/data-symbols.js";
import type { Machine } from "../elf/header.js";
import type { ArgumentPlace, ArgumentSize } from "./marker.js";

/** The file that operands speak of. */
export interface OperandFile {
  readonly machine: Machine;
  /** The addresses of the file are those in memory: it is no library and no PIE. */
  readonly isFixed: boolean;
  /** Finds the variables of a name, or says why none can be found. */
  readonly findVariables: (name: string) => readonly DataSymbol[] | string;
}

export interface Operand {
  readonly place: ArgumentPlace;
  /** Bytes of the part of a register that is named. */
  readonly width?: ArgumentSize;
}

export function unreadable(reason: string): {
  readonly place: Extract<ArgumentPlace, { kind: "unreadable" }>;
} {
  return { place: { kind: "unreadable", reason } };
}

/** The error for what nobody is known to write. */
export function unknownOperand(text: string): Operand {
  return unreadable(text === "" ? "the note does not say where it lies" : `"${text}" is no known place`);
}

/** A sum as assemblers take it: `-8`, `sym`, `sym+8`, `40+sym`. */
export interface Sum {
  readonly symbol: string | undefined;
  readonly addend: bigint;
}

/** Parses the sum that a text starts with, perhaps none of no length, and returns what follows; undefined for two symbols or none that counts. */
export function parseSum(text: string): { readonly sum: Sum; readonly rest: string } | undefined {
  let symbol: string | undefined;
  let addend = 0n;
  let at = 0;
  for (;;) {
    sumTerm.lastIndex = at;
    const [term, sign, number, quoted, plain] = sumTerm.exec(text) ?? [];
    if (term === undefined || (at > 0 && sign === "")) break;
    const name = quoted?.replaceAll(/\\(.)/gs, "$1") ?? plain;
    if (name !== undefined) {
      if (symbol !== undefined || sign === "-") return undefined;
      symbol = name;
    } else addend += BigInt(number!) * (sign === "-" ? -1n : 1n);
    at += term.length;
  }
  return { sum: { symbol, addend }, rest: text.slice(at) };
}

/**
 * A sign, then a number, "any symbol" or one whose characters need no quotes. Why bounded digits: 64 bits have no more, and
 * the time to read a number grows with the square of its length.
 */
const sumTerm =
  /\s*([-+]?)\s*(?:(0[xX][\da-fA-F]{1,16}(?!\w)|\d{1,20}(?![\w.$@]))|"((?:[^"\\]|\\.)+)"|([^\s"'\d()[\]{}+\-*/,%#:!][^\s"'()[\]{}+\-*/,%#!]*))/sy;

/** Returns where a sum with a symbol lies in the file, or why this is not known. */
export function locate({ symbol, addend }: Sum, file: OperandFile): VirtualAddress | string {
  if (symbol === undefined) return "it has no symbol";
  if (isRelocated(symbol)) return `"${symbol}" is known to the loader alone`;
  const found = file.findVariables(symbol);
  if (typeof found === "string") return found;
  const [variable, another] = found;
  if (variable === undefined) return `the file has no symbol "${symbol}"`;
  if (another !== undefined) return `the file has several symbols "${symbol}"`;
  if (variable.isThreadLocal) return `"${symbol}" is a variable of each thread`;
  const address = Number(BigInt(variable.address) + BigInt.asIntN(64, addend));
  if (address < 0 || !Number.isSafeInteger(address)) return "it lies at no address that a program can have";
  return address as VirtualAddress;
}

/** Why only what is short: none of the names is longer, and the time of a pattern grows with the square of the length. */
function isRelocated(symbol: string): boolean {
  const at = symbol.lastIndexOf("@");
  return at !== -1 && symbol.length - at <= 32 && relocated.test(symbol.slice(at));
}

/** Spec: the x86-64 psABI's names for what a linker puts in a symbol's place. */
const relocated = /^@(?:GOT\w*|PLT\w*|\w*TPOFF\w*|TLS\w*|SIZE)$/i;
