/**
 * Owns making single steps and branches cheaper: constants computed, identities removed, extensions that nobody sees left out.
 * Does not own what needs more than one step's definition (numbering.ts) nor the order of blocks (flow.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import type { Condition, Width } from "../../bpf/opcodes.js";
import { mapEndOperands, mapOperands } from "../ir.js";
import type { End, Operand, Operation, Program, Step } from "../ir.js";
import { findDefinitions, isFixed, significantBits } from "./definitions.js";
import type { Definitions } from "./definitions.js";

/** Folds every step and branch once. */
export function fold(program: Program): Program {
  const definitions = findDefinitions(program);
  const blocks = program.blocks.map((block) => ({
    ...block,
    steps: block.steps.map((step) => foldStep(step, definitions)),
    end: foldEnd(block.end, definitions),
  }));
  return { ...program, blocks };
}

function foldStep(step: Step, definitions: Definitions): Step {
  const seen = mapOperands(step, (operand) => throughCopies(operand, definitions));
  switch (seen.kind) {
    case "compute":
      return foldCompute(seen, definitions);
    case "extend":
      return foldExtend(seen, definitions);
    case "store":
      return { ...seen, value: stripAbove(seen.value, seen.bytes * 8, definitions) };
    default:
      return seen;
  }
}

/** The value that a copy stands for. */
function throughCopies(operand: Operand, definitions: Definitions): Operand {
  let seen = operand;
  for (;;) {
    const step = typeof seen === "number" ? definitions.get(seen) : undefined;
    if (step?.kind !== "copy" || !isFixed(step.from, definitions)) return seen;
    seen = step.from;
  }
}

/** A cheaper operand that agrees in the low `bits`. */
function stripAbove(operand: Operand, bits: number, definitions: Definitions): Operand {
  let seen = operand;
  for (;;) {
    const step = typeof seen === "number" ? definitions.get(seen) : undefined;
    const strips = step?.kind === "extend" && step.bits >= bits && isFixed(step.from, definitions);
    if (!strips) return seen;
    seen = step.from;
  }
}

type Compute = Extract<Step, { kind: "compute" }>;

function foldCompute(step: Compute, definitions: Definitions): Step {
  const { operation, width, to, span } = step;
  const left = see(step.left, width, definitions);
  const right = see(step.right, width, definitions);
  const copy = (from: Operand): Step => ({ kind: "copy", to, from, span });
  if (typeof left === "bigint" && typeof right === "bigint")
    return copy(computeConstant(operation, width, left, right));
  if (typeof left === "bigint" && commutative.has(operation)) {
    return foldCompute({ ...step, left: right, right: left }, definitions);
  }
  if (typeof right === "bigint") return foldConstantRight({ ...step, left, right }, right, definitions);
  if (left === right && (operation === "sub" || operation === "xor")) return copy(0n);
  return { ...step, left, right };
}

/** An operand as an operation of that width sees it. */
function see(operand: Operand, width: Width, definitions: Definitions): Operand {
  const seen = throughCopies(operand, definitions);
  const stripped = width === 32 ? stripAbove(seen, 32, definitions) : seen;
  return typeof stripped === "bigint" ? BigInt.asIntN(width, stripped) : stripped;
}

function foldConstantRight(step: Compute, right: bigint, definitions: Definitions): Step {
  const { operation, width, left, to, span } = step;
  const zero: Step = { kind: "copy", to, from: 0n, span };
  // Spec: as above, what is left of a step of 32 bits still clears the high half.
  const unchanged: Step =
    width === 64
      ? { kind: "copy", to, from: left, span }
      : { kind: "extend", to, from: left, bits: 32, signed: false, width: 64, span };
  const wide = BigInt.asUintN(width, right);
  const power = wide > 0n && (wide & (wide - 1n)) === 0n ? BigInt(wide.toString(2).length - 1) : undefined;
  switch (operation) {
    case "sub":
      return foldConstantRight(
        { ...step, operation: "add", right: BigInt.asIntN(width, -right) },
        BigInt.asIntN(width, -right),
        definitions,
      );
    case "add": {
      if (right === 0n) return unchanged;
      return joinAdditions(step, right, definitions);
    }
    case "or":
    case "xor":
      return right === 0n ? unchanged : step;
    case "and": {
      if (right === 0n) return zero;
      return wide === (1n << BigInt(width)) - 1n ? unchanged : step;
    }
    case "lsh":
    case "rsh":
    case "arsh": {
      // Spec: eBPF masks the count; verifier: a constant one must be in range.
      const count = right & BigInt(width - 1);
      return count === 0n ? unchanged : { ...step, right: count };
    }
    case "mul": {
      if (right === 0n) return zero;
      return power === undefined
        ? step
        : foldConstantRight({ ...step, operation: "lsh", right: power }, power, definitions);
    }
    case "div":
      return power === undefined
        ? step
        : foldConstantRight({ ...step, operation: "rsh", right: power }, power, definitions);
    case "mod":
      return power === undefined
        ? step
        : foldConstantRight({ ...step, operation: "and", right: wide - 1n }, wide - 1n, definitions);
    default:
      return unreachable(operation);
  }
}

