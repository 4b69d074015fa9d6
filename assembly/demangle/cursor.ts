/**
 * Owns the place in an Itanium C++ symbol, what was read so far that later letters refer to, and the bounds on work.
 * Does not own any rule of the grammar: those stand in the files named after what they read.
 */
import { reserve } from "../memory";
import { Text } from "../text";
import { readPrefix } from "./names";
import { mostPieces, Piece, Pieces, TypeKind } from "./pieces";
import { readType } from "./types";

/** The longest symbol that is looked at, and the longest text that is returned, in bytes. */
export const longestText: usize = 65_536;

const deepest: i32 = 256;
const longestCopies: usize = 4 * longestText;

/**
 * A place in a symbol. After `fail` every peek answers "end of text", so that all loops end;
 * the one who started the cursor looks at `failed` at the end.
 */
@unmanaged
export class Cursor {
  at: usize;
  end: usize;
  failed: bool;

  /** What is written, and the parts of it that can be meant again. */
  text: Text;
  pieces: Pieces;
  /** Substitution candidates in order of appearance: the addresses of their pieces. */
  candidates: usize;
  candidateCount: u32;
  /** Above zero while a part is read for the second time, when nothing is remembered. */
  frozen: i32;

  /** What `T_`, `T0_` ... stand for now: a pack of them. */
  params: Piece | null;
  /** Template parameters read so far; a part of the symbol that raised it depends on them. */
  paramReads: u32;
  /** Inside a lambda's parameter list, where `T_` is an `auto`. */
  inLambda: bool;
  /** Inside the type of a conversion operator, whose template arguments come later. */
  inConversion: bool;
  /** The abbreviation that is here is wanted as its constructors spell it: `basic_string` for `string`. */
  isSpelled: bool;
  /** A template parameter was read whose argument is not known yet. */
  isUnresolved: bool;
  /** Which element a pack stands for while its pattern is expanded, and how many the pack has; -1 outside. */
  packIndex: i32;
  packLength: i32;

  /** About the type or name written last: its kind, hole and own name, as in a piece. */
  kind: TypeKind;
  hole: usize;
  ownStart: usize;
  ownEnd: usize;
  /** About the name: its last template arguments, if it is a template's instance that names its return type, */
  nameArgs: Piece | null;
  nameReturns: bool;
  /** and the qualifiers of a member function as they stand in the symbol; both 0 for none. */
  qualifiers: usize;
  qualifiersEnd: usize;
  /** About the list of arguments: its last item is an empty pack. */
  endsEmpty: bool;
  /** About the encoding read last: its name without signature, as a range; both 0 for an object. */
  functionStart: usize;
  functionEnd: usize;
  /** About the expression written last: needs no brackets as an operand; */
  isBare: bool;
  /** of a function, its name without parameters, whether that needs none, and whether it stands in a class. */
  calleeStart: usize;
  calleeEnd: usize;
  isCalleeBare: bool;
  isCalleeScoped: bool;

  private depth: i32;
  private work: i32;
  private copies: usize;

  /** Begins with a new symbol, written from `to` on. False when there is no memory for its pieces. */
  begin(start: usize, end: usize, to: usize): bool {
    if (this.candidates === 0) {
      this.pieces.pool = reserve(mostPieces * offsetof<Piece>());
      this.candidates = reserve(mostPieces * sizeof<usize>());
      this.pieces.text = this.text;
      if (this.pieces.pool === 0 || this.candidates === 0) return false;
    }
    this.at = start;
    this.end = end;
    this.pieces.begin(to);
    this.failed = this.inLambda = this.inConversion = this.isSpelled = this.isUnresolved = false;
    this.candidateCount = this.paramReads = 0;
    this.frozen = 0;
    this.params = this.nameArgs = null;
    this.packIndex = this.packLength = -1;
    // Why: packs and dependent substitutions read parts again, which hostile symbols can nest; real symbols of g++
    // and clang stay below one step a letter.
    this.work = 2_000 + 64 * <i32>(end - start);
    this.depth = 0;
    this.copies = 0;
    return true;
  }

  /** The letter here, or 0 at the end. */
  peek(): i32 {
    return this.at < this.end ? load<u8>(this.at) : 0;
  }

  /** The letter after this one, or 0. */
  peekNext(): i32 {
    return this.at + 1 < this.end ? load<u8>(this.at + 1) : 0;
  }

  /** The two letters here as a number, the first in the upper half; 0 when there are fewer. */
  peekLetters(): i32 {
    const next = this.peekNext();
    return next === 0 ? 0 : (this.peek() << 8) | next;
  }

  /** Steps over a letter if it is the one here. */
  take(letter: i32): bool {
    if (this.at >= this.end || <i32>load<u8>(this.at) !== letter) return false;
    this.at++;
    return true;
  }

  /** Steps over a letter that must be here. */
  expect(letter: i32): void {
    if (!this.take(letter)) this.fail();
  }

  /** Gives the symbol up. */
  fail(): void {
    this.failed = true;
    this.at = 0;
    this.end = 0;
  }

