/**
 * Owns turning checked expressions into steps: arithmetic at its width, conditions as branches, reads with their failures.
 * Does not own statements and events (passes/3-lower.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import type { Condition } from "../../bpf/opcodes.js";
import { wrap } from "../arithmetic.js";
import { context } from "../ir.js";
import type { Operand, Virtual } from "../ir.js";
import { findRegister } from "../registers.js";
import type { Architecture, ValuePlace } from "../target.js";
import { integerOf } from "../typed.js";
import type { Typed } from "../typed.js";
import type { IntegerType } from "../types.js";
import type { BlockNumber, Builder } from "./builder.js";
import { divide } from "./division.js";
import type { KeptValues } from "./kept.js";
import { keyOf, Known } from "./known.js";
import { conditionOf, operations } from "./operations.js";
import { requireSafe } from "./safe-integers.js";
import { TextComparison } from "./text-comparison.js";
import type { UserMemory } from "./user-memory.js";

type Of<Kind extends Typed["kind"]> = Extract<Typed, { kind: Kind }>;

/** What a value can come from besides registers, memory and helpers. */
export interface Inputs {
  variable(number: number): Virtual;
  tunable(index: number): Operand;
  kept(index: number): Operand;
  keptText: KeptValues;
  elapsed(): Operand;
}

export class Values {
  readonly #builder: Builder;
  readonly #memory: UserMemory;
  readonly #architecture: Architecture;
  readonly #inputs: Inputs;
  /** What was computed ahead of its use. */
  readonly #settled = new Map<Typed, Operand>();
  /** What was read already. */
  readonly known = new Known();
  /** Where to go when a value cannot be computed. */
  #fault: BlockNumber;
  readonly #texts: TextComparison;

  constructor(
    builder: Builder,
    memory: UserMemory,
    architecture: Architecture,
    fault: BlockNumber,
    inputs: Inputs,
  ) {
    this.#builder = builder;
    this.#memory = memory;
    this.#architecture = architecture;
    this.#inputs = inputs;
    this.#fault = fault;
    this.#texts = new TextComparison(builder, memory);
  }

  /** Lowers with another place for failures, after which execution may go on: what is read inside is not known behind it. */
  failingTo<Result>(fault: BlockNumber, lower: () => Result): Result {
    const outer = this.#fault;
    this.#fault = fault;
    const result = this.known.scoped(lower);
    this.#fault = outer;
    return result;
  }

  /** Says where to go from now on when a value cannot be computed. */
  faultsGoTo(block: BlockNumber): void {
    this.#fault = block;
  }

  /** Computes values now that are asked for while `lower` runs. */
  settled(values: readonly Typed[], lower: () => void): void {
    for (const typed of values) this.#settled.set(typed, this.value(typed));
    lower();
    this.#settled.clear();
  }

  /** Computes a value; its type's bits are in the low bits of the result, anything may be above them. */
  value(typed: Typed): Operand {
    const settled = this.#settled.get(typed);
    if (settled !== undefined) return settled;
    const outer = this.#builder.span;
    this.#builder.span = typed.span;
    const result = this.#value(typed);
    this.#builder.span = outer;
    return result;
  }

  /** Reads 64 bits from a place that no text of the author names. */
  placed(place: ValuePlace): Operand {
    assert(place.kind === "register" || place.kind === "memory", `a place that is ${place.kind}`);
    const span = this.#builder.span ?? { start: 0, end: 0 };
    return this.#place({ kind: "place", place, type: place.type, span });
  }

  /** Goes on only where the condition holds. What was read on the way is known behind it. */
  require(typed: Typed, whenFalse: BlockNumber): void {
    if (typed.kind === "logic" && typed.operator === "&&") {
      this.require(typed.left, whenFalse);
      this.require(typed.right, whenFalse);
      return;
    }
    const holds = this.#builder.block("holds");
    this.condition(typed, holds, whenFalse);
    this.#builder.enter(holds);
  }

