/**
 * Owns C's printf for one value: flags, width and precision, as `man 3 printf` describes them.
 * Does not own which value it is, nor how it was read.
 */
import type { TemplatePart } from "../lang/template.js";

export type Conversion = Extract<TemplatePart, { kind: "conversion" }>;

/** Prints an integer by %d %u %x %X %o %p; the value is already as wide and as signed as the conversion says. */
export function printInteger(value: number | bigint, conversion: Conversion): string {
  const negative = value < 0;
  let digits = (negative ? -value : value).toString(radixOf(conversion));
  if (conversion.conversion === "X") digits = digits.toUpperCase();
  // Spec: C17 7.21.6.1: precision 0 shows no digit for zero.
  if (conversion.precision !== undefined)
    digits = digits === "0" && conversion.precision === 0 ? "" : digits.padStart(conversion.precision, "0");
  const prefix = `${signOf(negative, conversion)}${alternatePrefix(value, digits, conversion)}`;
  const missing = (conversion.width ?? 0) - prefix.length - digits.length;
  if (missing <= 0) return prefix + digits;
  if (conversion.leftAlign) return prefix + digits + " ".repeat(missing);
  // Spec: the 0 flag is ignored when a precision is given.
  if (conversion.zeroPad && conversion.precision === undefined) return prefix + "0".repeat(missing) + digits;
  return " ".repeat(missing) + prefix + digits;
}

/** Pads text to the conversion's width, and cuts it to its precision. */
export function printPadded(text: string, conversion: Conversion): string {
  const width = conversion.width ?? 0;
  return conversion.leftAlign ? text.padEnd(width) : text.padStart(width);
}

function radixOf({ conversion }: Conversion): number {
  if (conversion === "o") return 8;
  return conversion === "x" || conversion === "X" || conversion === "p" ? 16 : 10;
}

function signOf(negative: boolean, { conversion, plusSign, spaceSign }: Conversion): string {
  if (negative) return "-";
  if (conversion !== "d") return "";
  if (plusSign) return "+";
  return spaceSign ? " " : "";
}

function alternatePrefix(
  value: number | bigint,
  digits: string,
  { conversion, alternate }: Conversion,
): string {
  if (conversion === "p") return "0x";
  if (!alternate) return "";
  if (conversion === "o") return digits.startsWith("0") ? "" : "0";
  if (value === 0 || value === 0n) return "";
  if (conversion === "x") return "0x";
  return conversion === "X" ? "0X" : "";
}
