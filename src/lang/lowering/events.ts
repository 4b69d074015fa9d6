/**
 * Owns making one event: time and header, the author's fields, stacks, and what becomes of a field that cannot be computed.
 * Does not own statements (passes/3-lower.ts), columns (columns.ts) nor what the ring is asked (ring.ts).
 *
 * Nothing sleeps between reservation and submission. Why: the reader stops at a record that is not submitted, so that one thread
 * that waits for its page (on a slow disk, on userfaultfd) would hold back the events of all. Where a read fails, the record is
 * discarded, pages are faulted in, and the event is made once more, in a record of its own and with its own time.
 */
import { assert, unreachable } from "../../base/assert.js";
import type { HelperName } from "../../bpf/helpers.js";
import { convert } from "../checking/conversions.js";
import { faultsAt, siteAt, stackParts, textRoom, tidAt, timeAt } from "../event.js";
import type { EventField, EventLayout } from "../event.js";
import { context } from "../ir.js";
import type { Argument, Virtual } from "../ir.js";
import { counters } from "../maps.js";
import type { CompileOptions } from "../options.js";
import { stacksOf } from "../record.js";
import type { ShapeFields } from "../record.js";
import type { Architecture, Layout } from "../target.js";
import { integerOf, valuesOfField } from "../typed.js";
import type { TypedField, TypedStatement, TypedValue } from "../typed.js";
import { canFault, fieldReadsMemory, isRead } from "../uses.js";
import type { BlockNumber, Builder } from "./builder.js";
import { writeColumns, writeName } from "./columns.js";
import { faultIn } from "./faulting-in.js";
import type { KeptValues } from "./kept.js";
import { boundLength } from "./lengths.js";
import { discard, reserve, submit } from "./ring.js";
import { takeStack } from "./stacks.js";
import type { UserMemory } from "./user-memory.js";
import type { Values } from "./values.js";

export interface EventOptions extends CompileOptions {
  readonly architecture: Architecture;
  readonly event: EventLayout;
  readonly shapeFields: readonly ShapeFields[];
  readonly shapeField: number | undefined;
  readonly returnAddress: Layout["returnAddress"];
}

type Emit = Extract<TypedStatement, { kind: "emit" }>;

export class Events {
  readonly #builder: Builder;
  readonly #options: EventOptions;
  readonly #memory: UserMemory;
  readonly #values: Values;
  readonly #kept: KeptValues;
  readonly #counts: Virtual;
  /** Of the event that is being made: where the hit goes when there is no room, its shape, and that shape's first field. */
  #end: BlockNumber = 0;
  #shape = 0;
  #first = 0;

  constructor(
    builder: Builder,
    options: EventOptions,
    given: {
      readonly memory: UserMemory;
      readonly values: Values;
      readonly kept: KeptValues;
      readonly counts: Virtual;
    },
  ) {
    this.#builder = builder;
    this.#options = options;
    this.#memory = given.memory;
    this.#values = given.values;
    this.#kept = given.kept;
    this.#counts = given.counts;
  }

  /** Sends one event; `end` is where a hit goes whose event finds no room. */
  emit({ shape, strict, fields }: Emit, end: BlockNumber): void {
    this.#end = end;
    this.#first = this.#options.shapeFields[shape]!.first;
    this.#shape = shape;
    if (!strict) return this.#emit(fields, fieldReadsMemory);
    // Why: a number that cannot be computed ends the hit, and nothing may end it, or sleep, while a record is held.
    const early = fields.flatMap(({ value }) => valuesOfField(value)).filter(canFault);
    this.#values.settled(early, () => this.#emit(fields, ({ value }) => isRead(value)));
  }

  #emit(fields: readonly TypedField[], mayFault: (field: TypedField) => boolean): void {
    if (!this.#options.sleepable || !fields.some(mayFault)) {
      this.#send(fields, undefined);
      return;
    }
    const builder = this.#builder;
    const absent = builder.block("absent", "seldom");
    const sent = builder.block("sent");
    const record = this.#send(fields, absent);
    builder.jump(sent);
    builder.enter(absent);
    discard(builder, record);
    const pages = { builder, memory: this.#memory, values: this.#values, textLimit: this.#options.textLimit };
    for (const field of fields.filter(mayFault)) faultIn(field, pages);
    this.#send(fields, undefined);
    builder.jump(sent);
    builder.enter(sent);
  }