  /** Branches by a condition. */
  condition(typed: Typed, whenTrue: BlockNumber, whenFalse: BlockNumber): void {
    const builder = this.#builder;
    const outer = builder.span;
    builder.span = typed.span;
    switch (typed.kind) {
      case "not":
        this.condition(typed.operand, whenFalse, whenTrue);
        break;
      case "logic":
        this.#logic(typed, whenTrue, whenFalse);
        break;
      case "compare":
        builder.branch(...this.#comparison(typed), whenTrue, whenFalse);
        break;
      case "same-text":
        this.#sameText(typed, whenTrue, whenFalse);
        break;
      default: {
        const { operand, width } = this.#whole(typed);
        builder.branch("ne", width, operand, 0n, whenTrue, whenFalse);
      }
    }
    builder.span = outer;
  }

  #value(typed: Typed): Operand {
    switch (typed.kind) {
      case "constant":
        return typed.value;
      case "place":
        return this.#place(typed);
      case "builtin":
        return this.#builtin(typed);
      case "variable":
        return this.#inputs.variable(typed.variable);
      case "tunable":
        return this.#inputs.tunable(typed.index);
      case "kept":
        return this.#inputs.kept(typed.index);
      case "elapsed":
        return this.#inputs.elapsed();
      case "site":
        return this.#builder.callStable("get_attach_cookie", [context]);
      case "convert":
        return this.#convert(typed.operand, integerOf(typed.type));
      case "exact":
        return requireSafe(this.#builder, this.value(typed.operand), integerOf(typed.type), this.#fault);
      case "arithmetic":
        return this.#arithmetic(typed);
      case "compare": {
        const [condition, width, left, right] = this.#comparison(typed);
        return this.#truth((yes, no) => this.#builder.branch(condition, width, left, right, yes, no));
      }
      case "not":
      case "logic":
      case "same-text":
        return this.#truth((yes, no) => this.condition(typed, yes, no));
      case "conditional":
        return this.#conditional(typed);
      case "read":
        return this.#read(typed);
      default:
        return unreachable(typed);
    }
  }

  #place(typed: Of<"place">): Operand {
    const { place } = typed;
    const builder = this.#builder;
    switch (place.kind) {
      case "constant":
        return wrap(place.value, place.type);
      case "register": {
        const whole = this.#register(place.register);
        return place.shift === undefined ? whole : builder.compute("rsh", 64, whole, BigInt(place.shift));
      }
      case "memory":
        return this.#once(typed, () =>
          this.#memory.readValue(this.#address(place), typed.type.bytes, this.#fault),
        );
      case "lacking":
        builder.jump(this.#fault);
        builder.enter(builder.block("unreached", "seldom"));
        return 0n;
      default:
        return unreachable(place);
    }
  }

  #address({ base, index, extend, scale, displacement }: Extract<ValuePlace, { kind: "memory" }>): Operand {
    const builder = this.#builder;
    const parts: Operand[] = [];
    if (base !== undefined) parts.push(this.#register(base));
    if (index !== undefined) {
      const whole = this.#register(index);
      const filling = extend === "signed" ? "sign" : "zeros";
      const counted = extend === undefined ? whole : builder.extend(whole, 32, filling, 64);
      parts.push(builder.compute("mul", 64, counted, BigInt(scale)));
    }
    return [...parts, BigInt.asIntN(64, displacement)].reduce((sum, part) =>
      builder.compute("add", 64, sum, part),
    );
  }

  #register(name: string): Virtual {
    const offset = findRegister(this.#architecture, name);
    assert(
      offset !== undefined,
      `the target names a register "${name}" that ${this.#architecture} does not have`,
    );
    return this.#builder.loadStable(context, offset, 8);
  }

