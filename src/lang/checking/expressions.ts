/**
 * Owns the type of every expression by C's rules, and refusing those that have none.
 * Does not own statements and fields (passes/2-check.ts) nor pointers' own rules (pointers.ts).
 */
import { assert, unreachable } from "../../base/assert.js";
import { commonType, promote, wrap } from "../arithmetic.js";
import type { EventField } from "../event.js";
import type { Meanings, PlaceMeaning } from "../meaning.js";
import type { Reporter } from "../problems.js";
import type { Expression, Variable } from "../tree.js";
import { integerOf } from "../typed.js";
import type { Arithmetic, Typed } from "../typed.js";
import { i32, i64, printType, u32, u64, u8 } from "../types.js";
import type { IntegerType, PointerType } from "../types.js";
import { arithmetic, compare, convert } from "./conversions.js";
import { difference, readThrough, refusePointer, step } from "./pointers.js";

type Of<Kind extends Expression["kind"]> = Extract<Expression, { kind: Kind }>;

/** Where a value stands, for the way out when it is text. */
export type Use = "computed" | "shown";

/** The longest literal of a comparison: it is compared on the program's stack of 512 bytes. */
const longestLiteral = 256;

export class Expressions {
  readonly #meanings: Meanings;
  readonly #reporter: Reporter;
  /** What the entry of the span kept. */
  readonly #kept: readonly EventField[];
  /** Undefined where the value of the declaration was reported. */
  readonly #variables = new Map<number, IntegerType | PointerType | undefined>();

  constructor(meanings: Meanings, kept: readonly EventField[], reporter: Reporter) {
    this.#meanings = meanings;
    this.#kept = kept;
    this.#reporter = reporter;
  }

  /** Makes a variable known behind here. */
  declare(variable: number, type: IntegerType | PointerType | undefined): void {
    this.#variables.set(variable, type);
  }

  /** The type of a variable; undefined where the value of its declaration was reported. */
  typeOf({ number, name }: Variable): IntegerType | PointerType | undefined {
    assert(this.#variables.has(number), `the variable ${name} is used where it is not declared`);
    return this.#variables.get(number);
  }

  /** The field that a `kept` expression stands for. */
  keptField(index: number): EventField {
    const field = this.#kept[index];
    assert(field !== undefined, `the entry keeps no field ${index}`);
    return field;
  }

  /** Says whether this is the thread's name, which is text inside the program. */
  isName(expression: Expression): boolean {
    const meaning = this.#meanings.get(expression);
    return meaning?.kind === "builtin" && meaning.builtin.type.kind === "text";
  }

  /** Where a text of the traced program lies and, where an argument of its marker says so, how many bytes it has. */
  text(expression: Expression): { readonly address: Typed; readonly length: Typed | undefined } | undefined {
    const address = this.address(expression);
    const { offset, length } = this.#declaredText(expression) ?? { offset: 0, length: undefined };
    if (address === undefined) return undefined;
    const { span } = expression;
    const distance: Typed = { kind: "constant", value: BigInt(offset), type: u64, span };
    return {
      address: offset === 0 ? address : arithmetic("+", address, distance, u64, span),
      length: length && this.#place(length, expression),
    };
  }

  #declaredText(expression: Expression): PlaceMeaning["text"] {
    if (expression.kind === "cast") return this.#declaredText(expression.operand);
    const meaning = this.#meanings.get(expression);
    return meaning?.kind === "place" ? meaning.text : undefined;
  }

  /** A value that can be an address: a pointer, or an integer of 64 bits. */
  address(expression: Expression): Typed | undefined {
    const { problems, advice } = this.#reporter;
    if (expression.kind === "text") {
      const what = "a text in quotes is no value of the traced program";
      return problems.report(expression.span, what, advice.placeLiteral);
    }
    const typed = this.value(expression, "shown");
    if (typed === undefined || typed.type.kind === "pointer" || typed.type.bytes === 8) return typed;
    if (typed.kind === "constant" && typed.value >= 0n) return convert(typed, u64);
    const what = `a value of type ${printType(typed.type)} is no address`;
    return problems.report(typed.span, what, advice.giveAddress);
  }

