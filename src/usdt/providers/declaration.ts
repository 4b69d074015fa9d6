/**
 * Owns the notation of the providers' tables, and what a line of it says of a marker's arguments.
 * Does not own the tables (a file per provider) nor where arguments lie (usdt/arguments.ts).
 *
 * A table is a text with one line for each kind of marker: a pattern for the whole name, then the arguments in their order.
 *
 *     class__(loaded|unloaded) name:text+ loader:hex shared:bool
 *
 * An argument is a word, and behind it how it is shown: a number by itself; `:hex`, an address or flags; `:bool`; `:text`, the
 * address of text that ends in a zero; `:text@24`, text that begins so many bytes behind the address; `:text+`, text whose length in
 * bytes is the next argument. Where versions of a program
 * differ, lines with as many arguments as the note has are looked at, and the first that fits is taken.
 */
import { assert } from "../../base/assert.js";

/** What a provider says of an argument of its marker. Why as in lang/target.ts once more: neither of the two may know the other. */
export interface DeclaredArgument {
  readonly name: string;
  readonly form: DeclaredForm;
}

export type DeclaredForm =
  | { readonly kind: "integer"; readonly display: "decimal" | "hex" }
  /** Text, so many bytes behind the address that the argument is. */
  | {
      readonly kind: "text";
      readonly offset: number;
      /** Which argument, the first being 0, holds its bytes; undefined: it ends in a zero. */
      readonly length: number | undefined;
    }
  /** The bytes of the text in front of it. */
  | { readonly kind: "length" }
  | { readonly kind: "boolean" };

/** A line of a table. */
interface DeclaredMarkers {
  readonly pattern: RegExp;
  readonly declared: readonly DeclaredArgument[];
}

/** Parses a table, line by line. */
export function parseTable(table: string): readonly DeclaredMarkers[] {
  return table
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [pattern, ...words] = line.split(" ");
      return { pattern: new RegExp(`^(?:${pattern})$`), declared: parseArguments(words) };
    });
}

function parseArguments(words: readonly string[]): readonly DeclaredArgument[] {
  const declared: DeclaredArgument[] = [];
  for (const word of words) {
    const [name = "", form = "decimal", offset = "0"] = word.split(/[:@]/);
    switch (form) {
      case "decimal":
      case "hex":
        declared.push({ name, form: { kind: "integer", display: form } });
        break;
      case "bool":
        declared.push({ name, form: { kind: "boolean" } });
        break;
      case "text":
        declared.push({ name, form: { kind: "text", offset: Number(offset), length: undefined } });
        break;
      case "text+":
        declared.push({ name, form: { kind: "text", offset: 0, length: declared.length + 1 } });
        declared.push({ name: `${name}_length`, form: { kind: "length" } });
        break;
      default:
        assert(false, `a provider's table says "${word}"`);
    }
  }
  return declared;
}
