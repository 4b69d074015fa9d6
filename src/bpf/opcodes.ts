/**
 * Owns the one table of every instruction that uscope knows: its number, its form, which fields it uses, and since which kernel.
 * Does not own the bytes (encode.ts, decode.ts), the text (print.ts) nor the constructors (build.ts), which all read this table.
 *
 *      opcode of ALU, JMP:     operation (4 bits) | source (1) | class (3)
 *      opcode of LD, ST:       mode (3 bits)      | size (2)   | class (3)
 *
 * Spec: Documentation/bpf/standardization/instruction-set.rst (RFC 9669).
 */
import type { Instruction } from "./instruction.js";

/** Bytes that one access of memory moves. */
export type Size = 1 | 2 | 4 | 8;
/** Bits that an operation looks at. */
export type Width = 32 | 64;
/** Where the second operand lies. */
export type Source = "immediate" | "register";

export type AluOperation = keyof typeof aluOperations;
export type Condition = keyof typeof conditions;
export type AtomicOperation = keyof typeof atomicOperations;
export type ByteOrder = keyof typeof byteOrders;
export type Constant = keyof typeof constants;
export type Callee = keyof typeof callees;

/** What an instruction does, without its operands. */
export type Form =
  | { readonly kind: "alu"; readonly operation: AluOperation; readonly width: Width; readonly source: Source }
  | { readonly kind: "negate"; readonly width: Width }
  | { readonly kind: "move-signed"; readonly from: 8 | 16 | 32; readonly width: Width }
  | { readonly kind: "byte-swap"; readonly order: ByteOrder; readonly width: 16 | 32 | 64 }
  | { readonly kind: "load"; readonly size: Size; readonly signed: boolean }
  | { readonly kind: "store"; readonly size: Size; readonly source: Source }
  | { readonly kind: "atomic"; readonly operation: AtomicOperation; readonly size: 4 | 8 }
  | { readonly kind: "constant"; readonly constant: Constant }
  | { readonly kind: "jump"; readonly reach: 16 | 32 }
  | { readonly kind: "branch"; readonly condition: Condition; readonly width: Width; readonly source: Source }
  | { readonly kind: "call"; readonly callee: Callee }
  | { readonly kind: "exit" };

/** A field that may hold anything its bits allow; a number is the only value allowed there. */
export type Field = number | "free";

export interface OpcodeRow {
  readonly opcode: number;
  readonly form: Form;
  readonly dst: Field;
  readonly src: Field;
  readonly offset: Field;
  readonly imm: Field;
  /** The first kernel whose verifier takes it. */
  readonly since: string;
}

export const classes = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jump: 5, jump32: 6, alu64: 7 } as const;
export const sizeCodes = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
export const sourceCodes = { immediate: 0x00, register: 0x08 } as const;
export const modes = { constant: 0x00, memory: 0x60, memorySigned: 0x80, atomic: 0xc0 } as const;
export const codes = { negate: 0x80, byteSwap: 0xd0, jump: 0x00, call: 0x80, exit: 0x90 } as const;

/** `offset` is an opcode extension: 1 makes the signed twin of a division. */
export const aluOperations = {
  add: { code: 0x00, offset: 0, symbol: "+=", since: "3.18" },
  sub: { code: 0x10, offset: 0, symbol: "-=", since: "3.18" },
  mul: { code: 0x20, offset: 0, symbol: "*=", since: "3.18" },
  div: { code: 0x30, offset: 0, symbol: "/=", since: "3.18" },
  sdiv: { code: 0x30, offset: 1, symbol: "s/=", since: "6.6" },
  or: { code: 0x40, offset: 0, symbol: "|=", since: "3.18" },
  and: { code: 0x50, offset: 0, symbol: "&=", since: "3.18" },
  lsh: { code: 0x60, offset: 0, symbol: "<<=", since: "3.18" },
  rsh: { code: 0x70, offset: 0, symbol: ">>=", since: "3.18" },
  mod: { code: 0x90, offset: 0, symbol: "%=", since: "3.18" },
  smod: { code: 0x90, offset: 1, symbol: "s%=", since: "6.6" },
  xor: { code: 0xa0, offset: 0, symbol: "^=", since: "3.18" },
  mov: { code: 0xb0, offset: 0, symbol: "=", since: "3.18" },
  arsh: { code: 0xc0, offset: 0, symbol: "s>>=", since: "3.18" },
} as const;

