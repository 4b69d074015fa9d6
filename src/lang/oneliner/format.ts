/**
 * Owns the format of a one-liner: cutting `"%-5d %s\n"` into text and conversions, and what each takes from its argument.
 * Does not own pairing conversions with arguments (parse.ts).
 */
import type { Span } from "../../base/errors.js";
import type { Problems } from "../problems.js";
import type { TemplatePart } from "../template.js";
import { i16, i32, i64, i8, u16, u32, u64, u8 } from "../types.js";
import type { IntegerType } from "../types.js";
import type { StringToken } from "./tokens.js";

export type Conversion = Extract<TemplatePart, { kind: "conversion" }>;

/** What a conversion makes of its argument. "text-of-length" takes two: the length, then the address. */
export type Taken =
  | { readonly kind: "integer"; readonly type: IntegerType }
  | { readonly kind: "text" }
  | { readonly kind: "text-of-length" }
  | { readonly kind: "symbol"; readonly space: "user" | "kernel" };

export type FormatPart =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "conversion";
      readonly shown: Omit<Conversion, "field">;
      readonly taken: Taken;
      readonly span: Span;
    };

/** Parses a format. A conversion that cannot be had is reported and taken as %lx, so that the arguments still pair. */
export function parseFormat(token: StringToken, problems: Problems): FormatPart[] {
  const parts: FormatPart[] = [];
  let at = 0;
  for (const match of token.text.matchAll(pattern)) {
    appendText(parts, token.text.slice(at, match.index));
    at = match.index + match[0].length;
    const span = { start: token.offsets[match.index]!, end: token.offsets[at]! };
    if (match[0] === "%%") appendText(parts, "%");
    else parts.push(readConversion(match, span, problems));
  }
  appendText(parts, token.text.slice(at));
  return parts;
}

// Spec: C17 7.21.6.1: flags, width, precision, length, conversion.
const pattern =
  /%(?<flags>[-+ #0]*)(?<width>\*|\d+)?(?:\.(?<precision>\*|\d*))?(?<length>hh|h|ll|l|j|z|t|L|q)?(?<letter>[^]?)/g;

function appendText(parts: FormatPart[], text: string): void {
  if (text === "") return;
  const last = parts.at(-1);
  if (last?.kind === "literal") parts[parts.length - 1] = { kind: "literal", text: last.text + text };
  else parts.push({ kind: "literal", text });
}

function readConversion(match: RegExpMatchArray, span: Span, problems: Problems): FormatPart {
  const { flags = "", width, precision, length = "", letter = "" } = match.groups!;
  const wanted = conversionOf(letter, length, precision === "*");
  const tooWide = [width, precision].some((digits) => Number(digits) > 4096);
  if (typeof wanted === "string") problems.report(span, `${match[0]} ${wanted}`, fixOf(letter));
  else if (width === "*") {
    problems.report(
      span,
      `${match[0]} would take its width from an argument`,
      `write the width as a number: %8${length}${letter}`,
    );
  } else if (tooWide) problems.report(span, `${match[0]} is wider than 4096`, "write a smaller width");
  const { conversion, taken } = typeof wanted === "string" ? unknown : wanted;
  return {
    kind: "conversion",
    shown: {
      kind: "conversion",
      conversion,
      leftAlign: flags.includes("-"),
      plusSign: flags.includes("+"),
      spaceSign: flags.includes(" "),
      alternate: flags.includes("#"),
      zeroPad: flags.includes("0"),
      width: width === undefined || width === "*" || tooWide ? undefined : Number(width),
      precision: precision === undefined || precision === "*" || tooWide ? undefined : Number(precision),
    },
    taken,
    span,
  };
}

interface Wanted {
  readonly conversion: Conversion["conversion"];
  readonly taken: Taken;
}

const unknown: Wanted = { conversion: "x", taken: { kind: "integer", type: u64 } };

/** Finds what a conversion means, or says why it cannot be had. */
function conversionOf(letter: string, length: string, precisionTaken: boolean): Wanted | string {
  if (letter === "s") {
    if (length !== "") return "would print wide characters";
    return { conversion: "s", taken: { kind: precisionTaken ? "text-of-length" : "text" } };
  }
  if (precisionTaken) return "would take its precision from an argument, which only %.*s can";
  if (letter === "d" || letter === "i") return integerConversion("d", signedTypes[length]);
  if ("uxXo".includes(letter) && letter !== "") {
    return integerConversion(letter as "u" | "x" | "X" | "o", unsignedTypes[length]);
  }
  if (letter !== "" && length !== "" && "cpUK".includes(letter)) return `takes no length "${length}"`;
  if (letter === "c") return integerConversion("c", u8);
  if (letter === "p") return integerConversion("p", u64);
  if (letter === "U") return { conversion: "U", taken: { kind: "symbol", space: "user" } };
  if (letter === "K") return { conversion: "K", taken: { kind: "symbol", space: "kernel" } };
  if (letter !== "" && "eEfFgGaA".includes(letter))
    return "would print a floating-point number, which a probe cannot read";
  return letter === "" ? "has no conversion behind it" : "is no conversion";
}

function integerConversion(
  conversion: Conversion["conversion"],
  type: IntegerType | undefined,
): Wanted | string {
  return type === undefined
    ? "has a length that whole numbers do not have"
    : { conversion, taken: { kind: "integer", type } };
}

function fixOf(letter: string): string {
  if (letter === "") return "write %% for a percent sign";
  return "known are %d %i %u %x %X %o with hh h l ll j z t before them, %c %p %s %.*s %U %K and %%";
}

const signedTypes: Readonly<Record<string, IntegerType>> = {
  "": i32,
  hh: i8,
  h: i16,
  l: i64,
  ll: i64,
  q: i64,
  j: i64,
  z: i64,
  t: i64,
};

const unsignedTypes: Readonly<Record<string, IntegerType>> = {
  "": u32,
  hh: u8,
  h: u16,
  l: u64,
  ll: u64,
  q: u64,
  j: u64,
  z: u64,
  t: u64,
};
