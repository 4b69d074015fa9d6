/**
 * Owns the text of a probe's tree, for -v and for golden files.
 * Does not own the tree (tree.ts).
 */
import { unreachable } from "../base/assert.js";
import type {
  EmitField,
  Expression,
  FieldForm,
  KeyPart,
  ProbeTree,
  Selector,
  Statement,
  Variable,
} from "./tree.js";
import { printType } from "./types.js";

/** Prints the selector, the parameters and each statement on lines of their own. */
export function printTree({ selector, parameters, body }: ProbeTree): string {
  const lines = [
    printSelector(selector),
    ...parameters.map(({ name, type }, index) => `arg${index + 1}: ${printType(type)} ${name}`.trimEnd()),
    ...body.flatMap(printStatement),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function printSelector(selector: Selector): string {
  const library = JSON.stringify(selector.library);
  switch (selector.kind) {
    case "function": {
      const offset = selector.offset === 0 ? "" : ` + ${selector.offset}`;
      return `${selector.at} of ${JSON.stringify(selector.symbol)}${offset} in ${library}`;
    }
    case "address":
      return `address 0x${selector.address.toString(16)} in ${library}`;
    case "marker": {
      const provider = selector.provider === undefined ? "" : `${JSON.stringify(selector.provider)} : `;
      return `marker ${provider}${JSON.stringify(selector.marker)} in ${library}`;
    }
    default:
      return unreachable(selector);
  }
}

function printStatement(statement: Statement): string[] {
  switch (statement.kind) {
    case "require":
      return [`require ${printExpression(statement.condition)}`];
    case "emit": {
      const shape = statement.shape === 0 ? "" : ` ${statement.shape}`;
      return [`emit${shape}${statement.strict ? " strict" : ""}`, ...statement.fields.map(printField)];
    }
    case "declare":
      return [`${printVariable(statement.variable)} := ${printExpression(statement.value)}`];
    case "assign":
      return [`${nameOf(statement.variable)} = ${printExpression(statement.value)}`];
    case "if": {
      const { whenTrue, whenFalse } = statement;
      const otherwise = whenFalse.length === 0 ? [] : ["else", ...indent(whenFalse)];
      return [`if ${printExpression(statement.condition)}`, ...indent(whenTrue), ...otherwise];
    }
    case "block":
      return [`block ${statement.label}`, ...indent(statement.body)];
    case "leave":
      return [`leave ${statement.label}`];
    case "finish":
      return ["finish"];
    case "update": {
      const value = statement.value === undefined ? "" : ` ${printExpression(statement.value)}`;
      return [`${statement.operation} aggregate ${statement.aggregate}${printKey(statement.key)}${value}`];
    }
    case "look-up": {
      const { variable, found, aggregate, key } = statement;
      return [
        `${printVariable(variable)}, ${printVariable(found)} := look up aggregate ${aggregate}${printKey(key)}`,
      ];
    }
    case "keep":
      return ["keep", ...statement.fields.map(printField)];
    default:
      return unreachable(statement);
  }
}

function indent(statements: readonly Statement[]): string[] {
  return statements.flatMap(printStatement).map((line) => `  ${line}`);
}

function printField({ name, value, form }: EmitField): string {
  return `  ${JSON.stringify(name)}: ${printForm(form)} = ${printExpression(value)}`;
}

function printForm(form: FieldForm): string {
  switch (form.kind) {
    case "integer":
      return `${form.exact === true ? "exact " : ""}${form.type === undefined ? "integer" : printType(form.type)}`;
    case "text": {
      const length = form.length === undefined ? "" : ` of ${printExpression(form.length)} bytes`;
      return `text${length}${form.limit === undefined ? "" : ` up to ${form.limit}`}`;
    }
    case "bytes":
      return `${form.count} bytes`;
    case "stack":
      return "stack";
    case "symbol":
      return `${form.space} symbol`;
    default:
      return unreachable(form);
  }
}

function printKey(parts: readonly KeyPart[]): string {
  return parts.length === 0 ? "" : ` [${parts.map(printKeyPart).join(", ")}]`;
}

function printKeyPart(part: KeyPart): string {
  switch (part.kind) {
    case "integer":
      return printExpression(part.value);
    case "text":
      return `text${part.length === undefined ? "" : ` of ${printExpression(part.length)} bytes`} ${printExpression(part.value)}`;
    case "literal":
      return JSON.stringify(String.fromCharCode(...part.text));
    case "stack":
      return "stack";
    default:
      return unreachable(part);
  }
}

/** Where a variable is declared, with the type that it is given. */
function printVariable(variable: Variable): string {
  return variable.type === undefined ? nameOf(variable) : `${printType(variable.type)} ${nameOf(variable)}`;
}

function nameOf({ name, number }: Variable): string {
  return `${name}.${number}`;
}

/** Prints an expression with every operation in parentheses, operator first. */
function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case "integer":
      return `${expression.value}${expression.type.bytes === 4 && expression.type.signed ? "" : `:${printType(expression.type)}`}`;
    case "text":
      return JSON.stringify(expression.value);
    case "name":
      return expression.name;
    case "variable":
      return nameOf(expression.variable);
    case "argument":
      return `argument ${expression.index}:${printType(expression.type)}`;
    case "tunable":
      return `tunable ${expression.index}:${printType(expression.type)}`;
    case "kept":
      return `kept ${expression.index}`;
    case "elapsed":
    case "site":
      return expression.kind;
    case "register":
      return `register ${expression.name}`;
    case "unary":
      return `(${expression.operator} ${printExpression(expression.operand)})`;
    case "binary":
      return `(${expression.operator} ${printExpression(expression.left)} ${printExpression(expression.right)})`;
    case "conditional":
      return `(? ${printExpression(expression.condition)} ${printExpression(expression.whenTrue)} ${printExpression(expression.whenFalse)})`;
    case "cast":
      return `(cast ${printType(expression.type)} ${printExpression(expression.operand)})`;
    case "dereference":
      return `(read ${printExpression(expression.operand)})`;
    case "index":
      return `(index ${printExpression(expression.base)} ${printExpression(expression.index)})`;
    case "same-text": {
      const text = String.fromCharCode(...expression.literal);
      return `(same-${expression.compared} ${JSON.stringify(text)} ${printExpression(expression.operand)})`;
    }
    default:
      return unreachable(expression);
  }
}
