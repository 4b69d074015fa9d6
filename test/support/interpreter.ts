/**
 * Owns running an assembled program without a kernel: the oracle that the compiler is tested against where there is no root.
 * Does not own values and memory, helpers, maps and arithmetic, which are in machine/.
 *
 * Every pointer knows what it points into. What the verifier refuses before a program runs is thrown as Refused when a run comes to it:
 * registers and stack read before they were written, r1 to r5 after a call, results that may be null, bounds, alignment, records kept.
 * What it cannot see: paths that a run does not take, and whether the verifier could have *proved* the bounds that held.
 */
import { slotsOf } from "../../src/bpf/assemble.js";
import type { Instruction } from "../../src/bpf/instruction.js";
import { print, printInstruction } from "../../src/bpf/print.js";
import { compare, compute, swapBytes } from "./machine/arithmetic.js";
import { callHelper } from "./machine/calls.js";
import { checkFlow, layOut } from "./machine/flow.js";
import type { Slots } from "./machine/flow.js";
import type { Maps } from "./machine/maps.js";
import {
  exchangeValue,
  pointer,
  readValue,
  refuse,
  Refused,
  region,
  scalar,
  writeValue,
} from "./machine/memory.js";
import type { Region, Value } from "./machine/memory.js";
import { world as completeWorld } from "./machine/world.js";
import type { World } from "./machine/world.js";

export { Maps } from "./machine/maps.js";
export { Refused } from "./machine/memory.js";
export type { MemoryRange, World } from "./machine/world.js";

export interface Outcome {
  readonly r0: bigint;
  /** What this run submitted, in the order of the reservations, as a reader gets them. */
  readonly records: readonly Uint8Array[];
  /** How often this run woke the reader. */
  readonly wakeups: number;
  readonly maps: Maps;
  /** Instructions executed. */
  readonly steps: number;
}

/** Runs a program to its exit. Throws Refused with the slot and the reason. */
export function interpret(instructions: readonly Instruction[], given: Partial<World> = {}): Outcome {
  const world = completeWorld(given);
  const slots = layOut(instructions);
  const before = world.maps
    .rings()
    .map((ring) => ({ ring, records: ring.records.length, wakeups: ring.wakeups }));
  checkFlow(slots);
  const machine = start(world);
  while (!machine.finished) stepOnce(machine, slots, instructions);
  return {
    r0: numberIn(machine, 0),
    records: before.flatMap(({ ring, records }) =>
      ring.records
        .slice(records)
        .flatMap(({ state, region }) => (state === "submitted" ? [region.bytes] : [])),
    ),
    wakeups: before.reduce((sum, { ring, wakeups }) => sum + ring.wakeups - wakeups, 0),
    maps: world.maps,
    steps: machine.steps,
  };
}

interface Machine {
  readonly world: World;
  readonly registers: (Value | undefined)[];
  readonly held: Set<Region>;
  slot: number;
  steps: number;
  finished: boolean;
}

function start(world: World): Machine {
  const registers: (Value | undefined)[] = Array.from({ length: 11 });
  registers[1] = pointer(region("context", "the context", world.context));
  registers[10] = pointer(region("stack", "the stack", new Uint8Array(512)), 512);
  return { world, registers, held: new Set(), slot: 0, steps: 0, finished: false };
}

function stepOnce(machine: Machine, slots: Slots, instructions: readonly Instruction[]): void {
  const { slot } = machine;
  const instruction = slots[slot];
  if (instruction === undefined) throw new Refused(`no instruction at slot ${slot}`);
  try {
    if (++machine.steps > machine.world.limit) refuse("the program does not end");
    machine.slot = slot + slotsOf(instruction);
    execute(machine, instruction);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Refused(
      `slot ${slot}: ${printInstruction(instruction)}\n  ${error.message}\n${print(instructions)}`,
      { cause: error },
    );
  }
}

function execute(machine: Machine, instruction: Instruction): void {
  switch (instruction.opcode & 0x07) {
    case 0:
      return executeConstant(machine, instruction);
    case 1:
      return executeLoad(machine, instruction);
    case 2:
      return writeValue(
        valueIn(machine, instruction.dst),
        instruction.offset,
        sizeOf(instruction),
        scalar(instruction.imm),
      );
    case 3:
      return executeStore(machine, instruction);
    case 5:
    case 6:
      return executeJump(machine, instruction);
    default:
      return put(machine, instruction.dst, calculate(machine, instruction));
  }
}

