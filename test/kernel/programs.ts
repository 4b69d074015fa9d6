/** Owns the small eBPF programs and maps that the tests of kernel/ load. Does not own the tests. */
import { assemble } from "../../src/bpf/assemble.js";
import {
  alu,
  atomicAdd,
  call,
  exit,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  mov,
  store,
  storeImmediate,
} from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import type { Register } from "../../src/bpf/instruction.js";
import type { MapSpec, ProgramSpec } from "../../src/bpf/spec.js";

/** Where the saved registers rdi and rax lie. Spec: struct pt_regs of x86-64. */
export const firstArgument = 112;
const returnedValue = 80;

export function program(name: string, lines: readonly Line[], source = ""): ProgramSpec {
  return { name, license: "Dual BSD/GPL", sleepable: false, source, ...assemble(lines) };
}

export function emptyProgram(name = "empty"): ProgramSpec {
  return program(name, [mov(0, 0n), exit()]);
}

/** Two slots of one u64: how often each cookie hit. */
export const countsMap: MapSpec = {
  name: "counts",
  kind: "percpu-array",
  keyBytes: 4,
  valueBytes: 8,
  entries: 8,
};

/** Adds one in the slot that is the cookie's high half less its low half, so that both halves count. */
export function countByCookie(name = "count_cookie"): ProgramSpec {
  return program(name, [
    call("get_attach_cookie"),
    mov(1, 0),
    alu("rsh", 1, 32n),
    alu("sub", 1, 0, 32),
    store(4, 10, -4, 1),
    ...addOne(-4),
    mov(0, 0n),
    exit(),
  ]);
}

/** Adds one in a fixed slot. */
export function countInSlot(slot: bigint, name = "count_slot"): ProgramSpec {
  return program(name, [storeImmediate(4, 10, -4, slot), ...addOne(-4), mov(0, 0n), exit()]);
}

/** Adds up the returned values in slot 1. */
export function sumReturned(): ProgramSpec {
  const line = [load(8, 6, 1, returnedValue), storeImmediate(4, 10, -4, 1n)];
  return program("sum_returned", [...line, ...addOne(-4, 6), mov(0, 0n), exit()]);
}

/** Adds one, or a register, to the value of "counts" whose key lies at the stack offset. */
export function addOne(keyAt: number, register?: Register): Line[] {
  const missing = label("missing");
  return [
    loadMap(1, "counts"),
    mov(2, 10),
    alu("add", 2, BigInt(keyAt)),
    call("map_lookup_elem"),
    jumpIf("eq", 0, 0n, missing),
    register === undefined ? mov(1, 1n) : mov(1, register),
    atomicAdd(8, 0, 0, 1),
    missing,
  ];
}

export function ringMap(bytes: number): MapSpec {
  return { name: "events", kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: bytes };
}

/**
 * Sends the first argument and its complement; counts in slot 0 what did not fit. Forces a wake-up only when more than
 * `wakeBytes` wait. With `discardOdd` every odd argument's record is given back unsent;
 * with `slow` many microseconds pass before a reserved record is filled in.
 */
export function sendArgument(options: {
  readonly wakeBytes: bigint;
  readonly discardOdd?: boolean;
  readonly slow?: boolean;
}): ProgramSpec {
  const full = label("full");
  const quiet = label("quiet");
  const decided = label("decided");
  const send = label("send");
  const end = label("end");
  const [noWakeup, forceWakeup, availableData] = [1n, 2n, 0n];
  return program("send_argument", [
    mov(6, 1),
    loadMap(1, "events"),
    mov(2, availableData),
    call("ringbuf_query"),
    jumpIf("le", 0, options.wakeBytes, quiet),
    mov(7, forceWakeup),
    jump(decided),
    quiet,
    mov(7, noWakeup),
    decided,
    loadMap(1, "events"),
    mov(2, 16n),
    mov(3, 0n),
    call("ringbuf_reserve"),
    jumpIf("eq", 0, 0n, full),
    mov(9, 0),
    ...(options.slow === true ? Array.from({ length: 2000 }, () => call("ktime_get_ns")) : []),
    load(8, 8, 6, firstArgument),
    store(8, 9, 0, 8),
    mov(1, 9),
    mov(9, 8),
    alu("xor", 9, -1n),
    store(8, 1, 8, 9),
    mov(2, 7),
    ...(options.discardOdd === true
      ? [alu("and", 8, 1n), jumpIf("eq", 8, 0n, send), call("ringbuf_discard"), jump(end)]
      : []),
    send,
    call("ringbuf_submit"),
    jump(end),
    full,
    storeImmediate(4, 10, -4, 0n),
    ...addOne(-4),
    end,
    mov(0, 0n),
    exit(),
  ]);
}
