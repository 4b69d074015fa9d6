/**
 * Owns the parts of a text that were written so far and may be meant again: substitution candidates and template
 * arguments. A part is a range of the text, and stays what it is when the text around it moves. Does not own the grammar.
 */
import { copyOver, slack } from "../memory";
import { Text } from "../text";

export enum TypeKind {
  plain,
  callable,
  array,
  lvalue,
  rvalue,
  pack,
}

/** A range of the text; of a pack, the range of all its elements. */
@unmanaged
export class Piece {
  kind: TypeKind;
  start: usize;
  end: usize;
  /** Where a declared name or `*` would stand, `int (` here `)(char)`; 0 for the end. */
  hole: usize;
  /** What the constructors of this class are called, as a range of the piece; both 0 for no class. */
  ownStart: usize;
  ownEnd: usize;

  /** The argument or element behind this one, and a pack's first. */
  next: Piece | null;
  first: Piece | null;

  /** Of a candidate that depends on template parameters: where it stands in the symbol (0 for others), */
  sourceStart: usize;
  sourceEnd: usize;
  isPrefix: bool;
  /** and what the parameters stood for when it was read. */
  params: Piece | null;
}

/** How many bytes from the start of its text on the work on one symbol may take. */
export const workingRoom: usize = 1 << 19;

/** Why: symbols of 65,536 letters that compilers write have fewer; others are given up. */
export const mostPieces: usize = 1 << 16;

/** Pieces of one symbol at a time, and words that wait for their place in its text. */
@unmanaged
export class Pieces {
  text: Text;
  /** Where they lie, and the end of those in use. */
  pool: usize;
  poolEnd: usize;
  /** The second half of the working room holds what was moved out of the text, */
  attic: usize;
  atticEnd: usize;
  /** and from its end down what was set aside: the last words begin here. Whoever sets words aside takes them back. */
  aside: usize;

  /** Forgets all pieces and begins with an empty text. */
  begin(start: usize): void {
    this.poolEnd = this.pool;
    this.attic = this.atticEnd = start + workingRoom / 2;
    // Proof: from here on there is always the slack of a copy between the two.
    this.aside = start + workingRoom;
    this.text.begin(start, this.attic);
  }

  /** Makes a plain piece of what was written since `start`. */
  make(start: usize): Piece {
    const piece = changetype<Piece>(this.poolEnd);
    if (this.poolEnd < this.pool + (mostPieces - 1) * offsetof<Piece>()) this.poolEnd += offsetof<Piece>();
    else this.text.isFull = true;
    piece.kind = TypeKind.plain;
    piece.start = start;
    piece.end = this.text.end;
    piece.hole = piece.ownStart = piece.ownEnd = piece.sourceStart = 0;
    piece.next = piece.first = null;
    return piece;
  }

  /** Takes back what was written since `start`; pieces of it live on. */
  drop(start: usize): void {
    this.save(start);
    this.text.end = start;
  }

  /** Takes back what was written since `start`, and sets it aside. */
  cut(start: usize): void {
    const length = max<isize>(0, this.text.end - start);
    this.drop(start);
    this.setBytesAside(start, length);
  }

  setAside(words: string): void {
    const length = <usize>words.length;
    if (!this.makeAside(length)) return;
    for (let index: usize = 0; index < length; index++)
      store<u8>(this.aside + index, load<u16>(changetype<usize>(words) + (index << 1)));
  }

  setBytesAside(from: usize, length: usize): void {
    if (this.makeAside(length)) memory.copy(this.aside, from, length);
  }

  setNumberAside(number: u32): void {
    let rest = number;
    do {
      if (!this.makeAside(1)) return;
      store<u8>(this.aside, 0x30 + (rest % 10));
      rest /= 10;
    } while (rest > 0);
  }

  /** Inserts bytes that lie outside of the text. */
  insert(at: usize, words: usize, length: usize): void {
    const text = this.text;
    this.save(at);
    if (at > text.end) text.isFull = true;
    if (text.isFull || !text.hasRoom(length)) return;
    memory.copy(at + length, at, text.end - at);
    memory.copy(at, words, length);
    text.end += length;
  }

  /** Takes `count` bytes out. */
  remove(at: usize, count: usize): void {
    const text = this.text;
    this.save(at);
    if (at > text.end || count > text.end - at) {
      text.isFull = true;
      return;
    }
    memory.copy(at, at + count, text.end - at - count);
    text.end -= count;
  }

  /** Puts what was written since `middle` in front of what was written from `start` to there. */
  rotate(start: usize, middle: usize): void {
    const text = this.text;
    const end = text.end;
    if (start > middle || middle > end) text.isFull = true;
    if (text.isFull || !text.hasRoom(middle - start)) return;
    for (let at = this.pool; at < this.poolEnd; at += offsetof<Piece>()) {
      const piece = changetype<Piece>(at);
      if (piece.start < start && piece.end > start && piece.end <= end) this.moveToAttic(piece);
    }
    memory.copy(end, start, middle - start);
    memory.copy(start, middle, end - start);
    for (let at = this.pool; at < this.poolEnd; at += offsetof<Piece>()) {
      const piece = changetype<Piece>(at);
      if (piece.start < start || piece.start >= end) continue;
      shift(piece, piece.start < middle ? end - middle : start - middle);
    }
  }

  /** Moves the pieces that reach behind a place to the attic: the text there is about to change. */
  private save(from: usize): void {
    const attic = this.attic;
    for (let at = this.pool; at < this.poolEnd; at += offsetof<Piece>()) {
      const piece = changetype<Piece>(at);
      if (piece.end > from && piece.start < attic) this.moveToAttic(piece);
    }
  }

  private moveToAttic(piece: Piece): void {
    const start = piece.start;
    const length = piece.end - start;
    if (!this.hasRoomAside(length)) return;
    copyOver(this.atticEnd, start, length);
    shift(piece, this.atticEnd - start);
    this.atticEnd += length;
  }

  private makeAside(length: usize): bool {
    if (!this.hasRoomAside(length)) return false;
    this.aside -= length;
    return true;
  }

  private hasRoomAside(length: usize): bool {
    if (length <= this.aside - this.atticEnd - slack) return true;
    this.text.isFull = true;
    return false;
  }
}

function shift(piece: Piece, distance: usize): void {
  piece.start += distance;
  piece.end += distance;
  if (piece.hole > 0) piece.hole += distance;
  if (piece.ownEnd === 0) return;
  piece.ownStart += distance;
  piece.ownEnd += distance;
}
