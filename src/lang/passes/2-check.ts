/**
 * Owns the second pass: the type of every expression by C's rules, every conversion made visible, every misuse reported.
 * Does not own names (1-bind) nor code (3-lower).
 */
import { assert, unreachable } from "../../base/assert.js";
import { commonType, promote, wrap } from "../arithmetic.js";
import { mostFields } from "../event.js";
import type { Meanings } from "../meaning.js";
import type { Problems } from "../problems.js";
import type { EmitField, Expression, Statement } from "../tree.js";
import { integerOf } from "../typed.js";
import type {
  Arithmetic,
  Comparison,
  Typed,
  TypedField,
  TypedProbe,
  TypedStatement,
  TypedValue,
} from "../typed.js";
import { i32, i64, printType, u64, u8 } from "../types.js";
import type { PointerType, Type } from "../types.js";

/** Checks the statements of a probe. What was reported is left out; the caller stops when there were problems. */
export function check(
  body: readonly Statement[],
  meanings: Meanings,
  columns: number,
  problems: Problems,
): TypedProbe {
  const checker = new Checker(meanings, columns, problems);
  const statements = body
    .map((statement) => checker.statement(statement))
    .filter((statement) => statement !== undefined);
  return { statements, readsMemory: checker.readsMemory };
}

/** The longest literal of STRCMP: it is compared on the program's stack of 512 bytes. */
const longestLiteral = 256;

class Checker {
  readonly #meanings: Meanings;
  readonly #columns: number;
  readonly #problems: Problems;
  readsMemory = false;

  constructor(meanings: Meanings, columns: number, problems: Problems) {
    this.#meanings = meanings;
    this.#columns = columns;
    this.#problems = problems;
  }

  statement(statement: Statement): TypedStatement | undefined {
    const { span } = statement;
    switch (statement.kind) {
      case "require": {
        const condition = this.#value(statement.condition);
        return condition && { kind: "require", condition, span };
      }
      case "emit": {
        const most = mostFields - this.#columns;
        const extra = statement.fields[most];
        if (extra !== undefined) {
          this.#problems.report(
            extra.span,
            `an event holds at most ${most} values here`,
            "remove some, or split them over two probes",
          );
        }
        const fields = statement.fields
          .map((field) => this.#field(field))
          .filter((field) => field !== undefined);
        return { kind: "emit", fields, span };
      }
      default:
        return unreachable(statement);
    }
  }

