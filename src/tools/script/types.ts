/**
 * Owns taking the types out of TypeScript: each becomes blanks, so that what is left stands where it stood and a function's
 * toString() is what its author wrote. Does not own which files are TypeScript (hooks.ts).
 */
import module, { createRequire } from "node:module";

/** Where and why a text is no TypeScript that can run; lines count from 1, columns from 0. */
export interface SyntaxProblem {
  readonly url: string;
  readonly what: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

interface Stripper {
  strip(source: string): string;
}

/** Since Node 22.13; @types/node of the oldest version that is supported does not know it. */
interface NewerModule {
  stripTypeScriptTypes?(source: string, options: { readonly mode: "strip" }): string;
}

interface Amaro {
  transformSync(source: string, options: { readonly mode: "strip-only" }): { readonly code: string };
}

let stripper: Stripper | undefined;

/** Blanks the types. Throws a SyntaxError with a `problem` where that is not enough to make it JavaScript. */
export function stripTypes(source: string, url: string, home: string): string {
  stripper ??= makeStripper(home);
  try {
    return stripper.strip(source);
  } catch (error) {
    const problem = parseProblem(error, source, url);
    // Why not a class: from Node's thread for loading, an error arrives with its properties alone.
    throw Object.assign(new SyntaxError(problem.what), { problem });
  }
}

/**
 * Node's own where it has one. Why else amaro 0.1: it is the same parser as Node's, and the last line of versions that
 * does not refuse to be installed on Node 20.
 */
function makeStripper(home: string): Stripper {
  const { stripTypeScriptTypes } = module as NewerModule;
  if (stripTypeScriptTypes === undefined) {
    const { transformSync } = createRequire(home)("amaro") as Amaro;
    return { strip: (source) => transformSync(source, { mode: "strip-only" }).code };
  }
  return { strip: (source) => withoutWarning(() => stripTypeScriptTypes(source, { mode: "strip" })) };
}

/** Runs something whose being experimental is no news to who runs a script; other warnings of the script stay. */
function withoutWarning<Result>(act: () => Result): Result {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Reads the place out of what the parser says, which is the line and carets below it, in one of two forms:
 *
 *      x TypeScript enum is not supported in strip-only mode        TypeScript enum is not supported in strip-only mode
 *       ,-[2:1]                                                      :2
 *     1 | let q = 1;                                                let q = 1;
 *     2 | enum A {x}                                                enum A {x}
 *       : ^^^^^^^^^^                                                ^^^^^^^^^^
 */
function parseProblem(error: unknown, source: string, url: string): SyntaxProblem {
  const said = error instanceof Error ? `${error.message}\n${error.stack}` : sayingOf(error);
  const what = /^\s*(?:x )?(.*)/.exec(said)?.[1]?.trim() ?? "the file cannot be read as TypeScript";
  const lines = said.split("\n");
  const carets = lines.findIndex((line) => /^(?: *:)? *\^+$/.test(line));
  const marked = lines[carets];
  const shown = lines[carets - 1];
  const none = { url, what, line: 1, column: 0, length: 0 };
  if (marked === undefined || shown === undefined) return none;
  const numbered = /^ *(\d+) \| /.exec(shown);
  const length = marked.length - marked.indexOf("^");
  const column = marked.indexOf("^") - (numbered?.[0].length ?? 0);
  const line =
    numbered === null ? findLine(source, shown, Number(/:(\d+)$/m.exec(said)?.[1])) : Number(numbered[1]);
  return { url, what, line, column, length };
}

/** The line that is said, or the first from there on that reads like the one that is shown. */
function findLine(source: string, shown: string, said: number): number {
  const lines = source.split("\n");
  const from = Number.isSafeInteger(said) ? said - 1 : 0;
  const found = lines.findIndex((line, index) => index >= from && line.trimEnd() === shown.trimEnd());
  return found === -1 ? from + 1 : found + 1;
}

function sayingOf(error: unknown): string {
  if (typeof error === "string") return error;
  const { message, snippet } = error as { readonly message?: unknown; readonly snippet?: unknown };
  return `${String(message)}\n${String(snippet)}`;
}
