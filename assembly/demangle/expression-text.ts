/**
 * Owns how parts of C++ expressions are put together as text, which is to say the brackets.
 * Does not own reading them from symbols. The cursor knows about the expression that was written last.
 */
import { Cursor } from "./cursor";

const bracket = memory.data<u8>([0x28]);

/** Says that the expression written last is a word or a list in braces, which as an operand needs no brackets. */
export function closeWord(cursor: Cursor): void {
  cursor.isBare = true;
  cursor.calleeEnd = 0;
}

export function closeCompound(cursor: Cursor): void {
  cursor.isBare = false;
  cursor.calleeEnd = 0;
}

/** Puts the expression that was written since `start` in brackets, unless it needs none as an operand. */
export function encloseOperand(cursor: Cursor, start: usize): void {
  if (!cursor.isBare) enclose(cursor, start);
}

export function enclose(cursor: Cursor, start: usize): void {
  cursor.pieces.insert(start, bracket, 1);
  cursor.text.add(0x29);
}

/** Leaves of a function, written since `start`, only its name without parameters, as calls print it. */
export function keepCallee(cursor: Cursor, start: usize): void {
  cursor.pieces.drop(cursor.calleeEnd);
  cursor.pieces.remove(start, cursor.calleeStart - start);
  cursor.isBare = cursor.isCalleeBare;
}
