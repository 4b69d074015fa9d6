/**
 * Owns whether a marker has as many arguments as the author of its probe has named: names are by place, and those of another version
 * of the program would mean other values. Does not own the types of each (passes/1-bind.ts).
 */
import { isGlob } from "../base/text.js";
import type { ParsedProbe } from "./probe.js";
import type { Problems } from "./problems.js";
import type { Layout, MarkerArguments } from "./target.js";

/** Reports the first marker that has another number of arguments. */
export function requireDeclared(
  { declaration, tree: { selector } }: ParsedProbe,
  layouts: readonly Layout[],
  problems: Problems,
): void {
  if (declaration === undefined) return;
  const { names, span } = declaration;
  const count = names.length;
  const other = layouts.find(({ marker }) => marker !== undefined && marker.types.length !== count)?.marker;
  if (other === undefined) return;
  const { length } = other.types;
  const isPattern = selector.kind === "marker" && isGlob(`${selector.provider ?? ""}${selector.marker}`);
  const who = isPattern ? "a marker of the pattern" : "the marker";
  const what = `${count} ${count === 1 ? "argument is" : "arguments are"} declared, and ${who} has ${length === 0 ? "none" : length}`;
  const fix =
    length === 0 ? "leave args out" : `declare what there is: args: { ${printForms(other, names)} }`;
  problems.report(span, what, fix);
}

/** As authors write it; `names`: those that the author has given already. */
function printForms({ declared, types }: MarkerArguments, names: readonly string[]): string {
  const nameOf = (index: number): string => {
    const known = declared?.[index]?.name;
    return names[index] ?? (known === undefined || names.includes(known) ? `arg${index + 1}` : known);
  };
  return types
    .map((type, index) => {
      if (type.kind === "unreadable") return `${nameOf(index)}: "skip"`;
      const form = declared?.[index]?.form;
      const isAddress = type.bytes === 8;
      if (form?.kind === "text" && isAddress)
        return `${nameOf(index)}: ${form.length === undefined ? '"text"' : `{ text: "${nameOf(form.length)}" }`}`;
      if (form?.kind === "boolean") return `${nameOf(index)}: "bool"`;
      if (form?.kind === "integer" && form.display === "hex" && isAddress)
        return `${nameOf(index)}: "address"`;
      return `${nameOf(index)}: "${type.signed ? "i" : "u"}${type.bytes * 8}"`;
    })
    .join(", ");
}