  /** A value that fits into a register. What has none is reported, and undefined. */
  value(expression: Expression, use: Use = "computed"): Typed | undefined {
    const { span } = expression;
    switch (expression.kind) {
      case "integer":
        return { kind: "constant", value: expression.value, type: expression.type, span };
      case "text":
        return this.#refuseText(expression, use);
      case "name":
      case "argument":
      case "register":
        return this.#named(expression, use);
      case "variable": {
        const type = this.typeOf(expression.variable);
        return type && { kind: "variable", variable: expression.variable.number, type, span };
      }
      case "tunable":
        return convert({ kind: "tunable", index: expression.index, type: i64, span }, expression.type);
      case "kept":
        return this.#keptNumber(expression, use);
      case "elapsed":
        return { kind: "elapsed", type: i64, span };
      case "site":
        return { kind: "site", type: u32, span };
      case "unary":
        return this.#unary(expression);
      case "binary":
        return this.#binary(expression);
      case "conditional":
        return this.#conditional(expression);
      case "cast":
        return this.#cast(expression);
      case "dereference": {
        const pointer = this.value(expression.operand);
        return pointer && readThrough(pointer, pointer.span, span, this.#reporter);
      }
      case "index":
        return this.#index(expression);
      case "same-text":
        return this.#sameText(expression);
      default:
        return unreachable(expression);
    }
  }

  #refuseText({ span }: Expression, use: Use): undefined {
    const { problems, advice } = this.#reporter;
    const fix = use === "shown" ? advice.printText : advice.compareText(undefined, undefined, "same");
    return problems.report(span, "text is no number", fix);
  }

