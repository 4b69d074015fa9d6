/**
 * Owns Rust's legacy symbols, `_ZN4core3fmt17h0123456789abcdefE`: C++'s nested names with a hash as the last part and
 * escapes for the letters that assemblers do not take. Does not own Rust's v0 symbols.
 */

/** What was read, and where in the symbol it ends. */
export interface RustName {
  readonly text: string;
  readonly end: number;
}

// Spec: rustc, compiler/rustc_symbol_mangling/src/legacy.rs.
const escapes: Readonly<Record<string, string>> = {
  SP: "@",
  BP: "*",
  RF: "&",
  LT: "<",
  GT: ">",
  LP: "(",
  RP: ")",
  C: ",",
};

const hashLength = 16;

/** Demangles a symbol whose `_ZN` ends at `start`; undefined when it does not end in a hash as Rust's do. */
export function demangleRustLegacy(symbol: string, start: number): RustName | undefined {
  const hashStart = findHash(symbol);
  if (hashStart === undefined) return undefined;
  const namesEnd = hashStart - 3;
  let text = "";
  let at = start;
  while (at < namesEnd) {
    let length = 0;
    for (let digit = digitAt(symbol, at); digit >= 0 && length < namesEnd; digit = digitAt(symbol, at)) {
      length = length * 10 + digit;
      at++;
    }
    const name =
      length > 0 && at + length <= namesEnd ? decodeName(symbol.slice(at, at + length)) : undefined;
    if (name === undefined) return undefined;
    text += text === "" ? name : `::${name}`;
    at += length;
  }
  if (text === "") return undefined;
  return { text, end: hashStart + hashLength + 1 };
}

/** Finds the 16 hexadecimal digits between `17h` and the `E` that ends the name. */
function findHash(symbol: string): number | undefined {
  const isPlain = symbol.charCodeAt(symbol.length - 1) === 0x45;
  if (!isPlain && !symbol.includes(".") && !symbol.includes("@")) return undefined;
  const start = isPlain ? symbol.length - 1 - hashLength : symbol.lastIndexOf("17h") + 3;
  const end = start + hashLength;
  if (start < 6 || symbol.charCodeAt(end) !== 0x45 || !symbol.startsWith("17h", start - 3)) return undefined;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const digit = hexDigit(symbol.charCodeAt(at));
    if (digit < 0) return undefined;
    seen |= 1 << digit;
  }
  // Why: a C++ name can end so too; c++filt takes fewer than five different digits for no hash.
  let different = 0;
  for (; seen !== 0; seen &= seen - 1) different++;
  if (different < 5) return undefined;
  const next = symbol.charCodeAt(end + 1);
  return end + 1 === symbol.length || next === 0x2e || next === 0x40 ? start : undefined;
}

/** Decodes `_$LT$impl$u20$core..fmt..Debug$GT$`; undefined when a letter cannot come from rustc. */
function decodeName(name: string): string | undefined {
  if (!/^[\w.:$]*$/.test(name)) return undefined;
  // Why: names that would start with an escape get an underscore first.
  let rest = name.startsWith("_$") ? name.slice(1) : name;
  if (!rest.includes("$") && !rest.includes(".")) return rest;
  let text = "";
  while (rest !== "") {
    if (rest.startsWith("$")) {
      const end = rest.indexOf("$", 1);
      const letter = end < 0 ? undefined : decodeEscape(rest.slice(1, end));
      // Why: what is no escape stands as it is, with all that follows, as c++filt prints it.
      if (letter === undefined) return text + rest;
      text += letter;
      rest = rest.slice(end + 1);
    } else if (rest.startsWith("..")) {
      text += "::";
      rest = rest.slice(2);
    } else {
      const next = rest.slice(1).search(/[$.]/);
      const end = next < 0 ? rest.length : next + 1;
      text += rest.slice(0, end);
      rest = rest.slice(end);
    }
  }
  return text;
}

function decodeEscape(escape: string): string | undefined {
  const named = escapes[escape];
  if (named !== undefined) return named;
  if (!/^u[0-9a-f]{2}$/.test(escape)) return undefined;
  const code = Number.parseInt(escape.slice(1), 16);
  return code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : undefined;
}

function digitAt(symbol: string, at: number): number {
  const digit = symbol.charCodeAt(at) - 0x30;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

function hexDigit(letter: number): number {
  if (letter >= 0x30 && letter <= 0x39) return letter - 0x30;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
