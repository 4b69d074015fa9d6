/**
 * Owns the fields of events, and of what a span keeps: each in the form in which it travels, every misuse reported.
 * Does not own expressions (expressions.ts) nor statements (passes/2-check.ts).
 */
import { unreachable } from "../../base/assert.js";
import type { Reporter } from "../problems.js";
import type { EmitField, Expression } from "../tree.js";
import { integerOf } from "../typed.js";
import type { TypedField, TypedText, TypedValue } from "../typed.js";
import { i64, printType } from "../types.js";
import { convert } from "./conversions.js";
import type { Expressions } from "./expressions.js";

export class Fields {
  readonly #expressions: Expressions;
  readonly #reporter: Reporter;

  constructor(expressions: Expressions, reporter: Reporter) {
    this.#expressions = expressions;
    this.#reporter = reporter;
  }

  /** What was reported is left out. */
  fields(fields: readonly EmitField[]): readonly TypedField[] {
    return fields.flatMap(({ name, value, form, span }) => {
      const typed = this.#value(value, form);
      return typed === undefined ? [] : [{ name, value: typed, span }];
    });
  }

  /** Text at an address, the thread's name, or text that was kept. */
  text(value: Expression, length: Expression | undefined, limit: number | undefined): TypedText | undefined {
    const { problems, advice } = this.#reporter;
    const kept = this.#kept(value, "text", "comm");
    if (kept !== undefined) return kept;
    const given = length && this.#expressions.value(length);
    if (this.#expressions.isName(value)) {
      if (length === undefined) return { kind: "comm" };
      return problems.report(length.span, "the thread's name has its own length", advice.cutName);
    }
    const text = this.#expressions.text(value);
    if (text === undefined || (length !== undefined && given === undefined)) return undefined;
    const wanted = given ?? text.length;
    if (wanted?.type.kind === "pointer") {
      const what = `a value of type ${printType(wanted.type)} is no length`;
      return problems.report(wanted.span, what, advice.giveLength);
    }
    return { kind: "text", address: text.address, length: wanted && convert(wanted, i64), limit };
  }

  #value(value: Expression, form: EmitField["form"]): TypedValue | undefined {
    switch (form.kind) {
      case "integer": {
        const typed = this.#expressions.value(value, "shown");
        if (typed === undefined) return undefined;
        const type = form.type ?? integerOf(typed.type);
        const whole = convert(typed, type);
        if (form.exact !== true || type.bytes < 8) return { kind: "integer", value: whole, type };
        return { kind: "integer", value: { kind: "exact", operand: whole, type, span: whole.span }, type };
      }
      case "text":
        return this.text(value, form.length, form.limit);
      case "bytes": {
        const kept = this.#kept(value, "bytes");
        if (kept !== undefined) return kept;
        const address = this.#expressions.address(value);
        return address && { kind: "bytes", address, count: form.count };
      }
      case "stack":
        return { kind: "stack" };
      case "symbol": {
        const address = this.#expressions.address(value);
        return address && { kind: "symbol", address, space: form.space };
      }
      default:
        return unreachable(form);
    }
  }

  #kept(value: Expression, ...kinds: readonly string[]): TypedText | undefined {
    if (value.kind !== "kept") return undefined;
    const place = this.#expressions.keptField(value.index);
    return kinds.includes(place.value.kind) ? { kind: "kept", index: value.index, place } : undefined;
  }
}
