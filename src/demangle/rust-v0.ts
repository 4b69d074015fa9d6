/**
 * Owns Rust's v0 symbols, `_RNvCs1234_7mycrate3foo`: their paths and types.
 * Does not own constants, nor numbers and identifiers.
 */
import { readConst } from "./rust-consts.js";
import { RustCursor } from "./rust-cursor.js";
import type { RustName } from "./rust-legacy.js";

// Spec: Rust RFC 2603 and the rustc book, "v0 Symbol Format".
const basicTypes: Readonly<Record<string, string>> = {
  a: "i8",
  b: "bool",
  c: "char",
  d: "f64",
  e: "str",
  f: "f32",
  h: "u8",
  i: "isize",
  j: "usize",
  l: "i32",
  m: "u32",
  n: "i128",
  o: "u128",
  p: "_",
  s: "i16",
  t: "u16",
  u: "()",
  v: "...",
  x: "i64",
  y: "u64",
  z: "!",
};

/** Demangles a symbol whose `_R` ends at `start`; undefined when it cannot be read. */
export function demangleRustV0(symbol: string, start: number): RustName | undefined {
  const cursor = new RustCursor(symbol, start);
  readPath(cursor, "value");
  // Why: the crate that made an instance of a generic function is of no interest to people.
  const next = cursor.peek();
  if (next >= 0x41 && next <= 0x5a) {
    cursor.silent++;
    readPath(cursor, "type");
  }
  return cursor.failed ? undefined : { text: cursor.text, end: cursor.at };
}

/** Reads a path. In values, generic arguments stand behind `::`. */
function readPath(cursor: RustCursor, place: "value" | "type"): void {
  cursor.enter();
  readPathParts(cursor, place);
  cursor.leave();
}

function readPathParts(cursor: RustCursor, place: "value" | "type"): void {
  switch (cursor.peek()) {
    case 0x43: // C, a crate
      cursor.at++;
      cursor.optionalNumber(0x73);
      cursor.print(cursor.identifier());
      return;
    case 0x4e: // N, something inside
      cursor.at++;
      readNested(cursor, place);
      return;
    case 0x4d: // M, an inherent implementation
      skipImplementationPath(cursor);
      cursor.print("<");
      readType(cursor);
      cursor.print(">");
      return;
    case 0x58: // X, an implementation of a trait
      skipImplementationPath(cursor);
      readImplementation(cursor);
      return;
    case 0x59: // Y, a trait's own definition
      cursor.at++;
      readImplementation(cursor);
      return;
    case 0x49: // I, an instance with generic arguments
      readInstance(cursor, place);
      cursor.print(">");
      return;
    case 0x42: // B
      cursor.follow(() => readPath(cursor, place));
      return;
    default:
      cursor.fail();
  }
}

/** Reads `<namespace> <path> [<disambiguator>] <identifier>`. */
function readNested(cursor: RustCursor, place: "value" | "type"): void {
  const namespace = cursor.next();
  if (!/^[A-Za-z]$/.test(namespace)) cursor.fail();
  readPath(cursor, place);
  const number = cursor.optionalNumber(0x73);
  const name = cursor.identifier();
  if (namespace >= "a") {
    if (name !== "") cursor.print(`::${name}`);
    return;
  }
  const kind = namespace === "C" ? "closure" : namespace === "S" ? "shim" : namespace;
  cursor.print(`::{${kind}${name === "" ? "" : `:${name}`}#${number}}`);
}

/** Steps over `M` or `X` and the path of the module that holds the implementation. */
function skipImplementationPath(cursor: RustCursor): void {
  cursor.at++;
  cursor.optionalNumber(0x73);
  cursor.silent++;
  readPath(cursor, "type");
  cursor.silent--;
}

function readImplementation(cursor: RustCursor): void {
  cursor.print("<");
  readType(cursor);
  cursor.print(" as ");
  readPath(cursor, "type");
  cursor.print(">");
}

/** Reads `I <path> <generic-arg>* E` and prints all but the last bracket. */
function readInstance(cursor: RustCursor, place: "value" | "type"): void {
  cursor.at++;
  readPath(cursor, place);
  cursor.print(place === "value" ? "::<" : "<");
  readList(cursor, () => readGenericArgument(cursor));
}

function readGenericArgument(cursor: RustCursor): void {
  if (cursor.peek() === 0x4c) readLifetime(cursor);
  else if (cursor.take(0x4b)) readConst(cursor, readConstPath);
  else readType(cursor);
}

function readConstPath(cursor: RustCursor): void {
  readPath(cursor, "value");
}

function readType(cursor: RustCursor): void {
  const basic = basicTypes[cursor.symbol.charAt(cursor.at)];
  if (basic !== undefined && !cursor.failed) {
    cursor.at++;
    cursor.print(basic);
    return;
  }
  cursor.enter();
  readCompoundType(cursor);
  cursor.leave();
}

