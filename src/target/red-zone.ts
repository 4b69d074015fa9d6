/**
 * Owns the proof that nothing lies below the stack pointer at a place inside a function, where a call would overwrite it.
 * Does not own who makes such a call: kernels since 6.18, of a nop of five bytes that is probed.
 */
import type { VirtualAddress } from "../base/bytes.js";
import { readStackUse } from "../isa/x86-stack.js";
import type { StackUse } from "../isa/x86-stack.js";
import type { Binary } from "./binary.js";
import { CodeReader } from "./code.js";
import { findFramePlace } from "./frame-rules.js";
import { wholeOfPiece } from "./pieces.js";
import { findUnwindEntry } from "./unwind-table.js";
import type { UnwindEntry } from "./unwind-table.js";

/**
 * Kernel: since 6.18 a nop of five bytes becomes a call after its first hit, and a call writes below the stack pointer.
 * Why not at entries: below a function's own return address nothing of its caller's is alive.
 */
export const becomesCall =
  "this kernel makes the 5-byte nop there a call, which overwrites what a leaf function keeps below its stack pointer";

/**
 * Says whether a function may keep values below its stack pointer at this place. It does not at its first instruction; and not
 * where it has moved the stack pointer, calls, and names nothing below: gcc (ix86_compute_frame_layout) and LLVM
 * (X86FrameLowering) use the red zone in leaf functions alone. Why all three: calls in inline assembly make no function one
 * that calls, and a leaf may push a register and use the red zone too.
 */
export function mayUseRedZone(binary: Binary, address: VirtualAddress): boolean {
  // Spec: AAPCS64 6.4.5.1: nothing below sp is kept.
  if (binary.elf.machine === "arm64") return false;
  return !isEntry(binary, address) && !hasOwnFrame(binary, address);
}

/**
 * Why names too: a piece of a leaf function (f.cold), reached by a jump, has the unwind entry of a function; without
 * names, in stripped files, nothing tells them apart.
 */
function isEntry(binary: Binary, address: VirtualAddress): boolean {
  const names = binary.functions.at(address).map(({ name }) => name);
  const entry = findUnwindEntry(binary.elf, address);
  const startsAsCalled = entry === undefined || (entry.start === address && !entry.startsInFrame);
  return startsAsCalled && names.length > 0 && names.every((name) => wholeOfPiece(name) === undefined);
}

/** Says whether all that the function keeps lies at or above its stack pointer. */
function hasOwnFrame(binary: Binary, address: VirtualAddress): boolean {
  const entry = findUnwindEntry(binary.elf, address);
  const frame = entry && findFramePlace(entry, address, "x86-64");
  if (entry === undefined || frame === undefined) return false;
  const use = stackUseOf(binary, entry);
  if (use === undefined || !use.calls || use.namesBelowStack) return false;
  if (frame.register === "sp") return frame.distance > returnAddressBytes;
  const moved = use.moves.findLast(({ at }) => entry.start + at < address);
  return use.namedBelowFrame <= (moved?.bytes ?? 0);
}

function stackUseOf(binary: Binary, { start, bytes }: UnwindEntry): StackUse | undefined {
  const known = lastDecoded.get(binary);
  if (known?.start === start) return known.use;
  const use = readStackUse(new CodeReader(binary).read(start, bytes));
  lastDecoded.set(binary, { start, use });
  return use;
}

/** Why kept: thousands of markers may stand in one function. */
const lastDecoded = new WeakMap<
  Binary,
  { readonly start: VirtualAddress; readonly use: StackUse | undefined }
>();

/** What the frame is above the stack pointer as long as nothing has moved it. */
const returnAddressBytes = 8n;
