/**
 * Owns the search for functions by name or pattern, mangled or as people write them, aliases merged into one match.
 * Does not own what a probe at a match means (resolve.ts) nor the tables that are searched (elf/symbols.ts).
 */
import { NotFoundError } from "../base/errors.js";
import type { VirtualAddress } from "../base/bytes.js";
import { globMatcher, isGlob, nearestNames } from "../base/text.js";
import { demangle, mayBeMangled } from "../demangle/demangle.js";
import type { FunctionSymbol, FunctionTable } from "../elf/symbols.js";
import { literalPieces, nameForms } from "./source-names.js";

/** Functions that start at one address: one place for a probe, whatever its names. */
export interface FunctionMatch {
  readonly address: VirtualAddress;
  /** The symbol that the pattern names; of several the first. */
  readonly symbol: FunctionSymbol;
  /** As linked, the symbol's own first; with a pattern all aliases, with an exact name those that were asked for. */
  readonly names: readonly string[];
}

/** Where a search takes place, for its errors. */
export interface SearchPlace {
  /** As the person named the target. */
  readonly target: string;
  readonly path: string;
  readonly isStripped: boolean;
  /** Markers of that name, as a person would write them; asked for when there is no such function. */
  readonly findMarkers?: (name: string) => readonly string[];
}

/**
 * Finds the functions that a name or glob means, in rising order of address. An exact name as linked goes first; only when
 * there is none its demangled meaning, `ns::f(int)` or `ns::f`. Throws a NotFoundError with the nearest names.
 */
