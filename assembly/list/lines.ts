/**
 * Owns the columns that stand before a function's name in a list. Does not own names, nor which functions are listed.
 */
import { Text } from "../text";
import { Entry, ifuncType } from "./tables";

export const head = "ADDRESS              SIZE BIND   KIND     NAME\n";

/** Adds a function's address, size, binding and kind; an alias stands at the address of the line above. */
export function addColumns(text: Text, entry: Entry, isAlias: bool): void {
  addAddress(text, entry.address);
  text.add(0x20);
  addSize(text, min<u64>(entry.size, largestSize));
  text.addWords(bindingOf(entry));
  if ((entry.traits & 0xf) === ifuncType) text.addWords("ifunc    ");
  else text.addWords(isAlias ? "alias    " : "function ");
}

export function isLocal(entry: Entry): bool {
  const binding = entry.traits >> 4;
  return binding !== 1 && binding !== 2 && binding !== 10;
}

/** Why: sizes that no address space holds are shown as the largest number that JavaScript can count to. */
const largestSize: u64 = 0x1f_ffff_ffff_ffff;

/** Spec: STB_*, GNU's unique among them; the numbers that nobody uses are taken for local. */
function bindingOf(entry: Entry): string {
  switch (entry.traits >> 4) {
    case 1:
      return " global ";
    case 2:
      return " weak   ";
    case 10:
      return " unique ";
    default:
      return " local  ";
  }
}

/** Adds 16 hexadecimal digits. */
function addAddress(text: Text, address: u64): void {
  if (!text.hasRoom(16)) return;
  let rest = address;
  for (let at = text.end + 15; at >= text.end; at--) {
    const digit = <u8>(rest & 0xf);
    store<u8>(at, digit < 10 ? 0x30 + digit : 0x57 + digit);
    rest >>= 4;
  }
  text.end += 16;
}

/** Adds a number to the right of a column of eight letters, or as wide as it is. */
function addSize(text: Text, size: u64): void {
  if (size >= 100_000_000) return text.addNumber(size);
  if (!text.hasRoom(8)) return;
  store<u64>(text.end, 0x2020_2020_2020_2020);
  let at = text.end + 7;
  let rest = <u32>size;
  do {
    store<u8>(at--, 0x30 + (rest % 10));
    rest /= 10;
  } while (rest > 0);
  text.end += 8;
}