  /** Counts a step into the grammar; every `enter` has its `leave`. */
  enter(): void {
    if (++this.depth > deepest || --this.work < 0) this.fail();
  }

  leave(): void {
    this.depth--;
  }

  /** Says that what was written last is a plain type or name, of no class. */
  plain(): void {
    this.kind = TypeKind.plain;
    this.hole = this.ownStart = this.ownEnd = 0;
  }

  /** Makes a piece of the type or name written since `start`. */
  piece(start: usize): Piece {
    const piece = this.pieces.make(start);
    piece.kind = this.kind;
    piece.hole = this.hole;
    piece.ownStart = this.ownStart;
    piece.ownEnd = this.ownEnd;
    return piece;
  }

  /** Writes a piece once more. */
  copy(piece: Piece): void {
    const distance = this.text.end - piece.start;
    this.countCopied(piece.end - piece.start);
    if (this.failed || piece.kind === TypeKind.pack) return this.fail();
    this.text.addBytes(piece.start, piece.end - piece.start);
    this.kind = piece.kind;
    this.hole = piece.hole === 0 ? 0 : piece.hole + distance;
    this.ownStart = piece.ownEnd === 0 ? 0 : piece.ownStart + distance;
    this.ownEnd = piece.ownEnd === 0 ? 0 : piece.ownEnd + distance;
  }

  /** Counts text that is copied from an earlier part: with it the length of every text is bounded. */
  countCopied(length: usize): void {
    this.copies += length;
    if (this.copies > longestCopies) this.fail();
  }

  /** Begins an item of a list that was begun at `listStart`; returns the place to go back to when it is empty. */
  separate(listStart: usize): usize {
    const mark = this.text.end;
    if (this.text.isFull) this.fail();
    else if (mark > listStart) {
      this.text.add(0x2c);
      this.text.add(0x20);
    }
    return mark;
  }

  /** Ends an item of a list that `separate` has begun; says whether it is empty. */
  closeItem(mark: usize, listStart: usize): bool {
    const isEmpty = this.text.end === (mark > listStart ? mark + 2 : mark);
    if (isEmpty) this.text.end = mark;
    return isEmpty;
  }

  /** Makes the type or prefix that was written since `start`, and read since `sourceStart`, a substitution candidate. */
  remember(start: usize, sourceStart: usize, readsBefore: u32, isPrefix: bool): void {
    if (this.frozen > 0) return;
    const piece = this.piece(start);
    // Proof: each candidate has a piece of its own until there are no more, so that there is room for it.
    if (this.text.isFull) return this.fail();
    if (readsBefore !== this.paramReads) {
      piece.sourceStart = sourceStart;
      piece.sourceEnd = this.at;
      piece.isPrefix = isPrefix;
      piece.params = this.params;
    }
    store<usize>(this.candidates + this.candidateCount * sizeof<usize>(), changetype<usize>(piece));
    this.candidateCount++;
  }

  candidate(index: u32): Piece | null {
    if (index >= this.candidateCount) return null;
    return changetype<Piece>(load<usize>(this.candidates + index * sizeof<usize>()));
  }

  /** Puts another piece in the place of a candidate, which keeps its source. */
  replaceCandidate(index: u32, candidate: Piece, piece: Piece): void {
    piece.sourceStart = candidate.sourceStart;
    piece.sourceEnd = candidate.sourceEnd;
    piece.isPrefix = candidate.isPrefix;
    piece.params = candidate.params;
    store<usize>(this.candidates + index * sizeof<usize>(), changetype<usize>(piece));
  }

  /** Reads again what a type or prefix was read from, with the bindings of now and without remembering. */
  readAgain(sourceStart: usize, sourceEnd: usize, isPrefix: bool): void {
    if (this.failed) return;
    const at = this.at;
    const end = this.end;
    this.at = sourceStart;
    this.end = sourceEnd;
    this.frozen++;
    if (isPrefix) readPrefix(this);
    else readType(this);
    this.frozen--;
    if (this.at !== sourceEnd) this.fail();
    if (this.failed) return;
    this.at = at;
    this.end = end;
  }

  /** Reads a decimal number that must be here. */
  number(): u32 {
    const start = this.at;
    const end = this.end;
    let at = start;
    let value: u32 = 0;
    while (at < end) {
      const digit = <u32>load<u8>(at) - 0x30;
      if (digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    this.at = at;
    if (at === start || at - start > 9) this.fail();
    return value;
  }

  /** Reads `_` as 0, `0_` as 1, `1_` as 2 ... in the given base (digits, then upper-case letters). */
  index(base: i32): u32 {
    if (this.take(0x5f)) return 0;
    const start = this.at;
    let value: u32 = 0;
    while (true) {
      const letter = this.peek();
      const digit = letter >= 65 && letter <= 90 ? letter - 55 : letter - 48;
      if (digit < 0 || digit >= base || (digit > 9 && letter < 65)) break;
      value = value * base + digit;
      this.at++;
    }
    if (this.at === start || this.at - start > 6) this.fail();
    this.expect(0x5f);
    return value + 1;
  }
}

export function isDigit(letter: i32): bool {
  return letter >= 0x30 && letter <= 0x39;
}
