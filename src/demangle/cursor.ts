/**
 * Owns the place in an Itanium C++ symbol, what was read so far that later letters refer to, and the bounds on work.
 * Does not own any rule of the grammar: those stand in the files named after what they read.
 */
import type { ByteText } from "../base/byte-text.js";
import { type Piece, Pieces, type TypeKind } from "./pieces.js";

/**
 * The rules that files lower in the import order need from files above them. All write what they read behind the text.
 * Why: the grammar is one knot of recursion, and this table keeps the imports a tree.
 */
export interface Grammar {
  /** Reads a type and remembers it for substitutions. */
  readonly type: (cursor: Cursor) => void;
  /** Reads a name as a prefix of a nested name, up to `cursor.end` or an `E` that it leaves. */
  readonly prefix: (cursor: Cursor) => void;
  /** Reads `<template-args>`, from `I` to `E`. */
  readonly templateArgs: (cursor: Cursor) => void;
  /** Reads a function or object with its signature, as it stands behind `_Z`. */
  readonly encoding: (cursor: Cursor) => void;
  /** Reads a function as the scope of something local: without its return type. */
  readonly scope: (cursor: Cursor) => void;
  /** Reads an operator's or a plain name without its scope. */
  readonly unqualifiedName: (cursor: Cursor) => void;
  /** Reads the parameters of a function and writes them with brackets. */
  readonly parameters: (cursor: Cursor) => void;
  /** Reads one template argument. */
  readonly argument: (cursor: Cursor) => Piece;
}

/** The longest symbol that is looked at, and the longest text that is returned, in bytes. */
export const longestText = 65_536;

const deepest = 256;
const longestCopies = 4 * longestText;

/**
 * A place in a symbol. After `fail` every peek answers "end of text", so that all loops end without exceptions;
 * the one who started the cursor looks at `failed` at the end.
 */
export class Cursor {
  readonly grammar: Grammar;
  symbol: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  failed = false;

  /** What is written, and the parts of it that can be meant again. */
  text: ByteText;
  readonly pieces: Pieces;
  /** Substitution candidates in order of appearance. */
  readonly #candidates: Piece[] = [];
  candidateCount = 0;
  /** Above zero while a part is read for the second time, when nothing is remembered. */
  frozen = 0;

  /** What `T_`, `T0_` ... stand for now: a pack of them. */
  params: Piece | undefined = undefined;
  /** Template parameters read so far; a part of the symbol that raised it depends on them. */
  paramReads = 0;
  /** Inside a lambda's parameter list, where `T_` is an `auto`. */
  inLambda = false;
  /** Inside the type of a conversion operator, whose template arguments come later. */
  inConversion = false;
  /** The abbreviation that is here is wanted as its constructors spell it: `basic_string` for `string`. */
  isSpelled = false;
  /** A template parameter was read whose argument is not known yet. */
  isUnresolved = false;
  /** Which element a pack stands for while its pattern is expanded, and how many the pack has; -1 outside. */
  packIndex = -1;
  packLength = -1;

  /** About the type or name written last: its kind, hole and own name, as in a piece. */
  kind: TypeKind = "plain";
  hole = 0;
  ownStart = 0;
  ownEnd = 0;
  /** About the name: its last template arguments, if it is a template's instance that names its return type, */
  nameArgs: Piece | undefined = undefined;
  nameReturns = false;
  /** and the qualifiers of a member function (" const &"). */
  nameQualifiers = "";
  /** About the list of arguments: its last item is an empty pack. */
  endsEmpty = false;
  /** About the encoding read last: its name without signature, as a range; both 0 for an object. */
  functionStart = 0;
  functionEnd = 0;
  /** About the expression written last: needs no brackets as an operand; */
  isBare = false;
  /** of a function, its name without parameters, whether that needs none, and whether it stands in a class. */
  calleeStart = 0;
  calleeEnd = 0;
  isCalleeBare = false;
  isCalleeScoped = false;

  #depth = 0;
  #work = 0;
  #copies = 0;

  constructor(grammar: Grammar, text: ByteText) {
    this.grammar = grammar;
    this.text = text;
    this.pieces = new Pieces(text);
  }

  /** Begins with a new symbol, written behind what the text holds. */
  begin(symbol: Uint8Array, start: number, end: number, text: ByteText): void {
    this.symbol = symbol;
    this.at = start;
    this.end = end;
    this.text = text;
    this.pieces.begin(text);
    this.failed = this.inLambda = this.inConversion = this.isSpelled = this.isUnresolved = false;
    this.candidateCount = this.frozen = this.paramReads = 0;
    this.params = this.nameArgs = undefined;
    this.packIndex = this.packLength = -1;
    // Why: packs and dependent substitutions read parts again, which hostile symbols can nest; real symbols of g++
    // and clang stay below one step a letter.
    this.#work = 2_000 + 64 * (end - start);
    this.#depth = this.#copies = 0;
  }

