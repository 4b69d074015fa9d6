/**
 * Owns what the tests of probe functions share: values that are handed over, and parsing the cases of golden files.
 * Does not own running the trees (meaning.ts).
 */
import type { AggregateSpec } from "../../../src/lang/aggregates.js";
import type { HandedOver, HandedValue, KeyForm } from "../../../src/lang/script/handed-over.js";
import { parseScript } from "../../../src/lang/script/parse.js";
import type { ParsedScript, ScriptRequest } from "../../../src/lang/script/parse.js";
import type { Shape } from "../../../src/lang/script/shape.js";
import type { Selector } from "../../../src/lang/tree.js";
import { i32, i64, u32, u64 } from "../../../src/lang/types.js";

export const selector: Selector = {
  kind: "function",
  at: "entry",
  library: "redis-server",
  symbol: "createStringObject",
  offset: 0,
  span: { start: 0, end: 0 },
};

const number = { kind: "integer", type: u32 } as const;
const word = { kind: "integer", type: u64 } as const;
const text = { kind: "text", bytes: 32 } as const;
const comm = { kind: "comm" } as const;

let places = 0;
function aggregate(
  kind: AggregateSpec["kind"],
  key: AggregateSpec["key"],
  form: KeyForm,
  type: "number" | "bigint" = "bigint",
  value = i64,
): HandedValue {
  const spec: AggregateSpec = { kind, key, value, entries: 1024 };
  return { kind: "aggregate", index: places++, spec, key: form, class: type };
}

const single = { kind: "value", part: "single" } as const;

/** What every case is handed, by name. */
export const handed: HandedOver = new Map<string, HandedValue>([
  ["limit", { kind: "constant", value: 100 }],
  ["mask", { kind: "constant", value: 0xffn }],
  ["label", { kind: "constant", value: "redis" }],
  ["half", { kind: "constant", value: 0.5 }],
  ["verbose", { kind: "constant", value: true }],
  ["least", { kind: "tunable", index: 0, class: "number" }],
  ["counts", aggregate("counter", [text], single)],
  ["hits", aggregate("counter", [], { kind: "none" })],
  ["byPid", aggregate("counter", [number], single)],
  ["byProcess", aggregate("counter", [number, comm], { kind: "value", part: "process" })],
  ["sizes", aggregate("log2", [word], single)],
  ["total", aggregate("summary", [], { kind: "none" })],
  ["starts", aggregate("table", [number], single, "bigint", u64)],
  ["levels", aggregate("table", [word], single, "number", i32)],
  [
    "pairs",
    aggregate("counter", [number, text], {
      kind: "object",
      parts: [
        { name: "pid", part: "single" },
        { name: "name", part: "single" },
      ],
    }),
  ],
  ["tuples", aggregate("log2", [number, comm, word], { kind: "array", parts: ["process", "single"] })],
  ["byFunction", aggregate("counter", [{ kind: "site" }], single)],
  ["byStack", aggregate("counter", [{ kind: "stack", depth: 127 }], single)],
  ["widths", aggregate("summary", [], { kind: "none" }, "bigint", u64)],
]);

/** What the entry of a span has kept, in cases at its return. */
const kept: Shape = {
  kind: "object",
  entries: [
    { name: "name", shape: { kind: "field", field: 0, as: "text" } },
    { name: "size", shape: { kind: "field", field: 1, as: "bigint" } },
    { name: "fd", shape: { kind: "field", field: 2, as: "number" } },
  ],
};

/** Parses a function's text; `at` stands in front of it, as in `return: (p) => ...`, where it is no entry. */
export function parseText(input: string, more: Partial<ScriptRequest> = {}): ParsedScript {
  const [, at, source = ""] = /^(?:(entry|return|span-entry|span-return): )?([^]*)$/.exec(input)!;
  const kind = (at ?? "entry") as ScriptRequest["at"];
  return parseScript({
    source,
    at: kind,
    selector,
    handed,
    ...(kind === "span-return" ? { kept } : {}),
    ...more,
  });
}

/** Shapes as text, a line each. */
export function printShapes(shapes: readonly Shape[]): string {
  return shapes.map((shape, index) => `shape ${index}: ${printShape(shape)}\n`).join("");
}

function printShape(shape: Shape): string {
  switch (shape.kind) {
    case "field":
      return `${shape.as} ${shape.field}`;
    case "choice":
      return `choice ${shape.field} of ${shape.choices.map(({ value, shown }) => `${value}: ${printConstant(shown)}`).join(", ")}`;
    case "constant":
      return printConstant(shape.value);
    case "object":
      return `{ ${shape.entries.map(({ name, shape: inner }) => `${name}: ${printShape(inner)}`).join(", ")} }`;
    case "array":
      return `[${shape.items.map(printShape).join(", ")}]`;
  }
}

function printConstant(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? "undefined");
}
