/**
 * Owns one eBPF instruction as plain data.
 * Does not own its opcodes (opcodes.ts) nor its bytes (encode.ts).
 */

export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

export interface Instruction {
  readonly opcode: number;
  readonly dst: Register;
  /** A register, or a pseudo source as in lddw of a map and in calls. */
  readonly src: number;
  /** Signed 16 bits: bytes for memory, instruction slots for jumps. */
  readonly offset: number;
  /** Signed 32 bits. */
  readonly imm: number;
  /** The whole 64-bit immediate of lddw, which takes two slots. */
  readonly wide?: bigint;
  /** lddw of a map's address: the map's name; its file descriptor is filled in when the bytes are made. */
  readonly map?: string;
}
