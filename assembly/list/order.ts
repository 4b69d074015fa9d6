/**
 * Owns the functions of all tables in the order of their addresses, as records in memory.
 * Does not own which of them repeat others.
 */
import { reserve } from "../memory";
import { lengthFrom } from "./names";
import { Entry, isFunction, sizeOfEntry, sizeOfTable, Table, tables, tablesEnd } from "./tables";

@unmanaged
export class Place {
  /** Of the function, without that of the first one. */
  offset: u64;
  entry: Entry;
  /** Null for what an earlier table has too. */
  table: Table | null;
}

export const sizeOfPlace: usize = offsetof<Place>();

/** The places in their order, and a part of the memory that holds as many. */
export let places: usize = 0;
export let placesEnd: usize = 0;
export let spare: usize = 0;

let least: u64 = 0;
let most: u64 = 0;

/**
 * Puts the functions of all tables in order: those that start together follow the order of tables and of entries in them.
 * False when there is no memory for it.
 */
export function order(): bool {
  let count: usize = 0;
  for (let at = tables; at < tablesEnd; at += sizeOfTable) count += changetype<Table>(at).entryCount;
  if (count > 0x0800_0000) return false;
  places = reserve(count * sizeOfPlace);
  spare = reserve(count * sizeOfPlace);
  if (places === 0 || spare === 0) return false;
  placesEnd = places;
  least = u64.MAX_VALUE;
  most = 0;
  for (let at = tables; at < tablesEnd; at += sizeOfTable) addFunctions(changetype<Table>(at));
  for (let at = places; at < placesEnd; at += sizeOfPlace) changetype<Place>(at).offset -= least;
  for (let shift: u64 = 0; most > least && (most - least) >> shift > 0; shift += digitBits)
    sortByDigit(shift);
  return true;
}

export function addressOf(place: Place): u64 {
  return least + place.offset;
}

/** Returns the end of the functions that start together. */
export function endOfGroup(first: usize): usize {
  const offset = changetype<Place>(first).offset;
  let at = first + sizeOfPlace;
  while (at < placesEnd && changetype<Place>(at).offset === offset) at += sizeOfPlace;
  return at;
}

/**
 * Looks at the names of the functions from here on, and returns where it stopped. Why: in the order of addresses entries
 * and names lie anywhere in megabytes. These loads wait for memory together, where comparing names waits for each anew;
 * with them a list without demangling takes half the time. Proof: no compiler leaves a load out, because it could trap.
 */
export function lookAhead(first: usize): usize {
  const end = min(placesEnd, first + aheadPlaces * sizeOfPlace);
  for (let at = first; at < end; at += sizeOfPlace) {
    const place = changetype<Place>(at);
    const table = place.table!;
    const name = table.names + place.entry.name;
    const length = lengthFrom(table, place.entry);
    if (length > 0) load<u8>(name);
    if (length > lineLength) load<u8>(name + lineLength);
  }
  return end;
}

const aheadPlaces: usize = 32;
/** Bytes that a processor loads together. */
const lineLength: usize = 64;

function addFunctions(table: Table): void {
  const end = table.entries + <usize>table.entryCount * sizeOfEntry;
  let to = placesEnd;
  for (let at = table.entries; at < end; at += sizeOfEntry) {
    const entry = changetype<Entry>(at);
    if (!isFunction(entry)) continue;
    const place = changetype<Place>(to);
    const address = entry.address;
    if (address < least) least = address;
    if (address > most) most = address;
    place.offset = address;
    place.entry = entry;
    place.table = table;
    to += sizeOfPlace;
  }
  placesEnd = to;
}

const digitBits: u64 = 11;
const digitMask: u64 = (1 << 11) - 1;
const digitEnds = memory.data(4 << 11, 4);

/** Puts the places in the order of one digit of their offsets; equal digits keep their order. */
function sortByDigit(shift: u64): void {
  memory.fill(digitEnds, 0, 4 << 11);
  for (let at = places; at < placesEnd; at += sizeOfPlace) {
    const counter = counterOf(load<u64>(at), shift);
    store<u32>(counter, load<u32>(counter) + <u32>sizeOfPlace);
  }
  let to = spare;
  for (let digit: usize = 0; digit <= <usize>digitMask; digit++) {
    const bytes = load<u32>(digitEnds + (digit << 2));
    store<u32>(digitEnds + (digit << 2), to);
    to += bytes;
  }
  for (let at = places; at < placesEnd; at += sizeOfPlace) {
    const offset = load<u64>(at);
    const counter = counterOf(offset, shift);
    const place = load<u32>(counter);
    store<u32>(counter, place + <u32>sizeOfPlace);
    store<u64>(place, offset);
    store<u64>(place, load<u64>(at, 8), 8);
  }
  placesEnd = spare + (placesEnd - places);
  const sorted = spare;
  spare = places;
  places = sorted;
}

function counterOf(offset: u64, shift: u64): usize {
  return digitEnds + ((<usize>((offset >> shift) & digitMask)) << 2);
}
