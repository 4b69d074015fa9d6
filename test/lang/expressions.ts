/**
 * Owns random C expressions over arg1 to arg6, for tests. What C leaves undefined is not among them: counts of shifts are in
 * range, and neither a division by zero nor one of INT_MIN by -1 can come up (gcc's -fwrapv defines the rest).
 */
import * as fc from "fast-check";

const types = [
  "int8_t",
  "uint8_t",
  "int16_t",
  "uint16_t",
  "int32_t",
  "uint32_t",
  "int64_t",
  "uint64_t",
  "bool",
];
const written = [
  "int",
  "unsigned",
  "char",
  "unsigned char",
  "short",
  "unsigned short int",
  "long",
  "unsigned long long",
  "size_t",
];
const literals = [
  "0",
  "1",
  "2",
  "-1",
  "7",
  "10",
  "100",
  "0x7f",
  "0x80",
  "0xff",
  "0377",
  "255u",
  "65535",
  "2147483647",
  "2147483648",
  "0x80000000",
  "0xffffffff",
  "4294967296",
  "-2147483648",
  "1L",
  "3ul",
  "0x7fffffffffffffff",
  "0xffffffffffffffff",
  "'a'",
  "'\\n'",
  "'\\xff'",
];

export const { expression } = fc.letrec<{ expression: string; leaf: string }>((tie) => ({
  leaf: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("arg1", "arg2", "arg3", "arg4", "arg5", "arg6") },
    {
      weight: 3,
      arbitrary: fc.constantFrom(...literals).map((text) => (text.startsWith("-") ? `(${text})` : text)),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom(...types, ...written), fc.constantFrom("arg1", "arg2", "arg3"))
        .map(([type, name]) => `((${type})${name})`),
    },
  ),
  expression: fc.oneof(
    { maxDepth: 5, depthIdentifier: "expression" },
    tie("leaf"),
    fc
      .tuple(fc.constantFrom("-", "~", "!", "+"), tie("expression"))
      .map(([operator, operand]) => `(${operator}${operand})`),
    fc
      .tuple(fc.constantFrom(...types, ...written), tie("expression"))
      .map(([type, operand]) => `((${type})${operand})`),
    fc.tuple(tie("expression"), fc.constantFrom("+", "-", "*", "&", "|", "^"), tie("expression")).map(join3),
    fc.tuple(tie("expression"), fc.constantFrom("+", "-", "*", "&", "|", "^"), tie("expression")).map(join3),
    fc
      .tuple(tie("expression"), fc.constantFrom("==", "!=", "<", "<=", ">", ">="), tie("expression"))
      .map(join3),
    fc.tuple(tie("expression"), fc.constantFrom("&&", "||"), tie("expression")).map(join3),
    fc.tuple(tie("expression"), fc.constantFrom("<<", ">>"), fc.nat(31)).map(join3),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("<<", ">>"),
        tie("expression").map((count) => `(${count} & 31)`),
      )
      .map(join3),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("/", "%"),
        fc.constantFrom("1", "2", "3", "7u", "10", "16", "1000L", "(-1)", "(-3)", "(-8)", "0x100000000"),
      )
      .map(join3),
    fc
      .tuple(
        tie("expression"),
        fc.constantFrom("/", "%"),
        tie("expression").chain((by) =>
          fc.constantFrom(
            `((uint32_t)${by} | 1)`,
            `((uint64_t)${by} | 1)`,
            `(((int)${by} & 3) - 5)`,
            `(((long)${by} & 3) - 5)`,
            `((short)(((int)${by} & 7) + 1))`,
          ),
        ),
      )
      .map(join3),
    fc
      .tuple(tie("expression"), tie("expression"), tie("expression"))
      .map(([condition, then, otherwise]) => `(${condition} ? ${then} : ${otherwise})`),
  ),
}));

/** `waiting + *(int *)address`, where computing the address takes nearly all registers while others wait. arg3 + 0 or + 1 comes out. */
export const crowded = fc.tuple(expression, expression, expression).map(([waiting, compared, divisor]) => ({
  waiting: `((long)(${waiting}))`,
  address: `(arg3 + ((${compared}) <= (arg6 >> ((((short)arg1) / (((int)(${divisor}) & 3) - 5)) & 63) ? arg1 : 5)))`,
}));

function join3([left, operator, right]: [string | number, string, string | number]): string {
  return `(${left} ${operator} ${right})`;
}
