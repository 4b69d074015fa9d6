/** Adding by stack, in a machine: the key as it is drawn, the record of a new one, and claiming a place for it. */
import { describe, expect, it } from "vitest";
import { placeKey, stackAt } from "../../src/lang/aggregates.js";
import { firstKeyRecord, headerBytes, pidAt, siteAt, stackParts, tidAt } from "../../src/lang/event.js";
import { keyRoom, keysMap } from "../../src/lang/maps.js";
import { Maps } from "../support/interpreter.js";
import type { World } from "../support/interpreter.js";
import { compileConstruct, construct, stackKey } from "./constructs.js";
import { contextOf, run } from "./support.js";

const probe = compileConstruct(construct("a counter by stack"));
const { offsets, bytes: keyBytes } = placeKey(stackKey.key);
const returnsTo = { address: 0x7000n, bytes: Uint8Array.from([0x34, 0x12, 0, 0, 0, 0, 0, 0]) };

function hit(maps: Maps, world: Partial<World> = {}) {
  const context = contextOf({ di: 7n, sp: 0x7000n });
  const memory = [returnsTo];
  return run(probe, { maps, context, memory, userStack: [0x10n, 0x20n], cookie: 0x1_0000_0005n, ...world });
}

/** The key of a hit: 7, and the stack. */
function keyOf(caller: bigint, frames: readonly bigint[]): Uint8Array {
  const key = new Uint8Array(keyBytes);
  const view = new DataView(key.buffer);
  view.setBigUint64(offsets[0]!, 7n, true);
  view.setUint32(offsets[1]!, 1000, true);
  const stack = offsets[1]! + stackAt;
  view.setInt32(stack, 8 * frames.length, true);
  view.setUint32(stack + stackParts.rule, 1, true);
  view.setBigUint64(stack + stackParts.returnAddress, caller, true);
  frames.forEach((frame, index) => view.setBigUint64(stack + stackParts.addresses + 8 * index, frame, true));
  return key;
}

const claims = (maps: Maps): number[] =>
  Array.from({ length: keyRoom.places }, (_, place) => maps.value(keysMap, place)![keyRoom.claim]!);

function setClaim(maps: Maps, place: number): void {
  maps.value(keysMap, place)![keyRoom.claim] = 1;
}

const dropsOf = (maps: Maps): number => maps.value("drops", 0)![0]!;
const countOf = (maps: Maps, key: Uint8Array): number => maps.value("a0", key)![0]!;

describe("adding by stack", () => {
  it("has the key as it is drawn, and tells of it once", () => {
    const maps = new Maps(probe.maps);
    const { records } = hit(maps);
    const key = keyOf(0x1234n, [0x10n, 0x20n]);
    expect([...maps.table("a0").values.keys()]).toEqual([Buffer.from(key).toString("hex")]);
    expect(records).toHaveLength(1);
    const [record] = records;
    const view = new DataView(record!.buffer, record!.byteOffset);
    expect([view.getUint32(tidAt, true), view.getUint32(pidAt, true)]).toEqual([1001, 1000]);
    expect(view.getUint32(siteAt, true)).toBe(firstKeyRecord);
    expect(record!.subarray(headerBytes)).toEqual(key);
    expect(hit(maps).records).toHaveLength(0);
    expect(countOf(maps, key)).toBe(2);
    expect(claims(maps)).toEqual([0, 0, 0, 0]);
  });

  it("leaves nothing of a longer stack in the key of a shorter one", () => {
    const maps = new Maps(probe.maps);
    hit(maps, { userStack: [0x10n, 0x20n, 0x30n] });
    hit(maps, { userStack: [0x10n] });
    expect(countOf(maps, keyOf(0x1234n, [0x10n]))).toBe(1);
    expect(maps.table("a0").values.size).toBe(2);
  });

  it("counts as faulted a return address that cannot be read, and counts the stack without it", () => {
    const maps = new Maps(probe.maps);
    const { counts } = hit(maps, { memory: [] });
    expect(counts).toMatchObject({ hits: 1n, faults: 1n });
    expect(countOf(maps, keyOf(0n, [0x10n, 0x20n]))).toBe(1);
  });

  it("takes the next place where a program that it interrupts has one", () => {
    const maps = new Maps(probe.maps);
    setClaim(maps, 0);
    let seen: number[] = [];
    // What interrupts it while it claims takes the place before it.
    const interrupt = (memory: Uint8Array): void => {
      if (seen.length === 1) memory[keyRoom.claim] = 1;
      seen = [...seen, memory[keyRoom.claim]!];
    };
    hit(maps, { interrupt });
    expect(seen).toEqual([1, 1, 0]);
    expect(claims(maps)).toEqual([1, 1, 0, 0]);
    expect(countOf(maps, keyOf(0x1234n, [0x10n, 0x20n]))).toBe(1);
  });

  it("counts as dropped what finds no place", () => {
    const maps = new Maps(probe.maps);
    for (let place = 0; place < keyRoom.places; place++) setClaim(maps, place);
    const { counts, records } = hit(maps);
    expect(counts).toMatchObject({ hits: 1n, faults: 0n });
    expect([dropsOf(maps), maps.table("a0").values.size, records.length]).toEqual([1, 0, 0]);
  });

  it("counts as dropped, and gives its place back, where there is no room for the key", () => {
    const maps = new Maps(probe.maps);
    for (let frame = 1n; frame <= 4n; frame++) hit(maps, { userStack: [frame] });
    expect([dropsOf(maps), maps.table("a0").values.size, claims(maps)]).toEqual([1, 3, [0, 0, 0, 0]]);
  });
});
