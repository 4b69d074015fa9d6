/**
 * Owns changing aggregates and looking keys up in them: the element found or made, then one atomic step a word.
 * Does not own keys (keys.ts), buckets (buckets.ts) nor the forms of keys and values (aggregates.ts).
 *
 * Every word is changed in one piece. Why: a program on a uprobe can be interrupted by another one on the same processor, so that
 * even a processor's own part of an element is not one program's alone.
 */
import { assert, unreachable } from "../../base/assert.js";
import { holdsStack, isArray, isIndexedBySite, placeKey, signBit, valueBytesOf } from "../aggregates.js";
import type { AggregateSpec } from "../aggregates.js";
import type { Argument, Operand, StackSlot, Virtual } from "../ir.js";
import { counters, mostStackZeros, zerosMap } from "../maps.js";
import type { AggregateOption } from "../options.js";
import type { ValuePlace } from "../target.js";
import { valuesOf } from "../typed.js";
import type { TypedKeyPart, TypedStatement } from "../typed.js";
import { canFault } from "../uses.js";
import { linearBucket, log2Bucket } from "./buckets.js";
import type { BlockNumber, Builder } from "./builder.js";
import type { Drops } from "./drops.js";
import { KeyRoom } from "./key-room.js";
import type { KeyPlace } from "./key-room.js";
import type { KeyAddress, Keys, LargeKey } from "./keys.js";
import type { Values } from "./values.js";

type Of<Kind extends TypedStatement["kind"]> = Extract<TypedStatement, { kind: Kind }>;

interface Surroundings {
  readonly aggregates: readonly AggregateOption[];
  readonly values: Values;
  readonly keys: Keys;
  readonly drops: Drops;
  readonly counts: Virtual;
  /** Where the function returns to, where its caller is in no frame yet. */
  readonly returnAddress: ValuePlace | undefined;
}

// Kernel: BPF_ANY, BPF_NOEXIST.
const any = 0n;
const onlyNew = 1n;

/** How often a word is tried again that another program changed meanwhile. */
const mostTries = 8n;

export class Updates {
  readonly #builder: Builder;
  readonly #surroundings: Surroundings;
  #zeros: StackSlot | undefined;
  #word: StackSlot | undefined;
  readonly #room: KeyRoom;

  constructor(builder: Builder, surroundings: Surroundings) {
    this.#builder = builder;
    this.#room = new KeyRoom(builder);
    this.#surroundings = surroundings;
  }

  /** Changes an aggregate and goes on, also where the key cannot be read or finds no room, which is counted. */
  update(statement: Of<"update">, end: BlockNumber): void {
    const { aggregate, operation, key, value } = statement;
    const builder = this.#builder;
    const option = this.#option(aggregate);
    if (holdsStack(option.spec)) return this.#addByStack(statement, option);
    const next = builder.block("next");
    // Why: first, for where it cannot be computed nothing is changed.
    const added = value === undefined ? 1n : this.#surroundings.values.value(value);
    if (operation === "add") {
      const element = this.#element(aggregate, option, key, end, next);
      this.#add(option, element, added, next);
    } else {
      const address = this.#key(option, key, next);
      if (operation === "set") this.#set(option, address, added, next);
      else builder.run("map_delete_elem", [{ map: option.map }, address]);
    }
    builder.jump(next);
    builder.enter(next);
  }