  #builtin({ builtin }: Of<"builtin">): Operand {
    const whole = this.#builder.callStable(builtin.helper);
    return builtin.part === "high" ? this.#builder.compute("rsh", 64, whole, 32n) : whole;
  }

  #convert(operand: Typed, to: IntegerType): Operand {
    if (to.truth) {
      const { operand: whole, width } = this.#whole(operand);
      return this.#truth((yes, no) => this.#builder.branch("ne", width, whole, 0n, yes, no));
    }
    const from = integerOf(operand.type);
    const value = this.value(operand);
    return to.bytes <= from.bytes ? value : this.#extend(value, from, to.bytes === 8 ? 64 : 32);
  }

  #extend(value: Operand, from: IntegerType, width: 32 | 64): Operand {
    const bits = ({ 1: 8, 2: 16, 4: 32, 8: undefined } as const)[from.bytes];
    assert(bits !== undefined, "an extension of 64 bits");
    return this.#builder.extend(value, bits, from.signed ? "sign" : "zeros", width);
  }

  /** A value with all bits of a comparison's width defined. */
  #whole(typed: Typed): { readonly operand: Operand; readonly width: 32 | 64 } {
    const type = integerOf(typed.type);
    const value = this.value(typed);
    if (type.bytes >= 4) return { operand: value, width: type.bytes === 8 ? 64 : 32 };
    return { operand: this.#extend(value, type, 32), width: 32 };
  }

  #comparison({ operator, left, right }: Of<"compare">): [Condition, 32 | 64, Operand, Operand] {
    const type = integerOf(left.type);
    const operands = [this.value(left), this.value(right)] as const;
    return [conditionOf(operator, type.signed), type.bytes === 8 ? 64 : 32, ...operands];
  }

  /** Makes 1 or 0 of a branch. */
  #truth(branch: (yes: BlockNumber, no: BlockNumber) => void): Virtual {
    const builder = this.#builder;
    const [yes, no, join] = [builder.block("yes"), builder.block("no"), builder.block("join")];
    branch(yes, no);
    builder.enter(yes);
    const result = builder.copy(1n);
    builder.jump(join);
    builder.enter(no);
    builder.copy(0n, result);
    builder.jump(join);
    builder.enter(join);
    return result;
  }

  #logic({ operator, left, right }: Of<"logic">, whenTrue: BlockNumber, whenFalse: BlockNumber): void {
    const second = this.#builder.block(operator === "&&" ? "and" : "or");
    if (operator === "&&") this.condition(left, second, whenFalse);
    else this.condition(left, whenTrue, second);
    this.#builder.enter(second);
    this.known.scoped(() => this.condition(right, whenTrue, whenFalse));
  }

  #conditional({ condition, whenTrue, whenFalse }: Of<"conditional">): Operand {
    const builder = this.#builder;
    const [yes, no, join] = [builder.block("then"), builder.block("otherwise"), builder.block("join")];
    const result = builder.fresh();
    this.known.scoped(() => this.condition(condition, yes, no));
    for (const [block, value] of [[yes, whenTrue] as const, [no, whenFalse] as const]) {
      builder.enter(block);
      this.known.scoped(() => builder.copy(this.value(value), result));
      builder.jump(join);
    }
    builder.enter(join);
    return result;
  }

  #read(typed: Of<"read">): Operand {
    const { bytes } = integerOf(typed.type);
    return this.#once(typed, () => this.#memory.readValue(this.value(typed.address), bytes, this.#fault));
  }

  #arithmetic(typed: Of<"arithmetic">): Operand {
    const type = integerOf(typed.type);
    const width = type.bytes === 8 ? 64 : 32;
    const left = this.value(typed.left);
    const right = this.value(typed.right);
    if (typed.operator === "/" || typed.operator === "%") {
      return divide(this.#builder, typed.operator, left, right, type, this.#fault);
    }
    if (typed.operator === ">>")
      return this.#builder.compute(type.signed ? "arsh" : "rsh", width, left, right);
    return this.#builder.compute(operations[typed.operator], width, left, right);
  }

  #sameText(
    { literal, compared, address, kept }: Of<"same-text">,
    whenTrue: BlockNumber,
    whenFalse: BlockNumber,
  ): void {
    const to = { whenTrue, whenFalse, fault: this.#fault };
    if (kept !== undefined)
      return this.#texts.compareKept({ text: kept, values: this.#inputs.keptText }, literal, compared, to);
    if (address === undefined) return this.#texts.compareName(literal, whenTrue, whenFalse);
    if (compared === "text") this.#texts.compareText(this.value(address), literal, to);
    else this.#texts.compareMemory(this.value(address), literal, to);
  }

  /** Reads memory once where the same was read on every way here. Why: it costs a call, and might have changed in between. */
  #once(typed: Typed, read: () => Virtual): Virtual {
    return this.known.once(keyOf(typed), read);
  }
}