/** `set` holds when any bit is common to both sides. */
export const conditions = {
  eq: { code: 0x10, symbol: "==", since: "3.18" },
  gt: { code: 0x20, symbol: ">", since: "3.18" },
  ge: { code: 0x30, symbol: ">=", since: "3.18" },
  set: { code: 0x40, symbol: "&", since: "3.18" },
  ne: { code: 0x50, symbol: "!=", since: "3.18" },
  sgt: { code: 0x60, symbol: "s>", since: "3.18" },
  sge: { code: 0x70, symbol: "s>=", since: "3.18" },
  lt: { code: 0xa0, symbol: "<", since: "4.14" },
  le: { code: 0xb0, symbol: "<=", since: "4.14" },
  slt: { code: 0xc0, symbol: "s<", since: "4.14" },
  sle: { code: 0xd0, symbol: "s<=", since: "4.14" },
} as const;

/** The operation stands in the immediate. Bit 0 asks for the old value, in the source register (in r0 for "compare-exchange"). */
export const atomicOperations = {
  add: { imm: 0x00, symbol: "+=", since: "3.18" },
  or: { imm: 0x40, symbol: "|=", since: "5.12" },
  and: { imm: 0x50, symbol: "&=", since: "5.12" },
  xor: { imm: 0xa0, symbol: "^=", since: "5.12" },
  "fetch-add": { imm: 0x01, symbol: "add", since: "5.12" },
  "fetch-or": { imm: 0x41, symbol: "or", since: "5.12" },
  "fetch-and": { imm: 0x51, symbol: "and", since: "5.12" },
  "fetch-xor": { imm: 0xa1, symbol: "xor", since: "5.12" },
  exchange: { imm: 0xe1, symbol: "xchg", since: "5.12" },
  "compare-exchange": { imm: 0xf1, symbol: "cmpxchg", since: "5.12" },
} as const;

/** `le` and `be` convert between the machine's order and the named one; `swap` always turns the bytes round. */
export const byteOrders = {
  le: { class: classes.alu, source: sourceCodes.immediate, since: "3.18" },
  be: { class: classes.alu, source: sourceCodes.register, since: "3.18" },
  swap: { class: classes.alu64, source: sourceCodes.immediate, since: "6.6" },
} as const;

/** What the 64 bits of lddw mean, said by its source field. */
export const constants = {
  number: { src: 0, since: "3.18" },
  map: { src: 1, since: "3.18" },
  "map-value": { src: 2, since: "5.2" },
  "kernel-variable": { src: 3, since: "5.10" },
  function: { src: 4, since: "5.13" },
  "map-by-index": { src: 5, since: "5.14" },
  "map-value-by-index": { src: 6, since: "5.14" },
} as const;

/** What a call's immediate means, said by its source field: a helper's number, a distance in slots, or a BTF id. */
export const callees = {
  helper: { src: 0, since: "3.18" },
  local: { src: 1, since: "4.16" },
  "kernel-function": { src: 2, since: "5.13" },
} as const;

/** The opcode of lddw, the only instruction that takes two slots. */
export const lddw = classes.ld | modes.constant | sizeCodes[8];

const sizes = [1, 2, 4, 8] as const;
const atomicSizes = [4, 8] as const;
const widths = [32, 64] as const;
const sources = ["immediate", "register"] as const;

export const opcodeTable: readonly OpcodeRow[] = [
  ...aluRows(),
  ...widths.map((width) =>
    row(aluClass(width) | codes.negate, { kind: "negate", width }, { dst: "free" }, "3.18"),
  ),
  ...moveSignedRows(),
  ...byteSwapRows(),
  ...memoryRows(),
  ...atomicRows(),
  ...entries(constants).map(([constant, { src, since }]) =>
    row(lddw, { kind: "constant", constant }, { dst: "free", src, imm: "free" }, since),
  ),
  row(classes.jump | codes.jump, { kind: "jump", reach: 16 }, { offset: "free" }, "3.18"),
  row(classes.jump32 | codes.jump, { kind: "jump", reach: 32 }, { imm: "free" }, "6.6"),
  ...branchRows(),
  ...entries(callees).map(([callee, { src, since }]) =>
    row(classes.jump | codes.call, { kind: "call", callee }, { src, imm: "free" }, since),
  ),
  row(classes.jump | codes.exit, { kind: "exit" }, {}, "3.18"),
];

const rowsByOpcode = new Map<number, OpcodeRow[]>();
for (const row of opcodeTable) rowsByOpcode.set(row.opcode, [...(rowsByOpcode.get(row.opcode) ?? []), row]);