  /** Makes an event and returns its record; goes to `absent`, where that is given, with the record when a field cannot be computed. */
  #send(fields: readonly TypedField[], absent: BlockNumber | undefined): Virtual {
    return this.#memory.awake(() => this.#sendAwake(fields, absent));
  }

  #sendAwake(fields: readonly TypedField[], absent: BlockNumber | undefined): Virtual {
    const builder = this.#builder;
    const { event, sleepable } = this.#options;
    // Why: the time from before a page fault, as a predicate may have asked for it, is no time for what happens behind it.
    const time = sleepable ? builder.call("ktime_get_ns", []) : builder.callStable("ktime_get_ns");
    // Why: what is asked for again is not kept in a register meanwhile, so that making an event twice costs those nothing that are made once.
    const ask = (helper: HelperName, given: readonly Argument[]): Virtual =>
      sleepable && absent === undefined ? builder.call(helper, given) : builder.callStable(helper, given);
    const lost = builder.block("lost", "seldom");
    const record = reserve(builder, event.bytes, lost);
    this.#writeLost(lost);
    builder.store(record, timeAt, 8, time);
    // Kernel: tgid << 32 | pid, which is tid and pid of the header in one piece on a little-endian machine.
    builder.store(record, tidAt, 8, ask("get_current_pid_tgid", []));
    builder.store(record, siteAt, 4, ask("get_attach_cookie", [context]));
    builder.store(record, faultsAt, 4, 0n);
    writeColumns(builder, record, event, this.#options.columns);
    if (this.#options.shapeField !== undefined) {
      const { offset } = event.fields[this.#options.shapeField]!;
      builder.store(record, offset, 4, BigInt(this.#shape));
    }
    fields.forEach((field, index) => this.#field(record, this.#first + index, field, absent));
    const firstStack = event.fields.length - stacksOf(this.#options).length;
    event.fields.forEach((place, index) => {
      if (index >= firstStack) this.#stack(record, index, place);
    });
    submit(builder, record, this.#options.ring.wakeBytes);
    return record;
  }

  #writeLost(lost: BlockNumber): void {
    const builder = this.#builder;
    const here = builder.current;
    builder.enter(lost);
    builder.count(this.#counts, counters.lost);
    builder.jump(this.#end);
    builder.enter(here);
  }

  #field(record: Virtual, index: number, field: TypedField, absent: BlockNumber | undefined): void {
    const builder = this.#builder;
    const outer = builder.span;
    builder.span = field.span;
    const place = this.#options.event.fields[index];
    assert(place !== undefined, `field ${index} has no place in the event`);
    if (absent === undefined) {
      this.#orFault(record, index, place, (faulted, next) =>
        this.#write(record, index, place, field.value, faulted, next),
      );
    } else {
      const next = builder.block("next");
      this.#values.failingTo(absent, () => this.#write(record, index, place, field.value, absent, next));
      builder.jump(next);
      builder.enter(next);
    }
    builder.span = outer;
  }

  /** Writes a field; where that fails the field holds zeros and has its bit in `faults`. */
  #orFault(
    record: Virtual,
    index: number,
    place: EventField,
    write: (faulted: BlockNumber, next: BlockNumber) => void,
  ): void {
    const builder = this.#builder;
    const next = builder.block("next");
    const faulted = builder.block("fault", "seldom");
    this.#values.failingTo(faulted, () => write(faulted, next));
    builder.jump(next);
    builder.enter(faulted);
    const before = builder.load(record, faultsAt, 4);
    builder.store(record, faultsAt, 4, builder.compute("or", 32, before, 1n << BigInt(index)));
    builder.count(this.#counts, counters.faults);
    this.#writeZero(record, place);
    builder.jump(next);
    builder.enter(next);
  }

  #write(
    record: Virtual,
    index: number,
    place: EventField,
    value: TypedValue,
    faulted: BlockNumber,
    next: BlockNumber,
  ): void {
    const { offset } = place;
    switch (value.kind) {
      case "integer": {
        const { value: kind } = place;
        assert(kind.kind === "integer", "an integer in a field that is none");
        const whole = convert(value.value, kind.type);
        return this.#builder.store(record, offset, kind.type.bytes, this.#values.value(whole));
      }
      case "stack":
        return this.#stack(record, index, place);
      case "kept":
        return this.#kept.write(value, record, offset, faulted);
      case "bytes": {
        const address = this.#values.value(value.address);
        const failures = { fault: faulted, null: faulted };
        return this.#memory.readBytes({ base: record, offset }, BigInt(value.count), address, failures);
      }
      case "symbol": {
        assert(integerOf(value.address.type).bytes === 8, "a narrow address");
        return this.#builder.store(record, offset, 8, this.#values.value(value.address));
      }
      case "comm":
        return writeName(this.#builder, record, offset);
      case "text":
        return this.#text(record, place, value, faulted, next);
      default:
        return unreachable(value);
    }
  }

  #text(
    record: Virtual,
    { offset, value: kind }: EventField,
    value: Extract<TypedValue, { kind: "text" }>,
    fault: BlockNumber,
    next: BlockNumber,
  ): void {
    const builder = this.#builder;
    assert(kind.kind === "text", "a text in a field that is none");
    const isNull = builder.block("null", "seldom");
    const failures = { fault, null: isNull };
    const to = { base: record, offset: offset + 4 };
    const address = this.#values.value(value.address);
    if (value.length === undefined) {
      const written = this.#memory.readText(to, textRoom(kind.limit), address, failures);
      builder.store(record, offset, 4, builder.compute("sub", 32, written, 1n));
    } else {
      const { asked, read } = boundLength(builder, this.#values.value(value.length), kind.limit);
      builder.store(record, offset, 4, asked);
      this.#memory.readBytes(to, read, address, failures);
    }
    builder.jump(next);
    builder.enter(isNull);
    builder.store(record, offset, 4, -1n);
  }

  #writeZero(record: Virtual, { offset, value }: EventField): void {
    const builder = this.#builder;
    switch (value.kind) {
      case "integer":
        return builder.store(record, offset, value.type.bytes, 0n);
      case "symbol":
        return builder.store(record, offset, 8, 0n);
      case "text":
        return builder.store(record, offset, 4, 0n);
      case "stack":
        return builder.store(record, offset + stackParts.returnAddress, 8, 0n);
      case "comm":
      case "bytes":
        // Kernel: a read that fails fills what it should have written with zeros.
        return;
      default:
        return unreachable(value);
    }
  }

  #stack(record: Virtual, index: number, place: EventField): void {
    const builder = this.#builder;
    const { offset, value } = place;
    assert(value.kind === "stack", "a stack in a field that is none");
    const { returnAddress } = this.#options;
    const to = { base: record, offset };
    if (value.space === "kernel" || returnAddress === undefined)
      return takeStack(builder, to, value, "in its frame");
    takeStack(builder, to, value, "at the return address");
    this.#orFault(record, index, place, () =>
      builder.store(record, offset + stackParts.returnAddress, 8, this.#values.placed(returnAddress)),
    );
  }
}
