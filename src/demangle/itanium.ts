/**
 * Owns demangling of C++ symbols of the Itanium ABI, which g++ and clang write: the start and the end of the work.
 * Does not own the rules: those stand in the files named after what they read.
 */
import { ByteText } from "../base/byte-text.js";
import { Cursor, type Grammar } from "./cursor.js";
import { readEncoding, readScope } from "./encodings.js";
import { readPrefix } from "./names.js";
import { readArgument, readTemplateArgs } from "./template-args.js";
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
  argument: readArgument,
};

/** Why one for all symbols: making it costs as much as reading a short one. */
const cursor = new Cursor(grammar, new ByteText(0));

/**
 * Writes a symbol, whose `_Z` ends at `start`, behind a text that has `workingRoom` left. Returns where its name ends:
 * behind it stands a suffix, or nothing; 0 when it cannot be read, and then the text has nothing more.
 */
export function writeItanium(symbol: Uint8Array, start: number, end: number, text: ByteText): number {
  const { length } = text;
  cursor.begin(symbol, start, end, text);
  readEncoding(cursor);
  if (cursor.failed || cursor.pieces.isFull) text.length = length;
  return cursor.failed || cursor.pieces.isFull ? 0 : cursor.at;
}
