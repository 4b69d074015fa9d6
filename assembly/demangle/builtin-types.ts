/**
 * Owns the tables of types that C++ symbols write as one or two letters, and how literals of them are printed.
 * Does not own types that are made of others.
 */
import { Text } from "../text";

/** The type that one letter stands for; empty for none. Spec: Itanium C++ ABI 5.1.5.2, <builtin-type>. */
export function findBuiltinType(letter: i32): string {
  switch (letter) {
    case 0x61: // a
      return "signed char";
    case 0x62: // b
      return "bool";
    case 0x63: // c
      return "char";
    case 0x64: // d
      return "double";
    case 0x65: // e
      return "long double";
    case 0x66: // f
      return "float";
    case 0x67: // g
      return "__float128";
    case 0x68: // h
      return "unsigned char";
    case 0x69: // i
      return "int";
    case 0x6a: // j
      return "unsigned int";
    case 0x6c: // l
      return "long";
    case 0x6d: // m
      return "unsigned long";
    case 0x6e: // n
      return "__int128";
    case 0x6f: // o
      return "unsigned __int128";
    case 0x73: // s
      return "short";
    case 0x74: // t
      return "unsigned short";
    case 0x76: // v
      return "void";
    case 0x77: // w
      return "wchar_t";
    case 0x78: // x
      return "long long";
    case 0x79: // y
      return "unsigned long long";
    case 0x7a: // z
      return "...";
    default:
      return "";
  }
}

/** The type that a letter behind `D` stands for; empty for none. */
export function findExtendedType(letter: i32): string {
  switch (letter) {
    case 0x61: // a
      return "auto";
    case 0x63: // c
      return "decltype(auto)";
    case 0x64: // d
      return "decimal64";
    case 0x65: // e
      return "decimal128";
    case 0x66: // f
      return "decimal32";
    case 0x68: // h
      return "half";
    case 0x69: // i
      return "char32_t";
    case 0x6e: // n
      return "decltype(nullptr)";
    case 0x73: // s
      return "char16_t";
    case 0x75: // u
      return "char8_t";
    default:
      return "";
  }
}

/** Says whether a literal of a built-in type has a form of its own; all others are written as `(type)number`. */
export function hasLiteralForm(letter: i32, value: usize, valueEnd: usize): bool {
  if (letter === 0x62)
    return valueEnd - value === 1 && (load<u8>(value) === 0x30 || load<u8>(value) === 0x31);
  return (
    letter === 0x69 ||
    letter === 0x6a ||
    letter === 0x6c ||
    letter === 0x6d ||
    letter === 0x78 ||
    letter === 0x79
  );
}

/** Adds a literal of such a type. */
export function addLiteral(text: Text, letter: i32, value: usize, valueEnd: usize): void {
  if (letter === 0x62) return text.addWords(load<u8>(value) === 0x30 ? "false" : "true");
  addDigits(text, value, valueEnd);
  if (letter === 0x6a) text.add(0x75); // j: u
  if (letter === 0x6c) text.add(0x6c); // l: l
  if (letter === 0x6d) text.addWords("ul"); // m
  if (letter === 0x78) text.addWords("ll"); // x
  if (letter === 0x79) text.addWords("ull"); // y
}

/** Adds a number as it stands in the symbol, with `n` for a minus. */
export function addDigits(text: Text, value: usize, valueEnd: usize): void {
  const isNegative = value < valueEnd && load<u8>(value) === 0x6e;
  if (isNegative) text.add(0x2d);
  const start = isNegative ? value + 1 : value;
  text.addBytes(start, valueEnd - start);
}

/** Says whether the value of a literal is given as the bytes of a floating-point number. */
export function isFloating(letter: i32): bool {
  return letter >= 0x64 && letter <= 0x67;
}