  /** The letter here, or 0 at the end. */
  peek(): number {
    return this.at < this.end ? this.symbol[this.at]! : 0;
  }

  /** The letter after this one, or 0. */
  peekNext(): number {
    return this.at + 1 < this.end ? this.symbol[this.at + 1]! : 0;
  }

  /** The two letters here, or as many as there are. */
  peekLetters(): string {
    const next = this.peekNext();
    return next === 0 ? "" : String.fromCharCode(this.peek(), next);
  }

  /** Steps over a letter if it is the one here. */
  take(letter: number): boolean {
    if (this.at >= this.end || this.symbol[this.at] !== letter) return false;
    this.at++;
    return true;
  }

  /** Steps over a letter that must be here. */
  expect(letter: number): void {
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
    if (++this.#depth > deepest || --this.#work < 0) this.fail();
  }

  leave(): void {
    this.#depth--;
  }

  /** Says that what was written last is a plain type or name, of no class. */
  plain(): void {
    this.kind = "plain";
    this.hole = this.ownStart = this.ownEnd = 0;
  }

  /** Makes a piece of the type or name written since `start`. */
  piece(start: number): Piece {
    const piece = this.pieces.make(start);
    piece.kind = this.kind;
    piece.hole = this.hole;
    piece.ownStart = this.ownStart;
    piece.ownEnd = this.ownEnd;
    return piece;
  }

  /** Writes a piece once more. */
  copy(piece: Piece): void {
    const distance = this.text.length - piece.start;
    this.countCopied(piece.end - piece.start);
    if (this.failed || piece.kind === "pack") return this.fail();
    this.text.addBytes(this.text.bytes, piece.start, piece.end);
    this.kind = piece.kind;
    this.hole = piece.hole === 0 ? 0 : piece.hole + distance;
    this.ownStart = piece.ownEnd === 0 ? 0 : piece.ownStart + distance;
    this.ownEnd = piece.ownEnd === 0 ? 0 : piece.ownEnd + distance;
  }

  /** Counts text that is copied from an earlier part: with it the length of every text is bounded. */
  countCopied(length: number): void {
    this.#copies += length;
    if (this.#copies > longestCopies) this.fail();
  }

  /** Begins an item of a list that was begun at `listStart`; returns the place to go back to when it is empty. */
  separate(listStart: number): number {
    const { text } = this;
    const mark = text.length;
    if (this.pieces.isFull) this.fail();
    else if (mark > listStart) {
      text.add(0x2c);
      text.add(0x20);
    }
    return mark;
  }

  /** Ends an item of a list that `separate` has begun; says whether it is empty. */
  closeItem(mark: number, listStart: number): boolean {
    const isEmpty = this.text.length === (mark > listStart ? mark + 2 : mark);
    if (isEmpty) this.text.length = mark;
    return isEmpty;
  }

  /** Makes the type or prefix that was written since `start`, and read since `sourceStart`, a substitution candidate. */
  remember(start: number, sourceStart: number, readsBefore: number, isPrefix: boolean): void {
    if (this.frozen > 0) return;
    const piece = this.piece(start);
    if (readsBefore !== this.paramReads) {
      piece.sourceStart = sourceStart;
      piece.sourceEnd = this.at;
      piece.isPrefix = isPrefix;
      piece.params = this.params;
    }
    this.#candidates[this.candidateCount++] = piece;
  }

  candidate(index: number): Piece | undefined {
    return index < this.candidateCount ? this.#candidates[index] : undefined;
  }

  /** Puts another piece in the place of a candidate, which keeps its source. */
  replaceCandidate(index: number, piece: Piece): void {
    const { sourceStart, sourceEnd, isPrefix, params } = this.#candidates[index]!;
    this.#candidates[index] = Object.assign(piece, { sourceStart, sourceEnd, isPrefix, params });
  }

  /** Reads again what a candidate was read from, with the bindings of now and without remembering. */
  readAgain({
    sourceStart,
    sourceEnd,
    isPrefix,
  }: Pick<Piece, "sourceStart" | "sourceEnd" | "isPrefix">): void {
    const { at, end } = this;
    this.at = sourceStart;
    this.end = sourceEnd;
    this.frozen++;
    if (isPrefix) this.grammar.prefix(this);
    else this.grammar.type(this);
    this.frozen--;
    if (this.at !== sourceEnd) this.fail();
    if (this.failed) return;
    this.at = at;
    this.end = end;
  }

  /** Reads a decimal number that must be here. */
  number(): number {
    const { symbol, end, at: start } = this;
    let at = start;
    let value = 0;
    while (at < end) {
      const digit = symbol[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      at++;
    }
    this.at = at;
    if (at === start || at - start > 9) this.fail();
    return value;
  }

  /** Reads `_` as 0, `0_` as 1, `1_` as 2 ... in the given base (digits, then upper-case letters). */
  index(base: 10 | 36): number {
    if (this.take(0x5f)) return 0;
    const start = this.at;
    let value = 0;
    for (;;) {
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
