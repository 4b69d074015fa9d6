/**
 * Owns the tables of types that C++ symbols write as one or two letters, and how literals of them are printed.
 * Does not own types that are made of others.
 */
// Spec: Itanium C++ ABI 5.1.5.2, <builtin-type>.
const oneLetter: Readonly<Record<string, string>> = {
  a: "signed char",
  b: "bool",
  c: "char",
  d: "double",
  e: "long double",
  f: "float",
  g: "__float128",
  h: "unsigned char",
  i: "int",
  j: "unsigned int",
  l: "long",
  m: "unsigned long",
  n: "__int128",
  o: "unsigned __int128",
  s: "short",
  t: "unsigned short",
  v: "void",
  w: "wchar_t",
  x: "long long",
  y: "unsigned long long",
  z: "...",
};

const afterD: Readonly<Record<string, string>> = {
  a: "auto",
  c: "decltype(auto)",
  d: "decimal64",
  e: "decimal128",
  f: "decimal32",
  h: "half",
  i: "char32_t",
  n: "decltype(nullptr)",
  s: "char16_t",
  u: "char8_t",
};

/** Literals of these types are printed as a number with a suffix; of all others as `(type)number`. */
const literalSuffixes: Readonly<Record<string, string>> = {
  i: "",
  j: "u",
  l: "l",
  m: "ul",
  x: "ll",
  y: "ull",
};

const oneLetterTypes = byLetter(oneLetter);
const afterDTypes = byLetter(afterD);

/** The type that one letter stands for. */
export function findBuiltinType(letter: number): string | undefined {
  return oneLetterTypes[letter];
}

/** The type that a letter behind `D` stands for. */
export function findExtendedType(letter: number): string | undefined {
  return afterDTypes[letter];
}

/** Prints a literal of a built-in type; undefined when the type is not one that has a form of its own. */
export function printBuiltinLiteral(letter: number, digits: string): string | undefined {
  const key = String.fromCharCode(letter);
  const suffix = literalSuffixes[key];
  if (suffix !== undefined) return digits + suffix;
  if (key === "b" && digits === "0") return "false";
  if (key === "b" && digits === "1") return "true";
  return undefined;
}

/** Says whether the value of a literal is given as the bytes of a floating-point number. */
export function isFloating(letter: number): boolean {
  return letter >= 0x64 && letter <= 0x67;
}

function byLetter(names: Readonly<Record<string, string>>): (string | undefined)[] {
  const types: (string | undefined)[] = Array.from({ length: 256 });
  for (const [letter, name] of Object.entries(names)) types[letter.charCodeAt(0)] = name;
  return types;
}
