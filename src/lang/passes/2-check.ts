/**
 * Owns the second pass: every statement with its types, every misuse reported. Its parts stand in checking/.
 * Does not own names (1-bind) nor code (3-lower).
 */
import { assert, unreachable } from "../../base/assert.js";
import type { Span } from "../../base/errors.js";
import { mostKeyBytes, placeKey } from "../aggregates.js";
import type { AggregateSpec, KeyPartSpec } from "../aggregates.js";
import { convert } from "../checking/conversions.js";
import { Expressions } from "../checking/expressions.js";
import { Fields } from "../checking/fields.js";
import { mostFields } from "../event.js";
import type { EventField } from "../event.js";
import type { Meanings } from "../meaning.js";
import type { Reporter } from "../problems.js";
import type { EmitField, KeyPart, Statement } from "../tree.js";
import type { TypedKeyPart, TypedProbe, TypedStatement } from "../typed.js";
import { i64, truth, u32, u64 } from "../types.js";

/** What surrounds the statements of a probe. */
export interface Surroundings {
  /** Fields that every event has besides the author's. */
  readonly others: number;
  /** What the probe updates, by its place in the tree. */
  readonly aggregates: readonly AggregateSpec[];
  /** What the entry of the span kept. */
  readonly kept: readonly EventField[];
}

/** Checks the statements of a probe. What was reported is left out; the caller stops when there were problems. */
export function check(
  body: readonly Statement[],
  meanings: Meanings,
  surroundings: Surroundings,
  reporter: Reporter,
): TypedProbe {
  return { statements: new Checker(meanings, surroundings, reporter).statements(body) };
}

type Of<Kind extends Statement["kind"]> = Extract<Statement, { kind: Kind }>;

const otherKind = "a key part of another kind than its aggregate has";

class Checker {
  readonly #expressions: Expressions;
  readonly #fields: Fields;
  readonly #surroundings: Surroundings;
  readonly #reporter: Reporter;
  /** How many fields the shapes hold that were met. */
  readonly #shapes = new Map<number, number>();

  constructor(meanings: Meanings, surroundings: Surroundings, reporter: Reporter) {
    this.#expressions = new Expressions(meanings, surroundings.kept, reporter);
    this.#fields = new Fields(this.#expressions, reporter);
    this.#surroundings = surroundings;
    this.#reporter = reporter;
  }

  statements(statements: readonly Statement[]): readonly TypedStatement[] {
    return statements.flatMap((statement) => this.#statement(statement) ?? []);
  }

  #statement(statement: Statement): TypedStatement | undefined {
    const { span } = statement;
    switch (statement.kind) {
      case "require": {
        const condition = this.#expressions.value(statement.condition);
        return condition && { kind: "require", condition, span };
      }
      case "emit": {
        const { shape, strict, fields } = statement;
        this.#refuseTooMany(statement);
        return { kind: "emit", shape, strict, fields: this.#fields.fields(fields), span };
      }
      case "declare":
      case "assign":
        return this.#assign(statement);
      case "if": {
        const condition = this.#expressions.value(statement.condition);
        const whenTrue = this.statements(statement.whenTrue);
        const whenFalse = this.statements(statement.whenFalse);
        return condition && { kind: "if", condition, whenTrue, whenFalse, span };
      }
      case "block":
        return { kind: "block", label: statement.label, body: this.statements(statement.body), span };
      case "leave":
        return { kind: "leave", label: statement.label, span };
      case "finish":
        return { kind: "finish", span };
      case "update":
        return this.#update(statement);
      case "look-up":
        return this.#lookUp(statement);
      case "keep":
        return { kind: "keep", fields: this.#keepable(statement.fields), span };
      default:
        return unreachable(statement);
    }
  }

  #assign(statement: Of<"declare" | "assign">): TypedStatement | undefined {
    const { variable, span } = statement;
    const value = this.#expressions.value(statement.value);
    if (statement.kind === "declare")
      this.#expressions.declare(variable.number, variable.type ?? value?.type);
    const type = this.#expressions.typeOf(variable);
    if (value === undefined || type === undefined) return undefined;
    return { kind: "assign", variable: variable.number, value: convert(value, type), span };
  }

  #update({ aggregate, operation, key, value, span }: Of<"update">): TypedStatement | undefined {
    const spec = this.#spec(aggregate);
    const parts = this.#key(key, spec, span);
    const typed = value && this.#expressions.value(value);
    if (parts === undefined || (value !== undefined && typed === undefined)) return undefined;
    const whole = typed && convert(convert(typed, spec.value), spec.value.signed ? i64 : u64);
    return { kind: "update", aggregate, operation, key: parts, value: whole, span };
  }

