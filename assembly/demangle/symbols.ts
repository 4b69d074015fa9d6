/**
 * Owns the question whether a symbol is a C++ name, and what that is to people: from the first letter to the suffixes that
 * compilers put behind. Does not own the rules: those stand in the files named after what they read.
 */
import { Text } from "../text";
import { Cursor, isDigit, longestText } from "./cursor";
import { readEncoding } from "./encodings";
import { Pieces } from "./pieces";

/** What became of a symbol: it is none of C++ or cannot be read, it is written, or Rust's rules are to be tried on it. */
export const isNoName: i32 = 0;
export const isWritten: i32 = 1;
export const mayBeRust: i32 = 2;

const text = changetype<Text>(memory.data(offsetof<Text>(), 8));
const cursor = changetype<Cursor>(memory.data(offsetof<Cursor>(), 8));
const pieces = changetype<Pieces>(memory.data(offsetof<Pieces>(), 8));

/** Returns the end of what was written last. */
export function writtenEnd(): usize {
  return text.end;
}

/**
 * Writes what c++filt prints of a symbol, at a place that has `workingRoom`. Where Rust's rules could apply, it says so,
 * unless they have been tried.
 */
export function demangle(start: usize, end: usize, to: usize, isRustTried: bool): i32 {
  if (end - start < 3 || load<u8>(start) !== 0x5f || end - start > longestText) return isNoName;
  // Why: on some systems every symbol has one more underscore.
  const at = load<u8>(start + 1) === 0x5f ? start + 2 : start + 1;
  const letter = <i32>load<u8>(at);
  if (letter === 0x52) return isRustTried ? isNoName : mayBeRust;
  if (letter !== 0x5a) return isNoName;
  const nameEnd = readItanium(at + 1, end, to);
  // Why: Rust's legacy symbols are such that C++ can read them too.
  if (
    !isRustTried &&
    at + 1 < end &&
    load<u8>(at + 1) === 0x4e &&
    (nameEnd === 0 || mayHaveHash(start, nameEnd))
  )
    return mayBeRust;
  if (nameEnd === 0 || !addSuffix(nameEnd, end)) return isNoName;
  return text.end - to <= longestText ? isWritten : isNoName;
}

/** Writes what `demangle` would write behind a name that was read up to `at`, from `to` on. */
export function demangleSuffix(at: usize, end: usize, to: usize): i32 {
  text.begin(to, to + 2 * longestText);
  return addSuffix(at, end) && !text.isFull ? isWritten : isNoName;
}

/** Writes a symbol without its suffix; returns where its name ends, 0 when it cannot be read. */
function readItanium(start: usize, end: usize, to: usize): usize {
  cursor.text = text;
  cursor.pieces = pieces;
  if (!cursor.begin(start, end, to)) return 0;
  readEncoding(cursor);
  return cursor.failed || text.isFull ? 0 : cursor.at;
}

/** Says whether a name ends as Rust's legacy symbols do: `17h`, sixteen digits of a hash, `E`. */
function mayHaveHash(start: usize, nameEnd: usize): bool {
  if (nameEnd - start < 20) return false;
  return load<u8>(nameEnd - 1) === 0x45 && load<u8>(nameEnd - 20) === 0x31 && load<u8>(nameEnd - 18) === 0x68;
}

/**
 * Writes what stands behind a symbol: clones of functions as ` [clone .cold]`, a version or `@plt` as it is. Says whether
 * that is all there is.
 */
function addSuffix(start: usize, end: usize): bool {
  let at = start;
  while (at < end && load<u8>(at) === 0x2e) {
    const cloneEnd = findCloneEnd(at, end);
    if (cloneEnd === at) return false;
    text.addWords(" [clone ");
    text.addBytes(at, cloneEnd - at);
    text.add(0x5d);
    at = cloneEnd;
  }
  if (at < end && load<u8>(at) !== 0x40) return false;
  if (at < end) text.addBytes(at, end - at);
  return !text.isFull;
}

/** Returns where `.part.0` or `.cold` ends: a word or number, then any more numbers; `at` itself when there is none. */
function findCloneEnd(at: usize, end: usize): usize {
  let cloneEnd = at + 1;
  while (isWordLetter(letterAt(cloneEnd, end)) || isDigit(letterAt(cloneEnd, end))) cloneEnd++;
  if (cloneEnd === at + 1) return at;
  while (letterAt(cloneEnd, end) === 0x2e && isDigit(letterAt(cloneEnd + 1, end))) {
    cloneEnd += 2;
    while (isDigit(letterAt(cloneEnd, end))) cloneEnd++;
  }
  return cloneEnd;
}

function letterAt(at: usize, end: usize): i32 {
  return at < end ? load<u8>(at) : 0;
}

function isWordLetter(letter: i32): bool {
  return (letter >= 0x61 && letter <= 0x7a) || letter === 0x5f;
}
