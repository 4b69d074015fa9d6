/**
 * Owns C's names of types, as they stand in casts and signatures.
 * Does not own what values of these types do; that is passes/2-check.ts.
 */
import type { Span } from "../../base/errors.js";
import { i16, i32, i64, i8, truth, u16, u32, u64, u8 } from "../types.js";
import type { IntegerType, PointerType, Type } from "../types.js";
import type { Cursor } from "./cursor.js";

/** Says whether a type begins here: `(int)`, `(struct x *)`, `(robj *)`, but not `(n)` nor `(n * 2)`. */
export function seesType(cursor: Cursor, ahead = 0): boolean {
  const token = cursor.peek(ahead);
  if (token.kind !== "word") return false;
  if (isTypeWord(token.text)) return true;
  let next = behindQualified(cursor, ahead + 1);
  while (cursor.sees("*", next) || qualifiers.has(wordAt(cursor, next) ?? "")) next++;
  return next > ahead + 1 && cursor.sees(")", next);
}

/** The first token behind the rest of a C++ name: `::vector<int, x>::value` behind `std`. */
function behindQualified(cursor: Cursor, ahead: number): number {
  let next = ahead;
  for (;;) {
    if (cursor.sees("<", next)) {
      const end = behindAngles(cursor, next);
      if (end === undefined) return next;
      next = end;
    } else if (cursor.sees(":", next) && cursor.sees(":", next + 1) && wordAt(cursor, next + 2) !== undefined)
      next += 3;
    else return next;
  }
}

/** The first token behind the `>` that closes this `<`, where only types and numbers stand between. */
function behindAngles(cursor: Cursor, ahead: number): number | undefined {
  let open = 0;
  for (let next = ahead; ; next++) {
    const token = cursor.peek(next);
    if (cursor.sees("<", next)) open++;
    else if (cursor.sees(">", next)) open--;
    else if (cursor.sees(">>", next)) open -= 2;
    else if (token.kind === "end" || token.kind === "string") return undefined;
    else if (token.kind === "mark" && !"::*&,".includes(token.text)) return undefined;
    if (open <= 0) return next + 1;
  }
}

/** Parses a type that a value in a register or in memory can have. */
export function parseType(cursor: Cursor): Type {
  const start = cursor.peek().span;
  const base = parseBase(cursor);
  const stars = countStars(cursor);
  return pointTo(cursor, base, stars, cursor.from(start));
}

/** What stands before the stars; void and structs are no values. */
export type BaseType =
  | IntegerType
  | { readonly kind: "void" }
  | { readonly kind: "struct"; readonly name: string };

/** Parses the words before the stars: `const unsigned long`, `struct sockaddr`, `size_t`. */
export function parseBase(cursor: Cursor): BaseType {
  const start = cursor.peek().span;
  const words: string[] = [];
  for (;;) {
    const word = wordAt(cursor, 0);
    if (word === undefined) break;
    if (qualifiers.has(word)) cursor.take();
    else if (words.length === 0 && tags.has(word)) return parseTag(cursor);
    else if (words.length === 0 ? !basicWords.has(word) : !basicWords.has(word) || !basicWords.has(words[0]!))
      break;
    else {
      words.push(word);
      cursor.take();
    }
  }
  if (words.length > 0) return basicType(cursor, words, cursor.from(start));
  const token = cursor.take();
  if (token.kind !== "word") cursor.fail(token.span, "a type is expected", "write a C type, as in (int)arg1");
  const name = takeQualified(cursor, token.text);
  const known = named.get(name);
  skipQualifiers(cursor);
  if (known !== undefined) return known;
  if (cursor.sees("*")) return { kind: "struct", name };
  return cursor.fail(
    cursor.from(token.span),
    `the type "${name}" is not known`,
    "use one of C's own types, as int, unsigned long, uint32_t, size_t or char *; a pointer to anything may be void *",
  );
}

/** Takes the rest of a C++ name and returns the whole. */
function takeQualified(cursor: Cursor, first: string): string {
  const words = [first];
  for (let count = behindQualified(cursor, 0); count > 0; count--) {
    const token = cursor.take();
    words.push(token.kind === "word" || token.kind === "mark" ? token.text : "...");
  }
  return words.join("");
}

/** Takes the stars and what qualifies them. */
export function countStars(cursor: Cursor): number {
  let stars = 0;
  for (; cursor.accept("*") !== undefined; stars++) skipQualifiers(cursor);
  return stars;
}

/** Makes the type of a pointer with that many stars; without stars void and structs are refused. */
export function pointTo(cursor: Cursor, base: BaseType, stars: number, span: Span): Type {
  if (base.kind === "void" && stars === 0) {
    return cursor.fail(span, "void is no value", "write void * for an address");
  }
  if (base.kind === "struct" && stars === 0) {
    return cursor.fail(
      span,
      `a whole ${base.name} is no value`,
      "use a pointer to it, and read its fields by their offset: *(int *)(p + 8)",
    );
  }
  let type: Type | undefined = base.kind === "integer" ? base : undefined;
  for (let star = 0; star < stars; star++) {
    const pointer: PointerType = { kind: "pointer", to: type };
    type = star === 0 && base.kind === "struct" ? { ...pointer, struct: base.name } : pointer;
  }
  return type!;
}

