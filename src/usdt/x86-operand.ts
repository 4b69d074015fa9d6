/**
 * Owns the operands of x86-64 as compilers write them for the GNU assembler: `%edi`, `$5`, `-8(%rbp,%rax,8)`, `sym+8(%rip)`.
 * Does not own symbols' places (operand.ts).
 */
import type { ArgumentSize } from "./marker.js";
import {
  locate,
  parseSum,
  unknownOperand,
  unreadable,
  type Operand,
  type OperandFile,
  type Sum,
} from "./operand.js";

export function parseX86Operand(text: string, file: OperandFile): Operand {
  if (/^%[c-gs]s:/i.test(text)) return unreadable("it lies in a segment (thread-local storage)");
  if (text.startsWith("%")) return parseRegister(text.slice(1));
  if (text.startsWith("$")) return parseConstant(text, file);
  return parseMemory(text, file);
}

function parseRegister(name: string): Operand {
  const found = registers.get(name.toLowerCase());
  if (found === undefined) {
    return vectorRegister.test(name)
      ? unreadable(`it lies in the floating-point register ${name}`)
      : unknownOperand(`%${name}`);
  }
  const { register, width, shift } = found;
  return { place: { kind: "register", register, shift }, width };
}

interface NamedRegister {
  readonly register: string;
  readonly width: ArgumentSize;
  readonly shift: 0 | 8;
}

/** Spec: the names of the 64, 32, 16 and 8 lower bits; only four registers have a name for bits 8 to 15. */
const registers: ReadonlyMap<string, NamedRegister> = new Map(
  [
    ...["a", "b", "c", "d"].map((name) => [
      `${name}x`,
      `r${name}x`,
      `e${name}x`,
      `${name}x`,
      `${name}l`,
      `${name}h`,
    ]),
    ...["si", "di", "bp", "sp"].map((name) => [name, `r${name}`, `e${name}`, name, `${name}l`]),
    ...[8, 9, 10, 11, 12, 13, 14, 15]
      .map((number) => `r${number}`)
      .map((name) => [name, name, `${name}d`, `${name}w`, `${name}b`]),
    ["ip", "rip"],
  ].flatMap(([register, ...names]) =>
    names.map((name, index) => {
      const width = ([8, 4, 2, 1, 1] as const)[index]!;
      return [name, { register: register!, width, shift: index === 4 ? 8 : 0 }] as const;
    }),
  ),
);

const vectorRegister = /^(?:[xyz]mm\d+|mm\d|st(?:\(\d\))?|k\d)$/i;

function parseConstant(text: string, file: OperandFile): Operand {
  const { sum, rest } = parseSum(text.slice(1)) ?? {};
  if (sum === undefined || rest !== "" || text.length === 1) return unknownOperand(text);
  if (sum.symbol === undefined) return { place: { kind: "constant", value: sum.addend } };
  const address = locate(sum, file);
  if (typeof address === "string") return unreadable(address);
  if (!file.isFixed) return unreadable(`it is the address of "${sum.symbol}", which moves with the file`);
  return { place: { kind: "constant", value: BigInt(address) } };
}

function parseMemory(text: string, file: OperandFile): Operand {
  const { sum, rest } = parseSum(text) ?? {};
  if (sum === undefined || text === "") return unknownOperand(text);
  if (rest === "") return parseAbsolute(sum, file);
  if (/^\(\s*%rip\s*\)$/i.test(rest!)) {
    return sum.symbol === undefined
      ? unreadable("it is relative to an instruction that the note does not name")
      : parseAbsolute(sum, file);
  }
  const [brackets, base, index, scale = "1"] = addressParts.exec(rest!) ?? [];
  if (brackets === undefined || (base === undefined && index === undefined)) return unknownOperand(text);
  const [baseName, indexName] = [base, index].map((name) => name && findAddressRegister(name));
  if ((base !== undefined && baseName === undefined) || (index !== undefined && indexName === undefined))
    return unknownOperand(text);
  const address = sum.symbol === undefined ? 0 : locate(sum, file);
  if (typeof address === "string") return unreadable(address);
  if (sum.symbol !== undefined && !file.isFixed)
    return unreadable(`it is counted from "${sum.symbol}", which moves with the file`);
  const displacement = BigInt.asIntN(64, sum.symbol === undefined ? sum.addend : BigInt(address));
  return {
    place: {
      kind: "memory",
      base: baseName,
      index: indexName,
      scale: Number(scale) as 1 | 2 | 4 | 8,
      extend: undefined,
      displacement,
    },
  };
}

/** `(base)`, `(base,index)`, `(,index,scale)`. */
const addressParts = /^\(\s*(?:%(\w+))?\s*(?:,\s*(?:%(\w+))?\s*(?:,\s*([1248])?\s*)?)?\)$/;

/** Spec: addresses of 32 bits need a prefix that no compiler writes for 64-bit code. */
function findAddressRegister(name: string): string | undefined {
  const found = registers.get(name.toLowerCase());
  return found?.width === 8 && found.register !== "ip" ? found.register : undefined;
}

function parseAbsolute(sum: Sum, file: OperandFile): Operand {
  if (sum.symbol === undefined) {
    const displacement = BigInt.asIntN(64, sum.addend);
    return {
      place: { kind: "memory", base: undefined, index: undefined, scale: 1, extend: undefined, displacement },
    };
  }
  const address = locate(sum, file);
  return typeof address === "string" ? unreadable(address) : { place: { kind: "static", address } };
}
