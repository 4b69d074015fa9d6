/**
 * Owns members and calls: `p.pid`, `p.arg(0)`, `counts.add(key)`, `value.name`; and refusing all others.
 * Does not own what each accessor becomes (accessors.ts).
 */
import type { AnyNode } from "acorn";
import { nearestNames } from "../../base/text.js";
import { accessors, findAccessor, isOffered } from "./accessors.js";
import type { Accessor } from "./accessors.js";
import type { Draft, ProbeKind } from "./draft.js";
import { fixOfCall } from "./refusals.js";
import { valueOfHanded } from "./scope.js";
import { callOperation, operationOf } from "./updates.js";
import { describe } from "./values.js";
import type { Value } from "./values.js";

/** The value of `object.name`; `node` is where the whole stands. */
export function memberOf(draft: Draft, object: Value, name: string, node: AnyNode): Value {
  const span = draft.spanOf(node);
  switch (object.kind) {
    case "parameter":
      return accessorOf(draft, name, node);
    case "handed": {
      const handed = draft.handed.get(name);
      if (handed !== undefined) return valueOfHanded(name, handed, span);
      const [near] = nearestNames(name, draft.handed.keys(), 1);
      const fix = `${near === undefined ? "" : `did you mean ${near}? If not, `}hand it over with using: { ${name} }`;
      return draft.refuse(node, `"${name}" is not handed over`, fix);
    }
    case "aggregate":
      return operationOf(draft, object.name, object.aggregate, name, node);
    case "object": {
      const entry = object.entries.get(name);
      if (entry?.kind === "broken")
        return draft.refuse(
          node,
          "bytes and stacks are not kept from the entry",
          "keep the address, and read at the return",
        );
      if (entry !== undefined) return object.valueAt?.(name, span) ?? entry;
      if (object.valueAt !== undefined && draft.declared?.get(name) === "skip")
        return draft.refuse(
          node,
          `"${name}" is declared as what is not looked at`,
          'declare its type: "u64"',
        );
      const names = [...object.entries.keys()];
      const fix =
        names.length === 0
          ? "nothing was kept: return an object from the first function"
          : `there are ${names.join(", ")}`;
      return refuseName(draft, name, names, `there is no "${name}" here`, fix, node);
    }
    case "array": {
      const item = /^\d+$/.test(name) ? object.items[Number(name)] : undefined;
      if (item !== undefined) return item;
      if (name === "length") return { kind: "constant", value: object.items.length, span };
      return draft.refuse(
        node,
        `this array has no "${name}"`,
        object.items.length === 0 ? "it is empty" : `it has the places 0 to ${object.items.length - 1}`,
      );
    }
    case "broken":
      return draft.giveUp();
    case "constant":
      if (object.value === undefined) {
        const fix =
          draft.at === "span-return" || draft.at === "span-end"
            ? "return an object from the first function of the span: what it holds is kept"
            : "leave it out";
        return draft.refuse(node, `undefined has no "${name}"`, fix);
      }
      break;
    default:
  }
  const isText = describe(object) === "a text";
  if (isText && name === "length") {
    return draft.refuse(
      node,
      "the length of a text is not known while the probe runs",
      "return the text: event.text.length is known where the event is handled",
    );
  }
  return draft.refuse(node, `${describe(object)} has no "${name}" in the kernel`, fixOfCall(`x.${name}`));
}

/** The value of a call. */
export function call(draft: Draft, callee: Value, given: readonly Value[], node: AnyNode): Value {
  switch (callee.kind) {
    case "method":
      return callAccessor(draft, callee.accessor, given, node);
    case "operation":
      return callOperation(draft, callee, given, node);
    case "broken":
      return draft.giveUp();
    case "aggregate": {
      const fix =
        callee.aggregate.spec.kind === "table"
          ? `write ${callee.name}.get(key)`
          : `write ${callee.name}.add(...)`;
      return draft.refuse(node, `"${callee.name}" cannot be called`, fix);
    }
    default:
      return draft.refuse(node, `${describe(callee)} cannot be called`, "leave out the parentheses");
  }
}

function accessorOf(draft: Draft, name: string, node: AnyNode): Value {
  const span = draft.spanOf(node);
  const accessor = findAccessor(name);
  if (accessor === undefined) {
    const known = accessors.filter((one) => isOffered(one, draft.at)).map((one) => one.name);
    return refuseName(draft, name, known, `p has no "${name}"`, `there are ${known.join(", ")}`, node);
  }
  if (!isOffered(accessor, draft.at)) {
    return draft.refuse(node, `p.${name} is not known ${whereOf(draft.at)}`, wayTo(accessor, draft.at));
  }
  if (accessor.takes !== undefined) return { kind: "method", accessor, span };
  return accessor.make({ draft, given: [], usage: accessor.usage, span });
}

function callAccessor(
  draft: Draft,
  { name, takes = [0, 0], usage, make }: Accessor,
  given: readonly Value[],
  node: AnyNode,
): Value {
  const [least, most] = takes;
  if (given.length < least || given.length > most) {
    const taken = least === most ? (least === 0 ? "no" : `${least}`) : `${least} or ${most}`;
    const what = `p.${name} takes ${taken} argument${taken === "1" ? "" : "s"}, and there ${given.length === 1 ? "is 1" : `are ${given.length}`}`;
    return draft.refuse(node, what, `write ${usage}`);
  }
  return make({ draft, given, usage, span: draft.spanOf(node) });
}

function whereOf(at: ProbeKind): string {
  if (at === "marker") return "at a marker";
  if (at === "span-end") return "where a pair ends";
  return at === "entry" || at === "span-entry" ? "when a function is entered" : "when a function returns";
}

function wayTo({ name, at, takes }: Accessor, kind: ProbeKind): string {
  if (at === "marker") return "write the argument by its place: p.arg(0); usdt() has p.args";
  if (at === "entry") {
    const written = `p.${name}(0)`;
    return kind === "span-return"
      ? `keep it at the entry: return { value: ${written} } from the first function, and read p.entry.value here`
      : `use a span: its first function returns { value: ${written} }, the second one reads p.entry.value`;
  }
  if ((kind === "marker" || kind === "span-end") && name === "returned")
    return "read the marker's arguments: p.arg(0), p.i32(1)";
  if (kind === "return") return `use a span instead of a uretprobe: its second function has p.${name}`;
  if (kind === "span-entry") return `use p.${name}${takes ? "()" : ""} in the second function of the span`;
  return name === "returned"
    ? "use a uretprobe, or the second function of a span"
    : `use a span: its second function has p.${name}`;
}

function refuseName(
  draft: Draft,
  name: string,
  known: readonly string[],
  what: string,
  fix: string,
  node: AnyNode,
): never {
  const letters = [...name].sort().join("");
  const turned = known.filter((one) => [...one].sort().join("") === letters);
  const near = turned.length > 0 ? turned : nearestNames(name, known, 3);
  return draft.refuse(node, what, near.length > 0 ? `did you mean ${near.join(" or ")}?` : fix);
}
