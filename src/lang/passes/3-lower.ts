/**
 * Owns the third pass: the whole program of a probe as intermediate code, from the process filter to its last statement.
 * Does not own expressions, events, aggregates, spans, user memory and the process filter, which are in lowering/.
 */
import { assert, unreachable } from "../../base/assert.js";
import type { Operand, Program, StackSlot, Virtual } from "../ir.js";
import { Builder } from "../lowering/builder.js";
import type { BlockNumber } from "../lowering/builder.js";
import { Drops } from "../lowering/drops.js";
import { Events } from "../lowering/events.js";
import type { EventOptions } from "../lowering/events.js";
import { KeptValues } from "../lowering/kept.js";
import { Keys } from "../lowering/keys.js";
import { filterProcesses } from "../lowering/process-filter.js";
import { Spans } from "../lowering/spans.js";
import { Updates } from "../lowering/updates.js";
import { UserMemory } from "../lowering/user-memory.js";
import { Values } from "../lowering/values.js";
import { counters, countersMap, tunablesMap } from "../maps.js";
import { layoutKept } from "../span.js";
import type { KeptLayout } from "../span.js";
import type { Layout } from "../target.js";
import type { TypedProbe, TypedStatement } from "../typed.js";
import { usesOf } from "../uses.js";
import type { Uses } from "../uses.js";

export interface LowerOptions extends EventOptions {
  /** At the entry of a span: where what is kept lies. */
  readonly kept: KeptLayout | undefined;
  /** Of a pair of places: what joins its ends, where both lie in the same functions. */
  readonly frame: Layout["frame"];
}

/** Writes the program: process filter, hits, then what the probe begins with (tunables, the frame of a span), then its statements. */
export function lower(probe: TypedProbe, options: LowerOptions): Program {
  const builder = new Builder();
  const start = builder.block("start");
  const out = builder.block("out");
  builder.enter(start);
  const reached = options.countsReached ? findCounters(builder, options.firstProbe, out) : undefined;
  if (reached !== undefined) builder.count(reached, counters.reached);
  filterProcesses(builder, options.filter, out);
  const counts = reached ?? findCounters(builder, options.firstProbe, out);
  builder.count(counts, counters.hits);
  new Lowering(builder, options, counts, out).probe(probe);
  builder.enter(out);
  builder.exit();
  return builder.finish();
}

/** Verifier: a looked-up value may be null, although an array has every entry. */
function findCounters(builder: Builder, probe: number, out: BlockNumber): Virtual {
  const key = builder.slot(4);
  builder.store(key, 0, 4, BigInt(probe));
  const counts = builder.call("map_lookup_elem", [{ map: countersMap }, { address: key, offset: 0 }]);
  const hit = builder.block("hit");
  builder.branch("eq", 64, counts, 0n, out, hit);
  builder.enter(hit);
  return counts;
}

type Of<Kind extends TypedStatement["kind"]> = Extract<TypedStatement, { kind: Kind }>;

class Lowering {
  readonly #builder: Builder;
  readonly #options: LowerOptions;
  readonly #memory: UserMemory;
  readonly #values: Values;
  readonly #kept: KeptValues;
  readonly #events: Events;
  readonly #updates: Updates;
  readonly #drops: Drops;
  readonly #spans: Spans | undefined;
  readonly #counts: Virtual;
  readonly #out: BlockNumber;
  /** Where a hit goes that is done; at the entry of a span there is a frame to be taken away. */
  readonly #end: BlockNumber;
  /** Where a condition that does not hold ends. */
  readonly #filtered: BlockNumber;
  /** Where a hit goes whose condition, or any other number, cannot be computed. */
  readonly #faults: { readonly inConditions: BlockNumber; readonly elsewhere: BlockNumber };
  /** Keys, and the frame of a span: each is used up before another is begun. */
  #scratchSlot: StackSlot | undefined;
  readonly #variables = new Map<number, Virtual>();
  readonly #tunables = new Map<number, Virtual>();
  readonly #labels = new Map<number, BlockNumber>();