function executeConstant(machine: Machine, { dst, src, wide = 0n, map }: Instruction): void {
  if (src === 0) return put(machine, dst, scalar(wide));
  const found = map === undefined ? undefined : machine.world.maps.find(map);
  if (map === undefined || found === undefined) return refuse(`there is no map "${map}"`);
  if (src === 1) return put(machine, dst, { kind: "map", name: map });
  // Kernel: only plain arrays have a fixed address.
  if (src !== 2 || found.spec.kind !== "array") return refuse(`the map "${map}" has no fixed address`);
  const first = machine.world.maps.value(map, 0) ?? refuse(`the map "${map}" is empty`);
  return put(
    machine,
    dst,
    pointer(region("map-value", `the first value of ${map}`, first), Number(wide >> 32n)),
  );
}

function executeLoad(machine: Machine, instruction: Instruction): void {
  const { opcode, dst, src, offset } = instruction;
  const size = sizeOf(instruction);
  const value = readValue(valueIn(machine, src), offset, size);
  const isSigned = (opcode & 0xe0) === 0x80;
  if (!isSigned) return put(machine, dst, value);
  if (value.kind !== "scalar") return refuse("a saved pointer is sign-extended");
  return put(machine, dst, scalar(BigInt.asIntN(size * 8, value.bits)));
}

function executeStore(machine: Machine, instruction: Instruction): void {
  const { opcode, dst, src, offset } = instruction;
  const isAtomic = (opcode & 0xe0) === 0xc0;
  if (isAtomic) return executeAtomic(machine, instruction);
  return writeValue(valueIn(machine, dst), offset, sizeOf(instruction), valueIn(machine, src));
}

/** Spec: the immediate is an operation of arithmetic, or 0xe0 exchange, or 0xf0 compare and exchange with r0; bit 0 fetches. */
function executeAtomic(machine: Machine, instruction: Instruction): void {
  const { dst, src, offset, imm } = instruction;
  const width = sizeOf(instruction) * 8;
  const operand = BigInt.asUintN(width, numberIn(machine, src));
  const target = valueIn(machine, dst);
  if (imm === 0xf1 && target.kind === "pointer") machine.world.interrupt(target.region.bytes);
  const expected = imm === 0xf1 ? BigInt.asUintN(width, numberIn(machine, 0)) : 0n;
  const old = exchangeValue(target, offset, width / 8, (current) => {
    if (imm === 0xe1) return operand;
    if (imm === 0xf1) return current === expected ? operand : current;
    return compute(imm & 0xf0, current, operand, width, false);
  });
  if (imm === 0xf1) put(machine, 0, scalar(old));
  else if ((imm & 1) === 1) put(machine, src, scalar(old));
}

function executeJump(machine: Machine, instruction: Instruction): void {
  const { opcode, src, imm, offset } = instruction;
  switch (opcode & 0xf0) {
    case 0x00:
      machine.slot += (opcode & 0x07) === 6 ? imm : offset;
      return;
    case 0x80:
      return executeCall(machine, src, imm);
    case 0x90:
      // Verifier: "Unreleased reference", and no pointer may leave the program.
      for (const { name } of machine.held) refuse(`${name} is neither submitted nor discarded`);
      numberIn(machine, 0);
      machine.finished = true;
      return;
    default:
      if (isTaken(machine, instruction)) machine.slot += offset;
  }
}

function executeCall(machine: Machine, src: number, id: number): void {
  if (src !== 0) refuse("the test machine calls helpers only");
  const { world, registers, held } = machine;
  const result = callHelper(id, {
    values: registers.slice(1, 6),
    world,
    held,
    release: (record, state, flags) => {
      for (const ring of world.maps.rings()) {
        const found = ring.records.find(({ region }) => region === record);
        if (found !== undefined) ring.release(found, state, flags);
      }
    },
  });
  registers.fill(undefined, 1, 6);
  registers[0] = result;
}

