/**
 * Owns refusing declarations of a marker's arguments that are none: what TypeScript refuses too, for those who do without it.
 * Does not own what the forms mean (lang/script/accessors.ts) nor whether the marker has them (lang/declaration.ts).
 */
import { UsageError } from "../../base/errors.js";
import { nearestNames } from "../../base/text.js";
import { integerNames } from "../../lang/script/integer-types.js";
import type { ArgumentForm, DeclaredArguments } from "../../lang/script/parameter.js";

/** Reads a declaration. Throws a UsageError for names and forms that cannot be meant. */
export function requireDeclaration(args: object): DeclaredArguments {
  const declared = new Map<string, ArgumentForm>();
  for (const [name, form] of Object.entries(args)) {
    // Why: JavaScript puts names that are numbers in front of all others, and the order is what counts.
    if (!/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name))
      throw refused(name, form, "an argument's name is a word", 'for example { query: "text", rows: "i64" }');
    declared.set(name, requireForm(name, form));
  }
  for (const [name, form] of declared) {
    if (typeof form !== "object") continue;
    const length = declared.get(form.text);
    if (integerNames.includes(String(length)) && length !== "bool") continue;
    const known = [...declared.keys()].filter((one) => integerNames.includes(String(declared.get(one))));
    const what = `"${form.text}" is no number among the arguments`;
    const near = nearestNames(form.text, known, 1)[0];
    const fix =
      near === undefined ? "name the argument that holds the text's length" : `did you mean "${near}"?`;
    throw refused(name, form, what, fix);
  }
  return declared;
}

const words = [...integerNames, "address", "text", "skip"];

function requireForm(name: string, form: unknown): ArgumentForm {
  if (typeof form === "string" && words.includes(form)) return form as ArgumentForm;
  if (typeof form === "object" && form !== null && Object.keys(form).join() === "text") {
    const { text } = form as { readonly text: unknown };
    if (typeof text === "string") return { text };
  }
  const near = typeof form === "string" ? nearestNames(form, words, 1)[0] : undefined;
  const known = `there are ${words.join(", ")} and { text: "LENGTH" }`;
  const fix = near === undefined ? known : `did you mean "${near}"? ${known}`;
  throw refused(name, form, "this is no type of an argument", fix);
}

function refused(name: string, form: unknown, what: string, fix: string): UsageError {
  return new UsageError({ what, at: `usdt, args: { ${name}: ${JSON.stringify(form)} }`, fix });
}
