/**
 * Owns demangling of C++ symbols of the Itanium ABI, which g++ and clang write: the start and the end of the work.
 * Does not own the rules: those stand in the files named after what they read.
 */
import { Cursor, type Grammar } from "./cursor.js";
import { readEncoding, readScope } from "./encodings.js";
import { readPrefix } from "./names.js";
import { readPrintedArgument, readTemplateArgs } from "./template-args.js";
import { readParameters, readType } from "./types.js";
import { readUnqualifiedName } from "./unqualified-names.js";

const grammar: Grammar = {
  type: readType,
  prefix: readPrefix,
  templateArgs: readTemplateArgs,
  encoding: readEncoding,
  scope: readScope,
  unqualifiedName: readUnqualifiedName,
  parameters: readParameters,
  argument: readPrintedArgument,
};

/** What was read, and where in the symbol it ends: behind it stands a suffix, or nothing. */
export interface ItaniumName {
  readonly text: string;
  readonly end: number;
}

/** Demangles a symbol whose `_Z` ends at `start`; undefined when it cannot be read. */
export function demangleItanium(symbol: string, start: number): ItaniumName | undefined {
  const cursor = new Cursor(symbol, grammar);
  cursor.at = start;
  const text = readEncoding(cursor);
  return cursor.failed ? undefined : { text, end: cursor.at };
}
