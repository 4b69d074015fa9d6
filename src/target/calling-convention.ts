/**
 * Owns where arguments and the returned value lie by the C calling convention of each machine.
 * Does not own other languages' conventions, nor places inside a function.
 */
import type { Layout, ValuePlace } from "../lang/target.js";
import type { Machine } from "../isa/instruction-class.js";

interface Convention {
  readonly registers: readonly string[];
  readonly stackPointer: string;
  /** What lies on the stack below the first stack argument at the entry: x86-64's return address. */
  readonly belowArguments: bigint;
  readonly returned: string;
  /** Where a function finds the address to return to when it begins. */
  readonly returnAddress: ValuePlace;
}

/** What BCC's arg1 ... are: the whole register or stack slot, unsigned. */
const u64 = { kind: "integer", bytes: 8, signed: false } as const;

// Spec: System V ABI, AMD64 supplement 3.2.3; AAPCS64 6.8. Names as in the kernel's pt_regs.
const conventions: Record<Machine, Convention> = {
  "x86-64": {
    registers: ["di", "si", "dx", "cx", "r8", "r9"],
    stackPointer: "sp",
    belowArguments: 8n,
    returned: "ax",
    returnAddress: { kind: "memory", base: "sp", index: undefined, scale: 1, displacement: 0n, type: u64 },
  },
  arm64: {
    registers: ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
    stackPointer: "sp",
    belowArguments: 0n,
    returned: "x0",
    returnAddress: { kind: "register", register: "lr", type: u64 },
  },
};

/** Why: a function with more arguments than this is not written by hand. */
const mostArguments = 32;

/** The layout at a function's first instruction. */
export function entryLayout(machine: Machine): Layout {
  const { stackPointer, belowArguments, returnAddress } = conventions[machine];
  const places = argumentPlaces(machine, (index) => ({
    kind: "memory",
    base: stackPointer,
    index: undefined,
    scale: 1,
    displacement: belowArguments + 8n * BigInt(index),
    type: u64,
  }));
  return { arguments: places, returned: undefined, returnAddress, missing: "at a function's entry" };
}

/** The layout behind a function's first instruction: registers as they are by then, the stack has moved by an unknown amount. */
export function insideLayout(machine: Machine): Layout {
  const reason =
    "inside a function the stack has moved, and arguments on it cannot be found: probe the entry";
  const places = argumentPlaces(machine, () => ({ kind: "unreadable", reason }));
  return { arguments: places, returned: undefined, returnAddress: undefined, missing: "inside a function" };
}

/** The layout at a function's return. */
export function returnLayout(machine: Machine): Layout {
  const { returned } = conventions[machine];
  return {
    arguments: [],
    returned: { kind: "register", register: returned, type: u64 },
    returnAddress: undefined,
    missing: "at a return",
  };
}

function argumentPlaces(machine: Machine, onStack: (index: number) => ValuePlace): ValuePlace[] {
  const { registers } = conventions[machine];
  return Array.from({ length: mostArguments }, (_, index) => {
    const register = registers[index];
    return register === undefined
      ? onStack(index - registers.length)
      : { kind: "register", register, type: u64 };
  });
}