  #field(field: EmitField): TypedField | undefined {
    const value = this.#fieldValue(field);
    return value && { name: field.name, value, span: field.span };
  }

  #fieldValue({ value, form }: EmitField): TypedValue | undefined {
    switch (form.kind) {
      case "integer": {
        const typed = this.#value(value, "%s");
        return typed && { kind: "integer", value: convert(typed, form.type), type: form.type };
      }
      case "text":
        return this.#text(value, form.length);
      case "symbol": {
        const address = this.#address(value);
        return address && { kind: "symbol", address, space: form.space };
      }
      default:
        return unreachable(form);
    }
  }

  #text(value: Expression, length: Expression | undefined): TypedValue | undefined {
    const wanted = length && this.#value(length);
    if (this.#isComm(value)) {
      if (length === undefined) return { kind: "comm" };
      return this.#problems.report(length.span, "comm has its own length", "write %s, or %.10s to cut it");
    }
    this.readsMemory = true;
    const address = this.#address(value);
    if (address === undefined || (length !== undefined && wanted === undefined)) return undefined;
    if (wanted?.type.kind === "pointer") {
      return this.#problems.report(
        wanted.span,
        `a value of type ${printType(wanted.type)} is no length`,
        "write the length first, whenTrue the address: %.*s, length, address",
      );
    }
    return { kind: "text", address, length: wanted && convert(wanted, i64) };
  }

  /** A value that can be an address: a pointer, or an integer of 64 bits. */
  #address(expression: Expression): Typed | undefined {
    if (expression.kind === "text") {
      return this.#problems.report(
        expression.span,
        "a text in quotes is no value of the traced program",
        "write it into the format",
      );
    }
    const typed = this.#value(expression, "%s");
    if (typed === undefined || typed.type.kind === "pointer" || typed.type.bytes === 8) return typed;
    const fits = typed.kind === "constant" && typed.value >= 0n;
    if (fits) return convert(typed, u64);
    return this.#problems.report(
      typed.span,
      `a value of type ${printType(typed.type)} is no address`,
      "give a pointer or a 64-bit value; print whole numbers with %d",
    );
  }

  #isComm(expression: Expression): boolean {
    const meaning = this.#meanings.get(expression);
    return meaning?.kind === "builtin" && meaning.builtin.type.kind === "text";
  }

  /** A value that fits into a register; text is refused, with a way out for the place where it stands. */
  #value(expression: Expression, forText: "STRCMP" | "%s" = "STRCMP"): Typed | undefined {
    const { span } = expression;
    switch (expression.kind) {
      case "integer":
        return { kind: "constant", value: expression.value, type: expression.type, span };
      case "text":
        return this.#refuseText(expression, forText);
      case "name":
      case "register":
        return this.#named(expression, forText);
      case "unary":
        return this.#unary(expression);
      case "binary":
        return this.#binary(expression);
      case "conditional":
        return this.#conditional(expression);
      case "cast":
        return this.#cast(expression);
      case "dereference": {
        const pointer = this.#value(expression.operand);
        return pointer && this.#read(pointer, pointer, expression);
      }
      case "index":
        return this.#index(expression);
      case "same-text":
        return this.#sameText(expression);
      default:
        return unreachable(expression);
    }
  }

  #refuseText({ span }: Expression, forText: string): undefined {
    return this.#problems.report(
      span,
      "text is no number",
      forText === "%s" ? "print text with %s" : 'compare text with STRCMP("text", value)',
    );
  }

  #named(expression: Expression, forText: string): Typed | undefined {
    const meaning = this.#meanings.get(expression);
    const { span } = expression;
    if (meaning === undefined) return undefined;
    if (meaning.kind === "builtin") {
      const { builtin } = meaning;
      if (builtin.type.kind === "text") return this.#refuseText(expression, forText);
      return { kind: "builtin", builtin, type: builtin.type, span };
    }
    const { place, type } = meaning;
    assert(type.kind !== "text", "a place that holds text");
    // Spec: the psABIs pass a bool in the low 8 bits; what is above them means nothing.
    if (type.kind === "integer" && type.truth && place.type.bytes > 1 && place.kind !== "constant") {
      if (place.kind === "memory") this.readsMemory = true;
      return convert(convert({ kind: "place", place, type: place.type, span }, u8), type);
    }
    if (place.kind === "constant")
      return convert({ kind: "constant", value: place.value, type: place.type, span }, type);
    if (place.kind === "memory") this.readsMemory = true;
    return convert({ kind: "place", place, type: place.type, span }, type);
  }

  #unary(expression: Extract<Expression, { kind: "unary" }>): Typed | undefined {
    const operand = this.#value(expression.operand);
    const { operator, span } = expression;
    if (operand === undefined) return undefined;
    if (operator === "!") return { kind: "not", operand, type: i32, span };
    if (operand.type.kind === "pointer")
      return this.#refusePointer(expression, `"${operator}"`, operand.type);
    const type = promote(operand.type);
    const value = convert(operand, type);
    if (operator === "+") return { ...value, span };
    // Spec: C17 6.5.3.3: -x is 0 - x, and ~x has every bit of x turned, in the promoted type.
    const other: Typed = { kind: "constant", value: operator === "-" ? 0n : wrap(-1n, type), type, span };
    const [left, right] = operator === "-" ? [other, value] : [value, other];
    return { kind: "arithmetic", operator: operator === "-" ? "-" : "^", left, right, type, span };
  }

  #binary(expression: Extract<Expression, { kind: "binary" }>): Typed | undefined {
    const { operator, span } = expression;
    const textual = [expression.left, expression.right].find(
      (side) => side.kind === "text" || this.#isComm(side),
    );
    if (textual !== undefined) return this.#refuseTextOperand(expression);
    const left = this.#value(expression.left);
    const right = this.#value(expression.right);
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
        return compare(operator, left, right, expression);
      case "<<":
      case ">>":
        return this.#shift(operator, left, right, expression);
      default:
        return this.#arithmetic(operator, left, right, expression);
    }
  }

  #refuseTextOperand({ operator, left, right, span }: Extract<Expression, { kind: "binary" }>): undefined {
    const literal = left.kind === "text" ? left : right;
    const other = literal === left ? right : left;
    const shown = other.kind === "name" ? other.name : "pointer";
    const call = `STRCMP(${literal.kind === "text" ? JSON.stringify(literal.value) : '"text"'}, ${shown})`;
    return this.#problems.report(
      span,
      `text cannot be compared with "${operator}"`,
      operator === "!=" ? `write !${call}` : `write ${call}`,
    );
  }

  #shift(operator: "<<" | ">>", left: Typed, right: Typed, expression: Expression): Typed | undefined {
    if (left.type.kind === "pointer" || right.type.kind === "pointer") {
      return this.#refusePointer(expression, `"${operator}"`, left.type, right.type);
    }
    const type = promote(integerOf(left.type));
    const bits = BigInt(type.bytes * 8);
    if (right.kind === "constant" && (right.value < 0n || right.value >= bits)) {
      return this.#problems.report(
        right.span,
        `a value of type ${printType(type)} cannot be shifted by ${right.value}`,
        `shift by 0 to ${bits - 1n}, or widen the value first: (u64)x`,
      );
    }
    return { kind: "arithmetic", operator, left: convert(left, type), right, type, span: expression.span };
  }

  #arithmetic(operator: Arithmetic, left: Typed, right: Typed, expression: Expression): Typed | undefined {
    const { span } = expression;
    const [one, other] = [left.type, right.type];
    if (one.kind === "integer" && other.kind === "integer") {
      const type = commonType(one, other);
      if ((operator === "/" || operator === "%") && right.kind === "constant" && right.value === 0n) {
        return this.#problems.report(
          right.span,
          "nothing can be divided by zero",
          "divide by something else",
        );
      }
      return {
        kind: "arithmetic",
        operator,
        left: convert(left, type),
        right: convert(right, type),
        type,
        span,
      };
    }
    if (operator === "+" && one.kind === "integer") return this.#step(operator, right, left, expression);
    if ((operator === "+" || operator === "-") && other.kind === "integer")
      return this.#step(operator, left, right, expression);
    if (operator === "-" && one.kind === "pointer" && other.kind === "pointer")
      return this.#difference(left, right, expression);
    return this.#refusePointer(expression, `"${operator}"`, one, other);
  }

  /** Spec: C17 6.5.6: a pointer moves by whole elements. */
  #step(operator: "+" | "-", pointer: Typed, count: Typed, expression: Expression): Typed | undefined {
    const { type } = pointer;
    assert(type.kind === "pointer", "a step from what is no pointer");
    const size = this.#elementBytes(type, expression);
    if (size === undefined) return undefined;
    const { span } = expression;
    const right = scale(convert(count, i64), BigInt(size));
    return {
      kind: "arithmetic",
      operator,
      left: pointer,
      right: convert(right, type),
      type,
      span,
    };
  }

  #difference(left: Typed, right: Typed, expression: Expression): Typed | undefined {
    const { type } = left;
    assert(type.kind === "pointer", "a difference of what is no pointer");
    const size = this.#elementBytes(type, expression);
    if (size === undefined) return undefined;
    const { span } = expression;
    const bytes: Typed = {
      kind: "arithmetic",
      operator: "-",
      left: convert(left, i64),
      right: convert(right, i64),
      type: i64,
      span,
    };
    if (size === 1) return bytes;
    const divisor: Typed = { kind: "constant", value: BigInt(size), type: i64, span };
    return { kind: "arithmetic", operator: "/", left: bytes, right: divisor, type: i64, span };
  }

  /** Why: a `void *` moves by bytes, as GNU C has it; a struct of unknown size would move by a wrong amount. */
  #elementBytes(pointer: PointerType, { span }: Expression): number | undefined {
    if (pointer.to !== undefined) return sizeOf(pointer.to);
    if (pointer.struct === undefined) return 1;
    return this.#problems.report(
      span,
      `the size of ${pointer.struct} is not known`,
      "count in bytes: (char *)p + 16",
    );
  }

  #conditional(expression: Extract<Expression, { kind: "conditional" }>): Typed | undefined {
    const { span } = expression;
    const condition = this.#value(expression.condition);
    const whenTrue = this.#value(expression.whenTrue);
    const whenFalse = this.#value(expression.whenFalse);
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) return undefined;
    const pointer = [whenTrue.type, whenFalse.type].find((type) => type.kind === "pointer");
    const type = pointer ?? commonType(integerOf(whenTrue.type), integerOf(whenFalse.type));
    return {
      kind: "conditional",
      condition,
      whenTrue: convert(whenTrue, type),
      whenFalse: convert(whenFalse, type),
      type,
      span,
    };
  }

  #cast(expression: Extract<Expression, { kind: "cast" }>): Typed | undefined {
    const operand = this.#value(expression.operand);
    assert(expression.type.kind !== "text", "a cast to text");
    return operand && { ...convert(operand, expression.type), span: expression.span };
  }

  #index(expression: Extract<Expression, { kind: "index" }>): Typed | undefined {
    const base = this.#value(expression.base);
    const index = this.#value(expression.index);
    if (base === undefined || index === undefined) return undefined;
    if (base.type.kind !== "pointer" || index.type.kind === "pointer")
      return this.#read(base, base, expression);
    const address = this.#step("+", base, index, expression);
    return address && this.#read(address, base, expression);
  }

  /** Reads what a pointer points to. `shown` is what the author would cast. */
  #read(address: Typed, shown: Typed, { span }: Expression): Typed | undefined {
    const { type } = address;
    if (type.kind === "integer") {
      return this.#problems.report(
        shown.span,
        `a value of type ${printType(type)} is no pointer`,
        "say what lies there: *(int *)arg1, ((char *)arg1)[3]",
      );
    }
    const to = type.to;
    if (to === undefined || to.kind === "text") {
      return this.#problems.report(
        shown.span,
        `what a value of type ${printType(type)} points to has no known size`,
        "say what lies there: *(int *)p, or *(int *)((char *)p + 8)",
      );
    }
    this.readsMemory = true;
    return { kind: "read", address, type: to, span };
  }

  #sameText(expression: Extract<Expression, { kind: "same-text" }>): Typed | undefined {
    const { literal, operand, span } = expression;
    if (literal.length > longestLiteral) {
      return this.#problems.report(
        span,
        `STRCMP compares at most ${longestLiteral} bytes, and this text has ${literal.length}`,
        "compare a shorter text",
      );
    }
    if (literal.includes(0)) {
      return this.#problems.report(
        span,
        "a zero ends a text, so that none behind it is ever equal",
        "remove \\0 from the text",
      );
    }
    if (this.#isComm(operand)) return { kind: "same-text", literal, address: undefined, type: i32, span };
    this.readsMemory = true;
    const address = this.#address(operand);
    return address && { kind: "same-text", literal, address, type: i32, span };
  }

  #refusePointer({ span }: Expression, operation: string, ...types: readonly Type[]): undefined {
    const pointer = types.find((type) => type.kind === "pointer");
    assert(pointer !== undefined, "a refusal of pointers without one");
    const what = `${operation} is not for values of type ${printType(pointer)}`;
    return this.#problems.report(span, what, "cast it to a number first: (u64)p");
  }
}

