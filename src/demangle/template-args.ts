/**
 * Owns reading lists of template arguments, and packs of arguments in them.
 * Does not own the values and types in the lists.
 */
import type { Cursor } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readLiteral } from "./literals.js";
import type { Piece } from "./pieces.js";

/** Reads `I <template-arg>* E`; the arguments themselves are left in `cursor.nameArgs`. */
export function readTemplateArgs(cursor: Cursor): void {
  const { text } = cursor;
  cursor.enter();
  text.add(0x3c);
  cursor.nameArgs = readList(cursor);
  cursor.leave();
  // Why: before C++11 `>>` was an operator, and c++filt still keeps the brackets apart, but not behind an empty pack.
  if (text.bytes[text.length - 1] === 0x3e && !cursor.endsEmpty) text.add(0x20);
  text.add(0x3e);
}

/** Reads one argument, and makes a piece of it. */
export function readArgument(cursor: Cursor): Piece {
  const start = cursor.text.length;
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
      cursor.grammar.type(cursor);
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
  const elements: Piece[] = [];
  let hasPacks = false;
  for (let element = pack.first; element !== undefined; element = element.next) {
    if (element.kind !== "pack") elements.push(element);
    else {
      hasPacks = true;
      for (let inner = element.first; inner !== undefined; inner = inner.next) elements.push(inner);
    }
  }
  if (!hasPacks) return;
  pack.first = elements[0];
  for (const [index, element] of elements.entries()) element.next = elements[index + 1];
}

/** Reads arguments up to `E`, from behind a letter, as one pack; leaves in the cursor whether the last one is empty. */
function readList(cursor: Cursor): Piece {
  const { text } = cursor;
  const listStart = text.length;
  const list = cursor.pieces.make(listStart);
  list.kind = "pack";
  let last: Piece | undefined;
  let endsEmpty = false;
  cursor.at++;
  while (!cursor.take(0x45) && !cursor.failed) {
    const mark = cursor.separate(listStart);
    const argument = readArgument(cursor);
    endsEmpty = cursor.closeItem(mark, listStart);
    if (last === undefined) list.first = argument;
    else last.next = argument;
    last = argument;
  }
  cursor.endsEmpty = endsEmpty;
  list.end = text.length;
  return list;
}