export function matchFunctions(
  functions: FunctionTable,
  pattern: string,
  place: SearchPlace,
): FunctionMatch[] {
  const exact = isGlob(pattern) ? [] : mergeAliases(functions.find(pattern));
  if (exact.length > 0) return exact;
  // Why: operator*, operator[], f[abi:cxx11] and f() [clone .cold] look like globs; what they say as they stand goes first.
  const isPlain = !isGlob(pattern) || /\boperator\W|\[abi:| \[clone /.test(pattern);
  const meant = isPlain ? findDemangled(functions, (form) => form === pattern, pattern) : [];
  if (meant.length > 0) return meant;
  const found = isGlob(pattern) ? findGlob(functions, pattern) : [];
  if (found.length > 0) return found;
  throw notFound(functions, pattern, place);
}

/** Prints a function's name for people. */
export function printFunctionName(name: string): string {
  return demangle(name) ?? name;
}

function findGlob(functions: FunctionTable, pattern: string): FunctionMatch[] {
  const matches = pattern === "*" ? (): boolean => true : globMatcher(pattern);
  const isSource = pattern.includes("::") || pattern.includes("(");
  if (!isSource) {
    const found = collect(functions, (symbol) => matches(symbol.name));
    if (found.length > 0) return found;
  }
  return findDemangled(functions, matches, pattern, matches);
}

function findDemangled(
  functions: FunctionTable,
  matches: (form: string) => boolean,
  pattern: string,
  matchesMangled: (name: string) => boolean = () => false,
): FunctionMatch[] {
  const pieces = literalPieces(pattern);
  return collect(functions, ({ name }) => {
    if (matchesMangled(name)) return true;
    if (!mayBeMangled(name) || !pieces.every((piece) => name.includes(piece))) return false;
    const demangled = demangle(name);
    return demangled !== undefined && nameForms(demangled).some((form) => matches(form));
  });
}

/** Goes over all functions; a match takes all names of its address with it. */
function collect(functions: FunctionTable, matches: (symbol: FunctionSymbol) => boolean): FunctionMatch[] {
  const found = new Found();
  const others: FunctionSymbol[] = [];
  for (const symbol of functions.all()) {
    if (matches(symbol)) found.add(symbol);
    else others.push(symbol);
  }
  for (const symbol of others) found.addAlias(symbol);
  return found.inOrder();
}

function mergeAliases(symbols: readonly FunctionSymbol[]): FunctionMatch[] {
  const found = new Found();
  for (const symbol of symbols) found.add(symbol);
  return found.inOrder();
}

/** Matches by address. Why one object for each: most of the time of a pattern over 80,000 functions is garbage collection. */
class Found {
  readonly #matches = new Map<VirtualAddress, FunctionMatch & { readonly names: string[] }>();

  add(symbol: FunctionSymbol): void {
    const match = this.#matches.get(symbol.address);
    if (match === undefined)
      this.#matches.set(symbol.address, { address: symbol.address, symbol, names: [symbol.name] });
    else if (!match.names.includes(symbol.name)) match.names.push(symbol.name);
  }

  /** Adds a name that was not asked for, where its address was. */
  addAlias(symbol: FunctionSymbol): void {
    if (this.#matches.has(symbol.address)) this.add(symbol);
  }

  inOrder(): FunctionMatch[] {
    return [...this.#matches.values()].sort((left, right) => left.address - right.address);
  }
}

function notFound(functions: FunctionTable, pattern: string, place: SearchPlace): NotFoundError {
  const { target, path, isStripped } = place;
  const known = isStripped
    ? `${functions.count} functions, stripped of the local ones`
    : `${functions.count} functions`;
  const at = `${target === path ? path : `${target} (${path})`}, ${known}`;
  const what = isGlob(pattern)
    ? `no function of ${target} matches "${pattern}"`
    : `no function "${pattern}" in ${target}`;
  return new NotFoundError({
    what,
    at,
    fix: suggest(functions, pattern, place),
  });
}

function suggest(functions: FunctionTable, pattern: string, place: SearchPlace): string {
  const { target, path, isStripped } = place;
  const [marker, another] = place.findMarkers?.(pattern) ?? [];
  if (marker !== undefined) return `it is a marker: u:${target}:${another === undefined ? pattern : marker}`;
  const list = `list them: uscope list ${target} '${listPattern(functions, pattern)}'`;
  // Why: since glibc 2.34 these libraries are empty, and all that was in them is in libc.
  const moved = /\blib(pthread|dl|rt|util|anl)[.-]/.exec(path)?.[0];
  if (moved !== undefined && functions.count < 20)
    return `${moved}so is empty since glibc 2.34: name c (libc) instead`;
  if (functions.count === 0)
    return isStripped
      ? unstripped(place)
      : "this file has no functions by name: name the library that has them";
  const near = isGlob(pattern) ? [] : findNear(functions, pattern);
  if (near.length > 0) return `did you mean ${near.map((name) => `"${name}"`).join(" or ")}? ${list}`;
  return isStripped ? `${list}; were it a local one: ${unstripped(place)}` : list;
}

function findNear(functions: FunctionTable, pattern: string): string[] {
  // Why: gcc renames local functions that it specialises: f.constprop.0, f.isra.0, f.part.0.
  const clones: string[] = [];
  for (const name of functions.names()) {
    if (name.startsWith(pattern) && name[pattern.length] === "." && clones.length < 3) clones.push(name);
  }
  if (clones.length > 0) return clones;
  if (!pattern.includes("::")) return nearestNames(pattern, functions.names());
  return nearestNames(pattern.replace(/\(.*$/, ""), sourceNames(functions));
}

function* sourceNames(functions: FunctionTable): Generator<string> {
  for (const name of functions.names()) {
    const demangled = demangle(name);
    if (demangled !== undefined) yield nameForms(demangled).at(-1)!;
  }
}

/** A pattern that has at least one match: the first word of the name, or as much of it as there is. */
function listPattern(functions: FunctionTable, pattern: string): string {
  const plain = pattern.replace(/[*?[\\(].*$/, "");
  const scope = plain.lastIndexOf("::");
  if (scope > 0) {
    const wanted = `${plain.slice(0, scope)}::*`;
    return findDemangled(functions, globMatcher(wanted), wanted).length > 0 ? wanted : "*";
  }
  const word = /^(?:[a-z0-9]+_?|[A-Z][a-z0-9]*|_+[a-z0-9]*)/.exec(plain)?.[0] ?? "";
  let shared = 0;
  for (const name of functions.names()) {
    while (shared < word.length && name.startsWith(word.slice(0, shared + 1))) shared++;
  }
  return `${word.slice(0, shared)}*`;
}

function unstripped({ target, path }: SearchPlace): string {
  return `install the debug symbols of the package that ${path} came with, or probe an address: ${target}:0xADDR`;
}
