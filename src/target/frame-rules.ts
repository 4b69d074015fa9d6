/**
 * Owns where the frame of the function that runs lies at an instruction, in terms of its registers, as the unwind table says it.
 * Does not own finding the table's entry (unwind-table.ts) nor walking stacks.
 */
import type { VirtualAddress } from "../base/bytes.js";
import type { Machine } from "../isa/instruction-class.js";
import type { FramePlace } from "../lang/target.js";
import type { UnwindEntry } from "./unwind-table.js";

/**
 * Finds the frame's address (CFA: what the stack pointer was before the call), one and the same as long as a call of the function
 * lasts; undefined where the table gives no register and distance for it.
 */
export function findFramePlace(
  { start, rules: { common, own, unit } }: UnwindEntry,
  address: VirtualAddress,
  machine: Machine,
): FramePlace | undefined {
  const state: State = { rule: undefined, reached: 0 };
  for (const bytes of [common, own]) {
    if (!new Rules(bytes, unit).apply(state, address - start)) return undefined;
  }
  const found = state.rule;
  const register = found && frameRegisters[machine][found.register];
  return found === undefined || register === undefined
    ? undefined
    : { register, distance: BigInt(found.distance) };
}

/** By DWARF's numbers. Spec: System V ABI, AMD64 supplement figure 3.36; AADWARF64 4.1. */
const frameRegisters: Readonly<Record<Machine, Readonly<Record<number, string>>>> = {
  "x86-64": { 6: "bp", 7: "sp" },
  arm64: { 29: "x29", 31: "sp" },
};

interface FrameRule {
  readonly register: number;
  readonly distance: number;
}

interface State {
  rule: FrameRule | undefined;
  /** Bytes behind the function's start from which on the next instructions hold. */
  reached: number;
}

// Spec: DWARF 5, 6.4.2 and 7.24; LSB 10.6.1 for DW_CFA_GNU_*.
class Rules {
  readonly #bytes: ArrayLike<number>;
  readonly #unit: number;
  #position = 0;

  constructor(bytes: ArrayLike<number>, unit: number) {
    this.#bytes = bytes;
    this.#unit = unit;
  }

  /** Applies what holds at so many bytes behind the function's start; false where an instruction is unknown. */
  apply(state: State, wanted: number): boolean {
    const remembered: (FrameRule | undefined)[] = [];
    while (this.#position < this.#bytes.length && state.reached <= wanted) {
      const code = this.#u8();
      const distance = this.#advance(code);
      const { rule } = state;
      if (distance !== undefined) state.reached += distance;
      else if (code === 0x0c) state.rule = { register: this.#uleb(), distance: this.#uleb() };
      else if (code === 0x0d) state.rule = rule && { ...rule, register: this.#uleb() };
      else if (code === 0x0e) state.rule = rule && { ...rule, distance: this.#uleb() };
      else if (code === 0x0f) {
        this.#skip(this.#uleb());
        state.rule = undefined;
      } else if (code === 0x0a) remembered.push(rule);
      else if (code === 0x0b) state.rule = remembered.pop();
      else if (!this.#skipOther(code)) return false;
    }
    return true;
  }

  /** DW_CFA_advance_loc, 1, 2 and 4: in bytes of code; undefined for all other instructions. */
  #advance(code: number): number | undefined {
    if (code >> 6 === 1) return (code & 0x3f) * this.#unit;
    const bytes = { 2: 1, 3: 2, 4: 4 }[code];
    if (bytes === undefined) return undefined;
    let units = 0;
    for (let index = 0; index < bytes; index++) units += this.#u8() * 256 ** index;
    return units * this.#unit;
  }

  /** Goes over an instruction about other registers; says whether it is known. */
  #skipOther(code: number): boolean {
    const operands = code >> 6 === 2 ? "n" : code >> 6 === 3 ? "" : otherRules[code];
    for (const operand of operands ?? "") {
      const number = this.#uleb();
      if (operand === "b") this.#skip(number);
    }
    return operands !== undefined;
  }

  #skip(bytes: number): void {
    this.#position += bytes;
  }

  #u8(): number {
    return this.#bytes[this.#position++] ?? 0;
  }

  #uleb(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.#u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value;
  }
}

/** The operands of what says nothing of the frame: numbers (n; signed ones are as long), blocks of bytes (b). */
const otherRules: Readonly<Record<number, string>> = {
  0x00: "",
  0x05: "nn",
  0x06: "n",
  0x07: "n",
  0x08: "n",
  0x09: "nn",
  0x10: "nb",
  0x11: "nn",
  0x14: "nn",
  0x15: "nn",
  0x16: "nb",
  0x2d: "",
  0x2e: "n",
  0x2f: "nn",
};