  #lookUp({ aggregate, key, variable, found, span }: Of<"look-up">): TypedStatement | undefined {
    const spec = this.#spec(aggregate);
    const parts = this.#key(key, spec, span);
    this.#expressions.declare(variable.number, variable.type ?? spec.value);
    this.#expressions.declare(found.number, found.type ?? truth);
    return (
      parts && {
        kind: "look-up",
        aggregate,
        key: parts,
        variable: variable.number,
        found: found.number,
        span,
      }
    );
  }

  #spec(aggregate: number): AggregateSpec {
    const spec = this.#surroundings.aggregates[aggregate];
    assert(spec !== undefined, `the probe is handed no aggregate ${aggregate}`);
    return spec;
  }

  #key(key: readonly KeyPart[], spec: AggregateSpec, span: Span): readonly TypedKeyPart[] | undefined {
    assert(key.length === spec.key.length, "a key with another number of parts than its aggregate has");
    const { problems, advice } = this.#reporter;
    const { bytes } = placeKey(spec.key.filter(({ kind }) => kind !== "stack"));
    if (bytes > mostKeyBytes) {
      const what = `this key takes ${bytes} bytes, and ${mostKeyBytes} is the most`;
      return problems.report(span, what, advice.shortenKey);
    }
    const parts = key.map((part, index) => this.#keyPart(part, spec.key[index]!));
    return parts.every((part) => part !== undefined) ? parts : undefined;
  }

  #keyPart(part: KeyPart, spec: KeyPartSpec): TypedKeyPart | undefined {
    const isText = part.kind === "text" || part.kind === "literal";
    assert(isText === (spec.kind === "text" || spec.kind === "comm"), otherKind);
    assert((part.kind === "stack") === (spec.kind === "stack"), otherKind);
    switch (part.kind) {
      case "integer": {
        const value = this.#expressions.value(part.value);
        const type = spec.kind === "integer" ? spec.type : u32;
        return value && { kind: "integer", value: convert(value, type) };
      }
      case "text": {
        const value = this.#fields.text(part.value, part.length, undefined);
        return value && { kind: "text", value };
      }
      case "literal":
        return { kind: "literal", text: part.text };
      case "stack":
        return { kind: "stack" };
      default:
        return unreachable(part);
    }
  }

  #keepable(fields: readonly EmitField[]) {
    const stack = fields.find(({ form }) => form.kind === "stack");
    if (stack !== undefined) {
      this.#reporter.problems.report(
        stack.span,
        "a stack is too large to be kept",
        "take the stack at the return: the callers are the same",
      );
    }
    return this.#fields.fields(fields);
  }

  /** Why: one set of bits says of the fields of all shapes which could not be computed. */
  #refuseTooMany({ shape, fields, span }: Of<"emit">): void {
    this.#shapes.set(shape, fields.length);
    const number = this.#shapes.size > 1 ? 1 : 0;
    const before = [...this.#shapes].reduce(
      (sum, [other, count]) => (other === shape ? sum : sum + count),
      0,
    );
    const most = mostFields - this.#surroundings.others - number - before;
    if (fields.length <= most) return;
    const extra = fields[Math.max(0, most)]?.span ?? span;
    const what =
      before === 0
        ? `an event holds at most ${most} values here`
        : `the events of a probe hold at most ${most + before} values together`;
    this.#reporter.problems.report(extra, what, "remove some, or split them over two probes");
  }
}
