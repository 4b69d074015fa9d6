/**
 * Owns what stands at the place of a marker: which instruction is probed, what a hit costs, whether it may be armed.
 * Does not own which markers are meant (markers.ts) nor where their arguments lie (marker-layouts.ts).
 */
import { isUscopeError } from "../base/errors.js";
import type { FileOffset, VirtualAddress } from "../base/bytes.js";
import { fileOffsetOf, isExecutable } from "../elf/address.js";
import { classifyInstruction, longestInstruction } from "../isa/entry.js";
import type { HitCost, InstructionClass, Machine } from "../isa/instruction-class.js";
import type { MarkerSite } from "../usdt/marker.js";
import type { Binary } from "./binary.js";
import { CodeReader } from "./code.js";
import { findCodeRange, findUnwoundRange, requireBoundary, requireCodeRange } from "./inside.js";
import { unknownInstruction } from "./places.js";
import type { SiteSearch } from "./places.js";
import { becomesCall, mayUseRedZone } from "./red-zone.js";
import { findSemaphore } from "./semaphores.js";
import type { FoundSemaphore } from "./semaphores.js";
import type { SkippedSite } from "./site.js";

export interface MarkerPlace {
  /** Undefined where the file has no such byte. */
  readonly offset: FileOffset | undefined;
  /** From the place on, as many as the longest instruction has; none where there is no code. */
  readonly code: Uint8Array;
  /** Bytes of the instruction that is probed; undefined where the decoder does not know it. */
  readonly length: number | undefined;
  readonly cost: HitCost;
  readonly semaphore: FoundSemaphore | undefined;
  /** Why it is not armed. */
  readonly refusal: Pick<SkippedSite, "reason" | "alternative"> | undefined;
}

/** The places of one file. */
export class MarkerPlaces {
  readonly #search: Pick<SiteSearch, "binary" | "kernel" | "isNop5Forced">;
  readonly #code: CodeReader;

  constructor(search: Pick<SiteSearch, "binary" | "kernel" | "isNop5Forced">) {
    this.#search = search;
    this.#code = new CodeReader(search.binary);
  }

  /** Looks at one place; many in rising order of address cost few reads. */
  async look({ address, semaphore }: MarkerSite): Promise<MarkerPlace> {
    const { elf } = this.#search.binary;
    const offset = fileOffsetOf(elf, address);
    const isCode = offset !== undefined && isExecutable(elf, address);
    const code = isCode ? this.#code.read(address, longestInstruction) : new Uint8Array(0);
    const instruction = this.#classify(code, offset ?? 0);
    const found = semaphore === undefined ? undefined : findSemaphore(elf, semaphore);
    const refusal = isCode
      ? await this.#findRefusal(address, { code, instruction, semaphore: found })
      : { reason: "the file has no code at its address", alternative: reinstall };
    const { length, cost } = instruction;
    return { offset, code, length, cost, semaphore: found, refusal };
  }

  async #findRefusal(
    address: VirtualAddress,
    {
      code,
      instruction: { length, cost, refused, harmful },
      semaphore,
    }: {
      readonly code: Uint8Array;
      readonly instruction: InstructionClass;
      readonly semaphore: FoundSemaphore | undefined;
    },
  ): Promise<MarkerPlace["refusal"]> {
    const { binary, isNop5Forced } = this.#search;
    const reason =
      semaphore?.kind === "unusable"
        ? semaphore.reason
        : (refused ?? harmful ?? (length === undefined ? unknownInstruction(code) : undefined));
    if (reason !== undefined) return { reason, alternative: "probe the function that holds the marker" };
    if (cost === "nop5" && !isNop5Forced && mayUseRedZone(binary, address))
      return { reason: becomesCall, alternative: "insist with --force nop5, at the program's risk" };
    return await findUnproved(binary, address, isShortNop(binary.elf.machine, code));
  }

  #classify(code: Uint8Array, position: number): InstructionClass {
    const { binary, kernel } = this.#search;
    return classifyInstruction(binary.elf.machine, code, { release: kernel, position });
  }
}

const reinstall =
  "the note is wrong: the file is damaged, or was changed after it was linked; install it again";

/** What sys/sdt.h writes; on x86-64 the same byte may be a part of a longer instruction. */
export function isShortNop(machine: Machine, [first, second, third, fourth]: Uint8Array): boolean {
  return machine === "x86-64"
    ? first === 0x90
    : first === 0x1f && second === 0x20 && third === 0x03 && fourth === 0xd5;
}

/**
 * Why: a note that leads into the middle of an instruction would have the probe corrupt the program.
 * A nop is trusted where nothing is known of the code around it, as in assembly without unwind entries.
 */
async function findUnproved(
  binary: Binary,
  address: VirtualAddress,
  isNop: boolean,
): Promise<MarkerPlace["refusal"]> {
  try {
    const find = isNop ? findCodeRange : requireCodeRange;
    const range = findUnwoundRange(binary, address) ?? find(binary, address);
    if (range !== undefined) await requireBoundary(binary, range, address);
    return undefined;
  } catch (error) {
    if (!isUscopeError(error)) throw error;
    return { reason: isNop ? error.what : `no nop stands there, and ${error.what}`, alternative: error.fix };
  }
}
