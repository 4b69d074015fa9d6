/**
 * Owns the module's memory: who has which part of it. Nothing is ever given back; whoever wants to begin anew makes a new
 * instance. Does not own what lies in the parts.
 */

/** Proof: eight bytes at a time reach at most seven behind what they are meant for. */
export const slack: usize = 16;

let taken: usize = (__heap_base + 15) & ~15;

/** Takes a part of the memory, which is zero there; 0 when there is not so much. */
export function reserve(bytes: usize): usize {
  const start = taken;
  const end = <u64>start + bytes + slack;
  const pages = <i64>((end + 0xffff) >> 16) - memory.size();
  if (end > 0xfff0_0000 || (pages > 0 && memory.grow(<i32>pages) < 0)) return 0;
  taken = (<usize>end + 15) & ~15;
  return start;
}

/** Copies bytes to where none of them lie, and makes no promise about the slack behind them. */
export function copyOver(to: usize, from: usize, count: usize): void {
  for (let done: usize = 0; done < count; done += 8) store<u64>(to + done, load<u64>(from + done));
}
