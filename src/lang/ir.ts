/**
 * Owns the intermediate form between the checked tree and eBPF: blocks of three-address steps over virtual registers.
 * Does not own making it (passes/3-lower.ts) nor printing it (print-ir.ts).
 *
 * A virtual register holds 64 bits. One that stands for a value of 32 bits or less has that value in its low bits, and anything
 * above them: steps of width 32 do not look there, and `extend` says when the rest is wanted. A register that is written once is
 * a value; one that is written more often (where paths meet, in loops) is a variable, and passes leave it alone.
 */
import type { Span } from "../base/errors.js";
import type { HelperName } from "../bpf/helpers.js";
import type { AluOperation, Condition, Width } from "../bpf/opcodes.js";

/** A virtual register. */
export type Virtual = number;

/** The register that holds the program's own argument from the start: the saved registers of the traced thread. */
export const context: Virtual = 0;

/** What a step takes: a virtual register (a number), or a constant (a bigint; any that agrees in the bits that are looked at). */
export type Operand = Virtual | bigint;

/** What memory is reached through: a pointer in a register, or a buffer on the program's stack. */
export type Base = Virtual | StackSlot;

/** A buffer on the stack, by its number in `Program.slots`. */
export interface StackSlot {
  readonly slot: number;
}

/** What a helper takes. */
export type Argument =
  | Operand
  | { readonly map: string }
  /** The only value of an array map of one element. */
  | { readonly firstOf: string }
  | { readonly address: Base; readonly offset: number };

export type Bytes = 1 | 2 | 4 | 8;

export type Operation = Exclude<AluOperation, "mov" | "sdiv" | "smod">;

/** `stable` marks what gives the same at every place of one run, so that once is enough and unused it can go. */
export type Step = { readonly span: Span | undefined } & (
  | { readonly kind: "copy"; readonly to: Virtual; readonly from: Operand }
  | {
      readonly kind: "compute";
      readonly to: Virtual;
      readonly operation: Operation;
      readonly width: Width;
      readonly left: Operand;
      readonly right: Operand;
    }
  /** The low `bits` of a value, zero- or sign-extended to `width`. */
  | {
      readonly kind: "extend";
      readonly to: Virtual;
      readonly from: Operand;
      readonly bits: 8 | 16 | 32;
      readonly signed: boolean;
      readonly width: Width;
    }
  /** Zero-extended to 64 bits. */
  | {
      readonly kind: "load";
      readonly to: Virtual;
      readonly base: Base;
      readonly offset: number;
      readonly bytes: Bytes;
      readonly stable: boolean;
    }
  | {
      readonly kind: "store";
      readonly base: Base;
      readonly offset: number;
      readonly bytes: Bytes;
      readonly value: Operand;
    }
  /** Adds to 64 bits of memory in one piece. */
  | { readonly kind: "add"; readonly base: Base; readonly offset: number; readonly value: Operand }
  /** Puts a value into 64 bits of memory in one piece, where these are as expected; gives what was there. Spoils r0 to r5. */
  | {
      readonly kind: "exchange";
      readonly to: Virtual;
      readonly base: Virtual;
      readonly offset: number;
      readonly expected: Operand;
      readonly value: Operand;
    }
  | {
      readonly kind: "call";
      readonly to: Virtual | undefined;
      readonly helper: HelperName;
      readonly arguments: readonly Argument[];
      readonly stable: boolean;
    }
);

/** How a block ends. Blocks are named by their number in `Program.blocks`. */
export type End = { readonly span: Span | undefined } & (
  | { readonly kind: "jump"; readonly to: number }
  | {
      readonly kind: "branch";
      readonly condition: Condition;
      readonly width: Width;
      readonly left: Operand;
      readonly right: Operand;
      readonly whenTrue: number;
      readonly whenFalse: number;
    }
  | { readonly kind: "exit" }
);

export interface Block {
  readonly name: string;
  /** Seldom reached: it is put behind all others, and its registers matter less. */
  readonly cold: boolean;
  readonly steps: readonly Step[];
  readonly end: End;
}

