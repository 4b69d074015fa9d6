/**
 * Owns the plain words for what a marker's note says: where each argument lies and what it means, what stands at a place.
 * Does not own the notes (usdt/) nor which lines these words stand in (marker-list.ts).
 */
import { unreachable } from "../base/assert.js";
import type { Machine } from "../elf/header.js";
import { predictCost } from "../target/cost.js";
import { isShortNop } from "../target/marker-places.js";
import type { MarkerPlace } from "../target/marker-places.js";
import type { ArgumentSize, MarkerArgument, MemoryPlace } from "../usdt/marker.js";
import type { DeclaredArgument } from "../usdt/providers/index.js";

/** Says where an argument lies: `signed 4 bytes in register edi`. */
export function printPlace(machine: Machine, { place, size, signed, isFloat }: MarkerArgument): string {
  if (place.kind === "unreadable") return `unreadable: ${place.reason}`;
  if (place.kind === "constant" && !isFloat) return `constant ${place.value}`;
  const bytes = `${size} ${size === 1 ? "byte" : "bytes"}`;
  const where = printWhere(machine, place, size);
  if (isFloat) return `unreadable: a floating-point number of ${bytes} ${where}`;
  return `${signed ? "signed " : ""}${bytes} ${where}`;
}

type ReadablePlace = Exclude<MarkerArgument["place"], { kind: "unreadable" }>;

function printWhere(machine: Machine, place: ReadablePlace, size: ArgumentSize): string {
  switch (place.kind) {
    case "constant":
      return `written in the note (${place.value})`;
    case "register":
      return `in register ${printRegister(machine, place.register, place.shift === 8 ? "high" : size)}`;
    case "memory":
      return `at ${printAddress(machine, place)}`;
    case "static":
      return `at ${hex(place.address)}, in the file's own data`;
    default:
      return unreachable(place);
  }
}

/** Spec: x86-64 has a name for each part of a register, arm64 for the lower half of one. */
export function printRegister(machine: Machine, register: string, part: ArgumentSize | "high"): string {
  if (machine === "arm64") {
    if (part === 8) return register;
    return register === "sp" ? "wsp" : register.replace(/^x/, "w");
  }
  if (part === "high") return register.replace("x", "h");
  const isNumbered = /^r\d/.test(register);
  switch (part) {
    case 8:
      return isNumbered ? register : `r${register}`;
    case 4:
      return isNumbered ? `${register}d` : `e${register}`;
    case 2:
      return isNumbered ? `${register}w` : register;
    case 1:
      return isNumbered ? `${register}b` : `${register.replace("x", "")}l`;
    default:
      return unreachable(part);
  }
}

/** `rbp+rax*8-8`; of arm64 `x0+w1*4 (w1 with its sign)`. */
function printAddress(machine: Machine, { base, index, scale, extend, displacement }: MemoryPlace): string {
  const word = index === undefined ? "" : printRegister(machine, index, extend === undefined ? 8 : 4);
  const registers = [
    ...(base === undefined ? [] : [printRegister(machine, base, 8)]),
    ...(index === undefined ? [] : [scale === 1 ? word : `${word}*${scale}`]),
  ].join("+");
  if (registers === "") return hex(BigInt.asUintN(64, displacement));
  const distance = displacement === 0n ? "" : `${displacement < 0n ? "-" : "+"}${magnitude(displacement)}`;
  return `${registers}${distance}${extend === "signed" ? ` (${word} with its sign)` : ""}`;
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** Says what an argument means, where its provider declares more than a number; undefined for a number. */
export function printMeaning(
  { form }: DeclaredArgument,
  { index, size }: { readonly index: number; readonly size: ArgumentSize },
): string | undefined {
  switch (form.kind) {
    case "integer":
      return undefined;
    case "boolean":
      return "true or false";
    case "length":
      return `the bytes of arg${index}`;
    case "text":
      if (size !== 8) return undefined;
      return form.length === undefined
        ? "the address of a text"
        : `the address of a text of arg${form.length + 1} bytes`;
    default:
      return unreachable(form);
  }
}

/** Names what is probed: `nop`, `nop5`, or the bytes of another instruction. */
export function printInstruction(machine: Machine, { code, length }: MarkerPlace): string {
  if (isShortNop(machine, code)) {
    const next = longNops.find(([, bytes]) => printBytes(code.subarray(1)).startsWith(bytes));
    return next === undefined ? "nop" : `nop (the ${next[0]} behind it stays as it is)`;
  }
  const bytes = printBytes(code.subarray(0, length ?? 8));
  const known = longNops.find(([, nop]) => nop === bytes);
  if (known !== undefined) return known[0];
  return code.length === 0 ? "no code" : `${bytes}, no nop`;
}

/** What libbpf's usdt.h puts behind its nop for kernels that make it a call. */
const longNops = [
  ["nop5", "0f 1f 44 00 00"],
  ["nop10", "66 2e 0f 1f 84 00 00 00 00 00"],
] as const;

export function printBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Says what a hit costs, or why the place cannot be armed. */
export function printCost({ cost, refusal }: MarkerPlace): string {
  return refusal === undefined
    ? `about ${costOf(cost)} ns a hit (${cost})`
    : `cannot be armed: ${refusal.reason}; ${refusal.alternative}`;
}

/** Nanoseconds that a hit takes. */
export function costOf(cost: MarkerPlace["cost"]): number {
  return predictCost({ cost, trap: "uprobe" });
}

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
