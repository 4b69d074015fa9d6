/**
 * Owns names: what a name of a probe function stands for, and what is said of names from outside.
 * Does not own declarations (declaring.ts).
 */
import type { AnyNode } from "acorn";
import type { Span } from "../../base/errors.js";
import { nearestNames } from "../../base/text.js";
import type { Variable } from "../tree.js";
import type { Draft } from "./draft.js";
import type { HandedValue } from "./handed-over.js";
import { use } from "./values.js";
import type { NumberClass, Value } from "./values.js";
import { i64 } from "../types.js";
import type { IntegerType } from "../types.js";

/** Reads an expression. */
export type Evaluate = (draft: Draft, scope: Scope, node: AnyNode) => Value;

export type Binding =
  /** Stands for a value for good. */
  | { readonly kind: "value"; readonly value: Value; readonly constant: boolean }
  /** A `let` that is assigned somewhere. Its class is that of the first value. */
  | {
      readonly kind: "variable";
      variable: Variable | undefined;
      class: NumberClass | undefined;
      /** Of a variable that was declared without a value, or with a written one: makes it, when the first value comes that has a type. */
      decide?: ((type: IntegerType | undefined) => Variable) | undefined;
    }
  /** A loop's variable: another constant in each round. */
  | { readonly kind: "round"; value: Value };

export class Scope {
  readonly #names = new Map<string, Binding>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  add(name: string, binding: Binding): void {
    this.#names.set(name, binding);
  }

  find(name: string): Binding | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name);
  }

  get names(): string[] {
    return [...this.#names.keys(), ...(this.#outer?.names ?? [])];
  }
}

/** The value of a name. */
export function valueOfName(draft: Draft, scope: Scope, name: string, node: AnyNode): Value {
  const span = draft.spanOf(node);
  const binding = scope.find(name);
  if (binding === undefined) return valueOfOutside(draft, scope, name, node);
  if (binding.kind === "variable") {
    const { variable } = binding;
    if (variable === undefined || binding.class === undefined) {
      return draft.refuse(
        node,
        `"${name}" has no value yet`,
        `give it one where it is declared: let ${name} = 0`,
      );
    }
    const expression = use(variable, span);
    return { kind: "integer", class: binding.class, expression, type: variable.type, span };
  }
  const { value } = binding;
  if (value.kind === "broken") return draft.giveUp();
  // Why: a problem is shown where the name is used, not where it got its value.
  if (value.kind === "integer" && value.expression.kind === "variable") {
    return { ...value, expression: { ...value.expression, span }, span };
  }
  return { ...value, span };
}

/** A value that is handed over, as the probe function sees it. */
export function valueOfHanded(name: string, handed: HandedValue, span: Span): Value {
  switch (handed.kind) {
    case "constant":
      return { kind: "constant", value: handed.value, span };
    case "tunable": {
      const expression = { kind: "tunable", index: handed.index, type: i64, span } as const;
      return { kind: "integer", class: handed.class, expression, type: i64, span };
    }
    case "aggregate":
      return { kind: "aggregate", name, aggregate: handed, span };
  }
}

function valueOfOutside(draft: Draft, scope: Scope, name: string, node: AnyNode): Value {
  const span = draft.spanOf(node);
  if (name === "undefined") return { kind: "constant", value: undefined, span };
  if (name === "NaN" || name === "Infinity") {
    return draft.refuse(node, `${name} is no whole number`, "use whole numbers: eBPF has no others");
  }
  const handed = draft.handed.get(name);
  if (handed !== undefined) return valueOfHanded(name, handed, span);
  return refuseOutside(draft, scope, name, node);
}

function refuseOutside(draft: Draft, scope: Scope, name: string, node: AnyNode): never {
  if (name === "arguments")
    draft.refuse(
      node,
      "there is no arguments object in the kernel",
      "name the parameter: (p) => ({ pid: p.pid })",
    );
  const near = nearestNames(name, [...scope.names, ...draft.handed.keys()], 1).filter(
    (one) => one.length > 2,
  );
  const misspelt = near.length > 0 && name.length > 2 ? `did you mean ${near[0]}? If not, ` : "";
  const fix = `${misspelt}hand it over with using: { ${name} }`;
  return draft.refuse(node, `"${name}" is not known in the kernel`, fix);
}

/** Names that transforms give to imported modules: `_lib` (jiti), `lib_1` (tsc), `import_lib` (esbuild), `__vi_import_0__` (Vitest). */
const moduleName = /^(?:_+[A-Za-z][\w$]*|import_[\w$]+|[A-Za-z][\w$]*_\d+)$/;

/** `object.name` where the object is from outside: an import as transforms write it, or an object that was not handed over. */
export function valueOfForeign(draft: Draft, object: string, name: string, node: AnyNode): Value {
  const span = draft.spanOf(node);
  const handed = draft.handed.get(name);
  if (moduleName.test(object)) {
    if (handed !== undefined) return valueOfHanded(name, handed, span);
    return draft.refuse(node, `"${name}" is not known in the kernel`, `hand it over with using: { ${name} }`);
  }
  const fix = `hand its value over with using: { ${name}: ${object}.${name} }, and write ${name} here`;
  return draft.refuse(node, `"${object}" is not known in the kernel`, fix);
}
