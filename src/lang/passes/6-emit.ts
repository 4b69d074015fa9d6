/**
 * Owns the sixth pass: eBPF instructions for steps whose registers are settled.
 * Does not own their encoding (bpf/).
 */
import { assert, unreachable } from "../../base/assert.js";
import { assemble } from "../../bpf/assemble.js";
import type { Assembly } from "../../bpf/assemble.js";
import {
  alu,
  atomicAdd,
  call,
  exit,
  jump,
  jumpIf,
  label,
  load,
  loadConstant,
  loadMap,
  mov,
  mov32,
  placed,
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
  const emitter = new Emitter(input);
  return assemble(emitter.program(input.program));
}

const framePointer: Register = 10;

class Emitter {
  readonly #registers: ReadonlyMap<Virtual, Register>;
  readonly #frame: readonly (number | undefined)[];

  constructor({ registers, frame }: EmitInput) {
    this.#registers = registers;
    this.#frame = frame;
  }

  program({ blocks }: Program): Line[] {
    const labels = blocks.map((block) => label(block.name));
    const held = this.#registers.get(context);
    const lines: Line[] = held === undefined || held === 1 ? [] : [mov(held, 1)];
    blocks.forEach((block, index) => {
      lines.push(labels[index]!);
      for (const step of block.steps) lines.push(...placed(step.span, this.#step(step)));
      lines.push(...placed(block.end.span, this.#end(block.end, index + 1, labels)));
    });
    return lines;
  }

  #step(step: Step): Line[] {
    switch (step.kind) {
      case "copy":
        return move(this.#of(step.to), this.#operand(step.from));
      case "compute":
        return this.#compute(step);
      case "extend":
        return this.#extend(step);
      case "load": {
        const [base, offset] = this.#place(step.base, step.offset);
        return [load(step.bytes, this.#of(step.to), base, offset)];
      }
      case "store": {
        const [base, offset] = this.#place(step.base, step.offset);
        const value = this.#operand(step.value);
        return [
          typeof value === "bigint"
            ? storeImmediate(step.bytes, base, offset, narrow(value, step.bytes))
            : store(step.bytes, base, offset, value),
        ];
      }
      case "add": {
        const [base, offset] = this.#place(step.base, step.offset);
        const value = this.#operand(step.value);
        assert(typeof value !== "bigint", "an atomic addition of a constant");
        return [atomicAdd(8, base, offset, value)];
      }
      case "call":
        return this.#call(step);
      default:
        return unreachable(step);
    }
  }

  #compute({ to, operation, width, left, right }: Extract<Step, { kind: "compute" }>): Line[] {
    const [target, one, other] = [this.#of(to), this.#operand(left), this.#operand(right)];
    const wide = typeof other === "bigint" ? BigInt.asIntN(width, other) : other;
    // Spec: dst = dst OP src. Where dst holds the right operand already, liveness allowed that only if the two can be exchanged.
    if (target === other && target !== one) {
      assert(typeof one !== "bigint", "the right operand is where the left one must go");
      return [alu(operation, target, one, width)];
    }
    return [...move(target, one), alu(operation, target, wide, width)];
  }

  #extend({ to, from, bits, signed, width }: Extract<Step, { kind: "extend" }>): Line[] {
    const [target, source] = [this.#of(to), this.#operand(from)];
    assert(typeof source !== "bigint", "an extension of a constant");
    if (!signed) {
      if (bits === 32) return [mov32(target, source)];
      return [...move(target, source), alu("and", target, bits === 8 ? 0xffn : 0xffffn, 32)];
    }
    // Verifier: sign-extending moves are known only since 6.6.
    const shift = BigInt(width - bits);
    return [...move(target, source), alu("lsh", target, shift, width), alu("arsh", target, shift, width)];
  }

  #call({ to, helper, arguments: given }: Extract<Step, { kind: "call" }>): Line[] {
    const result = to === undefined ? undefined : this.#of(to);
    return [...this.#arguments(given), call(helper), ...(result === undefined ? [] : move(result, 0))];
  }

  /** Fills r1 to r5: first what comes from registers, in an order in which none is lost, then the rest. */
  #arguments(given: readonly Argument[]): Line[] {
    const moves: { readonly from: Register; readonly to: Register; readonly after: readonly Line[] }[] = [];
    const rest: Line[] = [];
    given.forEach((argument, index) => {
      const to = (index + 1) as Register;
      if (typeof argument === "object" && "map" in argument) rest.push(loadMap(to, argument.map));
      else if (typeof argument === "bigint") rest.push(loadConstant(to, argument));
      else if (typeof argument === "number") moves.push({ from: this.#of(argument), to, after: [] });
      else {
        const [from, offset] = this.#place(argument.address, argument.offset);
        const after = offset === 0 ? [] : [alu("add", to, BigInt(offset))];
        if (from === framePointer) rest.push(mov(to, from), ...after);
        else moves.push({ from, to, after });
      }
    });
    return [...moveAll(moves), ...rest];
  }

  #end(end: End, next: number, labels: readonly Label[]): Line[] {
    const goto = (block: number): Line[] => (block === next ? [] : [jump(labels[block]!)]);
    switch (end.kind) {
      case "jump":
        return goto(end.to);
      case "exit":
        return [mov(0, 0n), exit()];
      case "branch": {
        const { condition, width, whenTrue, whenFalse } = end;
        const [left, right] = [this.#operand(end.left), this.#operand(end.right)];
        assert(typeof left !== "bigint", "a branch on a constant");
        const wide = typeof right === "bigint" ? BigInt.asIntN(width, right) : right;
        const opposite = opposites[condition];
        if (whenTrue === next && opposite !== undefined) {
          return [jumpIf(opposite, left, wide, labels[whenFalse]!, width)];
        }
        return [jumpIf(condition, left, wide, labels[whenTrue]!, width), ...goto(whenFalse)];
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
    assert(register !== undefined, `v${virtual} has no register`);
    return register;
  }

  #place(base: Base, offset: number): [Register, number] {
    if (typeof base === "number") return [this.#of(base), offset];
    const start = this.#frame[base.slot];
    assert(start !== undefined, `the buffer ${base.slot} has no place on the stack`);
    return [framePointer, start + offset];
  }
}

function move(to: Register, from: Register | bigint): Line[] {
  if (typeof from === "bigint") return [loadConstant(to, from)];
  return to === from ? [] : [mov(to, from)];
}

interface Move {
  readonly from: Register;
  readonly to: Register;
  readonly after: readonly Line[];
}

/** Does all moves as if at once. A circle is broken through r0, which no helper takes. */
function moveAll(moves: readonly Move[]): Line[] {
  const lines: Line[] = [];
  let waiting = [...moves];
  while (waiting.length > 0) {
    const ready = waiting.find(({ to }) => !waiting.some((other) => other.to !== to && other.from === to));
    if (ready !== undefined) {
      lines.push(...move(ready.to, ready.from), ...ready.after);
      waiting = waiting.filter((other) => other !== ready);
      continue;
    }
    const [first] = waiting;
    assert(
      first !== undefined && waiting.every(({ from }) => from !== 0),
      "a circle of arguments while r0 is in use",
    );
    lines.push(mov(0, first.from));
    waiting = waiting.map((other) => (other.from === first.from ? { ...other, from: 0 } : other));
  }
  return lines;
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
