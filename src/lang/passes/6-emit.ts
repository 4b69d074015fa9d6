/**
 * Owns the sixth pass: eBPF instructions for steps whose registers are settled.
 * Does not own their encoding (bpf/).
 */
import { assert, unreachable } from "../../base/assert.js";
import { assemble } from "../../bpf/assemble.js";
import type { Assembly } from "../../bpf/assemble.js";
import {
  alu,
  atomic,
  atomicAdd,
  call,
  exit,
  jump,
  jumpIf,
  label,
  load,
  loadConstant,
  loadMap,
  loadMapValue,
  mov,
  mov32,
  store,
  storeImmediate,
} from "../../bpf/build.js";
import type { Label, Line } from "../../bpf/build.js";
import type { Register } from "../../bpf/instruction.js";
import type { Condition } from "../../bpf/opcodes.js";
import { context } from "../ir.js";
import type { Argument, Base, End, Operand, Program, Step, Virtual } from "../ir.js";

export interface EmitInput {
  readonly program: Program;
  readonly registers: ReadonlyMap<Virtual, Register>;
  readonly frame: readonly (number | undefined)[];
}

/** Writes the instructions, each with the part of the author's text that it stands for. */
export function emit(input: EmitInput): Assembly {
  return assemble(new Emitter(input).lines);
}

const framePointer: Register = 10;

class Emitter {
  readonly lines: Line[] = [];
  readonly #registers: ReadonlyMap<Virtual, Register>;
  readonly #frame: readonly (number | undefined)[];

  constructor({ program: { blocks }, registers, frame }: EmitInput) {
    this.#registers = registers;
    this.#frame = frame;
    const labels = blocks.map((block) => label(block.name));
    const held = registers.get(context);
    if (held !== undefined) this.#move(held, 1);
    blocks.forEach(({ steps, end }, index) => {
      this.#add(labels[index]!);
      for (const step of steps) {
        this.#add({ kind: "place", span: step.span });
        this.#step(step);
      }
      this.#add({ kind: "place", span: end.span });
      this.#end(end, index + 1, labels);
    });
  }

