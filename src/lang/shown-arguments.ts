/**
 * Owns what the events of a marker show where its author gave no format: all its arguments, by the names that its provider gives
 * them or as arg1, arg2 ...
 * Does not own which names those are (the target) nor how values are printed (trace/).
 */
import type { ParsedProbe, ShownArgument } from "./probe.js";
import type { DeclaredForm, Layout, MarkerArguments } from "./target.js";
import type { Template, TemplatePart } from "./template.js";
import type { EmitField, FieldForm } from "./tree.js";
import { truth } from "./types.js";
import type { IntegerType } from "./types.js";

/** Layouts of markers whose events look alike. */
export interface MarkerLayouts {
  readonly marker: MarkerArguments | undefined;
  readonly layouts: readonly Layout[];
}

export function groupByMarker(layouts: readonly Layout[]): readonly MarkerLayouts[] {
  const groups = new Map<string, Layout[]>();
  for (const layout of layouts) {
    const key = JSON.stringify(layout.marker ?? null);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [layout]);
    else known.push(layout);
  }
  return [...groups.values()].map((group) => ({ marker: group[0]!.marker, layouts: group }));
}

/** Gives a probe without a format the fields and the template that show all arguments. */
export function showArguments(parsed: ParsedProbe, marker: MarkerArguments | undefined): ParsedProbe {
  // Why possible: the file with the marker is still to come.
  if (marker === undefined) return { ...parsed, shown: [] };
  const { span } = parsed.tree.selector;
  const fields: EmitField[] = [];
  const shown: ShownArgument[] = [];
  const template: TemplatePart[] = [];
  marker.types.forEach((type, index) => {
    const argument = marker.declared?.[index];
    if (argument?.form.kind === "length") return;
    const name = argument?.name ?? `arg${index + 1}`;
    template.push({ kind: "literal", text: `${shown.length === 0 ? "" : " "}${name}=` });
    if (type.kind === "unreadable") {
      template.push({ kind: "literal", text: `<unreadable: ${type.reason}>` });
      shown.push({ name, display: "unreadable" });
      return;
    }
    const display = displayOf(type, argument?.form);
    template.push({ ...plain, field: fields.length, conversion: conversions[display] });
    const value = { kind: "argument", index, type, span } as const;
    fields.push({ name, value, form: formOf(type, display), span });
    shown.push({ name, display });
  });
  const body = parsed.tree.body.map((statement) =>
    statement.kind === "emit" ? { ...statement, fields } : statement,
  );
  return { ...parsed, tree: { ...parsed.tree, body }, template: joinLiterals(template), shown };
}

type Display = Exclude<ShownArgument["display"], "unreadable">;

/** Why 64 bits without a sign are hexadecimal where nobody says what they are: most are addresses. */
function displayOf(type: IntegerType, form: DeclaredForm | undefined): Display {
  switch (form?.kind) {
    case undefined:
      return type.bytes === 8 && !type.signed ? "hex" : "decimal";
    case "boolean":
      return "boolean";
    case "integer":
      return form.display;
    default:
      // Why not always: where another version of the program has a number, its note says that it is no address.
      return type.bytes === 8 ? "text" : "decimal";
  }
}

function formOf(type: IntegerType, display: Display): FieldForm {
  if (display === "text") return { kind: "text", length: undefined };
  if (display === "boolean") return { kind: "integer", type: truth };
  return { kind: "integer", type: display === "hex" ? { ...type, signed: false } : type };
}

const conversions = { decimal: "d", hex: "p", boolean: "d", text: "s" } as const;

const plain = {
  kind: "conversion",
  leftAlign: false,
  plusSign: false,
  spaceSign: false,
  alternate: false,
  zeroPad: false,
  width: undefined,
  precision: undefined,
} as const;

function joinLiterals(parts: readonly TemplatePart[]): Template {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.kind === "literal" && last?.kind === "literal")
      joined[joined.length - 1] = { kind: "literal", text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}
