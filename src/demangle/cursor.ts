/**
 * Owns the place in an Itanium C++ symbol, what was read so far that later letters refer to, and the bounds on work.
 * Does not own any rule of the grammar: those stand in the files named after what they read.
 */
import type { TypeText } from "./type-text.js";

/** One argument of a template: a type, value or template, or a pack of them. */
export type TemplateArgument = TypeText | readonly TypeText[];

/**
 * The rules that files lower in the import order need from files above them.
 * Why: the grammar is one knot of recursion, and this table keeps the imports a tree.
 */
export interface Grammar {
  /** Reads a type and remembers it for substitutions. */
  readonly type: (cursor: Cursor) => TypeText;
  /** Reads a name as a prefix of a nested name, up to `cursor.end` or an `E` that it leaves. */
  readonly prefix: (cursor: Cursor) => TypeText;
  /** Reads `<template-args>`, from `I` to `E`. */
  readonly templateArgs: (cursor: Cursor) => string;
  /** Reads a function or object with its signature, as it stands behind `_Z`. */
  readonly encoding: (cursor: Cursor) => string;
  /** Reads a function as the scope of something local: without its return type. */
  readonly scope: (cursor: Cursor) => string;
  /** Reads an operator's or a plain name without its scope. */
  readonly unqualifiedName: (cursor: Cursor) => string;
  /** Reads the parameters of a function and prints them with brackets. */
  readonly parameters: (cursor: Cursor) => string;
  /** Reads one template argument and prints it. */
  readonly argument: (cursor: Cursor) => string;
}

/** Where a substitution candidate that depends on template parameters stands in the symbol. */
export interface Source {
  /** Its place among the candidates. */
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly isPrefix: boolean;
  /** What the parameters stood for when the candidate was read. */
  readonly params: readonly TemplateArgument[] | undefined;
}

/** The longest symbol that is looked at, and the longest text that is returned, in UTF-16 code units. */
export const longestText = 65_536;

const deepest = 256;
const longestCopies = 4 * longestText;

/**
 * A place in a symbol. After `fail` every peek answers "end of text", so that all loops end without exceptions;
 * the one who started the cursor looks at `failed` at the end.
 */
export class Cursor {
  readonly text: string;
  readonly grammar: Grammar;
  at = 0;
  end: number;
  failed = false;

  /** Substitution candidates in order of appearance, and for those that depend on a template parameter their place. */
  readonly substitutions: TypeText[] = [];
  readonly sources: Source[] = [];
  /** Above zero while a part is read for the second time, when nothing is remembered. */
  frozen = 0;

  /** What `T_`, `T0_` ... stand for now. */
  params: readonly TemplateArgument[] | undefined = undefined;
  /** Template parameters read so far; a part of the symbol that raised it depends on them. */
  paramReads = 0;
  /** Inside a lambda's parameter list, where `T_` is an `auto`. */
  inLambda = false;
  /** Inside the type of a conversion operator, whose template arguments come later. */
  inConversion = false;
  /** A template parameter was read whose argument is not known yet. */
  isUnresolved = false;
  /** Which element a pack stands for while its pattern is expanded, and how many the pack has; -1 outside. */
  packIndex = -1;
  packLength = -1;

  /** About the name read last: its last template arguments, if it is a template's instance that names its return type, */
  nameArgs: readonly TemplateArgument[] | undefined = undefined;
  nameReturns = false;
  /** the qualifiers of a member function (" const &"), and the name that its constructors have. */
  nameQualifiers = "";
  ownName = "";
  /** About the encoding read last: its name without signature, or "" for an object. */
  functionName = "";

  private depth = 0;
  private work: number;
  private copies = 0;

  constructor(text: string, grammar: Grammar) {
    this.text = text;
    this.grammar = grammar;
    this.end = text.length;
    // Why: packs and dependent substitutions read parts again, which hostile symbols can nest; real symbols of g++
    // and clang stay below one step a letter.
    this.work = 2_000 + 64 * text.length;
  }

  /** The letter here as a char code, or 0 at the end. */
  peek(): number {
    return this.at < this.end ? this.text.charCodeAt(this.at) : 0;
  }

  /** The letter after this one, or 0. */
  peekNext(): number {
    return this.at + 1 < this.end ? this.text.charCodeAt(this.at + 1) : 0;
  }

  /** Steps over a letter if it is the one here. */
  take(letter: number): boolean {
    if (this.at >= this.end || this.text.charCodeAt(this.at) !== letter) return false;
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
    if (++this.depth > deepest || --this.work < 0) this.fail();
  }

  leave(): void {
    this.depth--;
  }

  /** Counts text that is copied from an earlier part: with it the length of every text is bounded. */
  copy(type: TypeText): TypeText {
    this.countCopied(type.left.length + type.right.length);
    return type;
  }

  countCopied(length: number): void {
    this.copies += length;
    if (this.copies > longestCopies) this.fail();
  }

  /** Makes a type or prefix that began at `start` a substitution candidate. */
  remember(type: TypeText, start: number, readsBefore: number, isPrefix: boolean): void {
    if (this.frozen > 0) return;
    const isDependent = readsBefore !== this.paramReads;
    // Why: most candidates depend on nothing, so that the places are a sparse list.
    if (isDependent) {
      const index = this.substitutions.length;
      this.sources.push({ index, start, end: this.at, isPrefix, params: this.params });
    }
    this.substitutions.push(type);
  }

  /** Finds the place of a candidate that depends on template parameters. */
  findSource(index: number): Source | undefined {
    for (let last = this.sources.length - 1; last >= 0; last--) {
      const source = this.sources[last];
      if (source === undefined || source.index <= index) return source?.index === index ? source : undefined;
    }
    return undefined;
  }

  /** Forgets all candidates from `count` on. */
  forget(count: number): void {
    this.substitutions.length = count;
    while ((this.sources.at(-1)?.index ?? -1) >= count) this.sources.pop();
  }

  /** Reads again what stands from `start` to `end`, with the bindings of now and without remembering. */
  readAgain(source: Source): TypeText {
    const { at, end } = this;
    this.at = source.start;
    this.end = source.end;
    this.frozen++;
    const type = source.isPrefix ? this.grammar.prefix(this) : this.grammar.type(this);
    this.frozen--;
    if (this.at !== source.end) this.fail();
    if (this.failed) return type;
    this.at = at;
    this.end = end;
    return type;
  }

  /** Reads a decimal number that must be here. */
  number(): number {
    const { text, end, at: start } = this;
    let at = start;
    let value = 0;
    while (at < end) {
      const digit = text.charCodeAt(at) - 0x30;
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