function compare(operator: Comparison, left: Typed, right: Typed, { span }: Expression): Typed {
  // Why: a pointer is compared as the 64 bits that it is; a negative number means the address it would be stored as.
  const pointers = left.type.kind === "pointer" || right.type.kind === "pointer";
  const type = pointers ? u64 : commonType(integerOf(left.type), integerOf(right.type));
  return {
    kind: "compare",
    operator,
    left: convert(left, type),
    right: convert(right, type),
    type: i32,
    span,
  };
}

function scale(count: Typed, size: bigint): Typed {
  if (size === 1n) return count;
  const { span } = count;
  const right: Typed = { kind: "constant", value: size, type: i64, span };
  return { kind: "arithmetic", operator: "*", left: count, right, type: i64, span };
}

/** Makes a conversion, or none where the value is the same already. */
function convert(value: Typed, type: Type): Typed {
  assert(type.kind !== "text", "a conversion to text");
  const [from, to] = [integerOf(value.type), integerOf(type)];
  if (value.kind === "constant") return { ...value, value: wrap(value.value, to), type };
  const same = from.bytes === to.bytes && from.signed === to.signed && from.truth === to.truth;
  if (same && value.type.kind === type.kind && type.kind === "integer") return value;
  if (from.truth && to.truth) return value;
  return { kind: "convert", operand: value, type, span: value.span };
}

function sizeOf(type: Type): number {
  return type.kind === "pointer" ? 8 : type.bytes;
}
