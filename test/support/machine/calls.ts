/**
 * Owns the kernel's helpers as the test machine does them: arguments checked as the verifier would, results and errors as the kernel's.
 * Does not own maps (maps.ts) nor what the helpers tell of the process (world.ts).
 *
 * Spec: the comments on enum bpf_func_id in linux/bpf.h.
 */
import { errors, Ring, Table } from "./maps.js";
import { bytesOf, pointer, readBytes, refuse, region, requireRoom, scalar, writeBytes } from "./memory.js";
import type { Region, Value } from "./memory.js";
import { readRanges, readText } from "./world.js";
import type { MemoryRange, World } from "./world.js";

/** One call: its five arguments, and what the program holds meanwhile. */
export interface Call {
  /** r1 to r5, undefined where nothing was put. */
  readonly values: readonly (Value | undefined)[];
  readonly world: World;
  /** Records that were reserved and not given back. */
  readonly held: Set<Region>;
  readonly release: (record: Region, state: "submitted" | "discarded", flags: bigint) => void;
}

type Helper = (call: Call) => Value;

/** Calls a helper by its number. */
export function callHelper(id: number, call: Call): Value {
  const helper = numbered.get(id);
  return helper === undefined ? refuse(`the test machine has no helper ${id}`) : helper(call);
}

const numbered = new Map<number, Helper>([
  [1, lookUp],
  [2, update],
  [3, deleteKey],
  [5, ({ world }) => scalar(world.time)],
  [7, () => scalar(4)],
  [8, ({ world }) => scalar(world.cpu)],
  [14, ({ world }) => scalar((BigInt(world.pid) << 32n) | BigInt(world.tid))],
  [15, ({ world }) => scalar((BigInt(world.gid) << 32n) | BigInt(world.uid))],
  [16, readComm],
  [27, stackId],
  [35, ({ world }) => scalar(world.task)],
  [67, readStack],
  [80, ({ world }) => scalar(world.cgroups.at(-1) ?? 0n)],
  [112, (call) => readMemory(call, call.world.memory, false)],
  [113, (call) => readMemory(call, kernelRanges(call), false)],
  [114, (call) => readString(call, call.world.memory)],
  [115, (call) => readString(call, kernelRanges(call))],
  [123, (call) => scalar(call.world.cgroups[Number(numberOf(call, 1))] ?? 0n)],
  [125, ({ world }) => scalar(world.time)],
  [130, output],
  [131, reserve],
  [132, (call) => release(call, "submitted")],
  [133, (call) => release(call, "discarded")],
  [134, query],
  [148, copyFromUser],
  [174, readCookie],
  [208, ({ world }) => scalar(world.time)],
]);

function lookUp(call: Call): Value {
  const table = tableOf(call, 1);
  const value = table.find(readBytes(valueOf(call, 2), table.spec.keyBytes), call.world.cpu);
  if (value === undefined) return scalar(0);
  return pointer(region("map-value", `the value found in ${table.spec.name}`, value), 0, { checked: false });
}

function update(call: Call): Value {
  const table = tableOf(call, 1);
  const key = readBytes(valueOf(call, 2), table.spec.keyBytes);
  const value = readBytes(valueOf(call, 3), table.spec.valueBytes);
  return scalar(table.update(key, value, numberOf(call, 4), call.world.cpu));
}

function deleteKey(call: Call): Value {
  const table = tableOf(call, 1);
  return scalar(table.delete(readBytes(valueOf(call, 2), table.spec.keyBytes)));
}

/** Kernel: copies at most `size` bytes, always ends with zero and fills the rest with zeros. */
function readComm(call: Call): Value {
  const size = sizeOf(call, 2);
  if (size === 0) refuse("a size of 0 is given for comm");
  const bytes = new Uint8Array(size);
  const comm = new TextEncoder().encode(call.world.comm).subarray(0, 15);
  bytes.set(comm.subarray(0, size - 1));
  writeBytes(valueOf(call, 1), bytes);
  return scalar(0);
}