  /** Adds to an aggregate whose key is put together in a place that is claimed for it. */
  #addByStack(statement: Of<"update">, option: AggregateOption): void {
    const builder = this.#builder;
    const { values } = this.#surroundings;
    assert(statement.operation === "add", "a table by stack");
    // Why first: a hit that ended here for a value that cannot be computed would keep the place for ever.
    const early = valuesOf(statement).filter(canFault);
    const add = (): void => {
      const caller = this.#caller();
      const [full, done, next] = [
        builder.block("full", "seldom"),
        builder.block("done"),
        builder.block("next"),
      ];
      const place = this.#room.claim(full);
      const { key, value } = statement;
      const address = this.#key(option, key, done, { place, caller });
      const element = this.#hashElement(option, address, done, place);
      this.#add(option, element, value === undefined ? 1n : values.value(value), done);
      builder.jump(done);
      builder.enter(done);
      this.#room.release(place);
      builder.jump(next);
      builder.enter(full);
      this.#drop(option, next);
      builder.enter(next);
    };
    values.settled(early, () => values.known.scoped(add));
  }

  /** Where the function returns to, where that is not on the stack that the kernel walks; 0 where it cannot be read. */
  #caller(): Operand | undefined {
    const { returnAddress, values, counts } = this.#surroundings;
    if (returnAddress === undefined) return undefined;
    const builder = this.#builder;
    const [unread, next] = [builder.block("unread", "seldom"), builder.block("next")];
    const caller = builder.fresh();
    values.failingTo(unread, () => builder.copy(values.placed(returnAddress), caller));
    builder.jump(next);
    builder.enter(unread);
    builder.count(counts, counters.faults);
    builder.copy(0n, caller);
    builder.jump(next);
    builder.enter(next);
    return caller;
  }

  /** Puts what is found into two variables. */
  lookUp({ aggregate, key }: Of<"look-up">, variable: Virtual, found: Virtual): void {
    const builder = this.#builder;
    const option = this.#option(aggregate);
    const [missing, present, next] = ["missing", "present", "next"].map((name) => builder.block(name));
    assert(missing !== undefined && present !== undefined && next !== undefined, "three blocks");
    const address = this.#key(option, key, missing);
    const element = builder.call("map_lookup_elem", [{ map: option.map }, address]);
    builder.branch("eq", 64, element, 0n, missing, present);
    builder.enter(present);
    builder.copy(builder.load(element, 0, 8), variable);
    builder.copy(1n, found);
    builder.jump(next);
    builder.enter(missing);
    builder.copy(0n, variable);
    builder.copy(0n, found);
    builder.jump(next);
    builder.enter(next);
  }

  /** A pointer to the element of a key, made where there is none; goes to `next` where that cannot be. */
  #element(
    aggregate: number,
    option: AggregateOption,
    key: readonly TypedKeyPart[],
    end: BlockNumber,
    next: BlockNumber,
  ): Virtual {
    const { spec, map } = option;
    if (!isArray(spec)) return this.#hashElement(option, this.#key(option, key, next), next);
    const builder = this.#builder;
    const { keys, values } = this.#surroundings;
    const find = (index: Operand, otherwise: BlockNumber): Virtual => {
      const element = builder.call("map_lookup_elem", [{ map }, keys.number(index)]);
      const [missing, present] = [builder.block("missing", "seldom"), builder.block("present")];
      builder.branch("eq", 64, element, 0n, missing, present);
      builder.enter(missing);
      this.#drop(option, otherwise);
      builder.enter(present);
      return element;
    };
    // Why: it is there for every site, so that a run looks it up once; where it were not the hit ends, for what follows relies on it.
    const once = (index: Operand): Virtual =>
      values.known.once(`aggregate ${aggregate}`, () => find(index, end));
    if (!isIndexedBySite(spec)) return once(0n);
    const [part] = key;
    assert(part?.kind === "integer", "a site that is no number");
    const index = values.value(part.value);
    return part.value.kind === "site" ? once(index) : find(index, next);
  }

  /** `place`: where a key lies of which it is told when it is new. */
  #hashElement(option: AggregateOption, key: KeyAddress, next: BlockNumber, place?: KeyPlace): Virtual {
    const builder = this.#builder;
    const look = (to: Virtual): Virtual => builder.call("map_lookup_elem", [{ map: option.map }, key], to);
    const element = look(builder.fresh());
    const [absent, full, present] = [
      builder.block("absent", "seldom"),
      builder.block("full", "seldom"),
      builder.block("present"),
    ];
    builder.branch("eq", 64, element, 0n, absent, present);
    builder.enter(absent);
    // Why: another program may make it at the same moment; whose zeros are taken is all the same.
    const asked = [{ map: option.map }, key, this.#zero(option.spec), onlyNew];
    if (place === undefined) builder.run("map_update_elem", asked);
    else this.#tell(option, place, builder.call("map_update_elem", asked));
    look(element);
    builder.branch("eq", 64, element, 0n, full, present);
    builder.enter(full);
    this.#drop(option, next);
    builder.enter(present);
    return element;
  }

  /** Says that there is a new key where the element has been made by this program. */
  #tell({ spec, number }: AggregateOption, place: KeyPlace, made: Virtual): void {
    const builder = this.#builder;
    const [isNew, told] = [builder.block("new", "seldom"), builder.block("told", "seldom")];
    builder.branch("eq", 64, made, 0n, isNew, told);
    builder.enter(isNew);
    this.#room.tell(place, number, placeKey(spec.key).bytes);
    builder.jump(told);
    builder.enter(told);
  }

  /** Memory of zeros, as long as a value. */
  #zero(spec: AggregateSpec): Argument {
    const builder = this.#builder;
    const bytes = valueBytesOf(spec);
    if (bytes > mostStackZeros) return { firstOf: zerosMap };
    this.#zeros ??= builder.slot(bytes);
    builder.enlarge(this.#zeros, bytes);
    for (let at = 0; at < bytes; at += 8) builder.store(this.#zeros, at, 8, 0n);
    return { address: this.#zeros, offset: 0 };
  }

  #add({ spec, number }: AggregateOption, element: Virtual, value: Operand, next: BlockNumber): void {
    const builder = this.#builder;
    switch (spec.kind) {
      case "counter":
      case "table":
        return builder.add(element, 0, value);
      case "summary": {
        const drop = builder.block("drop", "seldom");
        builder.count(element, 0);
        builder.add(element, 8, value);
        const most = spec.value.signed ? builder.compute("xor", 64, value, signBit) : value;
        this.#raise(element, 16, builder.compute("xor", 64, most, -1n), drop);
        this.#raise(element, 24, most, drop);
        builder.jump(next);
        builder.enter(drop);
        this.#surroundings.drops.count(number);
        return;
      }
      case "log2":
      case "linear": {
        const bucket =
          spec.kind === "log2" ? log2Bucket(builder, value, spec.value) : linearBucket(builder, value, spec);
        builder.count(element, 0);
        builder.add(element, 8, value);
        return builder.count(builder.compute("add", 64, element, bucket.bytes), bucket.offset);
      }
      default:
        return unreachable(spec.kind);
    }
  }

  /** Makes a word at least so large. Other programs may do the same, so that it is tried again while they do, but not for ever. */
  #raise(element: Virtual, offset: number, value: Operand, tooOften: BlockNumber): void {
    const builder = this.#builder;
    const raised = builder.block("raised");
    const [larger, again] = [builder.block("larger", "seldom"), builder.block("again", "seldom")];
    const seen = builder.copy(builder.load(element, offset, 8));
    const tries = builder.copy(0n);
    const wanted = builder.copy(value);
    builder.branch("gt", 64, wanted, seen, larger, raised);
    builder.enter(larger);
    const before = builder.exchange(element, offset, seen, wanted);
    builder.branch("eq", 64, before, seen, raised, again);
    builder.enter(again);
    builder.copy(before, seen);
    builder.copy(builder.compute("add", 64, tries, 1n), tries);
    const more = builder.block("more", "seldom");
    builder.branch("lt", 64, tries, mostTries, more, tooOften);
    builder.enter(more);
    builder.branch("gt", 64, wanted, seen, larger, raised);
    builder.enter(raised);
  }

  #set({ map, number }: AggregateOption, key: KeyAddress, value: Operand, next: BlockNumber): void {
    const builder = this.#builder;
    this.#word ??= builder.slot(8);
    builder.store(this.#word, 0, 8, value);
    const result = builder.call("map_update_elem", [{ map }, key, { address: this.#word, offset: 0 }, any]);
    const full = builder.block("full", "seldom");
    builder.branch("ne", 64, result, 0n, full, next);
    builder.enter(full);
    this.#surroundings.drops.count(number);
  }

  #drop({ number }: AggregateOption, next: BlockNumber): void {
    this.#surroundings.drops.count(number);
    this.#builder.jump(next);
  }

  /** Where a text of the key cannot be read, that is counted as a fault. */
  #key(
    { spec }: AggregateOption,
    key: readonly TypedKeyPart[],
    next: BlockNumber,
    large?: LargeKey,
  ): KeyAddress {
    const builder = this.#builder;
    const { keys, counts } = this.#surroundings;
    if (key.length === 0) return keys.number(0n);
    const unread = builder.block("unread", "seldom");
    const address = keys.build(key, spec.key, unread, large);
    const here = builder.current;
    builder.enter(unread);
    builder.count(counts, counters.faults);
    builder.jump(next);
    builder.enter(here);
    return address;
  }

  #option(aggregate: number): AggregateOption {
    const option = this.#surroundings.aggregates[aggregate];
    assert(option !== undefined, `the session has no aggregate ${aggregate}`);
    return option;
  }
}
