/**
 * Owns making single steps and branches cheaper: constants computed, identities removed, extensions that nobody sees left out.
 * Does not own the walk over all of them (cheapen.ts) nor the order of blocks (flow.ts).
 */
import { unreachable } from "../../base/assert.js";
import type { Condition, Width } from "../../bpf/opcodes.js";
import { mapEndOperands, mapOperands } from "../ir.js";
import type { End, Operand, Operation, Step } from "../ir.js";
import { isFixed, significantBits } from "./definitions.js";
import type { Definitions } from "./definitions.js";

/** The same step, or a cheaper one. */
export function foldStep(step: Step, definitions: Definitions): Step {
  switch (step.kind) {
    case "compute":
      return foldCompute(step, definitions);
    case "extend":
      return foldExtend(step, definitions);
    default: {
      const seen = mapOperands(step, (operand) => throughCopies(operand, definitions));
      return seen.kind === "store" ? foldStore(seen, definitions) : seen;
    }
  }
}

function foldStore(step: Extract<Step, { kind: "store" }>, definitions: Definitions): Step {
  const value = stripAbove(step.value, step.bytes * 8, definitions);
  return value === step.value ? step : { ...step, value };
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
  const { operation, width } = step;
  const left = see(step.left, width, definitions);
  const right = see(step.right, width, definitions);
  if (typeof left === "bigint" && typeof right === "bigint")
    return copyInstead(step, computeConstant(operation, width, left, right));
  if (typeof left === "bigint" && commutative.has(operation)) {
    return foldCompute({ ...step, left: right, right: left }, definitions);
  }
  const seen = left === step.left && right === step.right ? step : { ...step, left, right };
  if (typeof right === "bigint") return foldConstantRight(seen, right, definitions);
  return left === right && (operation === "sub" || operation === "xor") ? copyInstead(step, 0n) : seen;
}

/** An operand as an operation of that width sees it. */
function see(operand: Operand, width: Width, definitions: Definitions): Operand {
  const seen = throughCopies(operand, definitions);
  const stripped = width === 32 ? stripAbove(seen, 32, definitions) : seen;
  return typeof stripped === "bigint" ? BigInt.asIntN(width, stripped) : stripped;
}

function copyInstead({ to, span }: Compute, from: Operand): Step {
  return { kind: "copy", to, from, span };
}

/** Spec: what is left of a step of 32 bits still clears the high half. */
function unchanged(step: Compute, definitions: Definitions): Step {
  const { to, left: from, span } = step;
  if (step.width === 64) return copyInstead(step, from);
  return foldExtend({ kind: "extend", to, from, bits: 32, signed: false, width: 64, span }, definitions);
}

function foldConstantRight(step: Compute, right: bigint, definitions: Definitions): Step {
  const { operation, width } = step;
  const instead = (cheaper: Operation, by: bigint): Step =>
    foldConstantRight({ ...step, operation: cheaper, right: by }, by, definitions);
  switch (operation) {
    case "sub":
      return instead("add", BigInt.asIntN(width, -right));
    case "add":
      return right === 0n ? unchanged(step, definitions) : joinAdditions(step, right, definitions);
    case "or":
    case "xor":
      return right === 0n ? unchanged(step, definitions) : step;
    case "and":
      if (right === 0n) return copyInstead(step, 0n);
      return right === -1n ? unchanged(step, definitions) : step;
    case "lsh":
    case "rsh":
    case "arsh": {
      // Spec: eBPF masks the count; verifier: a constant one must be in range.
      const count = right & BigInt(width - 1);
      if (count === 0n) return unchanged(step, definitions);
      return count === right ? step : { ...step, right: count };
    }
    case "mul":
    case "div":
    case "mod": {
      if (operation === "mul" && right === 0n) return copyInstead(step, 0n);
      const power = powerOf(BigInt.asUintN(width, right));
      if (power === undefined) return step;
      if (operation === "mod") return instead("and", (1n << power) - 1n);
      return instead(operation === "mul" ? "lsh" : "rsh", power);
    }
    default:
      return unreachable(operation);
  }
}

/** The power of two that a number is. */
function powerOf(value: bigint): bigint | undefined {
  return value > 0n && (value & (value - 1n)) === 0n ? BigInt(value.toString(2).length - 1) : undefined;
}

/** (x + 8) + 4 is x + 12. */
function joinAdditions(step: Compute, right: bigint, definitions: Definitions): Step {
  const inner = typeof step.left === "number" ? definitions.get(step.left) : undefined;
  if (inner?.kind !== "compute" || inner.operation !== "add" || inner.width !== step.width) return step;
  if (typeof inner.right !== "bigint" || !isFixed(inner.left, definitions)) return step;
  const sum = BigInt.asIntN(step.width, inner.right + right);
  const joined = { ...step, left: inner.left, right: sum };
  return sum === 0n ? unchanged(joined, definitions) : joined;
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
  return from === step.from ? step : { ...step, from };
}

/** The same end, or a cheaper one. */
export function foldEnd(end: End, definitions: Definitions): End {
  if (end.kind !== "branch") return end;
  const seen = mapEndOperands(end, (operand) => see(operand, end.width, definitions));
  if (seen.kind !== "branch") return seen;
  const { condition, width, left, right, whenTrue, whenFalse, span } = seen;
  if (whenTrue === whenFalse) return { kind: "jump", to: whenTrue, span };
  if (typeof left === "bigint" && typeof right === "bigint") {
    return { kind: "jump", to: holds(condition, width, left, right) ? whenTrue : whenFalse, span };
  }
  if (typeof left === "bigint" && condition !== "set") {
    return foldEnd({ ...seen, condition: mirrored[condition], left: right, right: left }, definitions);
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
