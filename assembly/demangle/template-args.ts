/**
 * Owns reading lists of template arguments, and packs of arguments in them.
 * Does not own the values and types in the lists.
 */
import { Cursor } from "./cursor";
import { readExpression } from "./expressions";
import { readLiteral } from "./literals";
import { Piece, TypeKind } from "./pieces";
import { readType } from "./types";

/** Reads `I <template-arg>* E`; the arguments themselves are left in `cursor.nameArgs`. */
export function readTemplateArgs(cursor: Cursor): void {
  const text = cursor.text;
  cursor.enter();
  text.add(0x3c);
  cursor.nameArgs = readList(cursor);
  cursor.leave();
  // Why: before C++11 `>>` was an operator, and c++filt still keeps the brackets apart, but not behind an empty pack.
  if (load<u8>(text.end - 1) === 0x3e && !cursor.endsEmpty) text.add(0x20);
  text.add(0x3e);
}

/** Reads one argument, and makes a piece of it. */
export function readArgument(cursor: Cursor): Piece {
  const start = cursor.text.end;
  switch (cursor.peek()) {
    case 0x4c: // L
      readLiteral(cursor);
      return cursor.pieces.make(start);
    case 0x58: // X
      cursor.at++;
      readExpression(cursor);
      cursor.expect(0x45);
      return cursor.pieces.make(start);
    case 0x49: // I, as old compilers wrote packs
    case 0x4a: // J
      return readPack(cursor);
    default:
      readType(cursor);
      return cursor.piece(start);
  }
}

function readPack(cursor: Cursor): Piece {
  cursor.enter();
  const pack = readList(cursor);
  flatten(pack);
  cursor.leave();
  return pack;
}

/** Puts the elements of packs that are elements themselves in their place. */
function flatten(pack: Piece): void {
  let before: Piece | null = null;
  let element = pack.first;
  while (element !== null) {
    const next = element.next;
    if (element.kind !== TypeKind.pack) before = element;
    else {
      const inner = element.first;
      if (before === null) pack.first = inner === null ? next : inner;
      else before.next = inner === null ? next : inner;
      if (inner !== null) {
        before = lastOf(inner);
        before.next = next;
      }
    }
    element = next;
  }
}

function lastOf(element: Piece): Piece {
  let last = element;
  let next = last.next;
  while (next !== null) {
    last = next;
    next = last.next;
  }
  return last;
}

/** Reads arguments up to `E`, from behind a letter, as one pack; leaves in the cursor whether the last one is empty. */
function readList(cursor: Cursor): Piece {
  const text = cursor.text;
  const listStart = text.end;
  const list = cursor.pieces.make(listStart);
  list.kind = TypeKind.pack;
  let last: Piece | null = null;
  let endsEmpty = false;
  cursor.at++;
  while (!cursor.take(0x45) && !cursor.failed) {
    const mark = cursor.separate(listStart);
    const argument = readArgument(cursor);
    // Proof: as long as there is room, no piece was made twice, and no list comes back to itself.
    if (text.isFull) {
      cursor.fail();
      break;
    }
    endsEmpty = cursor.closeItem(mark, listStart);
    if (last === null) list.first = argument;
    else last.next = argument;
    last = argument;
  }
  cursor.endsEmpty = endsEmpty;
  list.end = text.end;
  return list;
}
