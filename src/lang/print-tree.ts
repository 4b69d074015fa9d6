/**
 * Owns the text of a probe's tree, for -v and for golden files.
 * Does not own the tree (tree.ts).
 */
import { unreachable } from "../base/assert.js";
import type { Expression, FieldForm, ProbeTree, Selector, Statement } from "./tree.js";
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
    case "emit":
      return [
        "emit",
        ...statement.fields.map(
          ({ name, value, form }) =>
            `  ${JSON.stringify(name)}: ${printForm(form)} = ${printExpression(value)}`,
        ),
      ];
    default:
      return unreachable(statement);
  }
}

function printForm(form: FieldForm): string {
  switch (form.kind) {
    case "integer":
      return printType(form.type);
    case "text":
      return form.length === undefined ? "text" : `text of ${printExpression(form.length)} bytes`;
    case "symbol":
      return `${form.space} symbol`;
    default:
      return unreachable(form);
  }
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