  #keptNumber(expression: Of<"kept">, use: Use): Typed | undefined {
    const { index, span } = expression;
    const { value } = this.keptField(index);
    if (value.kind === "integer") return { kind: "kept", index, type: value.type, span };
    return value.kind === "symbol"
      ? { kind: "kept", index, type: u64, span }
      : this.#refuseText(expression, use);
  }

  #named(expression: Of<"name" | "argument" | "register">, use: Use): Typed | undefined {
    const meaning = this.#meanings.get(expression);
    if (meaning === undefined) return undefined;
    if (meaning.kind === "place") return this.#place(meaning, expression);
    const { builtin } = meaning;
    if (builtin.type.kind === "text") return this.#refuseText(expression, use);
    return { kind: "builtin", builtin, type: builtin.type, span: expression.span };
  }

  #place({ place, type, isWhole }: Omit<PlaceMeaning, "text">, { span }: Expression): Typed {
    assert(type.kind !== "text", "a place that holds text");
    // Why no constant: at other places of the probe it is none, and what C refuses of a constant must not depend on the place.
    const whole: Typed = { kind: "place", place, type: place.type, span };
    // Spec: the psABIs pass a bool in the low 8 bits; what is above them means nothing.
    const isTruth = type.kind === "integer" && type.truth === true && isWhole !== true;
    return convert(isTruth && place.type.truth !== true ? convert(whole, u8) : whole, type);
  }

  #unary({ operator, operand, span }: Of<"unary">): Typed | undefined {
    const typed = this.value(operand);
    if (typed === undefined) return undefined;
    if (operator === "!") return { kind: "not", operand: typed, type: i32, span };
    if (typed.type.kind === "pointer") return refusePointer(operator, [typed.type], span, this.#reporter);
    const type = promote(typed.type);
    if (operator === "+") return { ...convert(typed, type), span };
    // Spec: C17 6.5.3.3: -x is 0 - x, and ~x has every bit of x turned, in the promoted type.
    if (operator === "-")
      return arithmetic("-", { kind: "constant", value: 0n, type, span }, typed, type, span);
    return arithmetic("^", typed, { kind: "constant", value: wrap(-1n, type), type, span }, type, span);
  }

  #binary(expression: Of<"binary">): Typed | undefined {
    const { operator, span } = expression;
    const isTextual = (side: Expression): boolean => side.kind === "text" || this.isName(side);
    if (isTextual(expression.left) || isTextual(expression.right)) return this.#refuseTexts(expression);
    const left = this.value(expression.left);
    const right = this.value(expression.right);
    if (left === undefined || right === undefined) return undefined;
    switch (operator) {
      case "&&":
      case "||":
        return { kind: "logic", operator, left, right, type: i32, span };
      case "==":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
        return compare(operator, left, right, span);
      case "<<":
      case ">>":
        return this.#shift(operator, left, right, expression);
      default:
        return this.#arithmetic(operator, left, right, expression);
    }
  }

  #refuseTexts({ operator, left, right, span }: Of<"binary">): undefined {
    const { problems, advice } = this.#reporter;
    const [literal, other] = left.kind === "text" ? [left, right] : [right, left];
    const fix = advice.compareText(
      literal.kind === "text" ? literal.value : undefined,
      other.kind === "name" ? other.name : undefined,
      operator === "!=" ? "different" : "same",
    );
    return problems.report(span, `text cannot be compared with "${operator}"`, fix);
  }

  #shift(operator: "<<" | ">>", left: Typed, right: Typed, { span }: Expression): Typed | undefined {
    const { problems, advice } = this.#reporter;
    if (left.type.kind === "pointer" || right.type.kind === "pointer") {
      return refusePointer(operator, [left.type, right.type], span, this.#reporter);
    }
    const type = promote(integerOf(left.type));
    const bits = BigInt(type.bytes * 8);
    if (right.kind === "constant" && (right.value < 0n || right.value >= bits)) {
      const what = `a value of type ${printType(type)} cannot be shifted by ${right.value}`;
      const wider = bits === 32n ? `, or ${advice.widen}` : "";
      return problems.report(right.span, what, `shift by 0 to ${bits - 1n}${wider}`);
    }
    // Spec: C17 6.5.7: the count has its own type; its low bits are all that matter.
    return { kind: "arithmetic", operator, left: convert(left, type), right, type, span };
  }

  #arithmetic(operator: Arithmetic, left: Typed, right: Typed, { span }: Expression): Typed | undefined {
    const [one, other] = [left.type, right.type];
    if (one.kind === "integer" && other.kind === "integer") {
      const divides = operator === "/" || operator === "%";
      if (!divides || right.kind !== "constant" || right.value !== 0n) {
        return arithmetic(operator, left, right, commonType(one, other), span);
      }
      return this.#reporter.problems.report(
        right.span,
        "nothing can be divided by zero",
        "divide by something else",
      );
    }
    if (operator === "+" && one.kind === "integer") return step(operator, right, left, span, this.#reporter);
    if ((operator === "+" || operator === "-") && other.kind === "integer") {
      return step(operator, left, right, span, this.#reporter);
    }
    const subtracts = operator === "-" && one.kind === "pointer" && other.kind === "pointer";
    if (subtracts) return difference(left, right, span, this.#reporter);
    return refusePointer(operator, [one, other], span, this.#reporter);
  }

  #conditional(expression: Of<"conditional">): Typed | undefined {
    const condition = this.value(expression.condition);
    const whenTrue = this.value(expression.whenTrue);
    const whenFalse = this.value(expression.whenFalse);
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) return undefined;
    const pointer = [whenTrue.type, whenFalse.type].find((type) => type.kind === "pointer");
    const type = pointer ?? commonType(integerOf(whenTrue.type), integerOf(whenFalse.type));
    const values = { whenTrue: convert(whenTrue, type), whenFalse: convert(whenFalse, type) };
    return { kind: "conditional", condition, ...values, type, span: expression.span };
  }

  #cast({ operand, type, span }: Of<"cast">): Typed | undefined {
    const typed = this.value(operand);
    return typed && { ...convert(typed, type), span };
  }

  #index(expression: Of<"index">): Typed | undefined {
    const base = this.value(expression.base);
    const index = this.value(expression.index);
    if (base === undefined || index === undefined) return undefined;
    const isStep = base.type.kind === "pointer" && index.type.kind === "integer";
    const address = isStep ? step("+", base, index, expression.span, this.#reporter) : base;
    return address && readThrough(address, base.span, expression.span, this.#reporter);
  }

  #sameText({ literal, compared, operand, span }: Of<"same-text">): Typed | undefined {
    const { problems } = this.#reporter;
    if (literal.length > longestLiteral) {
      const what = `a text of ${literal.length} bytes cannot be compared, ${longestLiteral} is the most`;
      return problems.report(span, what, "compare a shorter text");
    }
    if (compared === "text" && literal.includes(0)) {
      const what = "a zero ends a text, so that one with a zero inside is never met";
      return problems.report(span, what, "remove \\0 from the text");
    }
    if (this.isName(operand))
      return { kind: "same-text", literal, compared, address: undefined, type: i32, span };
    if (operand.kind === "kept") {
      const place = this.keptField(operand.index);
      const { value } = place;
      if (value.kind === "text" || value.kind === "comm") {
        if (value.kind === "text" && literal.length > value.limit) {
          const what = `of this text ${value.limit} bytes are kept, and it is compared with ${literal.length}`;
          return problems.report(span, what, "keep more of it, or compare it with less");
        }
        const kept = { kind: "kept", index: operand.index, place } as const;
        return { kind: "same-text", literal, compared, address: undefined, kept, type: i32, span };
      }
    }
    const text = this.text(operand);
    if (text === undefined) return undefined;
    const { address, length } = text;
    if (length === undefined) return { kind: "same-text", literal, compared, address, type: i32, span };
    const bytes: Typed = { kind: "constant", value: BigInt(literal.length), type: i64, span };
    const left = compare(compared === "text" ? "==" : ">=", length, bytes, span);
    const right: Typed = { kind: "same-text", literal, compared: "bytes", address, type: i32, span };
    return literal.length === 0 ? left : { kind: "logic", operator: "&&", left, right, type: i32, span };
  }
}
