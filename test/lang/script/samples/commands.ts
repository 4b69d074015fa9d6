/**
 * Owns probe functions as users write them in TypeScript, which every transform has to leave readable.
 * Nothing of it runs: tests take the text that toString gives.
 */
import type { EntryParameter } from "../../../../src/lang/script/parameter.js";
import { label, most } from "./constants.js";

interface Table<Key> {
  get(key: Key): bigint | undefined;
  set(key: Key, value: bigint): void;
  delete(key: Key): void;
}

interface Handed {
  readonly limit: number;
  readonly counts: { add(key: string): void };
  readonly starts: Table<number>;
  readonly sizes: { add(key: bigint, value: number | bigint): void };
}

type Size = { readonly size: number; readonly kind: "small" | "large" };

export const probes = {
  simple: (p: EntryParameter) => ({ pid: p.pid, text: p.text(p.arg(0), { length: p.arg(1) }) }),

  early: (p: EntryParameter, { limit, counts }: Pick<Handed, "limit" | "counts">) => {
    // A comment that no transform has to keep.
    if (p.i32(1) < limit) return;
    const name: string = p.text(p.arg(0));
    if (name !== "GET" && p.i32(2) > 7) return undefined;
    counts.add(name);
    if (p.u8(3) & 1) counts.add("odd");
    const kind = p.i32(1) > 2 * limit ? "large" : "small";
    return { name, size: p.i32(1) as number, kind } satisfies Size & { name: string };
  },

  shapes(p: EntryParameter) {
    if (p.i32(0) < 0) return { failed: true, code: -p.i32(0) } as const;
    if (p.i32(0) === 0) return;
    return {
      failed: false,
      word: p.u64(1) >> 3n,
      low: p.u32(1) >>> 5,
      pair: [p.i32(0), p.bool(2)] as const,
    } as const;
  },

  loop: function (p: EntryParameter) {
    let sum = 0;
    let words = 0n;
    for (let i = 0; i < 6 && i < p.i32(1); i++) {
      const byte = p.read(p.arg(0) + p.cast(i, "u64"), "u8");
      if (byte === 0) break;
      if (byte % 3 === 0) continue;
      sum += byte;
      words |= p.read(p.arg(0)!, "u64");
    }
    switch (p.i32(2) & 3) {
      case 0:
        sum++;
        break;
      case 1:
      case 2:
        sum = -sum;
        break;
      default:
        return { sum, words: undefined };
    }
    return { sum, words };
  },

  table: (p: EntryParameter, { starts, sizes, limit: least }: Handed) => {
    const start = starts.get(p.i32(0));
    if (start === undefined) {
      starts.set(p.i32(0), p.arg(1));
      return;
    }
    const took = p.arg(1) - start;
    sizes.add(p.arg(2), p.cast(took, "i64"));
    if (p.bool(3)) starts.delete(p.i32(0));
    if (took < least) return { took, big: false };
    return { took, big: true, half: took / 2n };
  },

  imported: (p: EntryParameter) => (p.i32(0) > most ? { label, over: p.i32(0) - most } : undefined),
};
