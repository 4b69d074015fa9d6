/**
 * Owns the third pass: the whole program of a probe as intermediate code, from the process filter to the submitted event.
 * Does not own expressions, user memory and the process filter, which are in lowering/.
 */
import { assert, unreachable } from "../../base/assert.js";
import type { HelperName } from "../../bpf/helpers.js";
import { faultsAt, siteAt, stackParts, textRoom, tidAt, timeAt } from "../event.js";
import type { EventField, EventLayout } from "../event.js";
import { context } from "../ir.js";
import type { Argument, Program, Virtual } from "../ir.js";
import { Builder } from "../lowering/builder.js";
import type { BlockNumber } from "../lowering/builder.js";
import { faultIn } from "../lowering/faulting-in.js";
import { boundLength } from "../lowering/lengths.js";
import { filterProcesses } from "../lowering/process-filter.js";
import { discard, reserve, submit } from "../lowering/ring.js";
import { UserMemory } from "../lowering/user-memory.js";
import { Values } from "../lowering/values.js";
import { counters, countersMap } from "../maps.js";
import type { CompileOptions } from "../options.js";
import type { Architecture, Layout } from "../target.js";
import { fieldReadsMemory, integerOf } from "../typed.js";
import type { TypedField, TypedProbe, TypedStatement, TypedValue } from "../typed.js";

export interface LowerOptions extends CompileOptions {
  readonly architecture: Architecture;
  readonly event: EventLayout;
  readonly returnAddress: Layout["returnAddress"];
}

/**
 * Writes the program: process filter, hits, conditions, then time, room in the ring, fields, submission.
 *
 * Nothing sleeps between reservation and submission. Why: the reader stops at a record that is not submitted, so that one thread
 * that waits for its page (on a slow disk, on userfaultfd) would hold back the events of all. Where a read fails, the record is
 * discarded, pages are faulted in, and the event is made once more, in a record of its own and with its own time.
 */
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
  new Lowering(builder, options, counts, out).statements(probe.statements);
  builder.jump(out);
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

class Lowering {
  readonly #builder: Builder;
  readonly #options: LowerOptions;
  readonly #memory: UserMemory;
  readonly #values: Values;
  readonly #counts: Virtual;
  readonly #out: BlockNumber;
  /** Where a condition that does not hold ends. */
  readonly #filtered: BlockNumber;

  constructor(builder: Builder, options: LowerOptions, counts: Virtual, out: BlockNumber) {
    this.#builder = builder;
    this.#options = options;
    this.#counts = counts;
    this.#out = out;
    this.#memory = new UserMemory(builder, options.sleepable);
    this.#filtered = builder.block("filtered");
    const faulted = builder.block("faulted", "seldom");
    this.#values = new Values(builder, this.#memory, options.architecture, faulted);
    this.#writeFailures(faulted);
  }

  statements(statements: readonly TypedStatement[]): void {
    for (const statement of statements) {
      this.#builder.span = statement.span;
      if (statement.kind === "require") this.#values.require(statement.condition, this.#filtered);
      else this.#emit(statement.fields);
      this.#builder.span = undefined;
    }
  }

  #writeFailures(faulted: BlockNumber): void {
    const builder = this.#builder;
    const here = builder.current;
    builder.enter(faulted);
    builder.count(this.#counts, counters.faults);
    builder.jump(this.#filtered);
    builder.enter(this.#filtered);
    builder.count(this.#counts, counters.filtered);
    builder.jump(this.#out);
    builder.enter(here);
  }

  #emit(fields: readonly TypedField[]): void {
    if (!this.#options.sleepable || !fields.some(fieldReadsMemory)) {
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
    for (const field of fields) faultIn(field, pages);
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
    const columns = this.#columns();
    columns.forEach((write, index) => write(record, event.fields[index]!.offset));
    fields.forEach((field, index) => this.#field(record, columns.length + index, field, absent));
    event.fields.forEach((place, index) => {
      if (place.value.kind === "stack") this.#stack(record, index, place);
    });
    submit(builder, record, this.#options.ring.wakeBytes);
    return record;
  }

  #writeLost(lost: BlockNumber): void {
    const builder = this.#builder;
    const here = builder.current;
    builder.enter(lost);
    builder.count(this.#counts, counters.lost);
    builder.jump(this.#out);
    builder.enter(here);
  }

  /** In the order in which the event's layout has them. */
  #columns(): ((record: Virtual, offset: number) => void)[] {
    const builder = this.#builder;
    const { cpu, comm, uid } = this.#options.columns;
    return [
      ...(cpu
        ? [
            (record: Virtual, offset: number) =>
              builder.store(record, offset, 4, builder.callStable("get_smp_processor_id")),
          ]
        : []),
      ...(comm ? [(record: Virtual, offset: number) => this.#comm(record, offset)] : []),
      ...(uid
        ? [
            (record: Virtual, offset: number) =>
              builder.store(record, offset, 4, builder.callStable("get_current_uid_gid")),
          ]
        : []),
    ];
  }

  #comm(record: Virtual, offset: number): void {
    this.#builder.run("get_current_comm", [{ address: record, offset }, 16n]);
  }

  #field(record: Virtual, index: number, field: TypedField, absent: BlockNumber | undefined): void {
    const builder = this.#builder;
    const outer = builder.span;
    builder.span = field.span;
    const place = this.#options.event.fields[index];
    assert(place !== undefined, `field ${index} has no place in the event`);
    if (absent === undefined) {
      this.#orFault(record, index, place, (faulted, next) =>
        this.#write(record, place, field.value, faulted, next),
      );
    } else {
      const next = builder.block("next");
      this.#values.failingTo(absent, () => this.#write(record, place, field.value, absent, next));
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
    place: EventField,
    value: TypedValue,
    faulted: BlockNumber,
    next: BlockNumber,
  ): void {
    const { offset } = place;
    switch (value.kind) {
      case "integer":
        return this.#builder.store(record, offset, value.type.bytes, this.#values.value(value.value));
      case "symbol": {
        assert(integerOf(value.address.type).bytes === 8, "a narrow address");
        return this.#builder.store(record, offset, 8, this.#values.value(value.address));
      }
      case "comm":
        return this.#comm(record, offset);
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
        return;
      default:
        return unreachable(value);
    }
  }

  #stack(record: Virtual, index: number, place: EventField): void {
    const builder = this.#builder;
    const { offset, value } = place;
    assert(value.kind === "stack", "a stack in a field that is none");
    // Kernel: BPF_F_USER_STACK.
    const flags = value.space === "user" ? 0x100n : 0n;
    const room = { address: record, offset: offset + stackParts.addresses };
    const written = builder.call("get_stack", [context, room, BigInt(8 * value.depth), flags]);
    builder.store(record, offset, 4, written);
    const { returnAddress } = this.#options;
    if (value.space === "kernel" || returnAddress === undefined) {
      builder.store(record, offset + stackParts.rule, 4, 0n);
      builder.store(record, offset + stackParts.returnAddress, 8, 0n);
      return;
    }
    const cookie = builder.callStable("get_attach_cookie", [context]);
    builder.store(record, offset + stackParts.rule, 4, builder.compute("rsh", 64, cookie, 32n));
    this.#orFault(record, index, place, () =>
      builder.store(record, offset + stackParts.returnAddress, 8, this.#values.placed(returnAddress)),
    );
  }
}