/** (x + 8) + 4 is x + 12. */
function joinAdditions(step: Compute, right: bigint, definitions: Definitions): Step {
  const inner = typeof step.left === "number" ? definitions.get(step.left) : undefined;
  const joins =
    inner?.kind === "compute" &&
    inner.operation === "add" &&
    inner.width === step.width &&
    typeof inner.right === "bigint" &&
    isFixed(inner.left, definitions);
  if (!joins) return step;
  assert(typeof inner.right === "bigint", "a constant");
  return { ...step, left: inner.left, right: BigInt.asIntN(step.width, inner.right + right) };
}

const commutative: ReadonlySet<Operation> = new Set<Operation>(["add", "mul", "and", "or", "xor"]);

function computeConstant(operation: Operation, width: Width, left: bigint, right: bigint): bigint {
  const [one, other] = [BigInt.asUintN(width, left), BigInt.asUintN(width, right)];
  const count = other & BigInt(width - 1);
  const result = (): bigint => {
    switch (operation) {
      case "add":
        return one + other;
      case "sub":
        return one - other;
      case "mul":
        return one * other;
      case "div":
        return other === 0n ? 0n : one / other;
      case "mod":
        return other === 0n ? one : one % other;
      case "and":
        return one & other;
      case "or":
        return one | other;
      case "xor":
        return one ^ other;
      case "lsh":
        return one << count;
      case "rsh":
        return one >> count;
      case "arsh":
        return BigInt.asIntN(width, one) >> count;
      default:
        return unreachable(operation);
    }
  };
  // Spec: a step of 32 bits clears the high half; extensions are left out on the strength of that.
  return BigInt.asUintN(width, result());
}

function foldExtend(step: Extract<Step, { kind: "extend" }>, definitions: Definitions): Step {
  const { to, bits, signed, width, span } = step;
  const from = stripAbove(throughCopies(step.from, definitions), bits, definitions);
  if (typeof from === "bigint") {
    const value = signed ? BigInt.asIntN(bits, from) : BigInt.asUintN(bits, from);
    return { kind: "copy", to, from: BigInt.asUintN(width, value), span };
  }
  const known = significantBits(from, definitions);
  if (known < bits || (known === bits && !signed)) return { kind: "copy", to, from, span };
  return { ...step, from };
}

function foldEnd(end: End, definitions: Definitions): End {
  if (end.kind !== "branch") return end;
  const seen = mapEndOperands(end, (operand) => see(operand, end.width, definitions));
  if (seen.kind !== "branch") return seen;
  const { condition, width, left, right, whenTrue, whenFalse, span } = seen;
  if (whenTrue === whenFalse) return { kind: "jump", to: whenTrue, span };
  if (typeof left === "bigint" && typeof right === "bigint") {
    return { kind: "jump", to: holds(condition, width, left, right) ? whenTrue : whenFalse, span };
  }
  if (typeof left === "bigint" && condition !== "set") {
    return { ...seen, condition: mirrored[condition], left: right, right: left };
  }
  return testBits(seen, definitions) ?? seen;
}

/** Makes `(x & mask) != 0` one branch. */
function testBits(end: Extract<End, { kind: "branch" }>, definitions: Definitions): End | undefined {
  const { condition, width, left, right, whenTrue, whenFalse } = end;
  if (right !== 0n || typeof left !== "number" || (condition !== "ne" && condition !== "eq"))
    return undefined;
  const step = definitions.get(left);
  if (step?.kind !== "compute" || step.operation !== "and" || step.width !== width) return undefined;
  if (!isFixed(step.left, definitions) || !isFixed(step.right, definitions)) return undefined;
  const [set, clear] = condition === "ne" ? [whenTrue, whenFalse] : [whenFalse, whenTrue];
  return { ...end, condition: "set", left: step.left, right: step.right, whenTrue: set, whenFalse: clear };
}

const mirrored: Readonly<Record<Exclude<Condition, "set">, Condition>> = {
  eq: "eq",
  ne: "ne",
  gt: "lt",
  ge: "le",
  lt: "gt",
  le: "ge",
  sgt: "slt",
  sge: "sle",
  slt: "sgt",
  sle: "sge",
};

function holds(condition: Condition, width: Width, left: bigint, right: bigint): boolean {
  const [one, other] = [BigInt.asUintN(width, left), BigInt.asUintN(width, right)];
  const [signedOne, signedOther] = [BigInt.asIntN(width, left), BigInt.asIntN(width, right)];
  switch (condition) {
    case "eq":
      return one === other;
    case "ne":
      return one !== other;
    case "gt":
      return one > other;
    case "ge":
      return one >= other;
    case "lt":
      return one < other;
    case "le":
      return one <= other;
    case "sgt":
      return signedOne > signedOther;
    case "sge":
      return signedOne >= signedOther;
    case "slt":
      return signedOne < signedOther;
    case "sle":
      return signedOne <= signedOther;
    case "set":
      return (one & other) !== 0n;
    default:
      return unreachable(condition);
  }
}
