/**
 * Owns finding the bucket of a histogram that a value belongs into.
 * Does not own counting in it (updates.ts).
 */
import { assert } from "../../base/assert.js";
import { bucketsAt } from "../aggregates.js";
import type { AggregateSpec } from "../aggregates.js";
import type { Operand, Virtual } from "../ir.js";
import type { IntegerType } from "../types.js";
import type { Builder } from "./builder.js";

/** Where a bucket lies in its element: a number of bytes, which the verifier can see to be in bounds, and what is always there. */
export interface Bucket {
  readonly bytes: Virtual;
  readonly offset: number;
}

/** Halves the bits that are left with each comparison: six of them for 64 bits. */
export function log2Bucket(builder: Builder, value: Operand, type: IntegerType): Bucket {
  const bucket = builder.copy(0n);
  const [positive, done] = [builder.block("positive"), builder.block("bucket")];
  builder.branch(type.signed ? "slt" : "lt", 64, value, 1n, done, positive);
  builder.enter(positive);
  builder.copy(8n, bucket);
  const left = builder.copy(value);
  for (let bits = type.bytes * 4; bits >= 1; bits /= 2) {
    const [large, next] = [builder.block("large"), bits === 1 ? done : builder.block("smaller")];
    // Spec: an immediate has 32 bits, so that 2^32 is compared by what is left of the value above them.
    const above = bits === 32 ? builder.compute("rsh", 64, left, 32n) : undefined;
    if (above === undefined) builder.branch("ge", 64, left, 1n << BigInt(bits), large, next);
    else builder.branch("ne", 64, above, 0n, large, next);
    builder.enter(large);
    if (bits > 1) builder.copy(above ?? builder.compute("rsh", 64, left, BigInt(bits)), left);
    builder.copy(builder.compute("add", 64, bucket, BigInt(8 * bits)), bucket);
    builder.jump(next);
    builder.enter(next);
  }
  return { bytes: bucket, offset: bucketsAt };
}

/** Divides by the width of a step; what lies outside of all steps has buckets of its own at the ends. */
export function linearBucket(
  builder: Builder,
  value: Operand,
  { value: type, steps }: AggregateSpec,
): Bucket {
  assert(steps !== undefined, "a linear histogram without steps");
  const { from, width, count } = steps;
  const bucket = builder.copy(0n);
  const [inside, above, step, done] = [
    builder.block("inside"),
    builder.block("above"),
    builder.block("step"),
    builder.block("bucket"),
  ];
  builder.branch(type.signed ? "slt" : "lt", 64, value, from, done, inside);
  builder.enter(inside);
  const distance = builder.compute("sub", 64, value, from);
  const index = builder.copy(builder.compute("div", 64, distance, width));
  builder.branch("ge", 64, index, BigInt(count), above, step);
  builder.enter(above);
  builder.copy(BigInt(count), index);
  builder.jump(step);
  builder.enter(step);
  builder.copy(builder.compute("add", 64, builder.compute("lsh", 64, index, 3n), 8n), bucket);
  builder.jump(done);
  builder.enter(done);
  return { bytes: bucket, offset: bucketsAt };
}
