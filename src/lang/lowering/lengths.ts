/**
 * Owns bounding the length that an author gave for a text.
 * Does not own reading the text (user-memory.ts).
 */
import { assert } from "../../base/assert.js";
import type { Operand } from "../ir.js";
import type { Builder } from "./builder.js";

/**
 * How many bytes were asked for, as the event says it (0 to 2^31 - 1), and how many are read.
 * Verifier: the size that a helper gets is proved by the very comparison that lets it through.
 */
export function boundLength(
  builder: Builder,
  length: Operand,
  limit: number,
): { readonly asked: Operand; readonly read: Operand } {
  const read = builder.copy(length);
  const asked = builder.copy(length);
  const bounded = builder.block("bounded");
  const [unusual, negative, long, huge] = ["unusual", "negative", "long", "huge"].map((name) =>
    builder.block(name, "seldom"),
  );
  assert(
    unusual !== undefined && negative !== undefined && long !== undefined && huge !== undefined,
    "four blocks",
  );
  builder.branch("gt", 64, read, BigInt(limit), unusual, bounded);
  builder.enter(unusual);
  builder.branch("slt", 64, asked, 0n, negative, long);
  builder.enter(negative);
  builder.copy(0n, read);
  builder.copy(0n, asked);
  builder.jump(bounded);
  builder.enter(long);
  builder.copy(BigInt(limit), read);
  builder.branch("gt", 64, asked, 0x7fff_ffffn, huge, bounded);
  builder.enter(huge);
  builder.copy(0x7fff_ffffn, asked);
  builder.jump(bounded);
  builder.enter(bounded);
  return { asked, read };
}
