/**
 * Owns keeping numbers of 64 bits within what a JavaScript number holds exactly.
 * Does not own which numbers those are (script/results.ts).
 */
import type { Operand } from "../ir.js";
import type { IntegerType } from "../types.js";
import type { BlockNumber, Builder } from "./builder.js";

const mostSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** Goes on with the value where it is a safe integer, and to `unsafe` where not. */
export function requireSafe(
  builder: Builder,
  value: Operand,
  { signed }: IntegerType,
  unsafe: BlockNumber,
): Operand {
  const safe = builder.block("safe");
  // Why moved: of unsigned numbers one comparison finds both ends.
  const from = signed ? builder.compute("add", 64, value, mostSafe) : value;
  builder.branch("gt", 64, from, signed ? 2n * mostSafe : mostSafe, unsafe, safe);
  builder.enter(safe);
  return value;
}
