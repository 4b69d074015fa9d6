/**
 * Owns what went wrong in a user's script, as the three lines that its author needs: what, at which line of it, what to do.
 * Does not own errors that already have three lines: those pass as they are.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UscopeError, isUscopeError, printCaret } from "../../base/errors.js";
import type { ErrorLines } from "../../base/errors.js";
import { packageFile } from "./loader.js";
import { findSyntaxError } from "./syntax.js";
import type { SyntaxProblem } from "./types.js";

/** The script is wrong or threw: its author has to act. */
export class ScriptError extends UscopeError {
  readonly kind = "ScriptError";

  constructor(lines: ErrorLines, cause?: unknown) {
    super(lines, cause === undefined ? {} : { cause });
  }
}

interface Place {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** From 0. */
  readonly column: number;
  /** Of the carets; 0 where there is nothing to underline. */
  readonly length: number;
}

/** Explains what a script threw, or why it could not be loaded. */
export async function explainFailure(error: unknown, script: string): Promise<UscopeError> {
  if (isUscopeError(error)) return error;
  const problem = problemOf(error);
  if (problem !== undefined) return explainTypes(problem, script);
  if (!(error instanceof Error))
    return new ScriptError({
      what: `the script threw ${typeof error === "string" ? `"${error}"` : String(error)}`,
      at: showPath(script),
      fix: "throw an Error, which knows its place: throw new Error(...)",
    });
  const missing = explainMissing(error, script);
  if (missing !== undefined) return missing;
  const trace = process.env["USCOPE_DEBUG"] === undefined ? "" : `\n${error.stack}`;
  const syntax = error instanceof SyntaxError ? await syntaxPlaceOf(error, script) : undefined;
  if (syntax !== undefined) {
    const what = `syntax error: ${error.message}`;
    const fix = syntax.isNewer
      ? `write it in an older way, or run a newer Node than ${process.version} (using and await using: 24)`
      : "correct the script";
    return new ScriptError({ what, at: showPlace(syntax), fix: `${fix}${trace}` }, error);
  }
  const name = error.name === "Error" || error.message === "" ? "" : `${error.name}: `;
  return new ScriptError(
    {
      what: `${name}${error.message || error.name}`,
      at: showPlace(thrownPlaceOf(error) ?? nowhereIn(script)),
      fix: `correct the script; USCOPE_DEBUG=1 shows the whole stack${trace}`,
    },
    error,
  );
}

function nowhereIn(path: string): Place {
  return { path, line: 0, column: 0, length: 0 };
}

/** As the person who runs it would write the path: from the working directory where it lies below. */
export function showPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown === "" || shown.startsWith("..") ? path : shown;
}

/** What of TypeScript is no type, so that taking types away does not make JavaScript of it. */
const instead: readonly (readonly [said: RegExp, what: string, fix: string])[] = [
  [
    /\benum\b/,
    "an enum is more than a type: it would have to be compiled",
    "write it as an object: const Color = { red: 0, green: 1 } as const",
  ],
  [
    /parameter property/,
    "a parameter property is more than a type: it would have to be compiled",
    "declare the field, and assign it in the constructor",
  ],
  [
    /namespace|module declaration/,
    "a namespace is more than a type: it would have to be compiled",
    "export its members from a module of its own",
  ],
  [
    /import equals|export assignment/,
    "import = and export = are CommonJS: they would have to be compiled",
    'write import x from "x", and export default',
  ],
  [
    /angle-bracket|type assertion/i,
    "a type in angle brackets cannot be taken away in place",
    "write the assertion with as: value as Type",
  ],
];

function explainTypes(problem: SyntaxProblem, script: string): ScriptError {
  const row = instead.find(([said]) => said.test(problem.what));
  const { line, column, length } = problem;
  return new ScriptError({
    what: row?.[1] ?? `syntax error: ${problem.what}`,
    at: showPlace({ path: pathOf(problem.url) ?? script, line, column, length }),
    fix: row?.[2] ?? "correct the script",
  });
}

