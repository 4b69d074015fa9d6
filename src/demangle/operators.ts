/**
 * Owns the table of operators in C++ symbols: their two letters, how they are written and how many operands they take.
 * Does not own the expressions that they stand in.
 */

export interface Operator {
  readonly symbol: string;
  readonly operands: 1 | 2 | 3;
}

// Spec: Itanium C++ ABI 5.1.3, <operator-name>.
const unary: Readonly<Record<string, string>> = {
  aw: "co_await ",
  ps: "+",
  ng: "-",
  ad: "&",
  de: "*",
  co: "~",
  nt: "!",
  pp: "++",
  mm: "--",
  dl: "delete ",
  da: "delete[] ",
  az: "alignof ",
  sz: "sizeof ",
  nx: "noexcept",
  te: "typeid ",
};
const binary: Readonly<Record<string, string>> = {
  pl: "+",
  mi: "-",
  ml: "*",
  dv: "/",
  rm: "%",
  an: "&",
  or: "|",
  eo: "^",
  aS: "=",
  pL: "+=",
  mI: "-=",
  mL: "*=",
  dV: "/=",
  rM: "%=",
  aN: "&=",
  oR: "|=",
  eO: "^=",
  ls: "<<",
  rs: ">>",
  lS: "<<=",
  rS: ">>=",
  eq: "==",
  ne: "!=",
  lt: "<",
  gt: ">",
  le: "<=",
  ge: ">=",
  ss: "<=>",
  aa: "&&",
  oo: "||",
  cm: ",",
  pm: "->*",
  ds: ".*",
  ix: "[]",
};
/** Operators whose name can be declared, but whose expressions have forms of their own. */
const others: Readonly<Record<string, string>> = { nw: "new", na: "new[]", cl: "()", pt: "->", qu: "?" };

const operators: ReadonlyMap<string, Operator> = new Map([
  ...withOperands(unary, 1),
  ...withOperands(binary, 2),
  ...withOperands(others, 3),
]);

export function findOperator(letters: string): Operator | undefined {
  return operators.get(letters);
}

/** The name of the function that overloads an operator: `operator+`, `operator new[]`. */
export function printOperatorName(operator: Operator): string {
  const symbol = operator.symbol.trimEnd();
  const first = symbol.charCodeAt(0);
  return first >= 0x61 && first <= 0x7a ? `operator ${symbol}` : `operator${symbol}`;
}

function withOperands(symbols: Readonly<Record<string, string>>, operands: 1 | 2 | 3): [string, Operator][] {
  return Object.entries(symbols).map(([letters, symbol]) => [letters, { symbol, operands }]);
}
