/**
 * Owns the instruction boundaries of a whole function, decoded in one line from its start.
 * Does not own single entries (entry.ts). The decoder library is loaded here, and only for what the own decoder does not know.
 */
import { longestInstruction } from "./entry.js";
import type { Machine } from "./instruction-class.js";
import { decodeX86 } from "./x86-decode.js";

export interface Boundaries {
  /** Where instructions start, in bytes from the function's start, ascending. */
  readonly starts: Uint32Array;
  /** The first place that is no known instruction; nothing behind it is proved. */
  readonly undecoded: number | undefined;
}

/** Decodes a function's bytes from its start; every boundary found is proved by the ones before it. */
export async function readBoundaries(machine: Machine, bytes: Uint8Array): Promise<Boundaries> {
  return machine === "x86-64" ? readX86(bytes) : readArm64(bytes);
}

/** Says whether an instruction starts at this distance, and which starts are next to it. */
export function findBoundary(
  boundaries: Boundaries,
  offset: number,
): { readonly exact: boolean; readonly before: number | undefined; readonly after: number | undefined } {
  const { starts } = boundaries;
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return { exact: starts[low] === offset, before: starts[low - 1], after: starts[low] };
}

async function readX86(bytes: Uint8Array): Promise<Boundaries> {
  const known = readKnownX86(bytes);
  if (known !== undefined) return { starts: Uint32Array.from(known), undecoded: undefined };
  const { Code, Decoder, DecoderOptions, Instruction } = await import("iced-x86");
  const decoder = new Decoder(64, bytes, DecoderOptions.None);
  const instruction = new Instruction();
  const starts: number[] = [];
  try {
    while (decoder.canDecode) {
      const position = decoder.position;
      decoder.decodeOut(instruction);
      if (instruction.code === Code.INVALID) return { starts: Uint32Array.from(starts), undecoded: position };
      starts.push(position);
    }
  } finally {
    instruction.free();
    decoder.free();
  }
  return { starts: Uint32Array.from(starts), undecoded: undefined };
}

/** Undefined where the own decoder does not know an instruction. Why first: the library takes up to 0.1 s to load. */
function readKnownX86(bytes: Uint8Array): readonly number[] | undefined {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const instruction = decodeX86(bytes.subarray(at, at + longestInstruction));
    if (instruction === undefined) return undefined;
    starts.push(at);
    at += instruction.length;
  }
  return starts;
}

/** Spec: every A64 instruction has four bytes; UDF words (top half zero) are data. */
function readArm64(bytes: Uint8Array): Boundaries {
  const starts: number[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    if (view.getUint16(offset + 2, true) === 0)
      return { starts: Uint32Array.from(starts), undecoded: offset };
    starts.push(offset);
  }
  return { starts: Uint32Array.from(starts), undecoded: undefined };
}