function readCompoundType(cursor: RustCursor): void {
  const letter = cursor.peek();
  switch (letter) {
    case 0x41: // A
    case 0x53: // S
      cursor.at++;
      cursor.print("[");
      readType(cursor);
      if (letter === 0x41) {
        cursor.print("; ");
        readConst(cursor, readConstPath);
      }
      cursor.print("]");
      return;
    case 0x54: {
      // T
      cursor.at++;
      cursor.print("(");
      const count = readList(cursor, () => readType(cursor));
      cursor.print(count === 1 ? ",)" : ")");
      return;
    }
    case 0x52: // R
    case 0x51: // Q
      cursor.at++;
      cursor.print("&");
      if (cursor.peek() === 0x4c && readLifetime(cursor, "only named")) cursor.print(" ");
      if (letter === 0x51) cursor.print("mut ");
      readType(cursor);
      return;
    case 0x50: // P
    case 0x4f: // O
      cursor.at++;
      cursor.print(letter === 0x50 ? "*const " : "*mut ");
      readType(cursor);
      return;
    case 0x46: // F
      cursor.at++;
      inBinder(cursor, () => readFunction(cursor));
      return;
    case 0x44: // D
      cursor.at++;
      cursor.print("dyn ");
      inBinder(cursor, () => readBounds(cursor));
      if (cursor.peek() !== 0x4c) cursor.fail();
      else readBoundLifetime(cursor);
      return;
    case 0x42: // B
      cursor.follow(() => readType(cursor));
      return;
    default:
      readPath(cursor, "type");
  }
}

/** Reads `[U] [K <abi>] <parameters> E <result>`. */
function readFunction(cursor: RustCursor): void {
  if (cursor.take(0x55)) cursor.print("unsafe ");
  if (cursor.take(0x4b)) {
    const abi = cursor.take(0x43) ? "C" : cursor.identifier().replaceAll("_", "-");
    cursor.print(`extern "${abi}" `);
  }
  cursor.print("fn(");
  readList(cursor, () => readType(cursor));
  cursor.print(")");
  if (cursor.take(0x75)) return;
  cursor.print(" -> ");
  readType(cursor);
}

/** Reads the traits of `dyn A<B, C = D> + E`. */
function readBounds(cursor: RustCursor): void {
  let isFirst = true;
  while (!cursor.take(0x45) && !cursor.failed) {
    if (!isFirst) cursor.print(" + ");
    isFirst = false;
    let isOpen = readOpenPath(cursor);
    while (cursor.take(0x70)) {
      cursor.print(isOpen ? ", " : "<");
      isOpen = true;
      cursor.print(`${cursor.identifier()} = `);
      readType(cursor);
    }
    if (isOpen) cursor.print(">");
  }
}

/** Reads a trait's path and leaves its generic arguments open, so that associated types can follow; says if there are any. */
function readOpenPath(cursor: RustCursor): boolean {
  let isOpen = false;
  cursor.enter();
  if (cursor.peek() === 0x42) cursor.follow(() => (isOpen = readOpenPath(cursor)));
  else if (cursor.peek() === 0x49) {
    readInstance(cursor, "type");
    isOpen = true;
  } else readPath(cursor, "type");
  cursor.leave();
  return isOpen;
}

/** Reads `L <number>`; the lifetime that has no name is not printed when only named ones are wanted. */
function readLifetime(cursor: RustCursor, wanted: "all" | "only named" = "all"): boolean {
  cursor.at++;
  const index = cursor.number();
  if (index === 0 && wanted === "only named") return false;
  if (index > cursor.lifetimes) cursor.fail();
  else cursor.print(index === 0 ? "'_" : lifetimeName(cursor.lifetimes - index));
  return true;
}

function readBoundLifetime(cursor: RustCursor): void {
  if (cursor.symbol.startsWith("L_", cursor.at)) {
    cursor.at += 2;
    return;
  }
  cursor.print(" + ");
  readLifetime(cursor);
}

/** Reads `[G <number>]`, the count of lifetimes that a type introduces, and the type with them. */
function inBinder(cursor: RustCursor, read: () => void): void {
  const count = cursor.optionalNumber(0x47);
  if (count > 0) {
    let names = "";
    for (let index = 0; index < count && !cursor.failed; index++) {
      names += (index === 0 ? "" : ", ") + lifetimeName(cursor.lifetimes + index);
      // Why: the count is a number of the symbol, not of things in it.
      if (index > 1_000) cursor.fail();
    }
    cursor.print(`for<${names}> `);
  }
  cursor.lifetimes += count;
  read();
  cursor.lifetimes -= count;
}

/** Reads things up to `E` and prints commas between them; returns how many there were. */
function readList(cursor: RustCursor, read: () => void): number {
  let count = 0;
  while (!cursor.take(0x45) && !cursor.failed) {
    if (count++ > 0) cursor.print(", ");
    read();
  }
  return count;
}

function lifetimeName(depth: number): string {
  return depth < 26 ? `'${String.fromCharCode(0x61 + depth)}` : `'_${depth}`;
}
