/**
 * Owns reading lists of template arguments, and packs of arguments in them.
 * Does not own the values and types in the lists.
 */
import type { Cursor, TemplateArgument } from "./cursor.js";
import { readExpression } from "./expressions.js";
import { readLiteral } from "./literals.js";
import { type TypeText, plainType, printType } from "./type-text.js";

/** Reads `I <template-arg>* E`; the arguments themselves are left in `cursor.nameArgs`. */
export function readTemplateArgs(cursor: Cursor): string {
  cursor.enter();
  let list: TemplateArgument[] | undefined;
  cursor.at++;
  let text = "<";
  let endsEmpty = false;
  while (!cursor.take(0x45) && !cursor.failed) {
    const argument = readArgument(cursor);
    // Why: an empty array that grows takes room for 17, and most lists have one or two.
    if (list === undefined) list = [argument];
    else list.push(argument);
    const printed = printArgument(argument);
    endsEmpty = printed === "";
    if (!endsEmpty) text += text === "<" ? printed : `, ${printed}`;
  }
  cursor.nameArgs = list ?? [];
  cursor.leave();
  // Why: before C++11 `>>` was an operator, and c++filt still keeps the brackets apart, but not behind an empty pack.
  return text.charCodeAt(text.length - 1) === 0x3e && !endsEmpty ? `${text} >` : `${text}>`;
}

/** Reads one argument and prints it. */
export function readPrintedArgument(cursor: Cursor): string {
  return printArgument(readArgument(cursor));
}

function readArgument(cursor: Cursor): TemplateArgument {
  switch (cursor.peek()) {
    case 0x4c: // L
      return plainType(readLiteral(cursor).text);
    case 0x58: {
      // X
      cursor.at++;
      const { text } = readExpression(cursor);
      cursor.expect(0x45);
      return plainType(text);
    }
    case 0x49: // I, as old compilers wrote packs
    case 0x4a: // J
      return readPack(cursor);
    default:
      return cursor.grammar.type(cursor);
  }
}

function readPack(cursor: Cursor): readonly TypeText[] {
  cursor.enter();
  cursor.at++;
  const elements: TypeText[] = [];
  while (!cursor.take(0x45) && !cursor.failed) {
    const element = readArgument(cursor);
    if (Array.isArray(element)) elements.push(...(element as readonly TypeText[]));
    else elements.push(element as TypeText);
  }
  cursor.leave();
  return elements;
}

function printArgument(argument: TemplateArgument): string {
  if (!Array.isArray(argument)) return printType(argument as TypeText);
  let text = "";
  for (const element of argument as readonly TypeText[]) {
    const printed = printType(element);
    if (printed !== "") text += text === "" ? printed : `, ${printed}`;
  }
  return text;
}
