/**
 * Owns which functions of a later symbol table repeat those of an earlier one: same address, same name.
 * Does not own aliases, different names at one address: those are all kept.
 */
import { hashName, haveSameName } from "./names";
import { Place, sizeOfPlace, spare } from "./order";

/** Takes their table from those functions of a group that repeat others. */
export function dropRepeats(first: usize, end: usize): void {
  if (changetype<Place>(first).table === changetype<Place>(end - sizeOfPlace).table) return;
  if (end - first > mostCompared * sizeOfPlace) return dropByHash(first, end);
  for (let at = first + sizeOfPlace; at < end; at += sizeOfPlace)
    if (isRepeated(first, at)) changetype<Place>(at).table = null;
}

/** Why: of more functions at one address, folded by the linker or from a hostile file, not each is compared with each. */
const mostCompared: usize = 16;

/** The functions of one address follow the order of their tables. */
function isRepeated(first: usize, at: usize): bool {
  const place = changetype<Place>(at);
  for (let earlier = first; earlier < at; earlier += sizeOfPlace) {
    const other = changetype<Place>(earlier);
    if (other.table === null) continue;
    if (other.table === place.table) return false;
    if (haveSameName(place.table!, place.entry, other.table!, other.entry)) return true;
  }
  return false;
}

/** Proof: eight bytes at most for a function, where a place has sixteen. */
function dropByHash(first: usize, end: usize): void {
  let slots: u32 = 32;
  while (slots < 2 * <u32>((end - first) / sizeOfPlace)) slots <<= 1;
  memory.fill(spare, 0, slots * 4);
  for (let at = first; at < end; at += sizeOfPlace) {
    const place = changetype<Place>(at);
    if (place.table!.budget < 0) return;
    let slot = hashName(place.table!, place.entry) & (slots - 1);
    while (place.table !== null && place.table!.budget >= 0) {
      const found = load<u32>(spare + slot * 4);
      if (found === 0) {
        store<u32>(spare + slot * 4, at);
        break;
      }
      const other = changetype<Place>(found);
      if (haveSameName(place.table!, place.entry, other.table!, other.entry)) {
        if (other.table !== place.table) place.table = null;
        break;
      }
      slot = (slot + 1) & (slots - 1);
    }
  }
}