  constructor(builder: Builder, options: LowerOptions, counts: Virtual, out: BlockNumber) {
    this.#builder = builder;
    this.#options = options;
    this.#counts = counts;
    this.#out = out;
    this.#memory = new UserMemory(builder, options.sleepable);
    this.#kept = new KeptValues(builder);
    this.#drops = new Drops(builder);
    this.#filtered = builder.block("filtered");
    this.#faults = {
      inConditions: builder.block("faulted", "seldom"),
      elsewhere: builder.block("faulted", "seldom"),
    };
    const { span, architecture, frame, aggregates = [] } = options;
    this.#spans = span && new Spans(builder, { span, architecture, frame, drops: this.#drops });
    this.#end = span?.role === "entry" ? builder.block("left", "seldom") : out;
    this.#values = new Values(builder, this.#memory, architecture, this.#faults.inConditions, {
      variable: (number) => this.#variable(number),
      tunable: (index) => this.#tunable(index),
      kept: (index) => this.#kept.number(index),
      keptText: this.#kept,
      elapsed: () => this.#kept.elapsed,
    });
    const shared = { memory: this.#memory, values: this.#values, kept: this.#kept, counts };
    this.#events = new Events(builder, options, shared);
    const keys = new Keys(builder, () => this.#scratch(), shared);
    const { returnAddress } = options;
    this.#updates = new Updates(builder, { aggregates, keys, drops: this.#drops, returnAddress, ...shared });
    this.#writeEnds();
  }

  probe(probe: TypedProbe): void {
    const uses = usesOf(probe);
    if (this.#options.span?.role === "return") this.#openSpan(uses);
    else this.#spans?.refuseDeep(this.#out);
    for (const index of uses.tunables) this.#loadTunable(index);
    this.#statements(probe.statements);
    this.#builder.jump(this.#end);
  }

  #statements(statements: readonly TypedStatement[]): void {
    for (const statement of statements) {
      const outer = this.#builder.span;
      this.#builder.span = statement.span;
      this.#statement(statement);
      this.#builder.span = outer;
    }
  }

  #statement(statement: TypedStatement): void {
    const builder = this.#builder;
    const values = this.#values;
    values.faultsGoTo(statement.kind === "require" ? this.#faults.inConditions : this.#faults.elsewhere);
    switch (statement.kind) {
      case "require":
        return values.require(statement.condition, this.#filtered);
      case "emit":
        return this.#events.emit(statement, this.#end);
      case "assign": {
        const { variable, value } = statement;
        builder.copy(values.value(value), this.#variable(variable));
        return values.known.forget(variable);
      }
      case "if":
        return this.#if(statement);
      case "block":
        return this.#block(statement);
      case "leave": {
        const behind = this.#labels.get(statement.label);
        assert(behind !== undefined, `block ${statement.label} is left from outside`);
        return this.#goAway(behind);
      }
      case "finish":
        return this.#goAway(this.#end);
      case "update":
        return this.#updates.update(statement, this.#end);
      case "look-up": {
        const { variable, found } = statement;
        this.#updates.lookUp(statement, this.#variable(variable), this.#variable(found));
        values.known.forget(variable);
        return values.known.forget(found);
      }
      case "keep":
        return this.#keep(statement);
      default:
        return unreachable(statement);
    }
  }

  #if({ condition, whenTrue, whenFalse }: Of<"if">): void {
    const builder = this.#builder;
    const behind = builder.block("behind");
    const yes = builder.block("then");
    const no = whenFalse.length === 0 ? behind : builder.block("otherwise");
    this.#values.condition(condition, yes, no);
    for (const [block, statements] of [[yes, whenTrue] as const, [no, whenFalse] as const]) {
      if (block === behind) continue;
      builder.enter(block);
      this.#values.known.scoped(() => this.#statements(statements));
      builder.jump(behind);
    }
    builder.enter(behind);
  }

  #block({ label, body }: Of<"block">): void {
    const builder = this.#builder;
    const behind = builder.block("behind");
    const outer = this.#labels.get(label);
    this.#labels.set(label, behind);
    this.#values.known.scoped(() => this.#statements(body));
    if (outer === undefined) this.#labels.delete(label);
    else this.#labels.set(label, outer);
    builder.jump(behind);
    builder.enter(behind);
  }

  /** What stands behind is never reached. */
  #goAway(to: BlockNumber): void {
    this.#builder.jump(to);
    this.#builder.enter(this.#builder.block("unreached", "seldom"));
  }

  #keep({ fields }: Of<"keep">): void {
    const { kept } = this.#options;
    assert(this.#spans !== undefined && kept !== undefined, "values are kept outside of a span's entry");
    this.#spans.keep(fields, kept, {
      slot: this.#scratch(),
      values: this.#values,
      memory: this.#memory,
      faulted: this.#faults.elsewhere,
      end: this.#out,
    });
    this.#builder.enter(this.#builder.block("unreached", "seldom"));
  }

  #openSpan({ kept, elapsed }: Uses): void {
    assert(this.#spans !== undefined, "a span's return without a span");
    this.#spans.open(this.#kept, { fields: kept, elapsed }, this.#out);
  }

  #scratch(): StackSlot {
    this.#scratchSlot ??= this.#builder.slot(8);
    return this.#scratchSlot;
  }

  #variable(number: number): Virtual {
    const known = this.#variables.get(number) ?? this.#builder.fresh();
    this.#variables.set(number, known);
    return known;
  }

  #tunable(index: number): Operand {
    const loaded = this.#tunables.get(index);
    assert(loaded !== undefined, `the tunable ${index} was not looked up`);
    return loaded;
  }

  /** Why: at the start, so that one run sees one value. */
  #loadTunable(index: number): void {
    const builder = this.#builder;
    const address = { address: this.#scratch(), offset: 0 };
    builder.store(address.address, 0, 4, BigInt(index));
    const found = builder.call("map_lookup_elem", [{ map: tunablesMap }, address]);
    const there = builder.block("tunable");
    builder.branch("eq", 64, found, 0n, this.#end, there);
    builder.enter(there);
    this.#tunables.set(index, builder.load(found, 0, 8));
  }

  /** The ways on which hits end without an event. */
  #writeEnds(): void {
    const builder = this.#builder;
    const here = builder.current;
    builder.enter(this.#faults.inConditions);
    builder.count(this.#counts, counters.faults);
    builder.jump(this.#filtered);
    builder.enter(this.#faults.elsewhere);
    builder.count(this.#counts, counters.faults);
    builder.jump(this.#end);
    builder.enter(this.#filtered);
    builder.count(this.#counts, counters.filtered);
    builder.jump(this.#end);
    if (this.#end !== this.#out) {
      builder.enter(this.#end);
      this.#spans!.leave(this.#scratch(), this.#options.kept ?? layoutKept([]));
      builder.jump(this.#out);
    }
    builder.enter(here);
  }
}
