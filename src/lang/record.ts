/**
 * Owns which fields the events of a probe have: the columns, the author's values by shape, the stacks; and what a span keeps.
 * Does not own their places (event.ts).
 */
import { assert, unreachable } from "../base/assert.js";
import { commonType } from "./arithmetic.js";
import { layoutEvent } from "./event.js";
import type { EventLayout, FieldKind } from "./event.js";
import type { CompileOptions } from "./options.js";
import { layoutKept } from "./span.js";
import type { KeptLayout } from "./span.js";
import { allStatements } from "./typed.js";
import type { TypedField, TypedProbe, TypedValue } from "./typed.js";
import { u32 } from "./types.js";
import type { IntegerType } from "./types.js";

/** The events of a probe, and where the author's fields of each shape lie in them. */
export interface ProbeLayout {
  readonly event: EventLayout;
  /** By the number of the shape; counted in the fields of the event. */
  readonly shapeFields: readonly ShapeFields[];
  /** The field that says which shape an event has, where there is more than one. */
  readonly shapeField: number | undefined;
  /** What `keep` keeps, at the entry of a span. */
  readonly kept: KeptLayout | undefined;
}

export interface ShapeFields {
  readonly first: number;
  readonly count: number;
}

type PlainField = { readonly name: string; readonly value: FieldKind };

/** Lays out the events that a probe sends, and what it keeps. */
export function layoutOf(probe: TypedProbe, options: CompileOptions): ProbeLayout {
  const statements = allStatements(probe.statements);
  const emits = statements.filter((statement) => statement.kind === "emit");
  const keeps = statements.filter((statement) => statement.kind === "keep");
  const shapes = 1 + Math.max(-1, ...emits.map(({ shape }) => shape));
  const byShape = Array.from({ length: shapes }, (_, shape) =>
    common(
      emits.filter((emit) => emit.shape === shape).map(({ fields }) => fields),
      options,
    ),
  );
  const columns = columnsOf(options);
  const shapeField = shapes > 1 ? columns.length : undefined;
  const shapeColumn: PlainField[] =
    shapes > 1 ? [{ name: "shape", value: { kind: "integer", type: u32 } }] : [];
  let next = columns.length + shapeColumn.length;
  const shapeFields = byShape.map((fields): ShapeFields => {
    const first = next;
    next += fields.length;
    return { first, count: fields.length };
  });
  const kept = common(
    keeps.map(({ fields }) => fields),
    options,
  );
  return {
    event: layoutEvent([...columns, ...shapeColumn, ...byShape.flat(), ...stacksOf(options)]),
    shapeFields,
    shapeField,
    kept: keeps.length > 0 ? layoutKept(kept) : undefined,
  };
}

/** The fields before the author's first. */
export function columnsOf({ columns }: CompileOptions): PlainField[] {
  return [
    ...(columns.cpu ? [{ name: "cpu", value: { kind: "integer", type: u32 } } as const] : []),
    ...(columns.comm ? [{ name: "comm", value: { kind: "comm" } } as const] : []),
    ...(columns.uid ? [{ name: "uid", value: { kind: "integer", type: u32 } } as const] : []),
    ...(columns.namespaceIds === undefined ? [] : namespaceColumns),
  ];
}

const namespaceColumns = ["namespace_pid", "namespace_tid"].map((name): PlainField => ({
  name,
  value: { kind: "integer", type: u32 },
}));

/** The fields behind the author's last. */
export function stacksOf({ stacks }: CompileOptions): PlainField[] {
  return (["user", "kernel"] as const).flatMap((space) =>
    stacks[space] > 0
      ? [{ name: `${space} stack`, value: { kind: "stack", space, depth: stacks[space] } } as const]
      : [],
  );
}

/** The fields of statements that send, or keep, the same: one in a loop stands in the tree as often as the loop turns. */
function common(all: readonly (readonly TypedField[])[], options: CompileOptions): PlainField[] {
  const [first = [], ...others] = all.map((fields) =>
    fields.map(({ name, value }): PlainField => ({ name, value: kindOf(value, options) })),
  );
  return others.reduce((joined, fields) => {
    assert(fields.length === joined.length, "events of one shape with other fields");
    return joined.map(({ name, value }, index) => ({ name, value: join(value, fields[index]!.value) }));
  }, first);
}

function join(one: FieldKind, other: FieldKind): FieldKind {
  if (one.kind === "integer" && other.kind === "integer") {
    return same(one.type, other.type) ? one : { kind: "integer", type: commonType(one.type, other.type) };
  }
  assert(JSON.stringify(one) === JSON.stringify(other), "events of one shape with fields of other kinds");
  return one;
}

function same(one: IntegerType, other: IntegerType): boolean {
  return one.bytes === other.bytes && one.signed === other.signed && one.truth === other.truth;
}

/** Frames of a stack that the author asked for, where the session says nothing. */
const usualDepth = 64;

function kindOf(value: TypedValue, { textLimit, stackDepth = usualDepth }: CompileOptions): FieldKind {
  switch (value.kind) {
    case "integer":
      return { kind: "integer", type: value.type };
    case "text":
      return { kind: "text", limit: value.limit ?? textLimit };
    case "comm":
      return { kind: "comm" };
    case "kept":
      return value.place.value;
    case "bytes":
      return { kind: "bytes", count: value.count };
    case "stack":
      return { kind: "stack", space: "user", depth: stackDepth };
    case "symbol":
      return { kind: "symbol", space: value.space };
    default:
      return unreachable(value);
  }
}