function parseTag(cursor: Cursor): BaseType {
  const tag = cursor.take();
  const name = cursor.take();
  if (tag.kind !== "word" || name.kind !== "word") {
    return cursor.fail(name.span, "a name is expected here", "write struct NAME *");
  }
  const tagged = takeQualified(cursor, name.text);
  skipQualifiers(cursor);
  // Spec: the psABIs give an enum without negative values the size of an unsigned int.
  return tag.text === "enum" ? u32 : { kind: "struct", name: `${tag.text} ${tagged}` };
}

function basicType(cursor: Cursor, words: readonly string[], span: Span): BaseType {
  const key = [...words].sort().join(" ");
  const found = basic.get(key);
  if (found !== undefined) return found;
  if (words.some((word) => word === "float" || word === "double" || word === "_Complex")) {
    return cursor.fail(
      span,
      `a ${words.join(" ")} lies in a vector register, which a probe cannot read`,
      "leave it out: arg1, arg2 ... and the names of a signature count the whole numbers and pointers alone",
    );
  }
  return cursor.fail(
    span,
    `"${words.join(" ")}" is no type`,
    "write a C type, as unsigned int, long or char *",
  );
}

function skipQualifiers(cursor: Cursor): void {
  while (qualifiers.has(wordAt(cursor, 0) ?? "")) cursor.take();
}

function wordAt(cursor: Cursor, ahead: number): string | undefined {
  const token = cursor.peek(ahead);
  return token.kind === "word" ? token.text : undefined;
}

function isTypeWord(word: string): boolean {
  return basicWords.has(word) || tags.has(word) || qualifiers.has(word) || named.has(word);
}

const qualifiers: ReadonlySet<string> = new Set(
  "const volatile restrict __restrict __restrict__ register static".split(" "),
);
const tags: ReadonlySet<string> = new Set(["struct", "union", "enum", "class"]);
const basicWords: ReadonlySet<string> = new Set(
  "void char short int long signed unsigned float double _Complex".split(" "),
);

// Words in the order of the alphabet, since C takes them in any. Spec: plain char is signed, as in BCC on every machine.
const basic: ReadonlyMap<string, BaseType> = new Map<string, BaseType>([
  ["void", { kind: "void" }],
  ["char", i8],
  ["char signed", i8],
  ["char unsigned", u8],
  ...["short", "int short", "short signed", "int short signed"].map((key) => [key, i16] as const),
  ...["short unsigned", "int short unsigned"].map((key) => [key, u16] as const),
  ...["int", "signed", "int signed"].map((key) => [key, i32] as const),
  ...["unsigned", "int unsigned"].map((key) => [key, u32] as const),
  ...["long", "int long", "long signed", "int long signed"].map((key) => [key, i64] as const),
  ...["long unsigned", "int long unsigned"].map((key) => [key, u64] as const),
  ...["long long", "int long long", "long long signed", "int long long signed"].map(
    (key) => [key, i64] as const,
  ),
  ...["long long unsigned", "int long long unsigned"].map((key) => [key, u64] as const),
]);

const named: ReadonlyMap<string, IntegerType> = new Map<string, IntegerType>([
  ...["bool", "_Bool"].map((name) => [name, truth] as const),
  ...["int8_t", "s8", "__s8", "i8"].map((name) => [name, i8] as const),
  ...["uint8_t", "u8", "__u8", "uchar", "u_char", "u_int8_t"].map((name) => [name, u8] as const),
  ...["int16_t", "s16", "__s16", "i16"].map((name) => [name, i16] as const),
  ...["uint16_t", "u16", "__u16", "ushort", "u_short", "u_int16_t", "in_port_t", "sa_family_t"].map(
    (name) => [name, u16] as const,
  ),
  ...["int32_t", "s32", "__s32", "i32", "pid_t", "wchar_t", "clockid_t"].map((name) => [name, i32] as const),
  ...["uint32_t", "u32", "__u32", "uint", "u_int", "u_int32_t", "uid_t", "gid_t", "mode_t", "socklen_t"].map(
    (name) => [name, u32] as const,
  ),
  ...["int64_t", "s64", "__s64", "i64", "ssize_t", "ptrdiff_t", "intptr_t", "intmax_t"].map(
    (name) => [name, i64] as const,
  ),
  ...["off_t", "loff_t", "off64_t", "time_t"].map((name) => [name, i64] as const),
  ...["uint64_t", "u64", "__u64", "ulong", "u_long", "u_int64_t", "size_t", "uintptr_t"].map(
    (name) => [name, u64] as const,
  ),
  ...["uintmax_t", "dev_t", "ino_t", "pthread_t"].map((name) => [name, u64] as const),
]);
