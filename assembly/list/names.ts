/**
 * Owns the names of functions as they lie in memory: where they end, whether two are the same, and whether one has a version.
 * Does not own what they mean to people.
 */
import { Entry, sizeOfEntry, Table } from "./tables";

const atSign: i32 = 0x40;

/** Returns where a name of printable ASCII letters ends, also at the `@` of a version; 0 for other names. */
export function plainEnd(table: Table, entry: Entry): usize {
  const namesEnd = table.namesEnd;
  const start = table.names + entry.name;
  let at = start;
  if (lengthFrom(table, entry) === 0) return 0;
  while (true) {
    while (at + 8 <= namesEnd && arePlain(load<u64>(at))) at += 8;
    while (at < namesEnd && isPlain(load<u8>(at))) at++;
    // In .dynsym an `@` is part of the name.
    if (at === namesEnd || load<u8>(at) !== atSign || table.namesHaveVersions) break;
    at++;
  }
  table.budget -= at - start;
  if (at === namesEnd) return 0;
  const letter = <i32>load<u8>(at);
  return letter === 0 || (letter === atSign && at > start) ? at : 0;
}

export function hasVersion(table: Table, entry: Entry, nameEnd: usize): bool {
  if (table.namesHaveVersions) return load<u8>(nameEnd) === atSign;
  if (table.versionNumbers === 0) return false;
  const number = load<u16>(
    table.versionNumbers + ((changetype<usize>(entry) - table.entries) / sizeOfEntry) * 2,
  );
  return load<u8>(table.isVersion + (number & 0x7fff)) !== 0;
}

/** Says whether two functions have the same name, versions aside. */
export function haveSameName(left: Table, leftEntry: Entry, right: Table, rightEntry: Entry): bool {
  const leftStart = left.names + leftEntry.name;
  const rightStart = right.names + rightEntry.name;
  const most = min(lengthFrom(left, leftEntry), lengthFrom(right, rightEntry));
  let count: usize = 0;
  for (; count < most; count++) {
    while (count + 8 <= most) {
      const letters = load<u64>(leftStart + count);
      if (letters !== load<u64>(rightStart + count) || holds(letters, 0) || holds(letters, ats)) break;
      count += 8;
    }
    if (count >= most) break;
    const leftLetter = load<u8>(leftStart + count);
    const rightLetter = load<u8>(rightStart + count);
    const leftEnds = endsName(left, leftLetter);
    const rightEnds = endsName(right, rightLetter);
    if (!leftEnds && !rightEnds && leftLetter === rightLetter) continue;
    left.budget -= count + 1;
    return leftEnds && rightEnds;
  }
  left.budget -= count + 1;
  return false;
}

/** Makes a number of a name, its version aside. */
export function hashName(table: Table, entry: Entry): u32 {
  let hash: u32 = 0x811c9dc5;
  const start = table.names + entry.name;
  const most = lengthFrom(table, entry);
  let count: usize = 0;
  for (; count < most; count++) {
    const letter = load<u8>(start + count);
    if (endsName(table, letter)) break;
    hash = (hash ^ letter) * 0x0100_0193;
  }
  table.budget -= count;
  return hash;
}

/** How many bytes of names there are from an entry's name on; 0 for a name that lies outside. */
export function lengthFrom(table: Table, entry: Entry): usize {
  const length = table.namesEnd - table.names;
  return entry.name < <u32>length ? length - entry.name : 0;
}

function endsName(table: Table, letter: u8): bool {
  return letter === 0 || (letter === atSign && table.namesHaveVersions);
}

function isPlain(letter: u8): bool {
  return letter >= 0x20 && letter < 0x7f && letter !== atSign;
}

/** Eight bytes at a time. */
const ones: u64 = 0x0101_0101_0101_0101;
const ats: u64 = 0x4040_4040_4040_4040;
const highs: u64 = 0x8080_8080_8080_8080;

function arePlain(letters: u64): bool {
  const isControl = (letters - 0x2020_2020_2020_2020) & ~letters;
  return (
    ((letters | isControl) & highs) === 0 && !holds(letters, ats) && !holds(letters, 0x7f7f_7f7f_7f7f_7f7f)
  );
}

/** Says whether one of eight bytes is this one, given eight times. */
function holds(letters: u64, eight: u64): bool {
  const difference = letters ^ eight;
  return ((difference - ones) & ~difference & highs) !== 0;
}
