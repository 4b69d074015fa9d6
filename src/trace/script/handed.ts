/**
 * Owns the numbers that shared objects get in one session: aggregates and tunables, each once however many probes use it.
 * Does not own the objects (aggregate.ts, tunable.ts).
 */
import { UsageError } from "../../base/errors.js";
import type { HandedOver, HandedValue } from "../../lang/script/handed-over.js";
import type { Aggregate } from "./aggregate.js";
import type { Using } from "./probe.js";
import { Tunable } from "./tunable.js";

/** What a probe is handed, and which of the session's aggregates it means by its own numbers. */
export interface HandedToProbe {
  readonly values: HandedOver;
  readonly aggregates: readonly Aggregate[];
}

/** The shared objects of a session, in the order of their numbers. */
export class SharedObjects {
  readonly aggregates: Aggregate[] = [];
  readonly tunables: Tunable[] = [];

  /** Numbers what one probe uses. Throws a UsageError for what a program cannot be handed. */
  handOver(using: Using): HandedToProbe {
    const own: Aggregate[] = [];
    const values = new Map<string, HandedValue>();
    for (const [name, value] of Object.entries(using)) values.set(name, this.#handOne(name, value, own));
    return { values, aggregates: own };
  }

  numberOf(aggregate: Aggregate): number {
    return numberIn(this.aggregates, aggregate);
  }

  /** The number of an aggregate that a probe of the session uses. */
  requireNumber(aggregate: Aggregate): number {
    const number = this.aggregates.indexOf(aggregate);
    if (number !== -1) return number;
    throw new UsageError({
      what: "no probe that is observed uses this aggregate",
      at: "an aggregate",
      fix: "hand it to a probe with using: { ... } before it is observed",
    });
  }

  #handOne(name: string, value: Using[string], own: Aggregate[]): HandedValue {
    if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint")
      return { kind: "constant", value };
    if (typeof value === "number") {
      if (Number.isSafeInteger(value)) return { kind: "constant", value };
      throw refused(name, `${value} is no integer`, "hand over an integer up to 2^53, or a bigint");
    }
    if (value instanceof Tunable) {
      const index = numberIn(this.tunables, value);
      return { kind: "tunable", index, class: typeof value.value === "bigint" ? "bigint" : "number" };
    }
    if (!isAggregate(value))
      throw refused(
        name,
        "this cannot be handed to a probe",
        "hand over numbers, texts, tunable(), counter() and its like",
      );
    numberIn(this.aggregates, value);
    const { spec, form } = value;
    const isWide = spec.value.bytes === 8;
    return {
      kind: "aggregate",
      index: numberIn(own, value),
      spec,
      key: form,
      class: isWide ? "bigint" : "number",
    };
  }
}

function isAggregate(value: unknown): value is Aggregate {
  return typeof value === "object" && value !== null && "spec" in value && "form" in value;
}

/** The place of an object in a list, at whose end it is put when it is not there yet. */
function numberIn<Item>(list: Item[], item: Item): number {
  const index = list.indexOf(item);
  return index === -1 ? list.push(item) - 1 : index;
}

function refused(name: string, what: string, fix: string): UsageError {
  return new UsageError({ what, at: `using: { ${name} }`, fix });
}
