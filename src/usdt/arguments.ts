/**
 * Owns the argument strings of markers: which arguments they hold, of which size and sign.
 * Does not own the operands behind the `@`, which each machine writes in its own way: x86-operand.ts, arm64-operand.ts.
 */
import type { Machine } from "../elf/header.js";
import { parseArm64Operand } from "./arm64-operand.js";
import type { ArgumentSize, MarkerArgument } from "./marker.js";
import { unreadable, type Operand, type OperandFile } from "./operand.js";
import { parseX86Operand } from "./x86-operand.js";

/** Parses the arguments of one site. What is wrong with one of them is that one's: the others keep their places. */
export function parseArguments(text: string, file: OperandFile): MarkerArgument[] {
  return splitArguments(text).map((raw) => parseArgument(raw, file));
}

/** Splits at spaces, of which operands may hold some: `8@[x19, 24]`. */
function splitArguments(text: string): string[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const areSized = words.some((word) => sizePrefix.test(word));
  const split: string[] = [];
  let depth = 0;
  for (const word of words) {
    const isNew = sizePrefix.test(word) || (depth <= 0 && (!areSized || /^[$%]/.test(word)));
    if (isNew || split.length === 0) {
      // Why from 0: a bracket that is never closed is one argument's error.
      depth = 0;
      split.push(word);
    } else split[split.length - 1] += ` ${word}`;
    depth += depthOf(word);
  }
  return split;
}

/** Spec: -N@ for a signed value of N bytes, N@ for an unsigned one; f for a float. Older notes have none of this. */
const sizePrefix = /^([-+]?)(\d+)(f?)@/;

/** How many brackets a word leaves open. */
function depthOf(word: string): number {
  let depth = 0;
  for (const character of word) {
    if (character === "[" || character === "(") depth++;
    else if (character === "]" || character === ")") depth--;
  }
  return depth;
}

function parseArgument(raw: string, file: OperandFile): MarkerArgument {
  const [prefix = "", sign, digits, float] = sizePrefix.exec(raw) ?? [];
  const { place, width } = parseOperand[file.machine](raw.slice(prefix.length).trim(), file);
  const written = sizes.get(digits ?? "");
  // Spec: the size before the @ rules, whichever part of the register is named; but above %ah nothing is of this value.
  const size = place.kind === "register" && place.shift === 8 ? 1 : (written ?? width ?? 8);
  const signed = digits === undefined || sign === "-";
  const shape = { raw, size, signed, isFloat: float === "f" };
  if (digits !== undefined && written === undefined)
    return { ...shape, place: unreadable(`no value of ${digits} bytes can be read`).place };
  if (place.kind !== "constant") return { ...shape, place };
  const bits = 8 * size;
  const value = signed ? BigInt.asIntN(bits, place.value) : BigInt.asUintN(bits, place.value);
  return { ...shape, place: { kind: "constant", value } };
}

const sizes: ReadonlyMap<string, ArgumentSize> = new Map(
  ([1, 2, 4, 8] as const).map((size) => [`${size}`, size]),
);

const parseOperand: Record<Machine, (text: string, file: OperandFile) => Operand> = {
  "x86-64": parseX86Operand,
  arm64: parseArm64Operand,
};
