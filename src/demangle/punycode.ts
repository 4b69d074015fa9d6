/** Owns decoding of identifiers beyond ASCII, which Rust writes in Punycode. Does not own where they occur. */

// Spec: RFC 3492, section 5, with `_` for the delimiter as Rust's RFC 2603 has it.
const base = 36;
const smallest = 1;
const largest = 26;
const skew = 38;
const damp = 700;
const firstBias = 72;
const firstCode = 0x80;
const longest = 1_024;

/** Decodes `gdel_5qa` to `gödel`; undefined when it is no Punycode. */
export function decodePunycode(encoded: string): string | undefined {
  // Why: every insertion moves all letters behind it, so that the time is quadratic; no identifier is this long.
  if (encoded.length > longest) return undefined;
  const delimiter = encoded.lastIndexOf("_");
  const letters = Array.from(delimiter > 0 ? encoded.slice(0, delimiter) : "");
  let at = delimiter + 1;
  let code = firstCode;
  let bias = firstBias;
  let index = 0;
  let isFirst = true;
  while (at < encoded.length) {
    const before = index;
    let weight = 1;
    for (let position = base; ; position += base) {
      const digit = digitOf(encoded.charCodeAt(at++));
      if (digit < 0) return undefined;
      index += digit * weight;
      const threshold = Math.min(Math.max(position - bias, smallest), largest);
      if (digit < threshold) break;
      weight *= base - threshold;
      if (weight > 2 ** 31) return undefined;
    }
    const count = letters.length + 1;
    bias = adapt(index - before, count, isFirst);
    isFirst = false;
    code += Math.floor(index / count);
    index %= count;
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    letters.splice(index++, 0, String.fromCodePoint(code));
  }
  return letters.join("");
}

function adapt(difference: number, count: number, isFirst: boolean): number {
  let delta = isFirst ? Math.floor(difference / damp) : Math.floor(difference / 2);
  delta += Math.floor(delta / count);
  let steps = 0;
  while (delta > ((base - smallest) * largest) / 2) {
    delta = Math.floor(delta / (base - smallest));
    steps += base;
  }
  return steps + Math.floor(((base - smallest + 1) * delta) / (delta + skew));
}

function digitOf(letter: number): number {
  if (letter >= 0x61 && letter <= 0x7a) return letter - 0x61;
  return letter >= 0x30 && letter <= 0x39 ? letter - 0x30 + 26 : -1;
}
