/**
 * Owns keys of aggregates: the value that an author writes, as the parts that the declaration lists.
 * Does not own the operations (updates.ts).
 */
import type { Span } from "../../base/errors.js";
import { nearestNames } from "../../base/text.js";
import type { KeyPartSpec } from "../aggregates.js";
import type { KeyPart } from "../tree.js";
import { holds } from "../types.js";
import type { IntegerType } from "../types.js";
import type { Draft } from "./draft.js";
import type { KeyForm } from "./handed-over.js";
import { constantInteger, integerOf } from "./operators.js";
import { describe } from "./values.js";
import type { Aggregate, Value } from "./values.js";

/** Makes the parts of a key. What does not fit is refused. */
export function keyOf(draft: Draft, aggregate: Aggregate, name: string, value: Value): KeyPart[] {
  const parts = [...aggregate.spec.key];
  if (value.kind === "broken") return draft.giveUp();
  const { key: form } = aggregate;
  const written = (): string => `${name} has keys like ${printForm(form, aggregate.spec.key)}`;
  switch (form.kind) {
    case "none":
      return draft.refuse(value.span, `${name} has no key`, "leave the key out, or declare one");
    case "value":
      return partOf(draft, form.part, value, parts, written);
    case "array": {
      if (value.kind !== "array" || value.items.length !== form.parts.length) {
        return draft.refuse(value.span, `this key has another shape than that of ${name}`, written());
      }
      return form.parts.flatMap((part, index) => partOf(draft, part, value.items[index]!, parts, written));
    }
    case "object":
      return keyOfObject(draft, form, name, value, parts, written);
  }
}

function keyOfObject(
  draft: Draft,
  form: Extract<KeyForm, { kind: "object" }>,
  name: string,
  value: Value,
  parts: KeyPartSpec[],
  written: () => string,
): KeyPart[] {
  if (value.kind !== "object")
    return draft.refuse(value.span, `this key has another shape than that of ${name}`, written());
  const names = form.parts.map((part) => part.name);
  for (const [extra, { span }] of value.entries) {
    if (names.includes(extra)) continue;
    const near = nearestNames(extra, names, 1);
    draft.refuse(
      span,
      `keys of ${name} have no "${extra}"`,
      near.length > 0 ? `did you mean ${near[0]}?` : written(),
    );
  }
  return form.parts.flatMap((part) => {
    const entry = value.entries.get(part.name);
    if (entry === undefined) return draft.refuse(value.span, `the key lacks "${part.name}"`, written());
    return partOf(draft, part.part, entry, parts, written);
  });
}

/** Takes one or two parts of the declaration. */
function partOf(
  draft: Draft,
  form: "single" | "process",
  value: Value,
  parts: KeyPartSpec[],
  written: () => string,
): KeyPart[] {
  if (form === "single") return [singlePart(draft, parts.shift()!, value, written)];
  const [pid, comm] = value.kind === "object" ? [value.entries.get("pid"), value.entries.get("comm")] : [];
  if (value.kind !== "object" || pid === undefined || comm === undefined) {
    return draft.refuse(value.span, `${describe(value)} is no process`, "write p.process");
  }
  return [singlePart(draft, parts.shift()!, pid, written), singlePart(draft, parts.shift()!, comm, written)];
}

function singlePart(draft: Draft, spec: KeyPartSpec, value: Value, written: () => string): KeyPart {
  const { span } = value;
  if (value.kind === "broken") return draft.giveUp();
  switch (spec.kind) {
    case "integer":
      if (describe(value) === "a text" && value.kind !== "choice") {
        return draft.refuse(span, "this part of the key is a number", written());
      }
      if (value.kind === "choice")
        return draft.refuse(span, "this part of the key is a number", "write the number without its name");
      refuseOutside(draft, value, spec.type, "this part of the key");
      return { kind: "integer", value: integerOf(draft, value, "part of a key").expression, span };
    case "site":
      if (value.kind === "function") return { kind: "integer", value: { kind: "site", span }, span };
      return draft.refuse(span, "this part of the key is a function", "write p.function");
    case "stack":
      if (value.kind === "stack") return { kind: "stack", span };
      return draft.refuse(span, "this part of the key is a stack", "write p.stack()");
    case "comm":
    case "text":
      return textPart(draft, spec, value, span, written);
  }
}

/** Refuses a constant that would become another number; what is computed is converted as C does it. */
export function refuseOutside(draft: Draft, value: Value, type: IntegerType, place: string): void {
  const constant = constantInteger(value);
  if (constant === undefined || holds(type, constant)) return;
  const [least, most] = type.signed
    ? [-(2n ** BigInt(type.bytes * 8 - 1)), 2n ** BigInt(type.bytes * 8 - 1) - 1n]
    : [0n, 2n ** BigInt(type.bytes * 8) - 1n];
  const fix = `write a number from ${least} to ${most}, or declare another type`;
  draft.refuse(
    value.span,
    `${constant} does not fit into ${place}, which is declared as ${nameOfType(type)}`,
    fix,
  );
}

/** As authors declare it. */
export function nameOfType({ signed, bytes }: IntegerType): string {
  return `${signed ? "i" : "u"}${bytes * 8}`;
}

function textPart(
  draft: Draft,
  spec: Extract<KeyPartSpec, { kind: "comm" | "text" }>,
  value: Value,
  span: Span,
  written: () => string,
): KeyPart {
  const most = spec.kind === "comm" ? 15 : spec.bytes;
  if (value.kind === "constant" && typeof value.value === "string") {
    const text = new TextEncoder().encode(value.value);
    if (text.length <= most) return { kind: "literal", text, span };
    return draft.refuse(
      span,
      `this text has ${text.length} bytes, and ${most} is the most in this key`,
      "write a shorter text",
    );
  }
  if (value.kind === "text" && (spec.kind === "text" || value.from === "name" || value.from === "kept")) {
    return { kind: "text", value: value.value, length: value.length, span };
  }
  if (value.kind === "text")
    return draft.refuse(
      span,
      "this part of the key is the name of a thread",
      "write p.comm, or declare the part as text",
    );
  const fix =
    value.kind === "choice"
      ? "use the number behind it: a key of text is read from memory or a constant"
      : value.kind === "symbol"
        ? "use the address as a key of u64"
        : value.kind === "function"
          ? "declare this part of the key as a function"
          : written();
  return draft.refuse(
    span,
    spec.kind === "comm"
      ? "this part of the key is the name of a thread"
      : "this part of the key is text read from memory",
    fix,
  );
}

/** How a key is written: `{ pid: number, name: text }`. */
function printForm(form: KeyForm, specs: readonly KeyPartSpec[]): string {
  const left = [...specs];
  const print = (part: "single" | "process"): string => {
    if (part === "process") {
      left.splice(0, 2);
      return "p.process";
    }
    const spec = left.shift();
    if (spec?.kind === "integer") return spec.type.bytes === 8 ? "bigint" : "number";
    if (spec?.kind === "stack") return "p.stack()";
    return spec?.kind === "comm" ? "p.comm" : spec?.kind === "site" ? "p.function" : "p.text(address)";
  };
  switch (form.kind) {
    case "none":
      return "none";
    case "value":
      return print(form.part);
    case "array":
      return `[${form.parts.map(print).join(", ")}]`;
    case "object":
      return `{ ${form.parts.map(({ name, part }) => `${name}: ${print(part)}`).join(", ")} }`;
  }
}
