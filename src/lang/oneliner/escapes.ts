/**
 * Owns C's escape sequences inside quotes: `\n`, `\x1b`, `\033`, `é`.
 * Does not own the quotes.
 */
import type { Problems } from "../problems.js";

export interface Escape {
  /** UTF-16 units that it takes in the source, the backslash included. */
  readonly length: number;
  readonly text: string;
  readonly bytes: readonly number[];
}

/** Reads the escape sequence that begins with the backslash at `start`. An unknown one is reported and stands for itself. */
export function readEscape(source: string, start: number, problems: Problems): Escape {
  const rest = source.slice(start + 1, start + 11);
  const simple = named[rest[0] ?? ""];
  if (simple !== undefined) return byte(2, simple);
  const hex = /^x([\da-fA-F]{1,2})/.exec(rest);
  if (hex !== null) return byte(1 + hex[0].length, Number.parseInt(hex[1]!, 16));
  const octal = /^[0-7]{1,3}/.exec(rest);
  if (octal !== null && Number.parseInt(octal[0], 8) < 256) {
    return byte(1 + octal[0].length, Number.parseInt(octal[0], 8));
  }
  const unicode = /^(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(rest);
  const code = Number.parseInt(unicode?.[1] ?? unicode?.[2] ?? "", 16);
  if (unicode !== null && code <= 0x10ffff) {
    const text = String.fromCodePoint(code);
    return { length: 1 + unicode[0].length, text, bytes: [...new TextEncoder().encode(text)] };
  }
  const end = Math.min(start + 2, source.length);
  problems.report(
    { start, end },
    `"${source.slice(start, end)}" is no escape sequence`,
    "write \\\\ for a backslash; known are \\n \\t \\r \\a \\b \\f \\v \\e \\\\ \\\" \\' \\? \\0 \\x1b \\033 \\u00e9",
  );
  return { length: end - start, text: source.slice(start, end), bytes: [0x5c] };
}

const named: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  "\\": 92,
  '"': 34,
  "'": 39,
  "?": 63,
};

function byte(length: number, value: number): Escape {
  return { length, text: String.fromCharCode(value), bytes: [value] };
}