  #add(line: Line): void {
    this.lines.push(line);
  }

  #move(to: Register, from: Register | bigint): void {
    if (typeof from === "bigint") this.#add(loadConstant(to, from));
    else if (to !== from) this.#add(mov(to, from));
  }

  #step(step: Step): void {
    switch (step.kind) {
      case "copy":
        return this.#move(this.#of(step.to), this.#operand(step.from));
      case "compute":
        return this.#compute(step);
      case "extend":
        return this.#extend(step);
      case "load":
        return this.#add(
          load(step.bytes, this.#of(step.to), this.#base(step.base), this.#offset(step.base, step.offset)),
        );
      case "store": {
        const base = this.#base(step.base);
        const offset = this.#offset(step.base, step.offset);
        const value = this.#operand(step.value);
        return this.#add(
          typeof value === "bigint"
            ? storeImmediate(step.bytes, base, offset, narrow(value, step.bytes))
            : store(step.bytes, base, offset, value),
        );
      }
      case "add": {
        const value = this.#operand(step.value);
        assert(typeof value !== "bigint", "an atomic addition of a constant");
        return this.#add(atomicAdd(8, this.#base(step.base), this.#offset(step.base, step.offset), value));
      }
      case "exchange":
        return this.#exchange(step);
      case "call":
        return this.#call(step);
      default:
        return unreachable(step);
    }
  }

  #compute({ to, operation, width, left, right }: Extract<Step, { kind: "compute" }>): void {
    const target = this.#of(to);
    const one = this.#operand(left);
    const other = this.#operand(right);
    // Spec: dst = dst OP src. Where dst holds the right operand already, liveness allowed that only if the two can be exchanged.
    if (target === other && target !== one) {
      assert(typeof one !== "bigint", "the right operand is where the left one must go");
      return this.#add(alu(operation, target, one, width));
    }
    this.#move(target, one);
    this.#add(alu(operation, target, typeof other === "bigint" ? BigInt.asIntN(width, other) : other, width));
  }

  #extend({ to, from, bits, signed, width }: Extract<Step, { kind: "extend" }>): void {
    const target = this.#of(to);
    const source = this.#operand(from);
    assert(typeof source !== "bigint", "an extension of a constant");
    if (!signed && bits === 32) return this.#add(mov32(target, source));
    this.#move(target, source);
    if (!signed) return this.#add(alu("and", target, bits === 8 ? 0xffn : 0xffffn, 32));
    // Verifier: sign-extending moves are known only since 6.6.
    const shift = BigInt(width - bits);
    this.#add(alu("lsh", target, shift, width));
    this.#add(alu("arsh", target, shift, width));
  }

  #call({ to, helper, arguments: given }: Extract<Step, { kind: "call" }>): void {
    this.#arguments(given);
    this.#add(call(helper));
    if (to !== undefined) this.#move(this.#of(to), 0);
  }

  /** Spec: what is expected stands in r0, where the old value comes to stand. */
  #exchange({ to, base, offset, expected, value }: Extract<Step, { kind: "exchange" }>): void {
    this.#arguments([base, value, expected]);
    this.#add(mov(0, 3));
    this.#add(atomic("compare-exchange", 8, 1, offset, 2));
    this.#move(this.#of(to), 0);
  }

  /** Fills r1 to r5: first what comes from registers, in an order in which none is lost, then the rest. */
  #arguments(given: readonly Argument[]): void {
    const moves: Move[] = [];
    const rest: Line[] = [];
    given.forEach((argument, index) => {
      const to = (index + 1) as Register;
      if (typeof argument === "bigint") rest.push(loadConstant(to, argument));
      else if (typeof argument === "number") moves.push({ from: this.#of(argument), to, added: 0 });
      else if ("map" in argument) rest.push(loadMap(to, argument.map));
      else if ("firstOf" in argument) rest.push(loadMapValue(to, argument.firstOf));
      else {
        const { address } = argument;
        const from = this.#base(address);
        const added = this.#offset(address, argument.offset);
        if (from !== framePointer) moves.push({ from, to, added });
        else rest.push(mov(to, from), ...addition(to, added));
      }
    });
    this.#moveAll(moves);
    this.lines.push(...rest);
  }

  /** Does all moves as if at once. A circle is broken through r0, which no helper takes. */
  #moveAll(moves: readonly Move[]): void {
    let waiting = moves;
    while (waiting.length > 0) {
      const ready = waiting.find(({ to }) => !waiting.some((other) => other.to !== to && other.from === to));
      if (ready !== undefined) {
        this.#move(ready.to, ready.from);
        this.lines.push(...addition(ready.to, ready.added));
        waiting = waiting.filter((other) => other !== ready);
        continue;
      }
      const { from: first } = waiting[0]!;
      assert(
        waiting.every(({ from }) => from !== 0),
        "a circle of arguments while r0 is in use",
      );
      this.#add(mov(0, first));
      waiting = waiting.map((other) => (other.from === first ? { ...other, from: 0 } : other));
    }
  }

  #end(end: End, next: number, labels: readonly Label[]): void {
    switch (end.kind) {
      case "jump":
        if (end.to !== next) this.#add(jump(labels[end.to]!));
        return;
      case "exit":
        this.#add(mov(0, 0n));
        return this.#add(exit());
      case "branch": {
        const { condition, width, whenTrue, whenFalse } = end;
        const left = this.#operand(end.left);
        const right = this.#operand(end.right);
        assert(typeof left !== "bigint", "a branch on a constant");
        const wide = typeof right === "bigint" ? BigInt.asIntN(width, right) : right;
        const opposite = opposites[condition];
        if (whenTrue === next && opposite !== undefined) {
          return this.#add(jumpIf(opposite, left, wide, labels[whenFalse]!, width));
        }
        this.#add(jumpIf(condition, left, wide, labels[whenTrue]!, width));
        if (whenFalse !== next) this.#add(jump(labels[whenFalse]!));
        return;
      }
      default:
        return unreachable(end);
    }
  }

  #operand(operand: Operand): Register | bigint {
    return typeof operand === "bigint" ? operand : this.#of(operand);
  }

  #of(virtual: Virtual): Register {
    const register = this.#registers.get(virtual);
    assert(register !== undefined, "a virtual register without a machine register");
    return register;
  }

  #base(base: Base): Register {
    return typeof base === "number" ? this.#of(base) : framePointer;
  }

  #offset(base: Base, offset: number): number {
    if (typeof base === "number") return offset;
    const start = this.#frame[base.slot];
    assert(start !== undefined, "a buffer without a place on the stack");
    return start + offset;
  }
}

/** Into one register from another, and so much on top. */
interface Move {
  readonly from: Register;
  readonly to: Register;
  readonly added: number;
}

function addition(to: Register, added: number): Line[] {
  return added === 0 ? [] : [alu("add", to, BigInt(added))];
}

/** The value as an instruction that stores so many bytes holds it. */
function narrow(value: bigint, bytes: number): bigint {
  return bytes === 8 ? BigInt.asIntN(64, value) : BigInt.asIntN(32, BigInt.asIntN(bytes * 8, value));
}

const opposites: Readonly<Partial<Record<Condition, Condition>>> = {
  eq: "ne",
  ne: "eq",
  gt: "le",
  ge: "lt",
  lt: "ge",
  le: "gt",
  sgt: "sle",
  sge: "slt",
  slt: "sge",
  sle: "sgt",
};
