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

/** The virtual register that a step writes. */
export function writtenBy(step: Step): Virtual | undefined {
  return step.kind === "store" || step.kind === "add" ? undefined : step.to;
}

/** The virtual registers that a step reads. */
export function readBy(step: Step): Virtual[] {
  switch (step.kind) {
    case "copy":
    case "extend":
      return virtuals(step.from);
    case "compute":
      return virtuals(step.left, step.right);
    case "load":
      return virtuals(step.base);
    case "store":
    case "add":
      return virtuals(step.base, step.value);
    case "call":
      return step.arguments.flatMap((argument) => virtuals(baseOf(argument)));
  }
}

/** The virtual registers that a block's end reads. */
export function readByEnd(end: End): Virtual[] {
  return end.kind === "branch" ? virtuals(end.left, end.right) : [];
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

/** The same step with every operand that it reads replaced. */
export function mapOperands(step: Step, change: (operand: Operand) => Operand): Step {
  const changeBase = (base: Base): Base => {
    if (typeof base !== "number") return base;
    const changed = change(base);
    return typeof changed === "number" ? changed : base;
  };
  switch (step.kind) {
    case "copy":
    case "extend":
      return { ...step, from: change(step.from) };
    case "compute":
      return { ...step, left: change(step.left), right: change(step.right) };
    case "load":
      return { ...step, base: changeBase(step.base) };
    case "store":
    case "add":
      return { ...step, base: changeBase(step.base), value: change(step.value) };
    case "call":
      return {
        ...step,
        arguments: step.arguments.map((argument): Argument => {
          if (typeof argument !== "object") return change(argument);
          return "map" in argument ? argument : { ...argument, address: changeBase(argument.address) };
        }),
      };
  }
}

/** The same end with every operand that it reads replaced. */
export function mapEndOperands(end: End, change: (operand: Operand) => Operand): End {
  return end.kind === "branch" ? { ...end, left: change(end.left), right: change(end.right) } : end;
}

function baseOf(argument: Argument): Base | bigint | undefined {
  if (typeof argument !== "object") return argument;
  return "map" in argument ? undefined : argument.address;
}

function virtuals(...candidates: readonly (Base | bigint | undefined)[]): Virtual[] {
  return candidates.filter((candidate) => typeof candidate === "number");
}