/** Kernel: flags hold the frames to skip in 8 bits and BPF_F_USER_STACK in bit 8. Ids are the next free ones here, hashes there. */
function stackId(call: Call): Value {
  requireContext(call, 1);
  const map = mapOf(call, 2);
  if (!(map instanceof Table) || map.spec.kind !== "stack-trace")
    return refuse(`${map.spec.name} holds no stacks`);
  const frames = framesOf(call, numberOf(call, 3)).slice(0, map.spec.valueBytes / 8);
  if (frames.length === 0) return scalar(errors.EFAULT);
  const value = new Uint8Array(map.spec.valueBytes);
  value.set(frames.flatMap((frame) => [...bytesOf(frame, 8)]));
  const known = [...map.values].find(([, [other]]) => other?.every((byte, index) => byte === value[index]));
  const id = known === undefined ? map.values.size : stackNumber(known[0]);
  if (known === undefined && map.update(bytesOf(BigInt(id), 4), value, 0n, 0) !== 0)
    return scalar(errors.EEXIST);
  return scalar(id);
}

/** Ids are keys of 4 bytes, little-endian, in hexadecimal. */
function stackNumber(key: string): number {
  return Number.parseInt((key.match(/../g) ?? []).reverse().join(""), 16);
}

/** Kernel: returns the bytes of the frames and fills the rest with zeros. */
function readStack(call: Call): Value {
  requireContext(call, 1);
  const size = sizeOf(call, 3);
  const bytes = new Uint8Array(size);
  if (size % 8 !== 0) {
    writeBytes(valueOf(call, 2), bytes);
    return scalar(errors.EINVAL);
  }
  const frames = framesOf(call, numberOf(call, 4)).slice(0, size / 8);
  bytes.set(frames.flatMap((frame) => [...bytesOf(frame, 8)]));
  writeBytes(valueOf(call, 2), bytes);
  return scalar(frames.length === 0 ? errors.EFAULT : frames.length * 8);
}

function framesOf({ world }: Call, flags: bigint): readonly bigint[] {
  return ((flags & 0x100n) === 0n ? world.kernelStack : world.userStack).slice(Number(flags & 0xffn));
}

/** Where the test machine's own memory begins, for helpers that are given one of its pointers as an address. */
const ownMemory = 0xffff_c900_0000_0000n;

/** Kernel memory, and what the pointer in r3 points into: programs may read their own stack and map values like the kernel's. */
function kernelRanges(call: Call): readonly MemoryRange[] {
  const value = valueOf(call, 3);
  const own = value.kind === "pointer" ? [{ address: ownMemory, bytes: value.region.bytes }] : [];
  return [...call.world.kernelMemory, ...own];
}

function addressOf(call: Call, register: number): bigint {
  const value = valueOf(call, register);
  if (value.kind !== "pointer") return numberOf(call, register);
  if (!value.nullness.checked) refuse(`${value.region.name} may be null and is read`);
  return ownMemory + BigInt(value.offset);
}

/** Kernel: a read that faults fills the whole destination with zeros. */
function readMemory(call: Call, ranges: readonly MemoryRange[], maySleep: boolean): Value {
  const size = sizeOf(call, 2);
  const bytes = readRanges(ranges, addressOf(call, 3), size, maySleep);
  writeBytes(valueOf(call, 1), bytes ?? new Uint8Array(size));
  return scalar(bytes === undefined ? errors.EFAULT : 0);
}

/** Kernel: returns the bytes with the final zero, which is put over the last byte where the text is cut; behind it nothing is written. */
function readString(call: Call, ranges: readonly MemoryRange[]): Value {
  const size = sizeOf(call, 2);
  const address = addressOf(call, 3);
  requireRoom(valueOf(call, 1), size);
  const text = readText(ranges, address, size);
  if (text?.length === size && size > 0) text[size - 1] = 0;
  writeBytes(valueOf(call, 1), text ?? new Uint8Array(size));
  return scalar(text === undefined ? errors.EFAULT : text.length);
}

