/**
 * Owns what Linux does with a uprobe on one arm64 instruction: refuse it, simulate it or step it.
 * Does not own anything that needs more than the instruction's own 32 bits.
 */
import type { InstructionClass, KernelRelease } from "./instruction-class.js";

interface Row {
  readonly mask: number;
  readonly value: number;
  readonly refused?: string;
}

/** Classifies the instruction at the start of the bytes. Kernel: arch/arm64/kernel/probes/decode-insn.c. */
export function classifyArm64(bytes: Uint8Array, release: KernelRelease): InstructionClass {
  if (bytes.length < 4) return { length: undefined, cost: "stepped" };
  const word = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  // Spec: words with the top half zero are UDF, permanently undefined.
  if (word >>> 16 === 0) return { length: undefined, cost: "stepped" };
  if (word === nop) return { length: 4, cost: simulatesNop(release) ? "emulated" : "stepped" };
  if ((word & hint.mask) >>> 0 === hint.value) {
    const refused = steppableHints.has((word >>> 5) & 0x7f)
      ? undefined
      : "the kernel refuses this hint instruction";
    return refused === undefined ? { length: 4, cost: "stepped" } : { length: 4, cost: "stepped", refused };
  }
  const row = rows.find((row) => (word & row.mask) >>> 0 === row.value);
  if (row === undefined) return { length: 4, cost: "stepped" };
  if (row.refused === undefined) return { length: 4, cost: "emulated" };
  return { length: 4, cost: "stepped", refused: `the kernel refuses ${row.refused}` };
}

/** Kernel: simulate_nop since 6.13; before, a nop runs in the copy. */
function simulatesNop(release: KernelRelease): boolean {
  return release.major > 6 || (release.major === 6 && release.minor >= 13);
}

const nop = 0xd503201f;
const hint = { mask: 0xfffff01f, value: 0xd503201f };
/** Kernel: aarch64_insn_is_steppable_hint: nop, xpaclri, pacia1716, pacib1716, paciaz, paciasp, pacibz, pacibsp, bti *. */
const steppableHints: ReadonlySet<number> = new Set([
  0x00, 0x07, 0x08, 0x0a, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x22, 0x24, 0x26,
]);

/** First match wins. Spec: Arm ARM C4.1, masks of the encodings; simulated where no refusal stands. */
const rows: readonly Row[] = [
  { mask: 0x9f000000, value: 0x10000000 }, // adr
  { mask: 0x9f000000, value: 0x90000000 }, // adrp
  { mask: 0xfc000000, value: 0x14000000 }, // b
  { mask: 0xfc000000, value: 0x94000000 }, // bl
  { mask: 0x7e000000, value: 0x34000000 }, // cbz, cbnz
  { mask: 0x7e000000, value: 0x36000000 }, // tbz, tbnz
  { mask: 0xff000010, value: 0x54000000 }, // b.cond
  { mask: 0xfffffc1f, value: 0xd61f0000 }, // br
  { mask: 0xfffffc1f, value: 0xd63f0000 }, // blr
  { mask: 0xfffffc1f, value: 0xd65f0000 }, // ret
  { mask: 0xfefff800, value: 0xd61f0800, refused: "authenticated branches (braa ...)" },
  { mask: 0xfefff800, value: 0xd63f0800, refused: "authenticated calls (blraa ...)" },
  { mask: 0xfffffbff, value: 0xd65f0bff, refused: "authenticated returns (retaa, retab)" },
  { mask: 0xff000000, value: 0xd4000000, refused: "instructions that trap (svc, brk ...)" },
  { mask: 0xfff8f01f, value: 0xd500401f, refused: "writes of system registers" },
  { mask: 0xfff00000, value: 0xd5100000, refused: "writes of system registers" },
  { mask: 0xfffffbff, value: 0xd69f0bff, refused: "exception returns" },
  { mask: 0xffffffff, value: 0xd69f03e0, refused: "exception returns" },
  { mask: 0xbf000000, value: 0x18000000, refused: "loads of literals beside the code" },
  { mask: 0xff000000, value: 0x98000000, refused: "loads of literals beside the code" },
  { mask: 0xff000000, value: 0xd8000000, refused: "prefetches of literals beside the code" },
  { mask: 0x3f800000, value: 0x08000000, refused: "exclusive loads and stores" },
  { mask: 0x3b200c00, value: 0x19000400, refused: "memory copy and set instructions" },
];