/** An import that is not found: Node names the file that wants it, not the line. */
function explainMissing(error: Error, script: string): ScriptError | undefined {
  if (!("code" in error) || error.code !== "ERR_MODULE_NOT_FOUND") return undefined;
  const [, kind, wanted, importer] =
    /Cannot find (package|module) '([^']*)' imported from (.*)/.exec(error.message) ?? [];
  if (kind === undefined || wanted === undefined || importer === undefined) return undefined;
  const path = pathOf(importer.trim()) ?? script;
  if (kind === "package")
    return new ScriptError({
      what: `no package "${wanted}" is installed where the script could find it`,
      at: showPath(path),
      fix: `install it beside the script: npm install ${wanted}`,
    });
  const shown = showPath(pathOf(wanted) ?? wanted);
  const other = [".ts", ".mts", ".js", ".mjs", "/index.ts"].find((ending) =>
    existsSync(`${wanted}${ending}`),
  );
  return new ScriptError({
    what: `the imported file ${shown} does not exist`,
    at: showPath(path),
    fix:
      other === undefined
        ? "check the path; it is relative to the importing file"
        : `write the path with its ending: ${shown}${other}`,
  });
}

function problemOf(error: unknown): SyntaxProblem | undefined {
  if (!(error instanceof Error) || !("problem" in error)) return undefined;
  const problem = error.problem as Partial<SyntaxProblem> | undefined;
  return typeof problem?.what === "string" && typeof problem.url === "string"
    ? (problem as SyntaxProblem)
    : undefined;
}

/** Of a wrong import, V8 says where it is in lines before the message: the place, the line, carets. */
async function syntaxPlaceOf(
  error: SyntaxError,
  script: string,
): Promise<(Place & { readonly isNewer: boolean }) | undefined> {
  const [, where, line, indent, carets] = /^(\S.*):(\d+)\n.*\n( *)(\^+)/.exec(error.stack ?? "") ?? [];
  const path = pathOf(where ?? "");
  if (path !== undefined)
    return { path, line: Number(line), column: indent!.length, length: carets!.length, isNewer: false };
  // Why not when it has frames of its own: JSON.parse in a script throws a SyntaxError too.
  if (thrownPlaceOf(error) !== undefined) return undefined;
  const found = await findSyntaxError(script, packageFile());
  return found === undefined ? undefined : { ...found, length: 0 };
}

/** dist/: where this file and the library are. */
const ownCode = join(import.meta.dirname, "../");

/** The innermost frame that lies in a file of the script's author. */
function thrownPlaceOf(error: Error): Place | undefined {
  for (const frame of (error.stack ?? "").split("\n")) {
    const [, where, line, column] = /^ +at (?:.*\()?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/.exec(frame) ?? [];
    const path = pathOf(where ?? "");
    if (path === undefined || path.startsWith(ownCode) || path.includes("/node_modules/")) continue;
    return { path, line: Number(line), column: Number(column) - 1, length: 0 };
  }
  return undefined;
}

function pathOf(where: string): string | undefined {
  if (where.startsWith("/")) return where;
  return where.startsWith("file://") ? fileURLToPath(where.replace(/[?#].*$/, "")) : undefined;
}

/** `probe.ts:3:7`, and below it the line with a caret. */
function showPlace({ path, line, column, length }: Place): string {
  const shown = showPath(path);
  if (line === 0) return shown;
  const place = `${shown}:${line}:${column + 1}`;
  const source = readLine(path, line);
  if (source === undefined) return place;
  return `${place}\n${printCaret(source, { start: column, end: column + length })}`;
}

function readLine(path: string, line: number): string | undefined {
  try {
    return readFileSync(path, "utf8").split("\n")[line - 1];
  } catch {
    return undefined;
  }
}
