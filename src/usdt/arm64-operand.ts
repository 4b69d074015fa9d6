/**
 * Owns the operands of arm64 as compilers write them: `x0`, `w3`, `5`, `[x19, 24]`, `[x0, w1, sxtw 2]`, `[x0, #:lo12:sym]`.
 * Does not own symbols' places (operand.ts).
 */
import type { MemoryPlace } from "./marker.js";
import { locate, parseSum, unknownOperand, unreadable, type Operand, type OperandFile } from "./operand.js";

export function parseArm64Operand(text: string, file: OperandFile): Operand {
  if (text.startsWith("[")) return parseMemory(text, file);
  const found = findRegister(text);
  if (found?.name === "zr") return { place: { kind: "constant", value: 0n }, width: found.width };
  if (found !== undefined)
    return { place: { kind: "register", register: found.name, shift: 0 }, width: found.width };
  if (vectorRegister.test(text)) return unreadable(`it lies in the floating-point register ${text}`);
  const { sum, rest } = parseSum(text.replace(/^#/, "")) ?? {};
  if (sum === undefined || rest !== "" || /^#?$/.test(text)) return unknownOperand(text);
  if (sum.symbol === undefined) return { place: { kind: "constant", value: sum.addend } };
  const address = locate(sum, file);
  return typeof address === "string" ? unreadable(address) : { place: { kind: "static", address } };
}

interface NamedRegister {
  /** `zr` for the one that is always zero. */
  readonly name: string;
  readonly width: 4 | 8;
}

function findRegister(text: string): NamedRegister | undefined {
  const [, letter = "", rest = ""] =
    /^([wx]?)(\d\d?|sp|zr|fp|lr)$/i.exec(text)?.map((part) => part.toLowerCase()) ?? [];
  const number = { fp: "29", lr: "30" }[rest] ?? rest;
  if (number === "sp" && letter !== "x") return { name: "sp", width: letter === "w" ? 4 : 8 };
  if (number === "" || number === "sp") return undefined;
  // The short names have no letter, the others have one.
  if ((letter === "") !== (rest === "fp" || rest === "lr")) return undefined;
  if (number !== "zr" && Number(number) > 30) return undefined;
  return { name: number === "zr" ? "zr" : `x${Number(number)}`, width: letter === "w" ? 4 : 8 };
}

const vectorRegister = /^[bhsdqvz]\d\d?(?:\.\w+)?$/i;

/** `[base]`, `[base, 8]`, `[base, #:lo12:sym]`, `[base, index]`, `[base, index, lsl 3]`. */
function parseMemory(text: string, file: OperandFile): Operand {
  const inside = /^\[([^[\]]*)\]$/.exec(text)?.[1];
  if (inside === undefined) return unknownOperand(text);
  const [baseText, second, third, fourth] = inside.split(",", 4).map((part) => part.trim());
  const base = findRegister(baseText!);
  if (base === undefined || base.width !== 8 || base.name === "zr" || fourth !== undefined)
    return unknownOperand(text);
  const index = findRegister(second ?? "");
  if (index !== undefined) return parseIndexed(text, { base, index, change: third ?? "" });
  const displacement = second === undefined ? 0n : parseDisplacement(second.replace(/^#/, ""), file);
  if (displacement === undefined || third !== undefined) return unknownOperand(text);
  if (typeof displacement === "string") return unreadable(displacement);
  return { place: { ...plain, base: base.name, displacement } };
}

const plain: MemoryPlace = {
  kind: "memory",
  base: undefined,
  index: undefined,
  scale: 1,
  extend: undefined,
  displacement: 0n,
};

/** Parses a number, or the lower 12 bits of a symbol's address; returns text for why these are not known. */
function parseDisplacement(text: string, file: OperandFile): bigint | string | undefined {
  const symbolText = /^:lo12:(.+)$/is.exec(text)?.[1];
  const { sum, rest } = parseSum(symbolText ?? text) ?? {};
  if (sum === undefined || text === "" || rest !== "") return undefined;
  if ((sum.symbol === undefined) !== (symbolText === undefined)) return undefined;
  if (sum.symbol === undefined) return BigInt.asIntN(64, sum.addend);
  const address = locate(sum, file);
  // Proof: files are moved by whole pages, of at least 4096 bytes, so these bits are the same wherever it is loaded.
  return typeof address === "string" ? address : BigInt(address % 4096);
}

function parseIndexed(
  text: string,
  {
    base,
    index,
    change,
  }: { readonly base: NamedRegister; readonly index: NamedRegister; readonly change: string },
): Operand {
  const [isKnown, operation = "lsl", shift = "0"] =
    /^(?:(lsl|sxtx|uxtx|sxtw|uxtw)(?:\s+#?([0-3]))?)?$/i.exec(change) ?? [];
  const isWord = /w$/i.test(operation);
  if (isKnown === undefined || isWord !== (index.width === 4) || index.name === "sp")
    return unknownOperand(text);
  if (index.name === "zr") return { place: { ...plain, base: base.name } };
  return {
    place: {
      ...plain,
      base: base.name,
      index: index.name,
      scale: ([1, 2, 4, 8] as const)[Number(shift)]!,
      extend: isWord ? (/^s/i.test(operation) ? "signed" : "unsigned") : undefined,
    },
  };
}