/** Finds the row that an instruction belongs to, or undefined when no kernel knows it. */
export function findRow(instruction: Instruction): OpcodeRow | undefined {
  return rowsByOpcode.get(instruction.opcode)?.find((row) => matches(row, instruction));
}

/** The class that does arithmetic of a width. */
export function aluClass(width: Width): number {
  return width === 64 ? classes.alu64 : classes.alu;
}

/** The class that compares values of a width. */
export function jumpClass(width: Width): number {
  return width === 64 ? classes.jump : classes.jump32;
}

function matches(row: OpcodeRow, { dst, src, offset, imm }: Instruction): boolean {
  return fits(row.dst, dst) && fits(row.src, src) && fits(row.offset, offset) && fits(row.imm, imm);
}

function fits(field: Field, value: number): boolean {
  return field === "free" || field === value;
}

function aluRows(): OpcodeRow[] {
  return entries(aluOperations).flatMap(([operation, { code, offset, since }]) =>
    widths.flatMap((width) =>
      sources.map((source) =>
        row(
          aluClass(width) | code | sourceCodes[source],
          { kind: "alu", operation, width, source },
          { dst: "free", offset, ...operand(source) },
          since,
        ),
      ),
    ),
  );
}

function moveSignedRows(): OpcodeRow[] {
  const opcode = aluOperations.mov.code | sourceCodes.register;
  const forms = [
    { width: 32, from: 8 },
    { width: 32, from: 16 },
    { width: 64, from: 8 },
    { width: 64, from: 16 },
    { width: 64, from: 32 },
  ] as const;
  return forms.map(({ width, from }) =>
    row(
      aluClass(width) | opcode,
      { kind: "move-signed", from, width },
      { dst: "free", src: "free", offset: from },
      "6.6",
    ),
  );
}

function byteSwapRows(): OpcodeRow[] {
  return entries(byteOrders).flatMap(([order, { class: own, source, since }]) =>
    ([16, 32, 64] as const).map((width) =>
      row(
        own | codes.byteSwap | source,
        { kind: "byte-swap", order, width },
        { dst: "free", imm: width },
        since,
      ),
    ),
  );
}

function memoryRows(): OpcodeRow[] {
  return sizes.flatMap((size) => {
    const place = modes.memory | sizeCodes[size];
    const rows = [
      row(
        classes.ldx | place,
        { kind: "load", size, signed: false },
        { dst: "free", src: "free", offset: "free" },
        "3.18",
      ),
      ...sources.map((source) =>
        row(
          (source === "register" ? classes.stx : classes.st) | place,
          { kind: "store", size, source },
          { dst: "free", offset: "free", ...operand(source) },
          "3.18",
        ),
      ),
    ];
    if (size === 8) return rows;
    const signed = classes.ldx | modes.memorySigned | sizeCodes[size];
    return [
      ...rows,
      row(signed, { kind: "load", size, signed: true }, { dst: "free", src: "free", offset: "free" }, "6.6"),
    ];
  });
}

function atomicRows(): OpcodeRow[] {
  return entries(atomicOperations).flatMap(([operation, { imm, since }]) =>
    atomicSizes.map((size) =>
      row(
        classes.stx | modes.atomic | sizeCodes[size],
        { kind: "atomic", operation, size },
        { dst: "free", src: "free", offset: "free", imm },
        since,
      ),
    ),
  );
}

function branchRows(): OpcodeRow[] {
  return entries(conditions).flatMap(([condition, { code, since }]) =>
    widths.flatMap((width) =>
      sources.map((source) =>
        row(
          jumpClass(width) | code | sourceCodes[source],
          { kind: "branch", condition, width, source },
          { dst: "free", offset: "free", ...operand(source) },
          // Kernel: comparisons of 32 bits came with their own class.
          width === 32 ? "5.1" : since,
        ),
      ),
    ),
  );
}

function operand(source: Source): Partial<OpcodeRow> {
  return source === "register" ? { src: "free" } : { imm: "free" };
}

/** A row whose fields are zero where nothing is said. */
function row(opcode: number, form: Form, fields: Partial<OpcodeRow>, since: string): OpcodeRow {
  return { opcode, form, dst: 0, src: 0, offset: 0, imm: 0, ...fields, since };
}

function entries<Name extends string, Value>(table: Readonly<Record<Name, Value>>): [Name, Value][] {
  return Object.entries(table) as [Name, Value][];
}
