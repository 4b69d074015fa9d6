/**
 * Owns what the compiler's tests share: a target without a file, usual options, registers as bytes, and running what was compiled.
 * Does not own the machine that runs it (test/support/interpreter.ts).
 */
import { assert } from "../../src/base/assert.js";
import { compileProbe, parse } from "../../src/lang/compile.js";
import type { CompileOptions, CompiledProbe } from "../../src/lang/compile.js";
import { findRegister } from "../../src/lang/registers.js";
import type { Layout, Target, ValuePlace } from "../../src/lang/target.js";
import { u64 } from "../../src/lang/types.js";
import { messagePrinter } from "../../src/trace/message.js";
import { printBytes } from "../../src/trace/text.js";
import { interpret, Maps } from "../support/interpreter.js";
import type { MemoryRange, Outcome, World } from "../support/interpreter.js";

export const usualOptions: CompileOptions = {
  textLimit: 80,
  columns: { cpu: false, comm: false, uid: false },
  stacks: { user: 0, kernel: 0 },
  filter: { pids: [] },
  sleepable: false,
  firstProbe: 0,
  ring: { wakeBytes: 1 << 20 },
};

// Spec: System V psABI for x86-64, 3.2.3: whole numbers and pointers; from the seventh on the caller's stack, above the return address.
const argumentRegisters = ["di", "si", "dx", "cx", "r8", "r9"];

/** Where arguments and results lie at the entry and the return of any function on x86-64. */
export const anyFunction: Target = {
  resolve(selector) {
    const atReturn = selector.kind === "function" && selector.at === "return";
    return { architecture: "x86-64", layouts: [atReturn ? atAnyReturn : atAnyEntry] };
  },
};

const atAnyReturn: Layout = {
  arguments: [],
  returned: { kind: "register", register: "ax", type: u64 },
  returnAddress: undefined,
  missing: "at a return",
};

const atAnyEntry: Layout = {
  arguments: [
    ...argumentRegisters.map((register): ValuePlace => ({ kind: "register", register, type: u64 })),
    ...Array.from({ length: 12 }, (_, index): ValuePlace => ({
      kind: "memory",
      base: "sp",
      index: undefined,
      scale: 1,
      displacement: BigInt(8 * (index + 1)),
      type: u64,
    })),
  ],
  returned: undefined,
  returnAddress: { kind: "memory", base: "sp", index: undefined, scale: 1, displacement: 0n, type: u64 },
  missing: undefined,
};

/** Compiles a one-liner for any function. */
export function compile(source: string, options: Partial<CompileOptions> = {}): CompiledProbe {
  return compileProbe(parse(source), anyFunction, { ...usualOptions, ...options });
}

/** The bytes of struct pt_regs with these registers; the others are zero. */
export function contextOf(registers: Readonly<Record<string, bigint>>): Uint8Array {
  const bytes = new Uint8Array(168);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(registers)) {
    const offset = findRegister("x86-64", name);
    assert(offset !== undefined, `no register ${name}`);
    view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  }
  return bytes;
}

/** Registers that hold these arguments. */
export function argumentsOf(...values: readonly bigint[]): Uint8Array {
  return contextOf(Object.fromEntries(values.map((value, index) => [argumentRegisters[index]!, value])));
}

export interface Run extends Outcome {
  /** The only record; fails when there is not exactly one. */
  readonly record: Uint8Array;
  readonly counts: {
    readonly hits: bigint;
    readonly lost: bigint;
    readonly faults: bigint;
    readonly filtered: bigint;
  };
}

/** Runs the first program of a probe once. */
export function run(probe: CompiledProbe, world: Partial<World> = {}): Run {
  const [program] = probe.programs;
  assert(program !== undefined, "a program");
  const maps = world.maps ?? new Maps(probe.maps);
  const outcome = interpret(program.instructions, { sleepable: program.sleepable, ...world, maps });
  const values = maps.value("counters", 0);
  assert(values !== undefined, "counters");
  const view = new DataView(values.buffer, values.byteOffset);
  const [hits, lost, faults, filtered] = [0, 8, 16, 24].map((offset) => view.getBigUint64(offset, true)) as [
    bigint,
    bigint,
    bigint,
    bigint,
  ];
  return {
    ...outcome,
    counts: { hits, lost, faults, filtered },
    get record() {
      assert(outcome.records.length === 1, `${outcome.records.length} records instead of one`);
      return outcome.records[0]!;
    },
  };
}

/** Compiles a case of a golden file: a one-liner, and below it, where they are not the usual ones, options as JSON. */
export function compileCase(input: string): CompiledProbe {
  const [source = "", ...options] = input.split("\n");
  const given = JSON.parse(options.join("\n") || "{}", (key, value: unknown) =>
    key === "id" ? BigInt(String(value)) : value,
  ) as Partial<CompileOptions>;
  return compile(source, given);
}

/** The line that a person sees of the only event: `<fault>`, `...` and all. */
export function lineOf(probe: CompiledProbe, world: Partial<World> = {}): string {
  const { record } = run(probe, world);
  assert(probe.template !== undefined, "a format");
  const print = messagePrinter(
    probe.template,
    probe.event,
    printBytes,
    (_pid, address) => `symbol ${address}`,
  );
  const bytes = Buffer.from(record);
  return print({ bytes, view: new DataView(record.buffer, record.byteOffset), at: 0 });
}

/** Memory with this text at the address, and nothing behind it but what `zero` says. */
export function textAt(address: bigint, text: string, zero = "\0"): MemoryRange {
  return { address, bytes: new TextEncoder().encode(text + zero) };
}