export interface Program {
  /** Execution begins at the first. */
  readonly blocks: readonly Block[];
  /** Bytes of each buffer on the stack. */
  readonly slots: readonly number[];
  /** How many virtual registers there are. */
  readonly registers: number;
}

/** Says whether r0 to r5 hold nothing of ours behind a step. */
export function spoilsRegisters(step: Step): boolean {
  return step.kind === "call" || step.kind === "exchange";
}

/** The virtual register that a step writes. */
export function writtenBy(step: Step): Virtual | undefined {
  return step.kind === "store" || step.kind === "add" ? undefined : step.to;
}

/** Names the virtual registers that a step reads, one after the other. */
export function eachRead(step: Step, visit: (register: Virtual) => void): void {
  switch (step.kind) {
    case "copy":
    case "extend":
      if (typeof step.from === "number") visit(step.from);
      return;
    case "compute":
      if (typeof step.left === "number") visit(step.left);
      if (typeof step.right === "number") visit(step.right);
      return;
    case "load":
      if (typeof step.base === "number") visit(step.base);
      return;
    case "store":
    case "add":
      if (typeof step.base === "number") visit(step.base);
      if (typeof step.value === "number") visit(step.value);
      return;
    case "exchange":
      visit(step.base);
      if (typeof step.expected === "number") visit(step.expected);
      if (typeof step.value === "number") visit(step.value);
      return;
    case "call":
      for (const argument of step.arguments) {
        const read = typeof argument === "object" && "address" in argument ? argument.address : argument;
        if (typeof read === "number") visit(read);
      }
  }
}

/** Names the virtual registers that a block's end reads. */
export function eachReadByEnd(end: End, visit: (register: Virtual) => void): void {
  if (end.kind !== "branch") return;
  if (typeof end.left === "number") visit(end.left);
  if (typeof end.right === "number") visit(end.right);
}

/** The blocks that may follow. */
export function successorsOf(end: End): readonly number[] {
  switch (end.kind) {
    case "jump":
      return [end.to];
    case "branch":
      return [end.whenTrue, end.whenFalse];
    case "exit":
      return [];
  }
}

/** The same step with every operand that it reads replaced; itself where nothing changes, for most steps stay as they are. */
export function mapOperands(step: Step, change: (operand: Operand) => Operand): Step {
  switch (step.kind) {
    case "copy":
    case "extend": {
      const from = change(step.from);
      return from === step.from ? step : { ...step, from };
    }
    case "compute": {
      const left = change(step.left);
      const right = change(step.right);
      return left === step.left && right === step.right ? step : { ...step, left, right };
    }
    case "load": {
      const base = mapBase(step.base, change);
      return base === step.base ? step : { ...step, base };
    }
    case "store":
    case "add": {
      const base = mapBase(step.base, change);
      const value = change(step.value);
      return base === step.base && value === step.value ? step : { ...step, base, value };
    }
    case "exchange": {
      const base = change(step.base);
      return {
        ...step,
        base: typeof base === "number" ? base : step.base,
        expected: change(step.expected),
        value: change(step.value),
      };
    }
    case "call": {
      const changed = step.arguments.map((argument) => mapArgument(argument, change));
      const isSame = changed.every((argument, index) => argument === step.arguments[index]);
      return isSame ? step : { ...step, arguments: changed };
    }
  }
}

/** The same end with every operand that it reads replaced. */
export function mapEndOperands(end: End, change: (operand: Operand) => Operand): End {
  if (end.kind !== "branch") return end;
  const left = change(end.left);
  const right = change(end.right);
  return left === end.left && right === end.right ? end : { ...end, left, right };
}

function mapBase(base: Base, change: (operand: Operand) => Operand): Base {
  if (typeof base !== "number") return base;
  const changed = change(base);
  return typeof changed === "number" ? changed : base;
}

function mapArgument(argument: Argument, change: (operand: Operand) => Operand): Argument {
  if (typeof argument !== "object") return change(argument);
  if (!("address" in argument)) return argument;
  const address = mapBase(argument.address, change);
  return address === argument.address ? argument : { ...argument, address };
}
