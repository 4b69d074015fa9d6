/**
 * Owns the small programs that tests of the interpreter are made of: calls with arguments, runs with maps of every kind.
 * Does not own any expectation.
 */
import { assemble } from "../../src/bpf/assemble.js";
import { alu, call, exit, loadConstant, loadMap, mov } from "../../src/bpf/build.js";
import type { Line } from "../../src/bpf/build.js";
import type { Register } from "../../src/bpf/instruction.js";
import type { MapSpec } from "../../src/bpf/spec.js";
import { interpret, Maps } from "../support/interpreter.js";
import type { Outcome, World } from "../support/interpreter.js";

/** One map of each kind, all small. */
export const specs: readonly MapSpec[] = [
  { name: "events", kind: "ringbuf", keyBytes: 0, valueBytes: 0, entries: 256 },
  { name: "settings", kind: "array", keyBytes: 4, valueBytes: 16, entries: 1 },
  { name: "counters", kind: "percpu-array", keyBytes: 4, valueBytes: 8, entries: 2 },
  { name: "pids", kind: "hash", keyBytes: 4, valueBytes: 4, entries: 2 },
  { name: "recent", kind: "lru-hash", keyBytes: 4, valueBytes: 4, entries: 2 },
  { name: "stacks", kind: "stack-trace", keyBytes: 4, valueBytes: 32, entries: 4 },
];

/** Ends a program with 0. */
export const ended = (lines: readonly Line[]): Line[] => [...lines, mov(0, 0n), exit()];

/** Assembles and runs lines with fresh maps. */
export function run(lines: readonly Line[], world: Partial<World> = {}): Outcome {
  return interpret(assemble(lines).instructions, { maps: new Maps(specs), ...world });
}

/** r0 = helper(the values); a pair is a register and an offset to it. */
export function callWith(
  helper: Parameters<typeof call>[0],
  ...values: readonly (bigint | string | [Register, number])[]
): Line[] {
  const registers = [1, 2, 3, 4, 5] as const;
  const lines = values.flatMap((value, index): Line[] => {
    const register = registers[index] ?? 1;
    if (typeof value === "bigint") return [loadConstant(register, value)];
    if (typeof value === "string") return [loadMap(register, value)];
    return value[1] === 0
      ? [mov(register, value[0])]
      : [mov(register, value[0]), alu("add", register, BigInt(value[1]))];
  });
  return [...lines, call(helper)];
}
