/**
 * Owns the parts of a text that were written so far and may be meant again: substitution candidates and template
 * arguments. A part is a range of the text, and stays what it is when the text around it moves. Does not own the grammar.
 */
import { type ByteText, letters } from "../base/byte-text.js";

export type TypeKind = "plain" | "function" | "array" | "lvalue" | "rvalue";

/** A range of the text; of a pack, the range of all its elements. */
export class Piece {
  kind: TypeKind | "pack" = "plain";
  start = 0;
  end = 0;
  /** Where a declared name or `*` would stand, `int (` here `)(char)`; 0 for the end. */
  hole = 0;
  /** What the constructors of this class are called, as a range of the piece; both 0 for no class. */
  ownStart = 0;
  ownEnd = 0;

  /** The argument or element behind this one, and a pack's first. */
  next: Piece | undefined = undefined;
  first: Piece | undefined = undefined;

  /** Of a candidate that depends on template parameters: where it stands in the symbol (0 for others), */
  sourceStart = 0;
  sourceEnd = 0;
  isPrefix = false;
  /** and what the parameters stood for when it was read. */
  params: Piece | undefined = undefined;
}

/** How many bytes behind the text's length the work on one symbol may take. */
export const workingRoom = 1 << 19;

/** Pieces of one symbol at a time. Why kept from symbol to symbol: they would be most of the garbage. */
export class Pieces {
  text: ByteText;
  readonly #pool: Piece[] = [];
  #count = 0;
  /** The second half of the working room holds what was moved out of the text. */
  #attic = 0;
  #atticEnd = 0;

  constructor(text: ByteText) {
    this.text = text;
  }

  /** Forgets all pieces and begins behind what the text holds now. */
  begin(text: ByteText): void {
    this.text = text;
    this.#count = 0;
    this.#attic = this.#atticEnd = text.length + workingRoom / 2;
  }

  /** Says whether the text has grown into the attic. */
  get isFull(): boolean {
    return this.text.length > this.#attic || this.#atticEnd > this.#attic + workingRoom / 2;
  }

  /** Makes a plain piece of what was written since `start`. */
  make(start: number): Piece {
    let piece = this.#pool[this.#count];
    if (piece === undefined) this.#pool.push((piece = new Piece()));
    this.#count++;
    piece.kind = "plain";
    piece.start = start;
    piece.end = this.text.length;
    piece.hole = piece.ownStart = piece.ownEnd = piece.sourceStart = 0;
    piece.next = piece.first = undefined;
    return piece;
  }

  /** Takes back what was written since `start`; pieces of it live on. */
  drop(start: number): void {
    this.#save(start);
    this.text.length = start;
  }

  /** Takes back what was written since `start`, and returns it. */
  cut(start: number): string {
    const words = letters(this.text.bytes, start, this.text.length);
    this.drop(start);
    return words;
  }

  insert(at: number, words: string): void {
    const { text } = this;
    this.#save(at);
    text.bytes.copyWithin(at + words.length, at, text.length);
    const end = text.length + words.length;
    text.length = at;
    text.addWords(words);
    text.length = end;
  }

  /** Takes `count` bytes out. */
  remove(at: number, count: number): void {
    const { text } = this;
    this.#save(at);
    text.bytes.copyWithin(at, at + count, text.length);
    text.length -= count;
  }

  /** Puts what was written since `middle` in front of what was written from `start` to there. */
  rotate(start: number, middle: number): void {
    const { bytes, length } = this.text;
    for (let index = 0; index < this.#count; index++) {
      const piece = this.#pool[index]!;
      if (piece.start < start && piece.end > start && piece.end <= length) this.#moveToAttic(piece);
    }
    bytes.copyWithin(length, start, middle);
    bytes.copyWithin(start, middle, length + middle - start);
    for (let index = 0; index < this.#count; index++) {
      const piece = this.#pool[index]!;
      if (piece.start < start || piece.start >= length) continue;
      shift(piece, piece.start < middle ? length - middle : start - middle);
    }
  }

  /** Moves the pieces that reach behind a place to the attic: the text there is about to change. */
  #save(at: number): void {
    for (let index = 0; index < this.#count; index++) {
      const piece = this.#pool[index]!;
      if (piece.end > at && piece.start < this.#attic) this.#moveToAttic(piece);
    }
  }

  #moveToAttic(piece: Piece): void {
    const { start, end } = piece;
    this.text.bytes.copyWithin(this.#atticEnd, start, end);
    shift(piece, this.#atticEnd - start);
    this.#atticEnd += end - start;
  }
}

function shift(piece: Piece, distance: number): void {
  piece.start += distance;
  piece.end += distance;
  if (piece.hole > 0) piece.hole += distance;
  if (piece.ownEnd === 0) return;
  piece.ownStart += distance;
  piece.ownEnd += distance;
}