function isTaken(machine: Machine, instruction: Instruction): boolean {
  const { opcode, dst, imm } = instruction;
  const width = (opcode & 0x07) === 5 ? 64 : 32;
  const left = valueIn(machine, dst);
  const right = operandOf(machine, instruction);
  if (left.kind === "scalar" && right.kind === "scalar")
    return compare(opcode & 0xf0, left.bits, right.bits, width);
  // Verifier: what may be null is proved by `== 0` or `!= 0` of all 64 bits with an immediate, for all copies at once.
  const code = opcode & 0xf0;
  const isNullTest = (opcode & 0x08) === 0 && imm === 0 && width === 64 && (code === 0x10 || code === 0x50);
  if (left.kind !== "pointer" || !isNullTest) return refuse("a pointer is compared with more than zero");
  left.nullness.checked = true;
  return code === 0x50;
}

function calculate(machine: Machine, instruction: Instruction): Value {
  const { opcode, dst, offset, imm } = instruction;
  const width = (opcode & 0x07) === 7 ? 64 : 32;
  const code = opcode & 0xf0;
  const fromRegister = (opcode & 0x08) !== 0;
  if (code === 0x80) return scalar(BigInt.asUintN(width, -numberIn(machine, dst)));
  if (code === 0xd0) {
    // Why: the machine is little-endian, so `le` only cuts.
    const value = numberIn(machine, dst);
    return scalar(width === 64 || fromRegister ? swapBytes(value, imm) : BigInt.asUintN(imm, value));
  }
  const right = operandOf(machine, instruction);
  if (code === 0xb0) {
    if (width === 64 && offset === 0) return right;
    if (right.kind !== "scalar") return refuse("part of a pointer is moved");
    const bits = offset === 0 ? right.bits : BigInt.asIntN(offset, right.bits);
    return scalar(BigInt.asUintN(width, bits));
  }
  const left = valueIn(machine, dst);
  if (left.kind !== "scalar" || right.kind !== "scalar") return movePointer(code, width, left, right);
  if (!fromRegister && imm === 0 && (code === 0x30 || code === 0x90)) refuse("division by the constant zero");
  if (!fromRegister && isShift(code) && (imm < 0 || imm >= width)) refuse(`a shift by the constant ${imm}`);
  return scalar(compute(code, left.bits, right.bits, width, offset === 1));
}

/** Verifier: pointers are moved by numbers in 64 bits, and not before they are known to be no null. */
function movePointer(code: number, width: number, left: Value, right: Value): Value {
  const add = code === 0x00;
  if (width !== 64 || (!add && code !== 0x10)) return refuse("a pointer in arithmetic");
  const [base, distance] = add && left.kind === "scalar" ? [right, left] : [left, right];
  if (base.kind !== "pointer") return refuse("a map in arithmetic");
  if (!base.nullness.checked) return refuse(`${base.region.name} may be null and is moved`);
  if (distance.kind === "scalar") {
    const bytes = Number(BigInt.asIntN(64, distance.bits));
    return pointer(base.region, base.offset + (add ? bytes : -bytes), base.nullness);
  }
  const isDifference = !add && distance.kind === "pointer" && distance.region === base.region;
  return isDifference ? scalar(base.offset - distance.offset) : refuse("two pointers in arithmetic");
}

function operandOf(machine: Machine, { opcode, src, imm }: Instruction): Value {
  return (opcode & 0x08) === 0 ? scalar(imm) : valueIn(machine, src);
}

function isShift(code: number): boolean {
  return code === 0x60 || code === 0x70 || code === 0xc0;
}

function sizeOf({ opcode }: Instruction): number {
  return [4, 2, 1, 8][(opcode >> 3) & 3] ?? 0;
}

function valueIn(machine: Machine, register: number): Value {
  return machine.registers[register] ?? refuse(`r${register} holds nothing`);
}

function numberIn(machine: Machine, register: number): bigint {
  const value = valueIn(machine, register);
  return value.kind === "scalar"
    ? value.bits
    : refuse(`r${register} holds a pointer where a number is wanted`);
}

function put(machine: Machine, register: number, value: Value): void {
  if (register === 10) refuse("the frame pointer is written");
  machine.registers[register] = value;
}
