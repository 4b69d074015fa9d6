/**
 * Owns the names of the stacks that programs count by: found when a stack is first seen, while its process is what it was then, and
 * kept for when the aggregate is read. Does not own naming an address (target/symbolize.ts) nor the other parts of keys (script/keys.ts).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { assert } from "../base/assert.js";
import { placeKey, sizeOf, stackAt } from "../lang/aggregates.js";
import type { AggregateSpec, KeyPartSpec } from "../lang/aggregates.js";
import { firstKeyRecord, headerBytes } from "../lang/event.js";
import { readStack, siteOf } from "./events.js";
import type { EventRecord } from "./events.js";
import type { Aggregate } from "./script/aggregate.js";

/** A stack as names, innermost first; empty where the kernel found none. */
export type NamedStack = readonly string[];

type StackPart = Extract<KeyPartSpec, { kind: "stack" }>;

/** Milliseconds that names are waited for, and between two looks. */
const mostWaiting = 200;
const lookEvery = 5;

export class StackNames {
  readonly #aggregates: readonly Aggregate[];
  readonly #print: (pid: number, address: bigint) => string;
  /** By the bytes of the part of a key. */
  readonly #known = new Map<string, NamedStack>();

  constructor(aggregates: readonly Aggregate[], print: (pid: number, address: bigint) => string) {
    this.#aggregates = aggregates;
    this.#print = print;
  }

  /** Names the stacks of a key of which a program says that it is new. */
  learn(record: EventRecord): void {
    const aggregate = this.#aggregates[siteOf(record) - firstKeyRecord];
    assert(aggregate !== undefined, "a new key of no aggregate");
    const start = record.at + headerBytes;
    this.learnKey(aggregate, record.bytes.subarray(start, start + placeKey(aggregate.spec.key).bytes));
  }

  /** Names the stacks of a key. */
  learnKey({ spec }: Aggregate, key: Uint8Array): void {
    for (const { part, bytes } of stacksIn(spec, key)) this.find(part, bytes);
  }

  /**
   * Fulfilled when the stacks of all these keys are named. Why waited for: a key is in the map before the record that says so is read,
   * and only with that is it known what its process was. Not for ever: where the ring was full there is no such record.
   */
  async learned({ spec }: Aggregate, keys: readonly Uint8Array[]): Promise<void> {
    const patience = performance.now() + mostWaiting;
    let unknown = keys.flatMap((key) => stacksIn(spec, key));
    for (;;) {
      unknown = unknown.filter(({ bytes }) => !this.#known.has(identityOf(bytes)));
      if (unknown.length === 0 || performance.now() > patience) return;
      await sleep(lookEvery);
    }
  }

  /** The names of a part of a key. */
  find(part: StackPart, bytes: Uint8Array): NamedStack {
    const identity = identityOf(bytes);
    let names = this.#known.get(identity);
    if (names === undefined) {
      names = this.#name(part, bytes);
      this.#known.set(identity, names);
    }
    return names;
  }

  #name({ depth }: StackPart, bytes: Uint8Array): NamedStack {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const pid = view.getUint32(0, true);
    const { addresses } = readStack(view, stackAt, { kind: "stack", space: "user", depth });
    return addresses.map((address) => this.#print(pid, address));
  }
}

function stacksIn({ key: parts }: AggregateSpec, key: Uint8Array) {
  const { offsets } = placeKey(parts);
  return parts.flatMap((part, index) => {
    const offset = offsets[index]!;
    return part.kind === "stack" ? [{ part, bytes: key.subarray(offset, offset + sizeOf(part)) }] : [];
  });
}

function identityOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
