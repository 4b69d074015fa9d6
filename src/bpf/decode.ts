/**
 * Owns reading instructions back from their bytes, each checked against the table of opcodes.
 * Does not own whether a program makes sense: jumps may go anywhere, as in encode.ts.
 */
import { FormatError } from "../base/errors.js";
import { slotBytes } from "./encode.js";
import type { Instruction, Register } from "./instruction.js";
import { findRow, lddw } from "./opcodes.js";

/** Reads all instructions. Throws a FormatError at the first that no kernel knows. A map's lddw keeps its file descriptor as `imm`. */
export function decode(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length % slotBytes !== 0)
    refuse(view, Math.floor(bytes.length / slotBytes), "half an instruction");
  const instructions: Instruction[] = [];
  for (let slot = 0; slot * slotBytes < bytes.length; slot++) {
    const instruction = readInstruction(view, slot);
    if (instruction.wide !== undefined) slot++;
    instructions.push(instruction);
  }
  return instructions;
}

function readInstruction(view: DataView, slot: number): Instruction {
  const at = slot * slotBytes;
  const registers = view.getUint8(at + 1);
  const dst = registers & 0x0f;
  const src = registers >> 4;
  if (!isRegister(dst) || !isRegister(src)) return refuse(view, slot, "a register beyond r10");
  const plain = {
    opcode: view.getUint8(at),
    dst,
    src,
    offset: view.getInt16(at + 2, true),
    imm: view.getInt32(at + 4, true),
  };
  const instruction = plain.opcode === lddw ? { ...plain, wide: readWide(view, slot) } : plain;
  return findRow(instruction) === undefined ? refuse(view, slot, "an unknown instruction") : instruction;
}

/** Spec: the second slot of lddw holds the high half; all its other fields are reserved and zero. */
function readWide(view: DataView, slot: number): bigint {
  const second = (slot + 1) * slotBytes;
  if (second >= view.byteLength) return refuse(view, slot, "half a 64-bit constant");
  if (view.getUint32(second, true) !== 0)
    return refuse(view, slot + 1, "a damaged second half of a 64-bit constant");
  return (BigInt(view.getUint32(second + 4, true)) << 32n) | BigInt(view.getUint32(second - 4, true));
}

function isRegister(value: number): value is Register {
  return value <= 10;
}

function refuse(view: DataView, slot: number, what: string): never {
  const at = slot * slotBytes;
  const shown = Array.from({ length: Math.min(slotBytes, view.byteLength - at) }, (_, index) =>
    view
      .getUint8(at + index)
      .toString(16)
      .padStart(2, "0"),
  );
  throw new FormatError({
    what: `${what} in an eBPF program`,
    at: `slot ${slot}: bytes ${shown.join(" ")}`,
    fix: "check that these bytes are eBPF instructions of a little-endian machine",
  });
}
