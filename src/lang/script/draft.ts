/**
 * Owns the tree of one probe function while it is being written: statements, variables, labels, problems.
 * Does not own reading the function (statements.ts, expressions.ts).
 */
import type { AnyNode } from "acorn";
import { InternalError } from "../../base/errors.js";
import type { Span } from "../../base/errors.js";
import type { ParsedProbe } from "../probe.js";
import { Problems } from "../problems.js";
import type { EmitField, Expression, Statement, Variable } from "../tree.js";
import type { IntegerType } from "../types.js";
import type { HandedOver } from "./handed-over.js";
import type { DeclaredArguments } from "./parameter.js";
import type { ScriptRequest } from "./parse.js";
import type { Shape } from "./shape.js";
import type { ProbeSource } from "./source.js";
import { use } from "./values.js";
import type { IntegerValue } from "./values.js";

export type ProbeKind = "entry" | "return" | "marker" | "span-entry" | "span-return" | "span-end";

/** Thrown where reading cannot go on, behind a report; caught at the next statement or name. */
export class Unreadable extends Error {}

/** Statements that all unrolled loops of a probe may make. */
const mostSteps = 20_000;
/** Expressions inside one another. */
const deepest = 200;

export class Draft {
  readonly problems = new Problems();
  readonly source: ProbeSource;
  readonly at: ProbeKind;
  readonly handed: HandedOver;
  readonly kept: Shape | undefined;
  readonly declared: DeclaredArguments | undefined;
  /** One for each emit, or the one that is kept. */
  readonly shapes: Shape[] = [];
  readonly keeps: { readonly fields: EmitField[]; readonly shape: Shape; readonly span: Span }[] = [];
  /** What is returned, in order. */
  readonly returned: { readonly shape: Shape; readonly span: Span }[] = [];
  /** "nothing": the entry of a span that hands nothing on, and keeps the time alone. */
  readonly keepsWhat: "values" | "nothing";
  #out: Statement[] = [];
  #variables = 0;
  #labels = 0;
  #steps = 0;
  readonly #shapeNumbers = new Map<string, number>();
  #depth = 0;
  #declarationUse: Span | undefined;

  constructor(
    source: ProbeSource,
    request: Pick<ScriptRequest, "at" | "handed" | "kept" | "declared">,
    keepsWhat: "values" | "nothing",
  ) {
    this.source = source;
    this.at = request.at;
    this.handed = request.handed;
    this.kept = request.kept;
    this.declared = request.declared;
    this.keepsWhat = keepsWhat;
  }

  spanOf(node: AnyNode): Span {
    return this.source.spanOf(node);
  }

  textOf(node: AnyNode): string {
    const { start, end } = this.spanOf(node);
    return this.source.text.slice(start, end);
  }

  /** Reports and gives up what is being read. */
  refuse(place: AnyNode | Span, what: string, fix: string): never {
    this.report(place, what, fix);
    throw new Unreadable(what);
  }

  /** Gives up where the cause was reported before. */
  giveUp(): never {
    throw new Unreadable("what was reported before");
  }

  report(place: AnyNode | Span, what: string, fix: string): void {
    this.problems.report("type" in place ? this.spanOf(place) : place, what, fix);
  }

  /** Reads something; what cannot be read has been reported, and is undefined. */
  attempt<Result>(read: () => Result): Result | undefined {
    const depth = this.#depth;
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      if (this.problems.count === 0) throw new InternalError(`nothing was reported of: ${error.message}`);
      this.#depth = depth;
      return undefined;
    }
  }

  push(statement: Statement): void {
    this.#out.push(statement);
  }

  /** The statements that are written while this runs. */
  collect(write: () => void): Statement[] {
    return this.gather(write).statements;
  }

  gather<Result>(write: () => Result): { readonly statements: Statement[]; readonly result: Result } {
    const outer = this.#out;
    const statements: Statement[] = [];
    this.#out = statements;
    try {
      return { result: write(), statements };
    } finally {
      this.#out = outer;
    }
  }

  variable(name: string, type: IntegerType | undefined): Variable {
    return { number: this.#variables++, name, type };
  }

  label(): number {
    return this.#labels++;
  }

  /** The number of a shape; events of the same one whose fields have the same forms share it. */
  shapeNumber(shape: Shape, forms: string): number {
    const written = `${printShape(shape)} ${forms}`;
    const known = this.#shapeNumbers.get(written);
    if (known !== undefined) return known;
    this.#shapeNumbers.set(written, this.shapes.length);
    return this.shapes.push(shape) - 1;
  }

  /** Computes a value here and now, and keeps it under a name. */
  keep(name: string, value: Expression, type: IntegerType | undefined): Variable {
    const variable = this.variable(name, type);
    this.push({ kind: "declare", variable, value, span: value.span });
    return variable;
  }

  /** The same value, computed here: what is assigned behind this does not change it. */
  freeze(value: IntegerValue, name: string): IntegerValue {
    return { ...value, expression: this.freezeExpression(value.expression, name) };
  }

  freezeExpression(expression: Expression, name: string): Expression {
    if (isStable(expression)) return expression;
    return use(this.keep(name, expression, undefined), expression.span);
  }

  /** Remembers where the names of arguments were used first. */
  useDeclaration(span: Span): void {
    this.#declarationUse ??= span;
  }

  /** What is declared, and where to say so when it is wrong. */
  get declaration(): ParsedProbe["declaration"] {
    const [parameter = this.source.function] = this.source.function.params;
    return (
      this.declared && {
        names: [...this.declared.keys()],
        span: this.#declarationUse ?? this.spanOf(parameter),
      }
    );
  }

  /** Counts a statement that is read, so that loops in loops stay bounded. */
  step(node: AnyNode): void {
    this.#steps++;
    if (this.#steps <= mostSteps) return;
    if (this.#steps > mostSteps + 1) this.giveUp();
    this.refuse(
      node,
      "all rounds of the loops together are too many",
      "loop less: a probe is one straight program",
    );
  }

  /** Begins what stands inside something else. */
  enter(node: AnyNode): void {
    this.#depth++;
    if (this.#depth > deepest) this.refuse(node, "this is nested too deeply", "name parts of it with const");
  }

  /** Ends what `enter` began; where that is given up, `attempt` does so. */
  leave(): void {
    this.#depth--;
  }
}

/** Says whether an expression is the same at every place of one hit, and costs nothing. */
function isStable(expression: Expression): boolean {
  if (expression.kind === "cast") return isStable(expression.operand);
  return (
    ["integer", "kept", "site"].includes(expression.kind) ||
    (expression.kind === "name" && expression.name !== "nsecs")
  );
}

/** A shape as text, for comparing: without types, which the forms of its fields say. */
export function printShape(shape: Shape): string {
  return JSON.stringify(shape, (key, value: unknown) => {
    if (key === "type") return undefined;
    if (typeof value === "bigint") return `${value}n`;
    return value === undefined ? "undefined" : value;
  });
}
