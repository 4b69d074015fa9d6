/**
 * Owns which fields an event of a probe has: the columns, the author's values, the stacks.
 * Does not own their places (event.ts).
 */
import { layoutEvent } from "./event.js";
import type { EventLayout, FieldKind } from "./event.js";
import type { CompileOptions } from "./options.js";
import type { TypedField, TypedProbe } from "./typed.js";
import { u32 } from "./types.js";

/** Lays out the event that a probe sends. */
export function layoutOf(probe: TypedProbe, options: CompileOptions): EventLayout {
  const fields = probe.statements.flatMap((statement) => (statement.kind === "emit" ? statement.fields : []));
  return layoutEvent([
    ...columnsOf(options),
    ...fields.map(({ name, value }) => ({ name, value: kindOf(value, options.textLimit) })),
    ...stacksOf(options),
  ]);
}

/** The fields before the author's first. */
export function columnsOf({
  columns,
}: CompileOptions): { readonly name: string; readonly value: FieldKind }[] {
  return [
    ...(columns.cpu ? [{ name: "cpu", value: { kind: "integer", type: u32 } } as const] : []),
    ...(columns.comm ? [{ name: "comm", value: { kind: "comm" } } as const] : []),
    ...(columns.uid ? [{ name: "uid", value: { kind: "integer", type: u32 } } as const] : []),
  ];
}

/** The fields behind the author's last. */
export function stacksOf({ stacks }: CompileOptions): { readonly name: string; readonly value: FieldKind }[] {
  return (["user", "kernel"] as const).flatMap((space) =>
    stacks[space] > 0
      ? [{ name: `${space} stack`, value: { kind: "stack", space, depth: stacks[space] } } as const]
      : [],
  );
}

function kindOf(value: TypedField["value"], textLimit: number): FieldKind {
  switch (value.kind) {
    case "integer":
      return { kind: "integer", type: value.type };
    case "text":
      return { kind: "text", limit: textLimit };
    case "comm":
      return { kind: "comm" };
    case "symbol":
      return { kind: "symbol", space: value.space };
  }
}
