/**
 * Owns how parts of C++ expressions are put together as text, which is to say the brackets.
 * Does not own reading them from symbols.
 */

export interface ExpressionText {
  readonly text: string;
  /** A word or a list in braces, which as an operand needs no brackets. */
  readonly isBare: boolean;
  /** For a function: its name without parameters, as calls print it. */
  readonly callee?: ExpressionText & { readonly isScoped: boolean };
}

export function word(text: string): ExpressionText {
  return { text, isBare: true };
}

export function compound(text: string): ExpressionText {
  return { text, isBare: false };
}

export function printOperand(expression: ExpressionText): string {
  return expression.isBare ? expression.text : `(${expression.text})`;
}
