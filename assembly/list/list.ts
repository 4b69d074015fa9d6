/**
 * Owns the list of a file's functions: a line for each, by address. Whoever asked for it takes the text piece by piece, and
 * writes the names that are not as easy. Does not own the tables, the order and the columns.
 */
import { longestText } from "../demangle/cursor";
import { workingRoom } from "../demangle/pieces";
import { demangle, isNoName, isWritten, writtenEnd } from "../demangle/symbols";
import { reserve } from "../memory";
import { Text } from "../text";
import { addColumns, head, isLocal } from "./lines";
import { hasVersion, plainEnd } from "./names";
import { addressOf, endOfGroup, lookAhead, order, Place, places, placesEnd, sizeOfPlace } from "./order";
import { dropRepeats } from "./repeats";
import { sizeOfEntry, sizeOfTable, Table, tables } from "./tables";

/** Why next() returns: the list is at its end, the text is to be taken, a name is wanted, names overlap too much. */
const isAtEnd: i32 = 0;
const isPiece: i32 = 1;
const wantsName: i32 = 2;
const overlaps: i32 = 3;

/** Bytes gathered before they are taken, and what may stand behind them: names, and the work on one. */
const pieceLength: usize = 1 << 20;
const room: usize = pieceLength + workingRoom + 4 * longestText;

const text = changetype<Text>(memory.data(offsetof<Text>(), 8));
let start: usize = 0;
let lines: u32 = 0;
let areMangled = false;

/** The addresses that are still wanted, where not all are. */
let isFiltered = false;
let wanted: usize = 0;
let wantedEnd: usize = 0;

/** The functions that start together here, the next of them, and whether their local ones come now, or other lines did. */
let first: usize = 0;
let end: usize = 0;
let at: usize = 0;
let areLocal = true;
let hasLine = false;
/** Names up to here were looked at. */
let ahead: usize = 0;

/** The function whose name is wanted, or with which names overlap too much. */
let current = changetype<Place>(0);

/** Lists only functions at these addresses, 64-bit numbers in rising order. */
export function filter(addresses: usize, count: usize): void {
  isFiltered = true;
  wanted = addresses;
  wantedEnd = addresses + (count << 3);
}

/** Begins the list of all functions of the tables that were added; false when there is no memory for it. */
export function begin(isMangled: bool): bool {
  areMangled = isMangled;
  start = reserve(room);
  if (start === 0 || !order()) return false;
  text.begin(start, start + room);
  end = at = places;
  return true;
}

/** Writes on until there is a reason to return. */
export function next(): i32 {
  while (text.end - start < pieceLength) {
    if (at >= end && !beginGroup()) return isAtEnd;
    const place = changetype<Place>(at);
    at += sizeOfPlace;
    const table = place.table;
    if (table === null || isLocal(place.entry) !== areLocal) continue;
    current = place;
    if (lines++ === 0) text.addWords(head);
    addColumns(text, place.entry, hasLine);
    hasLine = true;
    const isNamed = addName(table, place);
    if (table.budget < 0) return overlaps;
    if (!isNamed) return wantsName;
    text.add(0x0a);
  }
  return isPiece;
}

export function textStart(): usize {
  return start;
}

export function textLength(): usize {
  return text.end - start;
}

/** Empties the text, which was taken. */
export function taken(): void {
  text.end = start;
}

export function wantedTable(): usize {
  return (changetype<usize>(current.table) - tables) / sizeOfTable;
}

export function wantedSymbol(): usize {
  return (changetype<usize>(current.entry) - current.table!.entries) / sizeOfEntry;
}

/** Goes on behind the wanted name, of which so many bytes were put behind the text. */
export function named(length: usize): void {
  text.end += length;
  text.add(0x0a);
}

/** How many functions were listed so far. */
export function lineCount(): u32 {
  return lines;
}

/** Goes to the local ones of the functions that start together, or to the next ones that do; false behind the last. */
function beginGroup(): bool {
  areLocal = !areLocal;
  if (!areLocal) {
    do {
      first = end;
      if (first >= placesEnd) return false;
      if (first >= ahead) ahead = lookAhead(first);
      end = endOfGroup(first);
    } while (isFiltered && !isWanted(addressOf(changetype<Place>(first))));
    if (end - first > sizeOfPlace) dropRepeats(first, end);
    hasLine = false;
  }
  at = first;
  return true;
}

function isWanted(address: u64): bool {
  while (wanted < wantedEnd && load<u64>(wanted) < address) wanted += 8;
  return wanted < wantedEnd && load<u64>(wanted) === address;
}

/**
 * Adds a name, unless it is not as easy: of Rust, with a version, beyond ASCII, with bytes that drive terminals, or very
 * long.
 */
function addName(table: Table, place: Place): bool {
  const nameStart = table.names + place.entry.name;
  const nameEnd = plainEnd(table, place.entry);
  if (nameEnd === 0 || nameEnd - nameStart > longestText) return false;
  if (!areMangled && load<u8>(nameStart) === 0x5f) {
    const outcome = demangle(nameStart, nameEnd, text.end, false);
    if (outcome === isWritten) text.end = writtenEnd();
    if (outcome !== isNoName) return outcome === isWritten;
  }
  if (hasVersion(table, place.entry, nameEnd)) return false;
  text.addBytes(nameStart, nameEnd - nameStart);
  return true;
}
