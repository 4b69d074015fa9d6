/**
 * Owns running a tree as it stands, so that two trees can be told to mean the same: what is sent, and what is changed.
 * Does not own C's types in full: values have the types that the front gave to fields and variables.
 */
import { wrap } from "../../../src/lang/arithmetic.js";
import type { ParsedScript } from "../../../src/lang/script/parse.js";
import type { Shape } from "../../../src/lang/script/shape.js";
import type { EmitField, Expression, KeyPart, Statement } from "../../../src/lang/tree.js";
import type { IntegerType } from "../../../src/lang/types.js";
import { i64 } from "../../../src/lang/types.js";

type Words = readonly bigint[];

/** Ends the hit, or leaves a block. */
class Ended extends Error {}
class Left extends Error {
  readonly label: number;

  constructor(label: number) {
    super();
    this.label = label;
  }
}

/** Runs a probe with these argument words, one hit after the other, and says what happened in each. */
export function meaningOf({ tree, shapes }: ParsedScript, hits: readonly Words[]): unknown[] {
  const tables = new Map<string, bigint>();
  return hits.map((words) => {
    const hit = new Hit(words, tables, shapes);
    try {
      hit.run(tree.body);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    }
    return hit.done;
  });
}

const texts = ["GET", "SET", "", "redis"];

class Hit {
  readonly done: unknown[] = [];
  readonly #words: Words;
  readonly #tables: Map<string, bigint>;
  readonly #shapes: readonly Shape[];
  readonly #variables = new Map<number, bigint>();

  constructor(words: Words, tables: Map<string, bigint>, shapes: readonly Shape[]) {
    this.#words = words;
    this.#tables = tables;
    this.#shapes = shapes;
  }

  run(statements: readonly Statement[]): void {
    for (const statement of statements) this.#step(statement);
  }

  #step(statement: Statement): void {
    switch (statement.kind) {
      case "emit":
        this.done.push(this.#shown(this.#shapes[statement.shape]!, statement.fields));
        return;
      case "declare":
      case "assign": {
        const value = this.#value(statement.value);
        const { number, type } = statement.variable;
        this.#variables.set(number, type === undefined ? value : wrap(value, type));
        return;
      }
      case "if":
        return this.run(this.#value(statement.condition) === 0n ? statement.whenFalse : statement.whenTrue);
      case "block":
        try {
          this.run(statement.body);
        } catch (error) {
          if (!(error instanceof Left) || error.label !== statement.label) throw error;
        }
        return;
      case "leave":
        throw new Left(statement.label);
      case "finish":
        throw new Ended();
      case "update": {
        const key = this.#key(statement.aggregate, statement.key);
        const value = statement.value === undefined ? undefined : this.#value(statement.value);
        this.done.push([statement.operation, key, value]);
        if (statement.operation === "set") this.#tables.set(key, wrap(value!, i64));
        if (statement.operation === "delete") this.#tables.delete(key);
        return;
      }
      case "look-up": {
        const found = this.#tables.get(this.#key(statement.aggregate, statement.key));
        this.#variables.set(statement.variable.number, found ?? 0n);
        this.#variables.set(statement.found.number, found === undefined ? 0n : 1n);
        return;
      }
      default:
        throw new Error(`not run: ${statement.kind}`);
    }
  }

  #key(aggregate: number, parts: readonly KeyPart[]): string {
    const shown = parts.map((part) => {
      if (part.kind === "stack") return "stack";
      return part.kind === "literal" ? String.fromCharCode(...part.text) : String(this.#value(part.value));
    });
    return `${aggregate}: ${shown.join(", ")}`;
  }

  #shown(shape: Shape, fields: readonly EmitField[]): unknown {
    switch (shape.kind) {
      case "constant":
        return shape.value;
      case "object":
        return Object.fromEntries(
          shape.entries.map(({ name, shape: inner }) => [name, this.#shown(inner, fields)]),
        );
      case "array":
        return shape.items.map((item) => this.#shown(item, fields));
      case "choice": {
        const value = this.#value(fields[shape.field]!.value);
        const choice = shape.choices.find((one) => one.value === value);
        return choice === undefined ? value : choice.shown;
      }
      case "field": {
        const { value, form } = fields[shape.field]!;
        const plain = this.#value(value);
        if (form.kind === "text") return ["text", plain, form.length && this.#value(form.length), form.limit];
        if (form.kind !== "integer") return [form, plain];
        return [shape.as, form.type === undefined ? plain : wrap(plain, form.type)];
      }
    }
  }

  #value(expression: Expression): bigint {
    switch (expression.kind) {
      case "integer":
        return expression.value;
      case "argument":
        return wrap(this.#words[expression.index] ?? 0n, expression.type);
      case "variable":
        return this.#variables.get(expression.variable.number)!;
      case "name":
        return BigInt(expression.name.length);
      case "cast":
        return expression.type.kind === "integer"
          ? wrap(this.#value(expression.operand), expression.type)
          : this.#value(expression.operand);
      case "dereference": {
        const { operand } = expression;
        const type = operand.kind === "cast" && operand.type.kind === "pointer" ? operand.type.to : undefined;
        return wrap(this.#value(operand) * 0x9e3779b97f4a7c15n, type as IntegerType);
      }
      case "unary": {
        const value = this.#value(expression.operand);
        return { "-": -value, "~": ~value, "!": value === 0n ? 1n : 0n, "+": value }[expression.operator];
      }
      case "binary":
        return this.#binary(expression);
      case "conditional":
        return this.#value(
          this.#value(expression.condition) === 0n ? expression.whenFalse : expression.whenTrue,
        );
      case "same-text": {
        const text = texts[Number(BigInt.asUintN(2, this.#value(expression.operand)))]!;
        return text === String.fromCharCode(...expression.literal) ? 1n : 0n;
      }
      default:
        throw new Error(`not run: ${expression.kind}`);
    }
  }

  #binary({ operator, left, right }: Extract<Expression, { kind: "binary" }>): bigint {
    const one = this.#value(left);
    if (operator === "&&" && one === 0n) return 0n;
    if (operator === "||" && one !== 0n) return 1n;
    const other = this.#value(right);
    switch (operator) {
      case "&&":
      case "||":
        return truth(other !== 0n);
      case "==":
        return truth(one === other);
      case "!=":
        return truth(one !== other);
      case "<":
        return truth(one < other);
      case "<=":
        return truth(one <= other);
      case ">":
        return truth(one > other);
      case ">=":
        return truth(one >= other);
      case "+":
        return one + other;
      case "-":
        return one - other;
      case "*":
        return one * other;
      case "/":
        return one / other;
      case "%":
        return one % other;
      case "&":
        return one & other;
      case "|":
        return one | other;
      case "^":
        return one ^ other;
      case "<<":
        return one << other;
      case ">>":
        return one >> other;
    }
  }
}

function truth(is: boolean): bigint {
  return is ? 1n : 0n;
}
