/**
 * Owns the kernel's own symbols, for kernel stacks and %K.
 * Does not own user space (symbolize.ts).
 */
import { readFileSync } from "node:fs";

export interface KernelSymbol {
  readonly name: string;
  readonly offset: bigint;
  readonly module: string | undefined;
}

/** Says whether the kernel has a function of that name, or undefined where it does not show its symbols. */
export function hasKernelFunction(name: string): boolean | undefined {
  try {
    const text = readFileSync("/proc/kallsyms", "latin1");
    return text === "" ? undefined : new RegExp(`^\\w+ [tT] ${name}$`, "m").test(text);
  } catch {
    return undefined;
  }
}

/** Finds kernel symbols by address; reads /proc/kallsyms when it is first asked. */
export class KernelSymbols {
  #addresses: BigUint64Array | undefined;
  readonly #names: string[] = [];

  /** Returns undefined where the kernel hides its addresses (kptr_restrict, no CAP_SYSLOG) or knows no symbol. */
  find(address: bigint): KernelSymbol | undefined {
    const addresses = (this.#addresses ??= this.#read());
    let low = 0;
    for (let high = addresses.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (addresses[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return undefined;
    const [name = "", module] = this.#names[low - 1]!.split("\t");
    return { name, offset: address - addresses[low - 1]!, module: module?.replace(/^\[|\]$/g, "") };
  }

  /** Spec: proc(5): lines of `address type name[TAB[module]]`; only text symbols are of use. */
  #read(): BigUint64Array {
    const rows: [bigint, string][] = [];
    for (const line of readFileSync("/proc/kallsyms", "latin1").split("\n")) {
      const type = line[17];
      if (type !== "t" && type !== "T" && type !== "w" && type !== "W") continue;
      const address = BigInt(`0x${line.slice(0, 16)}`);
      if (address !== 0n) rows.push([address, line.slice(19)]);
    }
    rows.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    for (const [, name] of rows) this.#names.push(name);
    return BigUint64Array.from(rows.map(([address]) => address));
  }
}
