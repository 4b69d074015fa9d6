/**
 * Owns the second pass: every statement and field with its type, every misuse reported. Its parts stand in checking/.
 * Does not own names (1-bind) nor code (3-lower).
 */
import { unreachable } from "../../base/assert.js";
import { convert } from "../checking/conversions.js";
import { Expressions } from "../checking/expressions.js";
import { mostFields } from "../event.js";
import type { Meanings } from "../meaning.js";
import type { Reporter } from "../problems.js";
import type { EmitField, Expression, Statement } from "../tree.js";
import type { TypedField, TypedProbe, TypedStatement, TypedValue } from "../typed.js";
import { i64, printType } from "../types.js";

/** Checks the statements of a probe. What was reported is left out; the caller stops when there were problems. */
export function check(
  body: readonly Statement[],
  meanings: Meanings,
  others: number,
  reporter: Reporter,
): TypedProbe {
  const checker = new Checker(meanings, others, reporter);
  return { statements: body.flatMap((statement) => checker.statement(statement) ?? []) };
}

class Checker {
  readonly #expressions: Expressions;
  /** Fields that every event has besides the author's. */
  readonly #others: number;
  readonly #reporter: Reporter;

  constructor(meanings: Meanings, others: number, reporter: Reporter) {
    this.#expressions = new Expressions(meanings, reporter);
    this.#others = others;
    this.#reporter = reporter;
  }

  statement(statement: Statement): TypedStatement | undefined {
    const { span } = statement;
    switch (statement.kind) {
      case "require": {
        const condition = this.#expressions.value(statement.condition);
        return condition && { kind: "require", condition, span };
      }
      case "emit":
        this.#refuseTooMany(statement.fields);
        return { kind: "emit", fields: statement.fields.flatMap((field) => this.#field(field) ?? []), span };
      default:
        return unreachable(statement);
    }
  }

  #refuseTooMany(fields: readonly EmitField[]): void {
    const most = mostFields - this.#others;
    const extra = fields[most];
    if (extra === undefined) return;
    const what = `an event holds at most ${most} values here`;
    this.#reporter.problems.report(extra.span, what, "remove some, or split them over two probes");
  }

  #field({ name, value, form, span }: EmitField): TypedField | undefined {
    const typed = this.#value(value, form);
    return typed && { name, value: typed, span };
  }

  #value(value: Expression, form: EmitField["form"]): TypedValue | undefined {
    switch (form.kind) {
      case "integer": {
        const typed = this.#expressions.value(value, "shown");
        return typed && { kind: "integer", value: convert(typed, form.type), type: form.type };
      }
      case "text":
        return this.#text(value, form.length);
      case "symbol": {
        const address = this.#expressions.address(value);
        return address && { kind: "symbol", address, space: form.space };
      }
      default:
        return unreachable(form);
    }
  }

  #text(value: Expression, length: Expression | undefined): TypedValue | undefined {
    const { problems, advice } = this.#reporter;
    const wanted = length && this.#expressions.value(length);
    if (this.#expressions.isName(value)) {
      if (length === undefined) return { kind: "comm" };
      return problems.report(length.span, "the thread's name has its own length", advice.cutName);
    }
    const address = this.#expressions.address(value);
    if (address === undefined || (length !== undefined && wanted === undefined)) return undefined;
    if (wanted?.type.kind === "pointer") {
      const what = `a value of type ${printType(wanted.type)} is no length`;
      return problems.report(wanted.span, what, advice.giveLength);
    }
    return { kind: "text", address, length: wanted && convert(wanted, i64) };
  }
}
