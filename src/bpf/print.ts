/**
 * Owns the text of instructions, in the words of the kernel's verifier log and of `bpftool prog dump xlated`.
 * Does not own finding them: bytes are read by decode.ts.
 */
import { unreachable } from "../base/assert.js";
import { slotsOf } from "./assemble.js";
import { findHelperName } from "./helpers.js";
import type { Instruction } from "./instruction.js";
import { aluOperations, atomicOperations, conditions, findRow } from "./opcodes.js";
import type { AtomicOperation, Callee, Constant, Form, Size, Width } from "./opcodes.js";

/** Prints one line an instruction: slot, opcode, text. Slots count as jumps and the verifier count them. */
export function print(instructions: readonly Instruction[]): string {
  let slot = 0;
  let text = "";
  for (const instruction of instructions) {
    text += `${String(slot).padStart(4)}: ${printInstruction(instruction)}\n`;
    slot += slotsOf(instruction);
  }
  return text;
}

/** Prints one instruction: "(79) r1 = *(u64 *)(r6 +112)". */
export function printInstruction(instruction: Instruction): string {
  const row = findRow(instruction);
  const text = row === undefined ? "an unknown instruction" : printForm(row.form, instruction);
  return `(${instruction.opcode.toString(16).padStart(2, "0")}) ${text}`;
}

// Kernel: print_bpf_insn() in kernel/bpf/disasm.c is the model, peculiarities included: jumps compare with hexadecimal, unsigned
// immediates, arithmetic has decimal, signed ones; `w` names the low half of a register, but not in loads and atomics.
function printForm(form: Form, instruction: Instruction): string {
  const { dst, src, offset, imm } = instruction;
  switch (form.kind) {
    case "alu": {
      const { symbol } = aluOperations[form.operation];
      const right = form.source === "register" ? register(form.width, src) : String(imm);
      return `${register(form.width, dst)} ${symbol} ${right}`;
    }
    case "negate":
      return `${register(form.width, dst)} = -${register(form.width, dst)}`;
    case "move-signed":
      return `${register(form.width, dst)} = (s${form.from})${register(form.width, src)}`;
    case "byte-swap":
      return `r${dst} = ${form.order === "swap" ? "bswap" : form.order}${form.width} r${dst}`;
    case "load":
      return `r${dst} = *${place(form.size, src, offset, form.signed)}`;
    case "store":
      return `*${place(form.size, dst, offset)} = ${form.source === "register" ? `r${src}` : imm}`;
    case "atomic":
      return printAtomic(form.operation, form.size, instruction);
    case "constant":
      return `r${dst} = ${printConstant(form.constant, instruction)}`;
    case "jump":
      return form.reach === 16 ? `goto pc${signed(offset)}` : `gotol pc${signed(imm)}`;
    case "branch": {
      const { symbol } = conditions[form.condition];
      const right = form.source === "register" ? register(form.width, src) : hexadecimal(imm);
      return `if ${register(form.width, dst)} ${symbol} ${right} goto pc${signed(offset)}`;
    }
    case "call":
      return `call ${printCallee(form.callee, imm)}`;
    case "exit":
      return "exit";
    default:
      return unreachable(form);
  }
}

function printAtomic(operation: AtomicOperation, size: 4 | 8, { dst, src, offset }: Instruction): string {
  const { symbol } = atomicOperations[operation];
  const memory = place(size, dst, offset);
  const name = size === 8 ? "atomic64" : "atomic";
  switch (operation) {
    case "add":
    case "or":
    case "and":
    case "xor":
      return `lock *${memory} ${symbol} r${src}`;
    case "fetch-add":
    case "fetch-or":
    case "fetch-and":
    case "fetch-xor":
      return `r${src} = ${name}_fetch_${symbol}(${memory}, r${src})`;
    case "exchange":
      return `r${src} = ${name}_${symbol}(${memory}, r${src})`;
    case "compare-exchange":
      return `r0 = ${name}_${symbol}(${memory}, r0, r${src})`;
    default:
      return unreachable(operation);
  }
}

/** Maps that have a name keep it; bpftool writes the id here, which only a loaded program has. */
function printConstant(constant: Constant, { imm, wide = 0n, map }: Instruction): string {
  switch (constant) {
    case "map":
    case "map-by-index":
      return `map[${map ?? `fd:${imm}`}]`;
    case "map-value":
    case "map-value-by-index":
      return `map[${map ?? `fd:${imm}`}][0]+${wide >> 32n}`;
    case "function":
      return `subprog[${signed(imm)}]`;
    case "number":
    case "kernel-variable":
      return `0x${wide.toString(16)}`;
    default:
      return unreachable(constant);
  }
}

function printCallee(callee: Callee, imm: number): string {
  switch (callee) {
    case "helper":
      return `${findHelperName(imm) ?? "unknown"}#${imm}`;
    case "local":
      return `pc${signed(imm)}`;
    case "kernel-function":
      return `kernel-function#${imm}`;
    default:
      return unreachable(callee);
  }
}

function register(width: Width, number: number): string {
  return `${width === 64 ? "r" : "w"}${number}`;
}

function place(size: Size, base: number, offset: number, isSigned = false): string {
  return `(${isSigned ? "s" : "u"}${size * 8} *)(r${base} ${signed(offset)})`;
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

function hexadecimal(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