function copyFromUser(call: Call): Value {
  if (!call.world.sleepable) refuse("a helper that may sleep is called by a program that may not");
  // Why: the verifier allows it, but the reader stops at a record that is not submitted, for as long as this sleeps.
  for (const { name } of call.held) refuse(`${name} is held while pages are faulted in`);
  return readMemory(call, call.world.memory, true);
}

function readCookie(call: Call): Value {
  requireContext(call, 1);
  return scalar(call.world.cookie);
}

function output(call: Call): Value {
  const bytes = readBytes(valueOf(call, 2), sizeOf(call, 3));
  const ring = ringOf(call, 1);
  const record = ring.reserve(bytes.length);
  if (record === undefined) return scalar(errors.EAGAIN);
  record.region.bytes.set(bytes);
  ring.release(record, "submitted", numberOf(call, 4));
  return scalar(0);
}

function reserve(call: Call): Value {
  const size = sizeOf(call, 2);
  const ring = ringOf(call, 1);
  const record = numberOf(call, 3) === 0n ? ring.reserve(size) : undefined;
  if (record === undefined) return scalar(0);
  call.held.add(record.region);
  return pointer(record.region, 0, { checked: false });
}

function release(call: Call, state: "submitted" | "discarded"): Value {
  const record = valueOf(call, 1);
  const flags = numberOf(call, 2);
  if (record.kind !== "pointer" || record.region.kind !== "record") return refuse(`no record is ${state}`);
  if (!record.nullness.checked) refuse(`${record.region.name} may be null and is ${state}`);
  if (record.offset !== 0) refuse(`${record.region.name} is ${state} by a pointer to its middle`);
  if (!call.held.delete(record.region)) refuse(`${record.region.name} is given back twice`);
  call.release(record.region, state, flags);
  return scalar(0);
}

/** Kernel: 0 asks for bytes not yet taken, 1 for the ring's size, 2 and 3 for the positions. */
function query(call: Call): Value {
  const ring = ringOf(call, 1);
  const answers = [ring.produced - ring.consumed, ring.spec.entries, ring.consumed, ring.produced];
  return scalar(answers[Number(numberOf(call, 2))] ?? 0);
}

function valueOf({ values }: Call, register: number): Value {
  return values[register - 1] ?? refuse(`r${register} holds nothing when a helper wants it`);
}

function numberOf(call: Call, register: number): bigint {
  const value = valueOf(call, register);
  return value.kind === "scalar"
    ? value.bits
    : refuse(`r${register} holds a pointer where a helper wants a number`);
}

/** Verifier: sizes are bounded and never negative; what a register may hold was proved, here it is what it holds. */
function sizeOf(call: Call, register: number): number {
  const size = numberOf(call, register);
  return size < 1n << 29n ? Number(size) : refuse(`r${register} holds a size of ${size}`);
}

function mapOf(call: Call, register: number): Ring | Table {
  const value = valueOf(call, register);
  if (value.kind !== "map") return refuse(`r${register} holds no map`);
  return call.world.maps.find(value.name) ?? refuse(`no map "${value.name}"`);
}

function ringOf(call: Call, register: number): Ring {
  const map = mapOf(call, register);
  return map instanceof Ring ? map : refuse(`${map.spec.name} is no ring buffer`);
}

function tableOf(call: Call, register: number): Table {
  const map = mapOf(call, register);
  if (map instanceof Ring || map.spec.kind === "stack-trace")
    return refuse(`${map.spec.name} has no keys for programs`);
  return map;
}

function requireContext(call: Call, register: number): void {
  const value = valueOf(call, register);
  if (value.kind !== "pointer" || value.region.kind !== "context" || value.offset !== 0) {
    refuse(`r${register} does not hold the context`);
  }
}
