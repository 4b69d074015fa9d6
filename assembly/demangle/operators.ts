/**
 * Owns the table of operators in C++ symbols: their two letters, how they are written and how many operands they take.
 * Does not own the expressions that they stand in.
 */
import { Text } from "../text";

// Spec: Itanium C++ ABI 5.1.3, <operator-name>. Letters are numbers of two bytes, as Cursor.peekLetters() reads them.

/** How an operator is written; empty when there is none of these letters. */
export function findOperator(letters: i32): string {
  const unary = findUnary(letters);
  if (unary.length > 0) return unary;
  const binary = findBinary(letters);
  return binary.length > 0 ? binary : findOther(letters);
}

/** How many operands an operator takes; 3 for those whose expressions have forms of their own. */
export function countOperands(letters: i32): i32 {
  if (findUnary(letters).length > 0) return 1;
  return findBinary(letters).length > 0 ? 2 : 3;
}

/** Adds the name of the function that overloads an operator: `operator+`, `operator new[]`. */
export function addOperatorName(text: Text, operator: string): void {
  const first = operator.charCodeAt(0);
  text.addWords(first >= 0x61 && first <= 0x7a ? "operator " : "operator");
  text.addWords(operator);
  if (operator.charCodeAt(operator.length - 1) === 0x20) text.end--;
}

function findUnary(letters: i32): string {
  switch (letters) {
    case 0x6177: // aw
      return "co_await ";
    case 0x7073: // ps
      return "+";
    case 0x6e67: // ng
      return "-";
    case 0x6164: // ad
      return "&";
    case 0x6465: // de
      return "*";
    case 0x636f: // co
      return "~";
    case 0x6e74: // nt
      return "!";
    case 0x7070: // pp
      return "++";
    case 0x6d6d: // mm
      return "--";
    case 0x646c: // dl
      return "delete ";
    case 0x6461: // da
      return "delete[] ";
    case 0x617a: // az
      return "alignof ";
    case 0x737a: // sz
      return "sizeof ";
    case 0x6e78: // nx
      return "noexcept";
    case 0x7465: // te
      return "typeid ";
    default:
      return "";
  }
}

function findBinary(letters: i32): string {
  switch (letters) {
    case 0x706c: // pl
      return "+";
    case 0x6d69: // mi
      return "-";
    case 0x6d6c: // ml
      return "*";
    case 0x6476: // dv
      return "/";
    case 0x726d: // rm
      return "%";
    case 0x616e: // an
      return "&";
    case 0x6f72: // or
      return "|";
    case 0x656f: // eo
      return "^";
    case 0x6153: // aS
      return "=";
    case 0x704c: // pL
      return "+=";
    case 0x6d49: // mI
      return "-=";
    case 0x6d4c: // mL
      return "*=";
    case 0x6456: // dV
      return "/=";
    case 0x724d: // rM
      return "%=";
    case 0x614e: // aN
      return "&=";
    case 0x6f52: // oR
      return "|=";
    case 0x654f: // eO
      return "^=";
    case 0x6c73: // ls
      return "<<";
    case 0x7273: // rs
      return ">>";
    case 0x6c53: // lS
      return "<<=";
    case 0x7253: // rS
      return ">>=";
    case 0x6571: // eq
      return "==";
    case 0x6e65: // ne
      return "!=";
    case 0x6c74: // lt
      return "<";
    case 0x6774: // gt
      return ">";
    case 0x6c65: // le
      return "<=";
    case 0x6765: // ge
      return ">=";
    case 0x7373: // ss
      return "<=>";
    case 0x6161: // aa
      return "&&";
    case 0x6f6f: // oo
      return "||";
    case 0x636d: // cm
      return ",";
    case 0x706d: // pm
      return "->*";
    case 0x6473: // ds
      return ".*";
    case 0x6978: // ix
      return "[]";
    default:
      return "";
  }
}

/** Operators whose name can be declared, but whose expressions have forms of their own. */
function findOther(letters: i32): string {
  switch (letters) {
    case 0x6e77: // nw
      return "new";
    case 0x6e61: // na
      return "new[]";
    case 0x636c: // cl
      return "()";
    case 0x7074: // pt
      return "->";
    case 0x7175: // qu
      return "?";
    default:
      return "";
  }
}
