/**
 * Owns the operand layout of x86-64 opcodes: which take a ModRM byte and which immediate bytes follow.
 * Does not own prefixes and the walk over the bytes: see x86-decode.ts.
 */

/**
 * One character per opcode. Spec: Intel SDM volume 2, appendix A (opcode maps), 64-bit mode.
 *
 *     .  no operand bytes              m  ModRM
 *     b  8-bit immediate               B  ModRM, 8-bit immediate
 *     w  16-bit immediate              e  16-bit and 8-bit immediate (enter)
 *     z  16- or 32-bit immediate       Z  ModRM, 16- or 32-bit immediate (16 under prefix 66)
 *     j  32-bit branch distance        v  16-, 32- or 64-bit immediate (64 under REX.W)
 *     o  absolute address              g  group 3, byte: ModRM, 8-bit immediate for /0 and /1
 *     r  ModRM, always registers       G  group 3: ModRM, 16- or 32-bit immediate for /0 and /1
 *     p  prefix                        q  ModRM, and two 8-bit immediates under 66 or F2 (extrq, insertq)
 *     x  no instruction, or one that starts another table
 */
export const oneByteOpcodes: string = [
  "mmmmbzxxmmmmbzxx", // 00
  "mmmmbzxxmmmmbzxx", // 10
  "mmmmbzpxmmmmbzpx", // 20
  "mmmmbzpxmmmmbzpx", // 30
  "pppppppppppppppp", // 40
  "................", // 50
  "xxxmppppzZbB....", // 60
  "bbbbbbbbbbbbbbbb", // 70
  "BZxBmmmmmmmmmmmm", // 80
  "..........x.....", // 90
  "oooo....bz......", // a0
  "bbbbbbbbvvvvvvvv", // b0
  "BBw.xxBZe.w..bx.", // c0
  "mmmmxxx.mmmmmmmm", // d0
  "bbbbbbbbjjxb....", // e0
  "p.pp..gG......mm", // f0
].join("");

/** The same for the opcodes behind 0F. */
export const twoByteOpcodes: string = [
  "mmmmx.....x.xm.B", // 00
  "mmmmmmmmmmmmmmmm", // 10
  "rrrrxxxxmmmmmmmm", // 20
  "......x.xxxxxxxx", // 30
  "mmmmmmmmmmmmmmmm", // 40
  "mmmmmmmmmmmmmmmm", // 50
  "mmmmmmmmmmmmmmmm", // 60
  "BBBBmmm.qmxxmmmm", // 70
  "jjjjjjjjjjjjjjjj", // 80
  "mmmmmmmmmmmmmmmm", // 90
  "...mBmmm...mBmmm", // a0
  "mmmmmmmmmmBmmmmm", // b0
  "mmBmBBBm........", // c0
  "mmmmmmmmmmmmmmmm", // d0
  "mmmmmmmmmmmmmmmm", // e0
  "mmmmmmmmmmmmmmmm", // f0
].join("");

/** Opcodes of VEX map 1 (the 0F map) with an 8-bit immediate; all others there have only ModRM, and 77 has neither. */
export const vexMap1Immediates: readonly number[] = [0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6];
